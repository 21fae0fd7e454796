"""RSS 0.9 to 2.0, RDF and Atom: a feed's bytes to headlines."""

import asyncio
import io
import itertools
import re
from typing import Any, NamedTuple

import aiohttp
import feedparser  # type: ignore[import-untyped,unused-ignore]
import msgspec

from signals.errors import SourceError
from signals.model import FeedState
from signals.sources.dates import parse_date
from signals.sources.decode import clean_xml, decoded, is_html
from signals.sources.feed import Clock, Feed, Reading
from signals.sources.fetch import Fetched, fetch
from signals.sources.guard import open_session
from signals.sources.items import Item, headlines, shorten, web_url
from signals.sources.manners import Wishes, document_wishes
from signals.sources.salvage import (
    Frame,
    Piece,
    channel,
    cut_off,
    frame,
    heavy,
    is_heavy,
    malformed,
    misleads,
    pieces,
    readable,
)

MAX_ITEMS = 10_000
"""Items of one document that are read; a feed has tens, an archive in its place could take minutes."""
MAX_TAGS = 400_000
"""A thousand items have some forty thousand; parsing takes seconds for each hundred thousand."""

_ROOT = re.compile(r"<(?:[\w.-]+:)?(?:rss|rdf|feed|channel)[\s>/]", re.IGNORECASE)
_ROOT_WITHIN = 20_000
"""Characters: what a broken script says may stand before it."""
_CLOSED = re.compile(r"</(?:\w+:)?(?:item|entry)\s*>")
_TAG = re.compile("<")
_XML_DECLARATION = b'<?xml version="1.0" encoding="utf-8"?>\n'
_DATES = ("published", "updated", "created")
"""Where feedparser keeps raw dates (pubDate, dc:date, ...), the one that tells most first."""


_Entry = dict[str, Any]


class _Parsed(NamedTuple):
    items: tuple[Item, ...]
    notes: tuple[str, ...]
    wishes: Wishes


async def read(feed: Feed, state: FeedState, clock: Clock, session: aiohttp.ClientSession | None = None) -> Reading:
    """Fetch the feed and read its items, in its order.

    Parameters
    ----------
    session : from `guard.open_session`; null opens one for this call.

    Raises
    ------
    SourceError : no usable answer (reasons of `fetch` and `parse`).
    ConfigError : the row has no usable `url`.
    """
    if session is None:
        async with open_session() as own:
            return await read(feed, state, clock, own)
    fetched = await fetch(session, feed, state, clock)
    state = msgspec.structs.replace(
        state,
        etag=fetched.etag or (state.etag if fetched.status == 304 else None),
        last_modified=fetched.last_modified or (state.last_modified if fetched.status == 304 else None),
    )
    if fetched.status == 304:
        return Reading((), state, _moved(feed, fetched), unchanged=True, wishes=Wishes(fetched.fresh_s))
    return await asyncio.to_thread(parse, feed, state, fetched)  # hundreds of items take a while


def parse(feed: Feed, state: FeedState, fetched: Fetched) -> Reading:
    """The reading of an answer; every item is known at `fetched.fetched_at`.

    Items without a title take the first words of their summary; those without either are dropped with
    a note, as is the one in which a document was cut off, for half a headline may say the opposite.

    Raises
    ------
    SourceError : not_a_feed (a web page, or no feed at all), empty_answer (no bytes) or too_large (in tags).
    """
    parsed = _items(feed, fetched)
    found, notes = headlines(parsed.items, feed, fetched.fetched_at)
    told = [*_moved(feed, fetched), *parsed.notes, *notes]
    return Reading(tuple(found), state, shorten(told), wishes=parsed.wishes)


def _moved(feed: Feed, fetched: Fetched) -> tuple[str, ...]:
    return (f"{feed.id}: has moved for good to {fetched.moved_to}: change the row",) if fetched.moved_to else ()


def _items(feed: Feed, fetched: Fetched) -> _Parsed:
    where = f"{feed.id} {fetched.final_url.partition('?')[0]}"
    if not fetched.body.strip():
        raise SourceError(where, "empty_answer", f"HTTP {fetched.status} without a body")
    text, oddity = decoded(fetched.body, fetched.content_type)
    xml = clean_xml(text)
    if is_html(text) or is_html(xml):
        raise SourceError(where, "not_a_feed", "a web page, not a feed", "does the url want a login, or has it moved?")
    if not _ROOT.search(xml, 0, _ROOT_WITHIN):
        raise SourceError(where, "not_a_feed", "neither RSS nor Atom", "correct the url: open it in a browser")
    xml, cut = _bounded(xml, where)
    entries, notes = _entries(xml, cut)
    told = [f"{feed.id}: {note}" for note in (oddity, *notes) if note]
    wishes = document_wishes(channel(xml), fetched.fresh_s)
    return _Parsed(tuple(_item(entry, fetched.final_url) for entry in entries), tuple(told), wishes)


def _bounded(xml: str, where: str) -> tuple[str, str]:
    """The document up to its item number `MAX_ITEMS` or tag number `MAX_TAGS`, and a note if that is not all."""
    cut = ""
    end = next((found.end() for found in itertools.islice(_CLOSED.finditer(xml), MAX_ITEMS - 1, None)), None)
    if end and _CLOSED.search(xml, end):
        xml, cut = xml[:end], f"more than {MAX_ITEMS:,} items: the rest is not read"
    if xml.count("<") > MAX_TAGS:
        reached = next(itertools.islice(_TAG.finditer(xml), MAX_TAGS, None)).start()
        last = max((found.end() for found in _CLOSED.finditer(xml, 0, reached)), default=0)
        if not last:
            raise SourceError(where, "too_large", f"more than {MAX_TAGS:,} tags", "is this address a feed?")
        xml, cut = xml[:last], f"more than {MAX_TAGS:,} tags: the items after that are not read"
    return xml, cut


def _entries(xml: str, cut: str) -> tuple[list[_Entry], list[str]]:
    """The entries of a document, and what is wrong with it. One that we have `cut` is not well-formed for that."""
    wrong = malformed(xml)
    parts = pieces(xml)
    if not wrong and not misleads(xml) and not heavy(xml, parts):
        found = _read(xml)
        if found is not None and len(found) == len(parts):  # else a section that never ended may have swallowed some
            return found, []
    notes = [cut]
    if not cut and cut_off(parts):
        parts = parts[:-1]
        notes.append("the document was cut off: its last item is dropped")
    found, broken, lost = _one_by_one(frame(xml), parts)
    if broken or not any(notes):
        notes.append(
            f"not well-formed XML ({wrong or 'unreadable'}): {broken} of {len(parts)} items read as far as possible"
        )
    if lost:
        notes.append(f"{lost} items are broken before their title ends: dropped")
    return found, notes


def _is_sound(part: Piece, around: Frame) -> bool:
    well_formed = part.closed and not malformed(around.around(part.xml))
    return well_formed and not misleads(part.xml) and not is_heavy(part)


def _one_by_one(around: Frame, parts: list[Piece]) -> tuple[list[_Entry], int, int]:
    """The entries of these items in their order, how many are broken, and how many could not be read at all.

    The sound ones are read together, for that is quicker, and each broken one alone, so that nothing of it
    can swallow another.
    """
    sound = [_is_sound(part, around) for part in parts]
    whole = _read(around.around(*itertools.compress((part.xml for part in parts), sound)))
    together = iter(whole) if whole is not None and len(whole) == sum(sound) else None
    entries: list[_Entry] = []
    lost = 0
    for part, is_sound in zip(parts, sound, strict=True):
        if is_sound and together is not None:
            entries.append(next(together))
            continue
        alone = part.xml if is_sound else readable(part)
        found = _read(around.around(alone)) if alone is not None else None
        entries += found or []
        lost += not found
    return entries, len(parts) - sum(sound), lost


def _read(xml: str) -> list[_Entry] | None:
    """What feedparser makes of a document; null where it breaks down."""
    # As a stream: from a string feedparser would take an address or a file name, and open it.
    source = io.BytesIO(_XML_DECLARATION + xml.encode("utf-8", "replace"))
    try:
        document = feedparser.parse(
            source,
            response_headers={"content-type": "application/xml; charset=utf-8"},
            sanitize_html=False,  # markup is dropped altogether
            resolve_relative_uris=False,
        )
    except Exception:  # noqa: BLE001 - it promises nothing (seen: OverflowError, UndeclaredNamespace); told as broken
        return None
    return [dict(entry) for entry in document.entries]  # plain ones: its own takes one key for another


def _item(entry: _Entry, base: str) -> Item:
    content = entry.get("content") or [{}]
    raw, published_at = "", None
    for key in _DATES:
        raw = raw or entry.get(key) or ""
        published_at = published_at or parse_date(entry.get(key), date_only=True)
    return Item(
        title=entry.get("title") or "",
        summary=entry.get("summary") or content[0].get("value") or "",
        # Without links, feedparser makes one up from the guid: an address only if it is a whole one.
        link=web_url(entry.get("link"), base if "links" in entry else ""),
        own_id=entry.get("id"),
        date=raw,
        published_at=published_at,
    )
