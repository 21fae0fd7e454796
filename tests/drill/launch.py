"""The command line by a clock that can be set (see `clock.py`): `python -m tests.drill.launch serve`.

SIGUSR1 ends the scheduler of a service, and nothing else of it.
"""

import mmap
import os
import signal
import struct
import sys
import time
from pathlib import Path


def _let_pass() -> None:
    """Let `time.monotonic` go along with time that is said to have passed."""
    with Path(os.environ["DRILL_CLOCK"]).open("rb") as file:
        seen = mmap.mmap(file.fileno(), 16, prot=mmap.PROT_READ)
    real = time.monotonic
    time.monotonic = lambda: real() + struct.unpack_from("q", seen, 8)[0]


_let_pass()

from apscheduler.schedulers.background import BackgroundScheduler  # noqa: E402 - what is imported before

from jobs.cli import main  # noqa: E402 - would keep the other clock


class _Mortal(BackgroundScheduler):
    """Ends at SIGUSR1."""

    def start(self, paused: bool = False) -> None:
        """Start, in the process that is to have the signal."""
        signal.signal(signal.SIGUSR1, lambda *_: self.shutdown(wait=False))
        super().start(paused)


def _let_die() -> None:
    from jobs import scheduler

    scheduler.BackgroundScheduler = _Mortal


_let_die()
main(sys.argv[1:])
