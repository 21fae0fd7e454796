"""The clock: compared with Redis', the database's and the feeds', and the time zones the calendar needs."""

import statistics
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from jobs.checks.line import Line, fail, ok, warn
from jobs.checks.seen import Seen
from signals.errors import SignalsError

WRONG_S = 30.0
"""So far off, news would be stamped before or after prices that it cannot have known."""
OFF_S = 2.0
_ZONES = ("Asia/Tokyo", "America/New_York", "Europe/London", "Europe/Berlin")
_MEND = "set the clock by NTP (`timedatectl set-ntp true`)"


def clock(seen: Seen) -> list[Line]:
    """How far ours is off each other one that could be asked."""
    found = _offsets(seen)
    if not found:
        return [ok("clock", f"{seen.clock():%Y-%m-%d %H:%M:%S} UTC; no other one to compare with")]
    text = ", ".join(f"{name} {offset_s:+.1f} s" for name, offset_s in found.items())
    off_s = max(map(abs, found.values()))
    if off_s > WRONG_S:
        return [fail("clock", f"ours is off: {text}", _MEND)]
    if off_s > OFF_S:
        return [warn("clock", f"ours is off: {text}", _MEND)]
    return [ok("clock", f"agrees with {text}")]


def zones(_seen: Seen | None) -> list[Line]:
    """The time zones without which the market's week and the calendar cannot be told."""
    missing = []
    for name in _ZONES:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, OSError):
            missing.append(name)
    if missing:
        mend = "install the system's tzdata, or `pip install tzdata`"
        return [fail("clock:zones", f"no data of {', '.join(missing)}", mend)]
    return [ok("clock:zones", f"data of {', '.join(_ZONES)} is there")]


def _offsets(seen: Seen) -> dict[str, float]:
    """How far other clocks are ahead of ours, in seconds; those that cannot be asked are told by their own checks."""
    found = {}
    try:
        broker = seen.broker()
        if broker is not None:
            found["Redis"] = broker.offset_s
    except SignalsError:
        pass
    try:
        offset_s = seen.store().server_time_offset_s
        if offset_s is not None:
            found["database"] = offset_s
    except SignalsError:
        pass
    dated = [answer.date_offset_s for answer in seen.answers().values() if answer.date_offset_s is not None]
    if dated:
        found[f"{len(dated)} feeds"] = statistics.median(dated)
    return found
