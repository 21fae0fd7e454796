"""Work that may hang, done aside, so that who wants it can go on with what it last gave."""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from signals.errors import SignalsError

T = TypeVar("T")


class Aside(Generic[T]):
    """Does something in a thread of its own, one at a time, and keeps what it last gave and why it last failed.

    Parameters
    ----------
    name : what it is, for people.
    work : does it.
    """

    def __init__(self, name: str, work: Callable[[], T]) -> None:
        self._name = name
        self._work = work
        self._thread: threading.Thread | None = None
        self._begun = 0.0
        self._error: Exception | None = None
        self.given: T | None = None
        """What it last gave; null before the first time."""

    def begin(self) -> None:
        """Do it again, unless it is under way still."""
        if not self.busy:
            self._begun = time.monotonic()
            thread = threading.Thread(target=self._do, name=f"aside-{self._name}", daemon=True)
            thread.start()
            self._thread = thread  # others may be about to wait for it: nobody can wait for one that is not started

    @property
    def busy(self) -> bool:
        """Whether it is under way."""
        return self._thread is not None and self._thread.is_alive()

    def fault(self, wait_s: float) -> str | None:
        """Why it does not go well, without addresses; null where it does. Waits for it so long.

        Raises
        ------
        Exception : what it raised, where that is none of our own errors: a defect.
        """
        if (thread := self._thread) is not None:
            thread.join(max(0.0, self._begun + wait_s - time.monotonic()))
            if thread.is_alive() and self._error is None:
                return f"{self._name}: no answer for {time.monotonic() - self._begun:.0f} s"
        if self._error is None:
            return None
        if not isinstance(self._error, SignalsError):
            raise self._error
        return f"{self._name}: {self._error.problem}"

    def _do(self) -> None:
        try:
            self.given = self._work()
            self._error = None
        except Exception as error:  # noqa: BLE001 - told, or raised, to who asks
            self._error = error
