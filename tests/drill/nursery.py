"""A nursery whose services go by a clock that can be set (see `clock.py`), and by the machine's where none is named.

    python -m tests.drill.nursery CONFIG

The clock is put where the product reads it and nowhere else: `jobs/clock.py`, the scheduler, what Redis says of its
own, and `time.monotonic`. SIGUSR1 ends the scheduler of a service, and nothing else of it.
"""

import time

from tests.drill.clock import shift

_monotonic = time.monotonic


def _ticks() -> float:
    found = shift()
    return _monotonic() + (found.passed_s if found else 0)


time.monotonic = _ticks  # before anything is imported that keeps it

import datetime as dt  # noqa: E402
import signal  # noqa: E402
import sys  # noqa: E402
from pathlib import Path  # noqa: E402
from types import SimpleNamespace  # noqa: E402
from typing import Any  # noqa: E402

from apscheduler.executors import base as executors  # noqa: E402
from apscheduler.schedulers import base as schedulers  # noqa: E402
from apscheduler.schedulers.background import BackgroundScheduler  # noqa: E402

import jobs.clock  # noqa: E402
import jobs.scheduler  # noqa: E402
from signals.delivery import probe  # noqa: E402
from tests.chaos.nursery import main  # noqa: E402


class _Clock(dt.datetime):
    """The machine's clock, shifted."""

    @classmethod
    def now(cls, tz: dt.tzinfo | None = None) -> Any:
        found = shift()
        return dt.datetime.now(tz) + dt.timedelta(seconds=found.ours_s if found else 0)


class _Mortal(BackgroundScheduler):
    """Ends at SIGUSR1."""

    def start(self, paused: bool = False) -> None:
        """Start, in the process that is to have the signal."""
        signal.signal(signal.SIGUSR1, lambda *_: self.shutdown(wait=False))
        super().start(paused)


def _put_clocks() -> None:
    jobs.clock.dt = SimpleNamespace(datetime=_Clock, UTC=dt.UTC)  # type: ignore[attr-defined]
    for module in (executors, schedulers):
        module.datetime = _Clock
    told = probe.server_time

    def server_time(client: Any) -> dt.datetime | None:
        found, at = shift(), told(client)
        return at + dt.timedelta(seconds=found.theirs_s) if at and found else at

    probe.server_time = server_time


if __name__ == "__main__":
    _put_clocks()
    jobs.scheduler.BackgroundScheduler = _Mortal
    main(Path(sys.argv[1]))
