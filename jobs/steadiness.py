"""Whether the clock goes steadily: looked at beside one that nobody can set."""

import datetime as dt
from collections.abc import Callable

_TOLD_S = 300
"""How long a jump is told of."""
_LEAST_S = 1.0


class Steadiness:
    """Remembers the last look at both clocks, and the last jump.

    Parameters
    ----------
    ticks : seconds that pass whatever is done to the clock.
    """

    def __init__(self, ticks: Callable[[], float]) -> None:
        self._ticks = ticks
        self._last: tuple[dt.datetime, float] | None = None
        self._jump: tuple[float, float] | None = None

    def jump_s(self, at: dt.datetime) -> float | None:
        """By how many seconds the clock, which says `at` (UTC) now, was set of late, + forward; null where it was not.

        A machine that slept looks like one whose clock was set forward: its jobs missed that time all the same.
        """
        ticks = self._ticks()
        if self._last is not None:
            moved_s = (at - self._last[0]).total_seconds() - (ticks - self._last[1])
            if abs(moved_s) > _LEAST_S:
                self._jump = (ticks, moved_s)
        self._last = (at, ticks)
        if self._jump is not None and ticks - self._jump[0] > _TOLD_S:
            self._jump = None
        return self._jump[1] if self._jump else None
