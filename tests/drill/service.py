"""A service to try failures on, and all places where people look."""

import contextlib
import datetime as dt
import json
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from jobs.checks.examine import examine
from jobs.checks.line import Line
from jobs.checks.seen import Asked, Seen
from jobs.checks.table import TABLE
from jobs.settings import load
from signals.delivery.endpoints import endpoint
from signals.store import alerts
from signals.store.alerts import Alert
from signals.store.glance import glance
from tests.conftest import ROOT
from tests.jobs.conftest import Shell

SHOWN_S = 25.0
"""How long a failure may stay unseen here: objectives of a second or two, on a machine that has much else to do."""
QUICK = {
    **{f"SIGNALS__JOBS__{job}__EVERY_S": "1" for job in ("INGEST", "PUBLISH", "PRICES", "HEARTBEAT", "WATCHDOG")},
    "SIGNALS__JOBS__WATCHDOG__TIMEOUT_S": "10",
    "SIGNALS__FRESHNESS__SOURCE__AGE_S": "2",
    "SIGNALS__FRESHNESS__SOURCE__LAG_S": "0",
    "SIGNALS__FRESHNESS__CHANNEL__UNSENT_S": "2",
    "SIGNALS__FRESHNESS__SERVICE__DISK_FREE_MB": "0",
    "SIGNALS__FRESHNESS__PRICES__ECB__AGE_S": "1000000000",
    "SIGNALS__ALERTS__FOR_S": "1",
    "SIGNALS__ALERTS__CLEAR_S": "1",
    "SIGNALS__ALERTS__DIGEST_AT": '""',
    "SIGNALS__SERVICE__KILL_AFTER_S": "3600",
    "SIGNALS__PRICES__ENABLED": "false",
    "SIGNALS__PRICES__REFERENCE_URL": "",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
}
"""Everything each second, and objectives of seconds."""


T = TypeVar("T")


def until(look: Callable[[], T], what: str, within_s: float = SHOWN_S) -> T:
    """Look a few times a second until something true is seen; the last thing seen."""
    end = time.monotonic() + within_s
    while not (seen := look()):
        assert time.monotonic() < end, f"{what}: not within {within_s:g} s"
        time.sleep(0.2)
    return seen


class Drill:
    """One service with short objectives.

    Parameters
    ----------
    folder : for home, configuration and output.
    feeds : the text of its feeds file.
    clock : gives the time by which it goes, UTC.
    module : what is run: the command line, or `launch.py`.
    before : a command that is to become the service.
    environ : further variables of it.
    """

    def __init__(
        self,
        folder: Path,
        feeds: str = "",
        *,
        clock: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
        module: str = "jobs",
        before: tuple[str, ...] = (),
        **environ: str,
    ) -> None:
        self.shell = Shell(folder, feeds)
        self.shell.env |= QUICK | environ
        self.home = self.shell.home
        self.clock = clock
        self._module = module
        self._before = before
        self._said = folder / "stderr.jsonl"
        self._elsewhere = False
        self._marked = 0
        self._marked_at = dt.datetime.min.replace(tzinfo=dt.UTC)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it is up and judges."""
        command = [sys.executable, "-m", self._module, *self.shell.command()[3:], "serve"]
        with self._said.open("ab") as said:
            self.process = subprocess.Popen(
                [*self._before, *command], env=self.shell.env, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=said
            )
        starts = self._lines().count("service.start")
        until(lambda: self._lines().count("service.start") > starts or self.process.poll() is not None, "a start", 60)
        assert self.process.poll() is None, self._said.read_text()[-3000:]

    def stop(self) -> None:
        """End it, as a person would."""
        assert self.process is not None
        self.process.terminate()
        assert self.process.wait(30) == 0, self._said.read_text()[-3000:]

    def close(self) -> None:
        """End it whatever it does."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(20)

    def mark(self) -> None:
        """From now on only what comes is looked at, in log and alerts."""
        self._marked = len(self._lines().splitlines())
        self._marked_at = self.clock()

    # ---- where people look

    def sentence(self) -> str:
        """What the page says first."""
        with self._get("/console/api/live") as answer:
            event = ""
            for line in answer:
                name, _, value = line.decode().strip().partition(": ")
                if name == "event":
                    event = value
                elif name == "data" and event == "state":
                    return str(json.loads(value)["sentence"])
        raise AssertionError("the page's line ended without a state")

    def metrics(self) -> dict[str, float]:
        """Every sample by its name and labels."""
        with self._get("/metrics") as answer:
            rows = [line.rpartition(" ") for line in answer.read().decode().splitlines() if not line.startswith("#")]
        return {name: float(value) for name, _, value in rows}

    def ready(self) -> tuple[int, list[str]]:
        """Status of `/readyz`, and what it names."""
        try:
            with self._get("/readyz") as answer:
                return answer.status, []
        except urllib.error.HTTPError as error:
            with error:
                return error.code, [one["what"] for one in json.load(error)["reasons"]]

    def log(self, event: str, **fields: str) -> list[dict[str, Any]]:
        """The log's lines of an event that have these fields."""
        told = self._lines().splitlines()[self._marked :]
        lines = [json.loads(line) for line in told if line.startswith("{")]
        return [one for one in lines if one["event"] == event and fields.items() <= one.items()]

    def alerts(self, key: str) -> list[Alert]:
        """The alerts of a key that were told, as the store has them."""
        url = load(self.shell.config, self.shell.env).database_url
        with tempfile.TemporaryDirectory() as copied:
            if self._elsewhere:  # SQLite would follow the way there back to our own disks
                for file in self.home.glob("signals.db*"):
                    shutil.copy(file, copied)
                url = f"sqlite:///{copied}/signals.db"
            with contextlib.closing(glance(url)) as store, store.read() as conn:
                told = alerts.told(conn, limit=100)
        return [one for one in told if one.key == key and one.opened_at and one.opened_at >= self._marked_at]

    def doctor(self, *names: str) -> list[Line]:
        """What `signals doctor` says in these checks."""
        settings = load(self.shell.config, self.shell.env)
        seen = Seen(Asked(settings, self.shell.env, self.clock, True))
        return list(examine(seen, table=[check for check in TABLE if check.name in names]))

    def until_running(self, job: str) -> None:
        """Wait until a run of a job has begun and not ended for two seconds."""

        def hangs() -> bool:
            begun, ended = ({one["run_id"] for one in self.log(event, job=job)} for event in ("job.start", "job.end"))
            return bool(begun - ended)

        until(lambda: hangs() and not time.sleep(2) and hangs(), f"a run of {job} that hangs")

    def look_at(self, home: Path) -> None:
        """From now on the home is seen there: on a disk that only the service has."""
        self._elsewhere = True
        self.home = home
        self.shell.env["SIGNALS_HOME"] = str(home)

    def order(self, path: str) -> None:
        """Have the console do something."""
        token = (self.home / "token").read_text()
        with self._get(path, method="POST", headers={"Authorization": f"Bearer {token}"}):
            pass

    def _lines(self) -> str:
        whole, _, _ = self._said.read_text().rpartition("\n")  # the last may be half written
        return whole

    def _get(self, path: str, **options: Any) -> Any:
        url = f"{endpoint(self.home, 'console')}{path}"
        return urllib.request.urlopen(urllib.request.Request(url, **options), timeout=20)


_TOLD_BY = {"disk": "home"}
"""The check that tells a line of another name."""


def see(drill: Drill, look: Callable[[], bool], what: str) -> None:
    """Wait until it is seen; else tell what stands there instead."""
    try:
        until(look, what)
    except AssertionError as error:
        lines = [one for one in drill.doctor(*(check.name for check in TABLE)) if one.status != "ok"]
        raise AssertionError(f"{error}: {drill.sentence()!r}; {lines}") from None


def quiet(drill: Drill) -> None:
    """All is well, before anything is brought about; what was before is looked at no more."""
    see(drill, lambda: drill.sentence().startswith("Quiet"), "a quiet service")
    drill.mark()


def shown(drill: Drill, key: str, *, sentence: str, metric: Callable[[dict[str, float]], bool], doctor: str) -> None:
    """A failure is in the sentence, the log, the metrics, one alert, and what the doctor says with a mend."""
    see(drill, lambda: bool(drill.log("alert.opened", key=key)), f"alert of {key} in the log")
    see(drill, lambda: sentence in drill.sentence(), f"{sentence!r} in the sentence")
    see(drill, lambda: metric(drill.metrics()), f"{key} in the metrics")
    name = _TOLD_BY.get(doctor, doctor.partition(":")[0])
    names = {check.name for check in TABLE if check.name.partition(":")[0].rstrip("s") == name.rstrip("s")}

    def found() -> Line | None:
        return next((one for one in drill.doctor(*names) if one.check == doctor and one.status != "ok"), None)

    line = until(found, f"{doctor} in what the doctor says", SHOWN_S)
    assert line.mend, line


def mended(drill: Drill, key: str, *, sentence: str) -> None:
    """It is over: the alert was opened once and closed once, and the page says nothing of it any more."""
    see(drill, lambda: bool(drill.log("alert.closed", key=key)), f"the end of {key} in the log")
    see(drill, lambda: sentence not in drill.sentence(), f"a sentence without {sentence!r}")
    told = until(lambda: drill.alerts(key), f"the alert of {key} in the store")
    assert len(told) == 1, told
    (alert,) = told
    assert alert.closed_at is not None, alert
    assert alert.mend
    assert [len(drill.log(f"alert.{told}", key=key)) for told in ("opened", "closed")] == [1, 1]
