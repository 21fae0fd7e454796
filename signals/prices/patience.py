"""How long to leave a price source alone after failures. Pure."""

import datetime as dt

SOURCE_WIDE = ("unreachable", "timeout", "rate_limited")
"""Failures of the source as a whole: whatever else is asked of it now would only wait for the same."""
FIRST_AND_MOST_S = {"rate_limited": (300, 3600), "unreachable": (60, 300), "timeout": (60, 300)}
"""By reason: seconds after the first failure, doubled with each further one up to the most. A line that comes
back should have prices within minutes; who wants fewer requests gets fewer."""
EVERY_REFERENCE = dt.timedelta(hours=1)
"""How often at most a reference that is missing is asked for: on a bank holiday none comes."""
_OTHERS = (60, 900)


def not_before(reason: str, failures: int, now: dt.datetime) -> dt.datetime:
    """When to ask again after so many failures in a row (at least one), the last of them just now."""
    first_s, most_s = FIRST_AND_MOST_S.get(reason, _OTHERS)
    return now + dt.timedelta(seconds=min(first_s * 2 ** min(failures - 1, 16), most_s))
