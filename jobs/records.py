"""The history of runs, kept in a store that may be locked or full just when there is something to tell it."""

import contextlib
import datetime as dt
from collections import deque
from collections.abc import Callable

import msgspec

from jobs.lifeline import Before
from signals.errors import StoreError
from signals.model import JobRun
from signals.store import Store, runs

BY_ITSELF = ("schedule", "chain")
"""Triggers of runs that only a service does."""
_OWED = 10_000
"""Ended runs that are kept for the history while it cannot be written: half a day of heartbeats."""
_RECORDED_WITHIN_S = 60


class Records:
    """Puts runs on record; what the store cannot take is owed to it, and written with the next that it can.

    Parameters
    ----------
    store : keeps it.
    clock : gives the UTC time.
    """

    def __init__(self, store: Store, clock: Callable[[], dt.datetime]) -> None:
        self.store = store
        self._clock = clock
        self._owed: deque[JobRun] = deque(maxlen=_OWED)

    def take_over(self, before: Before | None) -> None:
        """Put on record what became of the runs of the service before this one; there can be no other of this home.

        A run that hung, and was killed for it, has failed whatever the history says by now.
        """
        now = self._clock()
        for run, over_s in before.active if before else ():
            if over_s > 0:
                error = f"killed, hung for {(now - run.started_at).total_seconds():.0f} s"
                self.owe(msgspec.structs.replace(run, ended_at=now, outcome="failed", error=error))
        with contextlib.suppress(StoreError):  # then they are owed still, or closed by the next run of their job
            with self.store.read() as conn:
                left = runs.running(conn, BY_ITSELF)
            if left or self._owed:
                self.settle()
                with self.store.write() as conn:
                    runs.close_left(conn, BY_ITSELF, now, before.why if before else "the service ended before it did")

    def begin(self, run: JobRun, timeout_s: float) -> None:
        """Put a run on record as it starts. Raises StoreError."""
        with self.store.write() as conn:
            # A run this old has either ended or been killed: a live one is recorded at its timeout.
            stale_s = timeout_s + _RECORDED_WITHIN_S
            runs.close_interrupted(conn, [run.job], self._clock(), older_than_s=stale_s)
            runs.begin(conn, run)

    def end(self, run: JobRun) -> None:
        """Put its end on record. Raises StoreError where that has to wait."""
        self.owe(run)
        self.settle()

    def owe(self, run: JobRun) -> None:
        """Put its end on record with the next: takes no time, whatever the store does."""
        self._owed.append(run)

    def settle(self) -> None:
        """Write all that is owed. Raises StoreError where the store cannot be written; then it is owed still."""
        taken: list[JobRun] = []
        with contextlib.suppress(IndexError):
            while True:
                taken.append(self._owed.popleft())
        try:
            with self.store.write() as conn:
                for one in taken:
                    runs.finish(conn, one)
        except StoreError:
            self._owed.extend(taken)
            raise
