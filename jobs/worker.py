"""One attempt of a job in a thread of its own, so that a hung one holds up nobody; and how long it has hung."""

import threading
import time
from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

from signals.model import JobRun

T = TypeVar("T")

ASIDE_S = 60.0
"""How long putting a run on record may take, before and after the work: a writer waits half as long for the store."""


class Active(NamedTuple):
    """A run that is under way, and by how many seconds it is beyond its time; below zero while it is not."""

    run: JobRun
    over_s: float


class Working:
    """The runs under way in this process: each says by when it has to be through with what it does now."""

    def __init__(self) -> None:
        self._due: dict[str, tuple[JobRun, float]] = {}

    def on(self, run: JobRun, within_s: float) -> None:
        """A run is at something that may take so long."""
        self._due[run.run_id] = (run, time.monotonic() + within_s)

    def off(self, run_id: str) -> None:
        """It has ended."""
        self._due.pop(run_id, None)

    def active(self) -> tuple[Active, ...]:
        """All of them."""
        now = time.monotonic()
        return tuple(Active(run, now - due) for run, due in list(self._due.values()))


class Worker(Generic[T]):
    """Does something in a thread.

    Parameters
    ----------
    name : of the thread.
    work : does it; whatever it raises is what came of it.
    late : called when it ends after nobody waited for it any more.
    """

    def __init__(self, name: str, work: Callable[[], T], late: Callable[[], None]) -> None:
        self._work = work
        self._late = late
        self._lock = threading.Lock()
        self._left = False
        self._made: T | BaseException | None = None
        # Daemonic, so that it can't hold up the end.
        self._thread = threading.Thread(target=self._body, name=name, daemon=True)

    def wait(self, timeout_s: float) -> T | BaseException | None:
        """Start it and wait so long: what it gave or raised; null where it has not ended."""
        self._thread.start()
        self._thread.join(timeout_s)
        with self._lock:
            self._left = self._made is None
            return self._made

    def _body(self) -> None:
        try:
            made: T | BaseException = self._work()
        except Exception as error:  # noqa: BLE001 - whatever a job raises is its outcome, and on record
            made = error
        with self._lock:
            self._made = made
            left = self._left
        if left:
            self._late()
