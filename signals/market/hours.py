"""The FX week: Sunday 17:00 to Friday 17:00 in New York, through daylight saving."""

import datetime as dt
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")
HOURS_IN_WEEK = 168
_CLOSE_HOUR = 17
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def is_open(at: dt.datetime) -> bool:
    """Whether dealers quote USD/JPY at this UTC time; the opening instant is open, the closing one is not."""
    local = at.astimezone(NEW_YORK)
    evening = local.hour >= _CLOSE_HOUR
    return {"Fri": not evening, "Sat": False, "Sun": evening}.get(_DAYS[local.weekday()], True)
