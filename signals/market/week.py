"""The FX week over whole columns of times: when it is open, when it ends, how many nights a position is carried.

The same rules as `hours.is_open` and `days.day_of`, for millions of times at once. All columns are
`datetime64[us, UTC]`; New York's clock decides, through daylight saving.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from signals.market.hours import HOURS_IN_WEEK

NEW_YORK = "America/New_York"
_CLOSE_HOUR = 17
_FRIDAY, _SATURDAY, _SUNDAY = 4, 5, 6
_NIGHTS = np.array([1, 1, 3, 1, 1, 0, 0])
"""Nights that a position pays for when carried over 17:00 New York, by weekday: spot settles two days later, so
Wednesday's roll also spans the weekend (convention of the interbank market for T+2 pairs; holidays are not known)."""


def hour_of_week(times: pd.DatetimeIndex) -> NDArray[np.int64]:
    """Hour of the FX week, 0 to 167, on New York's clock: 0 is Sunday 17:00-18:00, the first hour of dealing."""
    local = times.tz_convert(NEW_YORK)
    since_monday = local.day_of_week.to_numpy() * 24 + local.hour.to_numpy()
    return np.asarray((since_monday - (_SUNDAY * 24 + _CLOSE_HOUR)) % HOURS_IN_WEEK, dtype=np.int64)


def is_open(times: pd.DatetimeIndex) -> NDArray[np.bool_]:
    """Whether dealers quote USD/JPY; the opening instant is open, the closing one is not."""
    return hour_of_week(times) < 5 * 24


def week_end(times: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """The Friday 17:00 New York, in UTC, that follows each time; a closing instant belongs to the next week."""
    local = times.tz_convert(NEW_YORK).tz_localize(None)
    days = (_FRIDAY - local.day_of_week) % 7
    friday = local.normalize() + pd.to_timedelta(days, unit="D") + pd.Timedelta(hours=_CLOSE_HOUR)
    friday = friday.where(friday > local, friday + pd.Timedelta(days=7))
    return friday.tz_localize(NEW_YORK).tz_convert("UTC").as_unit("us")


def rolls(first: pd.Timestamp, last: pd.Timestamp) -> tuple[pd.DatetimeIndex, NDArray[np.int64]]:
    """Every 17:00 New York of a working day in (`first`, `last`], in UTC, and the nights that are paid for at each."""
    start, end = (at.tz_convert(NEW_YORK).tz_localize(None) for at in (first, last))
    days = pd.date_range(start.normalize(), end.normalize(), freq="D")
    at = (days + pd.Timedelta(hours=_CLOSE_HOUR)).tz_localize(NEW_YORK).tz_convert("UTC").as_unit("us")
    nights = _NIGHTS[days.day_of_week]
    kept = (nights > 0) & (at > first) & (at <= last)
    return at[kept], nights[kept]


def day_of(times: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """The FX day (17:00 to 17:00 New York) in which each time lies, by the date on which it closes; no zone."""
    local = times.tz_convert(NEW_YORK).tz_localize(None)
    return (local + pd.Timedelta(hours=24 - _CLOSE_HOUR)).normalize().as_unit("us")
