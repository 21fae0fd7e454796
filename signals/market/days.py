"""FX days, 17:00 to 17:00 in New York, built from bars of an hour: Yahoo's own daily close is about its open."""

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

from signals.market.hours import NEW_YORK
from signals.model import Bar

HOUR = dt.timedelta(hours=1)
THIN_DAYS = ((12, 25), (1, 1))
"""Month and day of the FX days on which banks are closed everywhere and hours without a price are ordinary."""

_CLOSE = dt.time(17, tzinfo=NEW_YORK)
_ONE_DAY = dt.timedelta(days=1)


class FxDay(NamedTuple):
    """One day as one bar (JPY per USD); its `known_at` is when the last of its hours was learned."""

    day: dt.date
    """The date in New York on which it closed."""
    bar: Bar
    hours: int
    """How many hours it is made of."""


class RefusedDay(NamedTuple):
    """A day that is not built, and why."""

    day: dt.date
    reason: Literal["missing_hours", "holiday", "no_close"]
    """`holiday`: hours are missing, as they do on that date; `no_close`: the hour that ends at 17:00 is."""
    hours: int
    expected: int

    def __str__(self) -> str:
        return f"{self.day} refused: {self.reason}, {self.hours} of {self.expected} hours"


class Days(NamedTuple):
    """All working days from the first bar to the last, oldest first: each is in one of the two."""

    days: tuple[FxDay, ...]
    refused: tuple[RefusedDay, ...]


def day_span(day: dt.date) -> tuple[dt.datetime, dt.datetime]:
    """When an FX day opens and closes, UTC. A day holds 24 hours; the Sundays of New York's change of clocks,
    on which nobody deals, 23 and 25.
    """
    start, end = (dt.datetime.combine(date, _CLOSE) for date in (day - _ONE_DAY, day))
    return start.astimezone(dt.UTC), end.astimezone(dt.UTC)


def day_of(at: dt.datetime) -> dt.date:
    """The FX day in which a moment lies, by the date on which that day closes; a closing instant lies in the next."""
    local = at.astimezone(NEW_YORK)
    return local.date() + (_ONE_DAY if local.hour >= _CLOSE.hour else dt.timedelta(0))


def fx_days(bars: Iterable[Bar], *, as_of: dt.datetime, source: str = "yahoo", least_hours: int | None = None) -> Days:
    """Build the FX days that had closed by `as_of` from the hours known by then.

    Parameters
    ----------
    bars : any order and length; only those of an hour, on the hour of the day, are used. Where two tell of the
        same hour, the version learned last counts.
    as_of : UTC; bars learned later are not seen, days that close later are left out.
    source : whose bars.
    least_hours : a day of so many hours is built, too, if its last hour is among them (null: only whole days).
    """
    hours = _hours(bars, as_of, source)
    if not hours:
        return Days((), ())
    made: list[FxDay] = []
    refused: list[RefusedDay] = []
    for day in _working_days(day_of(min(hours)), day_of(max(hours))):
        start, end = day_span(day)
        if end > as_of:
            break
        one = _day(day, _hours_between(hours, start, end), (end - start) // HOUR, least_hours)
        (made if isinstance(one, FxDay) else refused).append(one)  # type: ignore[arg-type]
    return Days(tuple(made), tuple(refused))


def _hours(bars: Iterable[Bar], as_of: dt.datetime, source: str) -> dict[dt.datetime, Bar]:
    """The version of each hour that was known last, by when it opened."""
    known: dict[dt.datetime, Bar] = {}
    for bar in bars:
        if bar.source != source or bar.close_at - bar.open_at != HOUR or bar.known_at > as_of:
            continue
        if bar.open_at not in known or known[bar.open_at].known_at < bar.known_at:
            known[bar.open_at] = bar
    return known


def _hours_between(hours: dict[dt.datetime, Bar], start: dt.datetime, end: dt.datetime) -> list[Bar]:
    every = (start + number * HOUR for number in range((end - start) // HOUR))
    return [hours[at] for at in every if at in hours]


def _working_days(first: dt.date, last: dt.date) -> Iterator[dt.date]:
    for number in range((last - first).days + 1):
        day = first + number * _ONE_DAY
        if day.isoweekday() <= 5:
            yield day


def _day(day: dt.date, hours: list[Bar], expected: int, least_hours: int | None) -> FxDay | RefusedDay:
    start, end = day_span(day)
    count = len(hours)
    if not count or count < (expected if least_hours is None else least_hours):
        holiday = (day.month, day.day) in THIN_DAYS
        return RefusedDay(day, "holiday" if holiday else "missing_hours", count, expected)
    if hours[-1].close_at != end:
        return RefusedDay(day, "no_close", count, expected)
    bar = Bar(
        pair=hours[0].pair,
        open_at=start,
        close_at=end,
        open=hours[0].open,
        high=max(hour.high for hour in hours),
        low=min(hour.low for hour in hours),
        close=hours[-1].close,
        source=hours[0].source,
        known_at=max(hour.known_at for hour in hours),
    )
    return FxDay(day, bar, count)
