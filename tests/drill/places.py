"""Where people look: the page, the log, the metrics, alerts, the doctor, readiness."""

import contextlib
import json
import shutil
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

from jobs.checks.examine import examine
from jobs.checks.line import Line
from jobs.checks.seen import Asked, Seen
from jobs.checks.table import TABLE
from signals.delivery.endpoints import endpoint
from signals.store import alerts
from signals.store.alerts import Alert
from signals.store.glance import glance
from tests.drill.failure import BUSY_S, Failure, closed_within_s, told_within_s
from tests.drill.service import Drill, until

_TOLD_BY = {"disk": "home"}
"""The check that tells a line of another name."""


def sentence(drill: Drill) -> str:
    """What the page says first."""
    with _get(drill, "/console/api/live") as answer:
        event = ""
        for line in answer:
            name, _, value = line.decode().strip().partition(": ")
            if name == "event":
                event = value
            elif name == "data" and event == "state":
                return str(json.loads(value)["sentence"])
    raise AssertionError("the page's line ended without a state")


def metrics(drill: Drill) -> dict[str, float]:
    """Every sample by its name and labels."""
    with _get(drill, "/metrics") as answer:
        rows = [line.rpartition(" ") for line in answer.read().decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in rows}


def ready(drill: Drill) -> tuple[int, list[str]]:
    """Status of `/readyz`, and what it names."""
    try:
        with _get(drill, "/readyz") as answer:
            return answer.status, []
    except urllib.error.HTTPError as error:
        with error:
            return error.code, [one["what"] for one in json.load(error)["reasons"]]


def kept(drill: Drill, key: str) -> list[Alert]:
    """The alerts of a key that were told, as the store has them."""
    url = drill.settings.database_url
    with tempfile.TemporaryDirectory() as copied:
        if drill.seen_elsewhere:  # SQLite would follow the way there back to our own disks
            for file in drill.home.glob("signals.db*"):
                shutil.copy(file, copied)
            url = f"sqlite:///{copied}/signals.db"
        with contextlib.closing(glance(url)) as store, store.read() as conn:
            told = alerts.told(conn, limit=100)
    return [one for one in told if one.key == key and one.opened_at and one.opened_at >= drill.marked_at]


def doctor(drill: Drill, check: str) -> Line | None:
    """What `signals doctor` says is wrong under this name, and what to do about it."""
    name = _TOLD_BY.get(check, check.partition(":")[0])
    table = [one for one in TABLE if one.name.partition(":")[0].rstrip("s") == name.rstrip("s")]
    seen = Seen(Asked(drill.settings, drill.shell.env, drill.clock.now, True))
    found = next((one for one in examine(seen, table=table) if one.check == check and one.status != "ok"), None)
    assert found is None or found.mend, found
    return found


def order(drill: Drill, path: str) -> None:
    """Have the console do something."""
    token = (drill.home / "token").read_text()
    with _get(drill, path, method="POST", headers={"Authorization": f"Bearer {token}"}):
        pass


def _get(drill: Drill, path: str, **options: Any) -> Any:
    url = f"{endpoint(drill.home, 'console')}{path}"
    return urllib.request.urlopen(urllib.request.Request(url, **options), timeout=20)


def quiet(drill: Drill) -> None:
    """All is well and no alert stands, before anything is brought about; what was before is looked at no more."""
    said = ""

    def well() -> bool:
        nonlocal said
        said = sentence(drill)
        return said.startswith("Quiet") and not drill.unclosed()

    try:
        until(well, "a quiet service")
    except AssertionError as error:
        raise AssertionError(f"{error}: {said!r}, alerts of {drill.unclosed()}") from None
    drill.mark()


def shown(drill: Drill, failure: Failure, begun: float) -> tuple[dict[str, float], dict[str, float]]:
    """Look at all places until each has the failure: by which time they must, and when they did (s)."""
    seen_s = failure.objective.unseen_s(drill.settings) + BUSY_S
    told_s = told_within_s(failure.objective, drill.settings) + BUSY_S
    event, fields = failure.log
    looks: dict[str, tuple[float, Callable[[], object]]] = {
        "log": (told_s if event.startswith("alert.") else seen_s, lambda: drill.log(event, **fields)),
        "alert": (told_s, lambda: "opened" in drill.sent(failure.key)),
        "sentence": (seen_s, lambda: failure.sentence in sentence(drill)),
        "metrics": (seen_s, lambda: failure.metric(metrics(drill), drill.clock.now().timestamp())),
        "doctor": (told_s if failure.doctor.startswith("alert:") else seen_s, lambda: doctor(drill, failure.doctor)),
    }
    return _watch(drill, looks, begun, failure.name)


def closed(drill: Drill, failure: Failure, begun: float) -> tuple[dict[str, float], dict[str, float]]:
    """Look until the end of its alert is sent and the sentence has nothing of it any more; the same of that."""
    within_s = closed_within_s(failure.back_s, drill.settings) + BUSY_S

    def over() -> bool:
        return drill.sent(failure.key)[-1:] == ["closed"] and failure.sentence not in sentence(drill)

    return _watch(drill, {"closed": (within_s, over)}, begun, failure.name)


def _watch(
    drill: Drill, looks: dict[str, tuple[float, Callable[[], object]]], begun: float, name: str
) -> tuple[dict[str, float], dict[str, float]]:
    left, took_s = dict(looks), {}
    while left:
        for place, (within_s, look) in list(left.items()):
            if look():
                took_s[place] = drill.clock.ticks() - begun
                del left[place]
            elif drill.clock.ticks() - begun > within_s:
                raise AssertionError(f"{name}: not in {place} within {within_s:g} s: {_instead(drill)}")
        time.sleep(0.1)
    return {place: within_s for place, (within_s, _) in looks.items()}, took_s


def _instead(drill: Drill) -> str:
    """What stands there, for people."""
    lines = [f"{one.check}: {one.text}" for one in _all_wrong(drill)]
    return f"{sentence(drill)!r}; sent {drill.receiver.actions}; doctor {lines}"


def _all_wrong(drill: Drill) -> list[Line]:
    seen = Seen(Asked(drill.settings, drill.shell.env, drill.clock.now, True))
    return [one for one in examine(seen, table=TABLE) if one.status != "ok"]
