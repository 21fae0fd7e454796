"""A service to try failures on."""

import datetime as dt
import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from jobs.settings import load
from tests.chaos.service import Nursery
from tests.drill.clock import Clock
from tests.jobs.conftest import Shell
from tests.jobs.receivers import Receiver

QUICK = {
    **{f"SIGNALS__JOBS__{job}__EVERY_S": "1" for job in ("INGEST", "PUBLISH", "PRICES", "HEARTBEAT", "WATCHDOG")},
    # These would begin late whenever time is let pass, and nothing here is about them.
    **{f"SIGNALS__JOBS__{job}__EVERY_S": "86400" for job in ("INBOX", "SCORECARD")},
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
    "SIGNALS_WEBHOOK_SECRET": "a secret of thirty-two characters",
}
"""Everything each second, and objectives of seconds."""
PATIENCE_S = 60.0

T = TypeVar("T")


def until(look: Callable[[], T], what: str, within_s: float = PATIENCE_S) -> T:
    """Look a few times a second until something true is seen; the last thing seen."""
    end = time.monotonic() + within_s
    while not (seen := look()):
        assert time.monotonic() < end, f"{what}: not within {within_s:g} s"
        time.sleep(0.1)
    return seen


class Drill:
    """One service with short objectives, and who is sent its alerts.

    Parameters
    ----------
    folder : for home, configuration and output.
    nursery : has the service.
    feeds : the text of its feeds file.
    environ : further variables of it.
    market_open : whether it is a Wednesday.
    """

    def __init__(
        self, folder: Path, nursery: Nursery, feeds: str = "", *, market_open: bool = False, **environ: str
    ) -> None:
        folder.mkdir(exist_ok=True)
        self.clock = Clock(folder, market_open=market_open)
        self.shell = Shell(folder, feeds)
        self.receiver = Receiver()
        url = f"http://{self.receiver.host}/alerts"
        self.shell.env |= QUICK | self.clock.env | {"SIGNALS_WEBHOOK_URL": url} | environ
        self.home = self.shell.home
        self.seen_elsewhere = False
        """Whether the home is on a disk that only the service has."""
        self.settings = load(self.shell.config, self.shell.env)
        self._nursery = nursery
        self._said = folder / "stderr.jsonl"
        self._pid = 0
        self._marked = self._got = 0
        self.marked_at = self.clock.now()

    def start(self) -> None:
        """Start it, and wait until it is up."""
        self._said.touch()
        starts = self._lines().count("service.start")
        env = {name: value for name, value in self.shell.env.items() if os.environ.get(name) != value}
        birth = {"config": str(self.shell.config), "log": str(self._said), "env": env}
        self._pid = int(self._nursery.ask(json.dumps(birth)))
        until(lambda: self._lines().count("service.start") > starts, f"a start: {self._said}")

    def stop(self) -> None:
        """End it, as a person would."""
        pid, self._pid = self._pid, 0
        assert self._nursery.ask(f"end {pid}") == "0", self._said.read_text()[-3000:]

    def kill(self) -> None:
        """End it as nothing can prevent, with its minder."""
        pid, self._pid = self._pid, 0
        assert self._nursery.ask(f"kill {pid}") == str(-signal.SIGKILL), self._said.read_text()[-3000:]

    def close(self) -> None:
        """End it whatever it does."""
        if self._pid:
            self.kill()
        self.receiver.close()

    def mark(self) -> None:
        """From now on only what comes is looked at, in log and alerts."""
        self._marked = len(self._lines().splitlines())
        self._got = len(self.receiver.got)
        self.marked_at = self.clock.now()

    def look_at(self, home: Path) -> None:
        """From now on the home is seen there: on a disk that only the service has."""
        self.seen_elsewhere = True
        self.home = home
        self.shell.env["SIGNALS_HOME"] = str(home)
        self.settings = load(self.shell.config, self.shell.env)

    def log(self, event: str, **fields: str) -> list[dict[str, Any]]:
        """The log's lines of an event that have these fields (an error: that has these words)."""
        told = self._lines().splitlines()[self._marked :]
        lines = [json.loads(line) for line in told if line.startswith("{")]
        return [one for one in lines if one["event"] == event and _has(one, fields)]

    def sent(self, key: str) -> list[str]:
        """What was sent of this alert, in order: opened, repeated, closed."""
        return [event["action"] for event in self._sent(self._got) if event["key"] == key]

    def unclosed(self) -> set[str]:
        """The alerts, by key, of which something was sent and not yet their end."""
        last = {event["key"]: event["action"] for event in self._sent(0)}
        return {key for key, action in last.items() if action != "closed"}

    def _sent(self, since: int) -> list[dict[str, Any]]:
        """The messages, each once: a repeat has the same id."""
        got = self.receiver.got[since:]
        return list({headers["X-Signals-Id"]: json.loads(body)["data"] for headers, body in got}.values())

    def until_running(self, job: str) -> None:
        """Wait until a run of a job has begun and not ended for two seconds."""

        def hangs() -> bool:
            begun, ended = ({one["run_id"] for one in self.log(event, job=job)} for event in ("job.start", "job.end"))
            return bool(begun - ended)

        until(lambda: hangs() and not time.sleep(2) and hangs(), f"a run of {job} that hangs")

    def until_ended(self, job: str) -> None:
        """Wait until a run of a job has ended well."""
        until(lambda: self.log("job.end", job=job, outcome="ok"), f"a run of {job} that ends")

    def pass_until(self, at: dt.datetime) -> None:
        """Let time pass until two seconds before a UTC time by its clock."""
        self.clock.pass_by((at - self.clock.now()).total_seconds() - 2)

    def _lines(self) -> str:
        whole, _, _ = self._said.read_text().rpartition("\n")  # the last may be half written
        return whole


def _has(line: dict[str, Any], fields: dict[str, str]) -> bool:
    return all(
        text in str(line.get(name)) if name == "error" else text == line.get(name) for name, text in fields.items()
    )
