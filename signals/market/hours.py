"""The FX week: Sunday 17:00 to Friday 17:00 in New York, through daylight saving; and its two whole holidays.

Signals tell of the week alone (`is_open`): what was told of a holiday once must be told so in every replay. Whoever
judges whether prices are old asks `is_quoted`.
"""

import datetime as dt
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")
HOURS_IN_WEEK = 168
_CLOSE_HOUR = 17
_HOUR = dt.timedelta(hours=1)
_LONG = dt.timedelta(days=31)
_HOLIDAYS = frozenset({(12, 25), (1, 1)})
"""Month and day of the FX days (17:00 to 17:00 in New York) on which nobody deals: London, Frankfurt and New York are
shut at once. They are the two on which CME Group's holiday calendar closes FX futures for the whole day and dealers
stop their quotes; other holidays, and those moved from a weekend to a Monday, are only thin."""
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def is_open(at: dt.datetime) -> bool:
    """Whether this UTC time lies in the FX week; the opening instant is open, the closing one is not."""
    local = at.astimezone(NEW_YORK)
    evening = local.hour >= _CLOSE_HOUR
    return {"Fri": not evening, "Sat": False, "Sun": evening}.get(_DAYS[local.weekday()], True)


def is_quoted(at: dt.datetime) -> bool:
    """Whether dealers quote USD/JPY at this UTC time: in the FX week, but for Christmas and New Year's Day."""
    day = at.astimezone(NEW_YORK) + dt.timedelta(hours=24 - _CLOSE_HOUR)
    return is_open(at) and (day.month, day.day) not in _HOLIDAYS


def open_time(since: dt.datetime, until: dt.datetime) -> dt.timedelta:
    """How much of the time between two UTC times dealers quoted USD/JPY; nothing where `until` is the earlier.

    Week and holidays turn on whole hours, so whole hours are looked at; of more than a month all counts.
    """
    if until - since > _LONG:
        return until - since
    total, at = dt.timedelta(0), since
    while at < until:
        turn = min(until, at.replace(minute=0, second=0, microsecond=0) + _HOUR)
        if is_quoted(at):
            total += turn - at
        at = turn
    return total
