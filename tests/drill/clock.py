"""A clock that can be set, for one service: `nursery.py` has the service read it, as a file says.

`set_ahead` is what an operator or NTP does: the clock of the service's machine jumps. `pass_by` lets time go by: the
clocks that nobody can set (`time.monotonic`) and other machines' (Redis') go along, so that nothing jumps.
"""

import datetime as dt
import mmap
import os
import struct
import time
from functools import cached_property
from pathlib import Path

VARIABLE = "DRILL_CLOCK"
"""Names the file in the service's environment."""
_FORM = struct.Struct("qqq")
_OPEN_DAY, _OPEN_HOUR = 2, 12
"""Wednesday noon, UTC: the market is open in every week but that of Christmas or New Year."""


class Shift:
    """By how many seconds the clocks are shifted, as the file says now.

    Parameters
    ----------
    path : the file.
    """

    def __init__(self, path: str) -> None:
        with Path(path).open("rb") as file:
            self._seen = mmap.mmap(file.fileno(), _FORM.size, prot=mmap.PROT_READ)

    @property
    def ours_s(self) -> int:
        """The clock of the service's machine."""
        return self._all()[0]

    @property
    def theirs_s(self) -> int:
        """The clocks of other machines."""
        return self._all()[1]

    @property
    def passed_s(self) -> int:
        """The clocks that only go forward."""
        return self._all()[2]

    def _all(self) -> tuple[int, int, int]:
        ours, theirs, passed = _FORM.unpack(self._seen[: _FORM.size])
        return ours, theirs, passed


class Clock:
    """The clock of a drill.

    Parameters
    ----------
    folder : for the file.
    market_open : begin on a Wednesday, everywhere.
    """

    def __init__(self, folder: Path, *, market_open: bool = False) -> None:
        self._file = folder / "clock"
        self._file.write_bytes(bytes(_FORM.size))
        self._ours_s = self._theirs_s = self._passed_s = 0
        if market_open:
            now = dt.datetime.now(dt.UTC)
            noon = now.replace(hour=_OPEN_HOUR, minute=0, second=0) - dt.timedelta(days=(now.weekday() - _OPEN_DAY) % 7)
            self._ours_s = self._theirs_s = round((noon - now).total_seconds())
            self._say()

    @property
    def env(self) -> dict[str, str]:
        """What a service by this clock is started with."""
        return {VARIABLE: str(self._file)}

    def now(self) -> dt.datetime:
        """The time by it, UTC."""
        return dt.datetime.now(dt.UTC) + dt.timedelta(seconds=self._ours_s)

    def ticks(self) -> float:
        """Seconds that pass whatever is done to the clock; with those that were let pass."""
        return time.monotonic() + self._passed_s

    def set_ahead(self, seconds: int) -> None:
        """Set it so many seconds further ahead (below zero: back), all at once."""
        self._ours_s += seconds
        self._say()

    def pass_by(self, seconds: float) -> None:
        """Let so much time pass, in whole seconds."""
        for name in ("_ours_s", "_theirs_s", "_passed_s"):
            setattr(self, name, getattr(self, name) + max(0, int(seconds)))
        self._say()

    @cached_property
    def _seen(self) -> mmap.mmap:
        with self._file.open("r+b") as file:
            return mmap.mmap(file.fileno(), _FORM.size)

    def _say(self) -> None:
        self._seen[: _FORM.size] = _FORM.pack(self._ours_s, self._theirs_s, self._passed_s)


def shift() -> Shift | None:
    """The shift of the service that asks; null where it goes by the machine's clocks."""
    global _shift
    path = os.environ.get(VARIABLE)
    if _shift is None and path is not None:
        _shift = Shift(path)
    return _shift


_shift: Shift | None = None
