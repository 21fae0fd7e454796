"""Which bars should be there and are not, and when to ask for them (again). Pure: of what is held and the time.

1. Every step of the FX week should have a bar, but for holidays and what Yahoo never has.
2. Steps in a row without one, between two that are held, are a hole.
3. A hole is asked for at once, and again after each of `WAITS`; then it is given up.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from signals.prices.checks import Mask, in_fx_week, ny_days

SETTLE = dt.timedelta(minutes=10)
"""How long after its close a bar may still change: until one answer is younger than that, it is read again."""
THIN_DAYS = ((12, 25), (1, 1))
"""Month and day of the FX days on which banks are closed everywhere: bars may come, none is missed."""
LEAST = {dt.timedelta(minutes=1): 3}
"""Steps in a row that make a hole (else one): in quiet hours Yahoo has minutes without a quote."""
WAITS = (dt.timedelta(minutes=10), dt.timedelta(hours=1), dt.timedelta(hours=6), dt.timedelta(days=1))
"""How long after each question for a hole the next one comes; after the last nobody asks again."""
TRIES = len(WAITS) + 1

_MINUTE = dt.timedelta(minutes=1)


class Hole(NamedTuple):
    """Steps in a row that have no bar. `end_at` names it: what is held after it does not change."""

    start_at: dt.datetime
    """When the first missing bar opens, UTC."""
    end_at: dt.datetime
    """When the last missing bar closes, UTC."""
    missing: int


class Asked(NamedTuple):
    """What is remembered of questions for one hole."""

    tries: int
    next_at: dt.datetime | None
    """Not before; null once it is given up."""


def expected(low: dt.datetime, high: dt.datetime, step: dt.timedelta) -> pd.DatetimeIndex:
    """When the bars open that should be there: those that open and close within [`low`, `high`], UTC."""
    every = pd.date_range(pd.Timestamp(low).ceil(step), high - step, freq=step)
    return every[in_fx_week(every) & ~_thin(every) & ~_never_there(every, step)]


def holes(held: Iterable[dt.datetime], low: dt.datetime, high: dt.datetime, step: dt.timedelta) -> list[Hole]:
    """The holes between `low` and `high`, oldest first.

    Parameters
    ----------
    held : when the bars that are there open, any order.
    low : UTC; from where on bars should be there.
    high : UTC; until where they should: the last close held, or the end of the week once it has settled.
    step : length of a bar.
    """
    every = expected(low, high, step)
    missing = np.flatnonzero(~np.asarray(every.isin(pd.DatetimeIndex(list(held), tz="UTC"))))
    runs = np.split(missing, np.flatnonzero(np.diff(missing) > 1) + 1)
    least = LEAST.get(step, 1)
    return [
        Hole(every[run[0]].to_pydatetime(), every[run[-1]].to_pydatetime() + step, len(run))
        for run in runs
        if len(run) >= least
    ]


def newest_close(now: dt.datetime, step: dt.timedelta) -> dt.datetime:
    """When the newest bar that can exist by `now` closed: this step's, or at the weekend the week's last."""
    every = pd.date_range(pd.Timestamp(now).floor(step) - dt.timedelta(days=3), now - step, freq=step)
    last: pd.Timestamp = every[in_fx_week(every)][-1]
    return last.to_pydatetime() + step


def is_due(now: dt.datetime, step: dt.timedelta, last_close: dt.datetime | None, asked_at: dt.datetime | None) -> bool:
    """Whether to ask for new bars.

    While the newest bar that can exist is not held, until it has settled; and once more when it has, so that
    its last version is held. Nothing is asked at the weekend beyond that.

    Parameters
    ----------
    last_close : close of the newest bar held; null where there is none.
    asked_at : when the last answer was asked for; null where there was none.
    """
    newest = newest_close(now, step)
    if last_close is None or asked_at is None:
        return True
    if asked_at >= newest + SETTLE:
        return False
    return last_close < newest or now >= newest + SETTLE


def look_until(now: dt.datetime, step: dt.timedelta, last_close: dt.datetime) -> dt.datetime:
    """Until when bars should be there: the last close held, or the newest once it is too old to be only late."""
    newest = newest_close(now, step)
    closed = not bool(in_fx_week(pd.DatetimeIndex([now]))[0])
    return max(last_close, newest) if closed and now >= newest + SETTLE else last_close


def due_holes(found: Iterable[Hole], asked: Mapping[dt.datetime, Asked], now: dt.datetime) -> list[Hole]:
    """The holes to ask for now, given what was asked by their `end_at`."""
    never = Asked(0, now)
    return [hole for hole in found if (at := asked.get(hole.end_at, never).next_at) is not None and at <= now]


def after_asking(tries: int, now: dt.datetime) -> Asked:
    """What to remember of a hole that is still there after so many tries, the last of them just now."""
    return Asked(tries, now + WAITS[tries - 1] if tries < TRIES else None)


def overlaps(hole: Hole, others: Collection[Hole]) -> list[Hole]:
    """Those of the others that share a moment with it."""
    return [other for other in others if other.start_at < hole.end_at and hole.start_at < other.end_at]


def _thin(every: pd.DatetimeIndex) -> Mask:
    days = ny_days(every)
    thin = [(days.month == month) & (days.day == day) for month, day in THIN_DAYS]
    return np.asarray(np.logical_or.reduce(thin), dtype=np.bool_)


def _never_there(every: pd.DatetimeIndex, step: dt.timedelta) -> Mask:
    """The last minute of a London day: the exchange's day ends with it, and yfinance drops it."""
    london = every.tz_convert("Europe/London")
    return np.asarray((london.hour == 23) & (london.minute == 59)) & (step == _MINUTE)
