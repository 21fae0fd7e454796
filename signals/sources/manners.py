"""When a source may be asked again: its own schedule, what its server wishes, and patience after failures.

Everything here is a pure function of what is known, so that two looks at the same state agree.
"""

import datetime as dt
import email.utils
import hashlib
import re
from collections.abc import Mapping
from typing import NamedTuple

from signals.sources.dates import parse_date

MOST_WISHED_S = 3600
"""The longest a freshness wish (max-age, ttl) is honoured: many are copied from pictures and style sheets."""
MOST_ORDERED_S = 86_400
"""The longest a `Retry-After` is."""
MOST_BACKOFF_S = 3600
"""A source that keeps failing is asked this often: the circuit is open, one request tries it."""
GONE_S = 86_400
_FOREVER_S = 10**10
"""Stands for any longer number: some have thousands of digits."""
_DIGITS = re.compile(r"[0-9]+")
_JITTER = 0.1
_HOUR = dt.timedelta(hours=1)
_DAY = dt.timedelta(days=1)
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_TTL = re.compile(r"<ttl>\s*([0-9]{1,6})\s*</ttl>", re.IGNORECASE)
_SKIPPED = re.compile(r"<skip(?:Hours|Days)>(?:[^<]|<(?!/skip))*", re.IGNORECASE)
_SKIPPED_HOUR = re.compile(r"<hour>\s*([0-9]{1,2})\s*</hour>", re.IGNORECASE)
_SKIPPED_DAY = re.compile(r"<day>\s*(\w{6,9})\s*</day>", re.IGNORECASE)


class Wishes(NamedTuple):
    """What an answer says of when to come again."""

    fresh_s: int | None = None
    """Seconds for which nothing new is promised: `Cache-Control: max-age`, `Expires`, `<ttl>`."""
    skip_hours: frozenset[int] = frozenset()
    """Hours of the day, GMT, in which not to ask (`<skipHours>`)."""
    skip_days: frozenset[int] = frozenset()
    """Days of the week, GMT, on which not to ask (`<skipDays>`); 0 is Monday."""


def document_wishes(channel: str, fresh_s: int | None) -> Wishes:
    """The wishes of a feed's own elements (RSS 2.0), and of its header: the longer freshness of the two.

    Parameters
    ----------
    channel : the document up to its first item.
    fresh_s : seconds that the header promises; null where it does not say.
    """
    ttl = _TTL.search(channel)
    longest = max(fresh_s or 0, int(ttl[1]) * 60 if ttl else 0)
    skipped = "".join(_SKIPPED.findall(channel))
    hours = frozenset(int(hour) % 24 for hour in _SKIPPED_HOUR.findall(skipped))
    days = frozenset(_DAYS.index(day.lower()) for day in _SKIPPED_DAY.findall(skipped) if day.lower() in _DAYS)
    # One that skips all of them would never be asked again: then it means none.
    return Wishes(longest or None, hours if len(hours) < 24 else frozenset(), days if len(days) < 7 else frozenset())


def freshness_s(headers: Mapping[str, str], now: dt.datetime) -> int | None:
    """Seconds an answer stays fresh by its headers (RFC 9111, section 4.2.1); null where they do not say."""
    directives = [part.strip().lower().partition("=") for part in headers.get("Cache-Control", "").split(",")]
    named = {name: value.strip('"') for name, _, value in directives}
    if named.keys() & {"no-cache", "no-store"}:
        return None
    for name in ("s-maxage", "max-age"):
        if _DIGITS.fullmatch(named.get(name, "")):
            return max(0, _number(named[name]) - _number(headers.get("Age")))
    expires = parse_date(headers.get("Expires"))
    return max(0, int((expires - now).total_seconds())) if expires else None


def retry_after_s(headers: Mapping[str, str], now: dt.datetime) -> int | None:
    """Seconds to wait as a 429 or 503 orders them, as a number or a date (RFC 9110, section 10.2.3)."""
    raw = headers.get("Retry-After", "").strip()
    if _DIGITS.fullmatch(raw):
        return _number(raw)
    try:
        at = email.utils.parsedate_to_datetime(raw)
    except ValueError:
        return None
    if at.tzinfo is None:
        return None
    return max(0, int((at - now).total_seconds()))


def after_success(source: str, every_s: int, wishes: Wishes, now: dt.datetime) -> dt.datetime:
    """When to ask again after an answer: not before its wish, within bounds, nor in an hour or day it wants skipped."""
    wait_s = max(every_s, min(wishes.fresh_s or 0, MOST_WISHED_S))
    at = now + dt.timedelta(seconds=wait_s)
    for _ in range(len(_DAYS) + 2 * 24):  # a week's days, and the hours before and after them
        if at.weekday() in wishes.skip_days:
            at = at.replace(hour=0, minute=0, second=0, microsecond=0) + _DAY + _HOUR * (_share(source, at) * _JITTER)
        elif at.hour in wishes.skip_hours:
            at = at.replace(minute=0, second=0, microsecond=0) + _HOUR * (1 + _share(source, at) * _JITTER)
        else:
            break
    return at


def after_failure(
    source: str, every_s: int, failures: int, now: dt.datetime, *, ordered_s: int | None = None, gone: bool = False
) -> dt.datetime:
    """When to ask again after so many failures in a row: twice as long each time, spread a little by source.

    `ordered_s` is what the server orders; `gone` says that it has ended the feed (410).
    """
    if gone:
        return now + dt.timedelta(seconds=GONE_S)
    backoff_s = min(every_s * 2 ** min(failures - 1, 16), max(MOST_BACKOFF_S, every_s))
    spread_s = backoff_s * (1 + _JITTER * _share(source, now))
    return now + dt.timedelta(seconds=max(spread_s, min(ordered_s or 0, MOST_ORDERED_S)))


def _share(source: str, at: dt.datetime) -> float:
    """A number in [0, 1) that differs between sources and times, and is the same whoever asks."""
    digest = hashlib.sha256(f"{source} {at.isoformat()}".encode()).digest()
    return int.from_bytes(digest[:4]) / 2**32


def _number(raw: str | None) -> int:
    """The number that digits stand for, as far as anyone would wait; 0 where there are none."""
    if not raw or not _DIGITS.fullmatch(raw):
        return 0
    return int(raw) if len(raw) <= len(str(_FOREVER_S)) else _FOREVER_S
