"""Historical headlines: what the columns of someone's file mean, and from a row to a `Headline`.

When a headline of history counts as known
------------------------------------------
1. Where the file has a column for it (`known_at`: when its owner first saw the headline), that time.
2. Else its published time plus a stated delay. A delay of 60 s is what a careful reader would have needed.
3. GDELT's `seendate` is when GDELT saw an article, some minutes after it was published: known 15 minutes after
   that, when GDELT's own files are out. Its published time is unknown; `seendate` stands for it, as an upper bound.

Every imported headline is `backfilled`. Nothing is invented: a row whose time is missing, has no zone or no time of
day, or lies in the future is refused and counted, and costs only itself.
"""

import datetime as dt
import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import msgspec

from signals.errors import ConfigError
from signals.model import Headline
from signals.sources.dates import YEARS, from_epoch, parse_date
from signals.sources.feed import Feed
from signals.sources.items import AHEAD, Item, headlines, own_address, web_url
from signals.sources.markup import visible
from signals.text import headline_id, plain

Field = Literal["title", "published_at", "known_at", "url", "id", "source", "summary", "body", "lang"]

NAMES: Mapping[Field, tuple[str, ...]] = {
    "title": ("title", "headline", "headlines", "head", "newstitle", "headlinetext"),
    "published_at": (
        "sourcepublishedat", "publishedat", "published", "pubdate", "publishdate", "publisheddate", "datepublished",
        "publicationdate", "publishtime", "publishedtime", "datetime", "timestamp", "date", "time", "createdat",
        "seendate",
    ),
    "known_at": ("knownat", "firstseen", "firstseenat"),
    "url": ("url", "link", "href", "articleurl", "webpage"),
    "id": ("id", "guid", "articleid", "newsid", "uuid", "headlineid"),
    "source": ("source", "publisher", "provider", "domain", "site", "outlet"),
    "summary": ("summary", "description", "abstract", "teaser", "snippet"),
    "body": ("body", "text", "content", "articletext", "fulltext"),
    "lang": ("lang", "language", "languagecode"),
}  # fmt: skip
"""Names by which a column is guessed, the likeliest first; compared in small letters, without `_`, `-` and spaces."""

LANGUAGES = {
    "arabic": "ar", "chinese": "zh", "english": "en", "french": "fr", "german": "de", "italian": "it",
    "japanese": "ja", "korean": "ko", "portuguese": "pt", "russian": "ru", "spanish": "es",
}  # fmt: skip
"""ISO 639-1 code by English name."""
DELAY = dt.timedelta(seconds=60)
"""From a headline's published time until it counts as known, unless stated otherwise."""
MAX_BODY = 100_000
"""Characters of a body that are kept."""
_NEEDED: Mapping[Field, str] = {"title": "title", "published_at": "date"}
_MAX_ID = 300
_SECONDS, _MILLISECONDS = re.compile(r"\d{10}"), re.compile(r"\d{13}")
_NOT_IN_SOURCE = re.compile(r"[^\w.]+")
_CODE = re.compile(r"[a-z]{2}(?![a-z])")

REASONS = {
    "no title": "",
    "no date": "",
    "date cannot be read": "",
    "date without a zone": "say whose time it is: --zone Asia/Tokyo",
    "date without a time of day": "a day alone does not say what could be known when",
    "no first-seen time": "",
    "first-seen time cannot be read": "",
    "first-seen time without a zone": "say whose time it is: --zone Asia/Tokyo",
    "first-seen time without a time of day": "",
    "known in the future": "",
    "published after it was first seen": "",
    "more cells than columns": "is the file quoted rightly?",
    "not JSON": "",
    "not an object": "",
    "too long": "",
    "not text in this encoding": "name the file's own: --encoding cp932",
}
"""Why a row is not imported, and what can be done about it."""


class Terms(NamedTuple):
    """How the rows of a file are to be read."""

    source: str
    """`source` of the headlines whose row names none."""
    delay: dt.timedelta
    """From a headline's published time, or GDELT's sighting, until it counts as known."""
    zone: dt.tzinfo | None = None
    """Of dates that name none; null: such rows are refused."""


class Refused(NamedTuple):
    """A row that is not imported, and why: a key of `REASONS`."""

    reason: str


def mapping(columns: Sequence[str], stated: Mapping[str, str], where: str) -> dict[Field, str]:
    """Column by field: as stated, the others by common names.

    Raises
    ------
    ConfigError : a stated column that is not there, or no column for the title or the date.
    """
    there = f"its columns are {', '.join(columns) or 'none'}"
    for name, column in stated.items():
        if name not in NAMES:
            raise ConfigError(f"--columns {name}={column}", "no such field", f"one of {', '.join(NAMES)}")
        if column not in columns:
            raise ConfigError(where, f"has no column {column!r} for {name}", there)
    found: dict[Field, str] = {}
    by_name: dict[str, str] = {}
    for column in columns:
        by_name.setdefault(_bare(column), column)
    for field, names in NAMES.items():
        free = (by_name[name] for name in names if name in by_name and by_name[name] not in stated.values())
        if chosen := stated.get(field) or next(free, None):
            found[field] = chosen
    for needed, word in _NEEDED.items():
        if needed not in found:
            raise ConfigError(where, f"has no column for the {word}", f"{there}: say --columns {needed}=NAME")
    return found


def headline(cells: Mapping[Field, Any], terms: Terms, now: dt.datetime) -> Headline | Refused:
    """The headline of a row; `now` (UTC) tells what lies in the future."""
    published_at = _moment(cells.get("published_at"), terms.zone, "date")
    if isinstance(published_at, Refused):
        return published_at
    known_at: dt.datetime | Refused = published_at + terms.delay
    if "known_at" in cells:
        known_at = _moment(cells["known_at"], terms.zone, "first-seen time")
    if isinstance(known_at, Refused):
        return known_at
    if known_at > now:
        return Refused("known in the future")
    if published_at > known_at + AHEAD:
        return Refused("published after it was first seen")
    return _made(cells, terms, published_at, known_at)


def source_name(raw: str) -> str:
    """A publisher's name as a `source`: small letters, no spaces; empty where nothing is left."""
    return _NOT_IN_SOURCE.sub("-", unicodedata.normalize("NFKC", plain(raw)).casefold()).strip("-._")[:40]


def _made(
    cells: Mapping[Field, Any], terms: Terms, published_at: dt.datetime, known_at: dt.datetime
) -> Headline | Refused:
    link, own_id = web_url(_text(cells, "url")), _text(cells, "id").strip()[:_MAX_ID]
    item = Item(
        title=_text(cells, "title"),
        summary=_text(cells, "summary"),
        link=link,
        own_id=own_id,
        date="",
        published_at=published_at,
    )
    source = source_name(_text(cells, "source")) or terms.source
    feed = Feed(id=source, kind="import", lang=_lang(_text(cells, "lang")))
    made, _ = headlines((item,), feed, known_at)
    if not made:
        return Refused("no title")
    changes: dict[str, Any] = {"backfilled": True}
    if not own_address(link, own_id):  # the same words on another day are other news
        changes["headline_id"] = headline_id(source, f"at:{published_at.isoformat()}", made[0].title)
    if "body" in cells:
        changes["body"] = visible(_text(cells, "body"))[:MAX_BODY]
    return msgspec.structs.replace(made[0], **changes)


def _moment(raw: object, zone: dt.tzinfo | None, what: str) -> dt.datetime | Refused:
    """The UTC time that a cell stands for, or what it lacks."""
    if isinstance(raw, dt.datetime):
        if raw.tzinfo is None and zone is None:
            return Refused(f"{what} without a zone")
        at = (raw if raw.tzinfo else raw.replace(tzinfo=zone)).astimezone(dt.UTC)
        return at if at.year in YEARS else Refused(f"{what} cannot be read")
    if isinstance(raw, dt.date):
        return Refused(f"{what} without a time of day")
    text = "" if raw is None else str(raw).strip()
    if not text or text.lower() in ("null", "none", "nan", "nat"):
        return Refused(f"no {what}")
    found = _epoch(raw, text) or parse_date(text, zone=zone)
    return found or Refused(f"{what} {_lack(text)}")


def _epoch(raw: object, text: str) -> dt.datetime | None:
    """Seconds since 1970, or milliseconds: told by their length, ten or thirteen digits."""
    whole = text.partition(".")[0]
    if isinstance(raw, bool) or not whole.isascii():
        return None
    if _SECONDS.fullmatch(whole):
        return from_epoch(_number(text))
    return from_epoch(_number(text) / 1000) if _MILLISECONDS.fullmatch(whole) else None


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:  # 1706700600.x: no time, which `from_epoch` says
        return float("nan")


def _lack(text: str) -> str:
    if parse_date(text, zone=dt.UTC):
        return "without a zone"
    return "without a time of day" if parse_date(text, date_only=True) else "cannot be read"


def _lang(raw: str) -> str | None:
    """ISO 639-1 of `en`, `en-US` or `English`; null for what is neither: then the script tells."""
    word = raw.strip().lower()
    code = _CODE.match(word)
    return code[0] if code else LANGUAGES.get(word)


def _text(cells: Mapping[Field, Any], field: Field) -> str:
    value = cells.get(field)
    return "" if value is None else value if isinstance(value, str) else str(value)


def _bare(column: str) -> str:
    return re.sub(r"[\s_\-]+", "", column).lower()
