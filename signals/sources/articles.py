"""A folder of news articles as text documents: an archive of old ones, or an inbox for new ones."""

import asyncio
import datetime as dt
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import msgspec

from signals.errors import ConfigError, SourceError
from signals.model import FeedState, Headline
from signals.sources.article import Article, parse_article
from signals.sources.feed import Clock, Feed, Reading
from signals.sources.items import AHEAD, MAX_TITLE, shorten
from signals.text import headline_id, item_id, script_lang, stable_id

MAX_BYTES = 2 * 1024 * 1024
"""A larger file is no article."""


class _Document(NamedTuple):
    name: str
    text: str | None
    problem: str


async def read(feed: Feed, state: FeedState, clock: Clock, session: object = None) -> Reading:
    """Read every `*.txt` of `feed.path`, by name; hidden files and README are left alone.

    An archive's document is known at its own time plus `feed.delay_s`, and backfilled; it is left out
    until that time has come. One without a time is known now. An inbox's document is known now: put
    finished files there by renaming them. A file that cannot be used costs a note.

    A folder that is as it was last time is not read again: `state.etag` holds what it looked like.

    Parameters
    ----------
    session : not used; sources are all called alike.

    Raises
    ------
    SourceError : missing_folder, or unreachable where the folder may not be read.
    ConfigError : the row has no `path`.
    """
    if feed.path is None:
        raise ConfigError(f"feed {feed.id}", "kind articles needs a path", 'write path = "..." into its row')
    looks = await asyncio.to_thread(_looks, feed, feed.path)
    if looks == state.etag:
        return Reading((), state, unchanged=True)
    documents = await asyncio.to_thread(_load, feed.path)
    now = clock()
    found: list[Headline] = []
    notes: list[str] = []
    early = False
    for document in documents:
        headline, problem = _headline(feed, document, now)
        if headline and headline.known_at > now:
            problem, early = f"dated {headline.source_published_at}: left out until then", True
            headline = None
        if headline:
            found.append(headline)
        if problem:
            notes.append(f"{feed.id}: {document.name}: {problem}")
    # With a document still to come, the same folder gives more later: it must be read again.
    state = msgspec.structs.replace(state, etag=None if early else looks, last_modified=None)
    return Reading(tuple(found), state, shorten(notes))


def _files(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() == ".txt" and path.stem.lower() != "readme" and not path.name.startswith(".")
    )


def _looks(feed: Feed, folder: Path) -> str:
    """What the folder looks like, and what else decides how it is read."""
    try:
        listing = [(path.name, *_size_and_time(path)) for path in _files(folder)]
    except (FileNotFoundError, NotADirectoryError) as error:
        raise SourceError(
            f"{feed.id} {folder}", "missing_folder", "no such folder", "create it, or correct the feed's path"
        ) from error
    except OSError as error:
        raise SourceError(f"{feed.id} {folder}", "unreachable", f"cannot be read: {error.strerror}") from error
    return stable_id("articles", folder, feed.mode, feed.delay_s, feed.lang, listing)


def _size_and_time(path: Path) -> tuple[int, int]:
    try:
        stat = path.stat()
    except OSError:  # a link that leads nowhere, a file gone since the listing: reading it tells which
        return -1, -1
    return stat.st_size, stat.st_mtime_ns


def _load(folder: Path) -> list[_Document]:
    return [_document(path) for path in _files(folder)]


def _document(path: Path) -> _Document:
    if not path.is_file():  # a pipe would keep us waiting for ever
        return _Document(path.name, None, "is no regular file, or a link that leads nowhere")
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
        if len(raw) > MAX_BYTES:
            return _Document(path.name, None, f"larger than {MAX_BYTES:,} bytes")
        return _Document(path.name, raw.decode("utf-8-sig"), "")
    except UnicodeDecodeError:
        return _Document(path.name, None, "not UTF-8: save it as UTF-8")
    except OSError as error:
        return _Document(path.name, None, f"cannot be read: {error.strerror}")


def _headline(feed: Feed, document: _Document, now: dt.datetime) -> tuple[Headline | None, str]:
    """The headline of a document, and what is wrong with it."""
    if document.text is None:
        return None, document.problem
    try:
        article = parse_article(document.text)
    except ValueError as error:
        return None, str(error)
    archived = feed.mode == "archive"
    published_at, problem = article.published_at, ""
    if not archived and published_at and published_at > now + AHEAD:
        published_at, problem = None, f"its date {published_at} lies in the future: taken as undated"
    known_at = published_at + dt.timedelta(seconds=feed.delay_s) if archived and published_at else now
    own = f"article:{quote(document.name, safe='')}"
    headline = Headline(
        headline_id=headline_id(feed.id, own, article.title),
        source=feed.id,
        item_id=item_id(feed.id, own),
        url=None,
        title=article.title[:MAX_TITLE],
        summary=_summary(article),
        body="\n".join(article.body),
        lang=feed.lang or script_lang(article.title),
        source_published_at=published_at,
        known_at=known_at,
        backfilled=archived,
    )
    return headline, problem


def _summary(article: Article) -> str:
    return " ".join(([article.subtitle] if article.subtitle else []) + list(article.bullets))
