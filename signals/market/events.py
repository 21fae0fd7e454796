"""Event windows: when a decision or a figure was due, so that a signal can say what it came beside."""

import datetime as dt
import functools
from collections.abc import Iterable
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

Weekday = Literal["mon", "tue", "wed", "thu", "fri"]
_WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri")
_DAY = dt.timedelta(days=1)
_LONGEST_S = 86_400


class Event(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, dict=True):
    """A decision or release: its days by date, by weekday, or both; its local time; how long its window is."""

    name: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_]{0,40}$")]
    zone: str
    """IANA name of the place whose clock `time` is read on, summer and winter."""
    time: dt.time
    before_s: Annotated[int, Meta(ge=0, le=_LONGEST_S)]
    after_s: Annotated[int, Meta(ge=1, le=_LONGEST_S)]
    dates: frozenset[dt.date] = frozenset()
    weekday: Weekday | None = None
    nth: Annotated[int, Meta(ge=1, le=5)] | None = None
    """Which of the month's weekdays; null: every one."""
    source: str
    """Who said so."""

    def __post_init__(self) -> None:
        ZoneInfo(self.zone)  # raises for a name that is none

    @functools.cached_property
    def _due(self) -> dict[dt.date, dt.datetime | None]:
        """When it is due on the days asked for so far, UTC."""
        return {}

    def falls_on(self, day: dt.date) -> bool:
        """Is it due on this local day?"""
        if day in self.dates:
            return True
        if self.weekday is None or day.weekday() != _WEEKDAYS.index(self.weekday):
            return False
        return self.nth is None or (day.day - 1) // 7 + 1 == self.nth

    def distance(self, at: dt.datetime) -> dt.timedelta | None:
        """How far a UTC time is from the event, if it lies in its window: [time - before_s, time + after_s)."""
        zone = ZoneInfo(self.zone)
        today = at.astimezone(zone).date()
        for day in (today, today - _DAY, today + _DAY):
            if day not in self._due:
                falls = self.falls_on(day)
                self._due[day] = dt.datetime.combine(day, self.time, zone).astimezone(dt.UTC) if falls else None
            due = self._due[day]
            if due is not None:
                since = at - due
                if dt.timedelta(seconds=-self.before_s) <= since < dt.timedelta(seconds=self.after_s):
                    return abs(since)
        return None


def window_at(events: Iterable[Event], at: dt.datetime) -> str | None:
    """Name of the event in whose window a UTC time falls; of several the nearest, then the first; null outside all."""
    found = ((event.distance(at), place, event.name) for place, event in enumerate(events))
    near = [(distance, place, name) for distance, place, name in found if distance is not None]
    return min(near)[2] if near else None
