"""The moment by which a run must be over."""

import time

from signals.errors import DeadlineError

_SLOW = "raise timeout_s in config/signals.toml, or see what it waits for in `signals jobs show RUN_ID`"


def overdue(job: str, timeout_s: float) -> DeadlineError:
    """The error of a run that was not over in its time (seconds)."""
    return DeadlineError(f"job {job}", f"ran longer than its timeout of {timeout_s:g} s", _SLOW)


class Deadline:
    """The moment by which a run must be over; work between I/O asks it before it commits anything."""

    def __init__(self, job: str, timeout_s: float) -> None:
        self._job = job
        self._timeout_s = timeout_s
        self._end = time.monotonic() + timeout_s

    def remaining_s(self) -> float:
        """Seconds left, never below zero."""
        return max(0.0, self._end - time.monotonic())

    def check(self) -> None:
        """Raise `DeadlineError` once the time is up."""
        if not self.remaining_s():
            raise overdue(self._job, self._timeout_s)
