"""A publisher's date, as written, to an aware UTC time; nothing is ever invented.

feedparser's own dates are not used: they read JST and BST as UTC. A value that cannot be read, names no
known zone or lies outside 1990-2100 gives null.
"""

import datetime as dt
import email.utils
import re
import unicodedata
from zoneinfo import ZoneInfo

YEARS = range(1990, 2101)

ZONES: dict[str, float] = {
    "UTC": 0, "UT": 0, "GMT": 0, "Z": 0, "WET": 0, "WEST": 1,
    "BST": 1,                       # British Summer Time; Bangladesh writes +06
    "CET": 1, "CEST": 2, "MEZ": 1, "MESZ": 2, "EET": 2, "EEST": 3, "MSK": 3,
    "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7,  # RFC 822, section 5.1
    "AKST": -9, "AKDT": -8, "HST": -10,
    "JST": 9, "KST": 9, "HKT": 8, "SGT": 8, "PHT": 8, "AWST": 8, "ICT": 7, "WIB": 7,
    "ACST": 9.5, "ACDT": 10.5, "AEST": 10, "AEDT": 11, "NZST": 12, "NZDT": 13,
}  # fmt: skip
"""Hours east of UTC by abbreviation. RFC 822's own, and the IANA time zone database's where one reading prevails.

Left out because they mean several zones, none of which prevails: IST (India, Ireland, Israel), AST, ADT, GST, PKT.
"""
REGIONS = {"ET": "America/New_York", "CT": "America/Chicago", "PT": "America/Los_Angeles"}
"""Abbreviations that follow the clock of a place, summer and winter."""

FORMS = (
    "%B %d, %Y %H:%M", "%B %d, %Y %H:%M:%S", "%B %d, %Y %I:%M %p", "%B %d, %Y, %I:%M %p",
    "%b %d, %Y %H:%M", "%b %d, %Y %H:%M:%S", "%b %d, %Y %I:%M %p", "%b %d, %Y, %I:%M %p",
    "%d %B %Y %H:%M", "%d %B %Y %I:%M %p", "%d %b %Y %I:%M %p", "%Y/%m/%d %H:%M", "%Y/%m/%d %H:%M:%S",
    "%d-%b-%y %H:%M:%S", "%d-%b-%Y %H:%M:%S",
)  # fmt: skip
"""Forms that are no standard's but occur in feeds, after the weekday and before the zone."""
DAY_FORMS = ("%Y-%m-%d", "%Y%m%d", "%Y/%m/%d", "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y")

JST = dt.timezone(dt.timedelta(hours=9), "JST")
_FIRST_REIWA = 2018  # the era's year 1 is 2019

_ISO_DATE = re.compile(r"\d{4}-?\d{2}-?\d{2}")
_RFC822 = re.compile(r"\d{1,2} [A-Za-z]{3} \d{4} \d{2}:\d{2}(?::\d{2})?")
"""What nearly every feed writes: read at once, for trying the other forms takes longer than all the rest."""
_WEEKDAY = re.compile(r"^(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,?\s+", re.IGNORECASE)
_ASCTIME = re.compile(r"^(\w{3} \d{1,2} [\d:]+) ([A-Za-z]{1,5}) (\d{4})$")  # of `date`: the zone before the year
_HALF = re.compile(r"\b([ap])\.?m\b\.?", re.IGNORECASE)
_ZONE = re.compile(
    r"(?P<bare>.*[\d\sMm])(?:\((?P<comment>[A-Za-z]{1,5})\)|(?P<name>(?<![A-Za-z])[A-Za-z]{1,5})"
    r"|(?P<base>UTC|GMT)?(?P<sign>[+-])(?P<hours>\d{1,2}):?(?P<minutes>\d{2})?)$"
)
_JAPANESE = re.compile(
    r"(?:(?P<year>\d{4})|令和(?P<reiwa>\d{1,2}|元))年(?P<month>\d{1,2})月(?P<day>\d{1,2})日(?:\s*\([月火水木金土日]\))?"
    r"(?:\s*(?P<half>午前|午後)?\s*(?P<hour>\d{1,2})(?:時|:)(?:(?P<minute>\d{1,2})分?)?(?:[:\s]*(?P<second>\d{1,2})秒?)?)?"
    r"\s*(?P<zone>JST|UTC|GMT)?"
)


def parse_date(raw: str | None, *, zone: dt.tzinfo | None = None, date_only: bool = False) -> dt.datetime | None:
    """The UTC time that a publisher's date stands for; null where missing, unclear or nonsense.

    RFC 822 and its relatives, ISO 8601, forms with month names, and Japanese dates (which are in
    Japanese time unless they say otherwise).

    Parameters
    ----------
    raw : the text as published.
    zone : of a date that names none; null: such a date gives null.
    date_only : whether a day without a time counts, as its midnight UTC. For feeds: better known to the day
        than not at all. A document that should have a time gives null.
    """
    text = " ".join(unicodedata.normalize("NFKC", raw or "").split())[:100]
    if not text:  # at once: trying all forms on nothing takes as long as scoring the headline
        return None
    try:
        found = _japanese(text, zone, date_only) if "年" in text else _western(text, zone, date_only)
        utc = found.astimezone(dt.UTC) if found else None
    except (ValueError, OverflowError):  # a 31st of February
        return None
    return utc if utc and utc.year in YEARS else None


def from_epoch(seconds: object) -> dt.datetime | None:
    """The UTC time of a number of seconds since 1970; null where it is no number or nonsense."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return None
    try:
        at = dt.datetime.fromtimestamp(seconds, dt.UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return at if at.year in YEARS else None


def _western(text: str, default: dt.tzinfo | None, date_only: bool) -> dt.datetime | None:
    if _ISO_DATE.match(text):
        iso = _iso(text)
        if iso and iso.tzinfo:
            return iso
    text = _HALF.sub(r"\1M", _ASCTIME.sub(r"\1 \3 \2", _WEEKDAY.sub("", text)))
    day = None if ":" in text else _by_form(text, DAY_FORMS)
    if day:
        return day.replace(tzinfo=dt.UTC) if date_only else None
    bare, zone = _split_zone(text)
    zone = zone if bare != text else default
    at = _iso(bare) if _ISO_DATE.match(bare) else _rfc822(bare) if _RFC822.fullmatch(bare) else None
    at = at or _by_form(bare, FORMS) or _rfc822(bare)
    return at.replace(tzinfo=zone) if at and zone else None


def _iso(text: str) -> dt.datetime | None:
    """ISO 8601 by the standard library; a day alone is left to `DAY_FORMS`."""
    if len(text) < 13:
        return None
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        return None


def _rfc822(bare: str) -> dt.datetime | None:
    if _HALF.search(bare):
        return None  # the standard knows no PM: the library would pass over it, twelve hours off
    try:
        fields = email.utils.parsedate(bare)
    except (IndexError, TypeError):  # what it raises on some nonsense
        return None
    return dt.datetime(*fields[:6]) if fields else None  # noqa: DTZ001 - the caller adds the zone


def _by_form(text: str, forms: tuple[str, ...]) -> dt.datetime | None:
    for form in forms:
        try:
            return dt.datetime.strptime(text, form)  # noqa: DTZ007 - the caller adds the zone
        except ValueError:
            continue
    return None


def _split_zone(text: str) -> tuple[str, dt.tzinfo | None]:
    """The text before its zone, and the zone; the whole text where it names none, null for an unknown one."""
    text = re.sub(r"([+-]\d{4}) ?\([A-Za-z ]+\)$", r"\1", text)  # "+0900 (JST)": the comment repeats the offset
    match = _ZONE.fullmatch(text)
    if not match or (match["name"] or "").upper() in ("AM", "PM"):
        return text, None
    bare = match["bare"].rstrip()
    if match["sign"]:
        return (bare, _offset(match)) if ":" in bare else (text, None)  # not the last part of 13-02-2026
    return bare, _named((match["name"] or match["comment"]).upper())


def _offset(match: re.Match[str]) -> dt.tzinfo | None:
    ahead = dt.timedelta(hours=int(match["hours"]), minutes=int(match["minutes"] or 0))
    return dt.timezone(-ahead if match["sign"] == "-" else ahead) if ahead <= dt.timedelta(hours=14) else None


def _named(name: str) -> dt.tzinfo | None:
    if name in REGIONS:
        return ZoneInfo(REGIONS[name])
    return dt.timezone(dt.timedelta(hours=ZONES[name]), name) if name in ZONES else None


def _japanese(text: str, default: dt.tzinfo | None, date_only: bool) -> dt.datetime | None:
    match = _JAPANESE.fullmatch(text)
    if not match:
        return None
    era = match["reiwa"]
    year = int(match["year"]) if match["year"] else _FIRST_REIWA + (1 if era == "元" else int(era))
    day = dt.datetime(year, int(match["month"]), int(match["day"]), tzinfo=dt.UTC)
    if match["hour"] is None:
        return day if date_only else None
    hour = int(match["hour"]) + (12 if match["half"] == "午後" and int(match["hour"]) < 12 else 0)
    zone = _named(match["zone"]) if match["zone"] else default or JST
    # timedelta, not replace: Japanese papers write 25時 for one in the morning
    return day.replace(tzinfo=zone) + dt.timedelta(
        hours=hour, minutes=int(match["minute"] or 0), seconds=int(match["second"] or 0)
    )
