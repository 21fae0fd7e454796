"""What follows a job at once: news is published as it comes, unless publishing fails; then its schedule tries."""

import datetime as dt
import threading
from collections.abc import Callable
from typing import NamedTuple

from jobs.runner import Runner, Trigger
from signals.model import JobRun

BEFORE = frozenset({"ingest", "inbox"})
"""Jobs whose news must not wait for the next tick."""
FOLLOWS = "publish"


class _Failing(NamedTuple):
    """Publishing fails: since when and why at first; how often news came and did not make it run, and when first."""

    since: dt.datetime
    cause: str
    held: int = 0
    held_since: dt.datetime | None = None


class Following:
    """Runs jobs, and publishing after those that found something.

    While Redis is away (or publishing fails for any other reason) news by the hundred makes no run each: what came
    is counted, and put on record in one row once publishing works again.

    Parameters
    ----------
    runner : runs the jobs.
    clock : gives the UTC time.
    """

    def __init__(self, runner: Runner, clock: Callable[[], dt.datetime]) -> None:
        self._runner = runner
        self._clock = clock
        self._failing: _Failing | None = None
        self._lock = threading.Lock()
        self._wanted = threading.Event()
        self._one = threading.Lock()

    def fire(self, name: str, trigger: Trigger = "schedule", scheduled_at: dt.datetime | None = None) -> None:
        """Run a job, and at once what follows it if it found something."""
        run = self._runner.run(name, trigger, scheduled_at)
        if name == FOLLOWS:
            self._saw(run)
        elif name in BEFORE and (run.counts.get("new") or run.counts.get("withdrawn")):
            self.publish()

    def publish(self) -> None:
        """News came. Where it is being published just now, that is done once more, however often we are called."""
        if self._hold():
            return
        self._wanted.set()
        while self._wanted.is_set() and self._failing is None and self._one.acquire(blocking=False):
            try:
                self._wanted.clear()
                self._saw(self._runner.run(FOLLOWS, "chain"))
            finally:
                self._one.release()

    def end(self) -> None:
        """The service ends: put on record what waits still."""
        with self._lock:
            failing, self._failing = self._failing, None
        self._put_down(failing, "and had not ended with the service")

    def _hold(self) -> bool:
        with self._lock:
            if self._failing is not None:
                first = self._failing.held_since or self._clock()
                self._failing = self._failing._replace(held=self._failing.held + 1, held_since=first)
            return self._failing is not None

    def _saw(self, run: JobRun) -> None:
        if run.outcome == "failed":
            with self._lock:
                self._failing = self._failing or _Failing(run.started_at, run.error or "")
        elif run.outcome in ("ok", "partial"):
            with self._lock:
                failing, self._failing = self._failing, None
            self._put_down(failing, f"and ended at {run.ended_at:%H:%M:%S}")

    def _put_down(self, failing: _Failing | None, ended: str) -> None:
        if failing is not None and failing.held:
            said = (
                f"{failing.held} times news came and waited for the schedule: publishing failed since "
                f"{failing.since:%Y-%m-%d %H:%M:%S} UTC {ended}: {failing.cause}"
            )
            self._runner.put_down(FOLLOWS, "chain", "skipped", said, since=failing.held_since)
