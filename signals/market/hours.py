"""The FX week: Sunday 17:00 to Friday 17:00 in New York, through daylight saving."""

import datetime as dt
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")
HOURS_IN_WEEK = 168
_CLOSE_HOUR = 17
_HOUR = dt.timedelta(hours=1)
_LONG = dt.timedelta(days=31)
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def is_open(at: dt.datetime) -> bool:
    """Whether dealers quote USD/JPY at this UTC time; the opening instant is open, the closing one is not."""
    local = at.astimezone(NEW_YORK)
    evening = local.hour >= _CLOSE_HOUR
    return {"Fri": not evening, "Sat": False, "Sun": evening}.get(_DAYS[local.weekday()], True)


def open_time(since: dt.datetime, until: dt.datetime) -> dt.timedelta:
    """How much of the time between two UTC times dealers quoted USD/JPY; nothing where `until` is the earlier.

    The week turns on whole hours, so whole hours are looked at; of more than a month all counts.
    """
    if until - since > _LONG:
        return until - since
    total, at = dt.timedelta(0), since
    while at < until:
        turn = min(until, at.replace(minute=0, second=0, microsecond=0) + _HOUR)
        if is_open(at):
            total += turn - at
        at = turn
    return total
