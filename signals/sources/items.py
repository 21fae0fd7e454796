"""What feeds of every kind have in common: from a publisher's item to a `Headline`."""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import NamedTuple
from urllib.parse import quote, urljoin, urlsplit

from signals.model import Headline
from signals.sources.feed import Feed
from signals.sources.markup import visible
from signals.text import canonical_url, headline_id, item_id, script_lang

AHEAD = dt.timedelta(minutes=5)
"""How far a publisher's clock may run before ours; a later date is a mistake or an announcement."""
MAX_TITLE = 500
"""Characters of a title that are kept."""
MAX_SUMMARY = 5000
TITLE_WORDS = 20
"""Words of the summary that stand in for a missing title."""
MAX_NOTES = 20
"""A feed gone bad as a whole must not fill the record of its run."""


class Item(NamedTuple):
    """A publisher's item as sent; texts may hold markup."""

    title: str
    summary: str
    link: str | None
    own_id: str | None
    """The publisher's identity for it (a guid), used where there is no link."""
    date: str
    """The date as published, for notes; empty where there is none."""
    published_at: dt.datetime | None
    """The date as understood."""


def headlines(items: Iterable[Item], feed: Feed, known_at: dt.datetime) -> tuple[list[Headline], list[str]]:
    """Headlines in the publisher's order, and a note for each item or date that could not be used.

    Items of one identity count once; one with neither title nor summary is dropped; a date that lies
    more than `AHEAD` after `known_at` becomes null.
    """
    found: dict[str, Headline] = {}
    notes: list[str] = []
    for number, item in enumerate(items, 1):
        headline = _headline(item, feed, known_at)
        if headline is None:
            notes.append(f"{feed.id}: item {number} has neither title nor summary: dropped")
        elif headline.headline_id not in found:
            found[headline.headline_id] = headline
            notes += _date_notes(headline, item, feed)
    return list(found.values()), notes


def shorten(notes: Sequence[str]) -> tuple[str, ...]:
    """The first `MAX_NOTES` lines, and one that counts the rest."""
    rest = len(notes) - MAX_NOTES
    return (*notes[:MAX_NOTES], f"and {rest} more lines like these") if rest > 0 else tuple(notes)


def web_url(link: str | None, base: str = "") -> str | None:
    """An absolute http or https address, resolved against `base`; null for anything else."""
    try:
        url = urljoin(base, (link or "").strip())
        parts = urlsplit(url)
        canonical_url(url)  # identities need it: what it refuses is no address
    except ValueError:
        return None
    return url if parts.scheme in ("http", "https") and parts.hostname else None


def _headline(item: Item, feed: Feed, known_at: dt.datetime) -> Headline | None:
    summary = _cut(visible(item.summary), MAX_SUMMARY)
    title = _cut(visible(item.title), MAX_TITLE) or _cut(" ".join(summary.split()[:TITLE_WORDS]), MAX_TITLE)
    if not title:
        return None
    ahead = item.published_at is not None and item.published_at > known_at + AHEAD
    own = own_address(item.link, item.own_id)
    return Headline(
        headline_id=headline_id(feed.id, own, title),
        source=feed.id,
        item_id=item_id(feed.id, own),
        url=item.link,
        title=title,
        summary=summary,
        lang=feed.lang or script_lang(title),
        source_published_at=None if ahead else item.published_at,
        known_at=known_at,
    )


def _cut(text: str, most: int) -> str:
    """The text, if it is too long its beginning with a sign that something is missing."""
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def own_address(link: str | None, own_id: str | None) -> str | None:
    """What tells an item from others of its source: its address, else the publisher's own id; null without either."""
    own = link or own_id
    try:
        canonical_url(own or "")
    except ValueError:  # a guid like "http://[": an address in form only
        return f"guid:{quote(own or '', safe='')}"
    return own


def _date_notes(headline: Headline, item: Item, feed: Feed) -> list[str]:
    if not item.date or headline.source_published_at:
        return []
    why = "lies in the future" if item.published_at else "cannot be read"
    return [f"{feed.id}: {headline.title[:60]!r}: its date {item.date[:40]!r} {why}: taken as undated"]
