"""GDELT's archive of the world's news: the DOC 2.0 API, asked for lists of articles window by window.

An answer holds 250 articles at most, so a window of time whose answer is full is asked for again in halves, down
to the 15 minutes in which GDELT works. Windows grow again where little is found.
"""

import datetime as dt
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple

import aiohttp
from yarl import URL

from signals.errors import ConfigError, SourceError
from signals.model import FeedState
from signals.sources import history
from signals.sources.feed import Clock, Feed
from signals.sources.fetch import Fetched, fetch
from signals.sources.history import Field
from signals.sources.lenient import tolerant_json
from signals.sources.manners import MOST_ORDERED_S

API = "https://api.gdeltproject.org/api/v2/doc/doc"
CAP = 250
"""Articles in one answer at most."""
COLUMNS: dict[Field, str] = {
    "title": "title", "published_at": "seendate", "url": "url", "source": "domain", "lang": "language",
}  # fmt: skip
DELAY = dt.timedelta(minutes=15)
"""From GDELT's sighting of an article until anyone could have had it from GDELT, which works in quarters of an hour."""
PAUSE_S = 5.0
"""GDELT asks for one request in five seconds."""
TRIES = 6
"""Of one window; pauses double, so that they take five minutes together."""

_SHORTEST, _FIRST, _LONGEST = dt.timedelta(minutes=15), dt.timedelta(days=1), dt.timedelta(days=32)
_FEW = CAP // 3
_TIMEOUT_S = 60.0
_NOT_AN_ANSWER = 160
"""Characters shown of an answer that is no JSON: GDELT tells in plain words what is wrong with a query."""

Pause = Callable[[float], Awaitable[object]]


def delay_of(columns: Mapping[Field, str]) -> dt.timedelta:
    """From the published times of a file with these columns until they count as known: GDELT's, or anyone's."""
    return DELAY if columns["published_at"] == COLUMNS["published_at"] else history.DELAY


class Search(NamedTuple):
    """What to ask for: articles that match `query`, seen from `start` until `end` (UTC)."""

    query: str
    start: dt.datetime
    end: dt.datetime
    url: str = API


class Window(NamedTuple):
    """The articles of one window of time."""

    end: dt.datetime
    """Where the next one begins (UTC)."""
    articles: Sequence[dict[str, Any]]
    maybe_cut: bool
    """Full at the shortest length: there may have been more."""
    start: dt.datetime


async def windows(
    search: Search, after: dt.datetime, session: aiohttp.ClientSession, clock: Clock, pause: Pause
) -> AsyncIterator[Window]:
    """The windows of a search from `after` on, each once it is complete; `pause` waits between requests.

    Raises
    ------
    SourceError : no usable answer, after `TRIES` tries.
    ConfigError : GDELT says that the query is none.
    """
    length, asked = _FIRST, False
    while after < search.end:
        end = min(after + length, search.end)
        if asked:
            await pause(PAUSE_S)
        articles, asked = await _ask(search, after, end, session, clock, pause), True
        full = len(articles) >= CAP
        if full and end - after > _SHORTEST:
            length = _halved(end - after)
            continue
        yield Window(end, articles, full, after)
        after = end
        length = min(length * 2, _LONGEST) if len(articles) <= _FEW else length


def _halved(length: dt.timedelta) -> dt.timedelta:
    """Half of it, in whole quarters of an hour."""
    return max(_SHORTEST, length // 2 // _SHORTEST * _SHORTEST)


async def _ask(
    search: Search, start: dt.datetime, end: dt.datetime, session: aiohttp.ClientSession, clock: Clock, pause: Pause
) -> list[dict[str, Any]]:
    feed = Feed(id="gdelt", kind="gdelt", url=str(_address(search, start, end)), allow_private=search.url != API)
    for number in range(TRIES):
        try:
            answer = await fetch(session, feed, FeedState(source=feed.id), clock, timeout_s=_TIMEOUT_S, attempts=1)
            return _articles(answer, search)
        except SourceError as error:
            if number == TRIES - 1 or not _may_pass(error):
                raise _plainly(error) from error
            await pause(max(PAUSE_S * 2 ** (number + 1), min(error.retry_after_s or 0, MOST_ORDERED_S)))
    raise AssertionError("the last try returns or raises")


def _address(search: Search, start: dt.datetime, end: dt.datetime) -> URL:
    try:
        return URL(search.url).update_query(
            query=search.query,
            mode="ArtList",
            format="json",
            sort="DateAsc",
            maxrecords=CAP,
            startdatetime=f"{start:%Y%m%d%H%M%S}",
            enddatetime=f"{end:%Y%m%d%H%M%S}",
        )
    except ValueError as error:
        raise ConfigError(f"--gdelt-url {search.url}", "is not an address", f"GDELT's own is {API}") from error


def _may_pass(error: SourceError) -> bool:
    return error.reason in ("rate_limited", "timeout", "unreachable") or error.reason.startswith("http_5")


def _plainly(error: SourceError) -> SourceError:
    """Without the mends that are for feeds."""
    mend = "try again later: it goes on from here" if _may_pass(error) else ""
    return SourceError("GDELT", error.reason, error.problem, mend)


def _articles(answer: Fetched, search: Search) -> list[dict[str, Any]]:
    text = answer.body.decode("utf-8", "replace").strip().removeprefix("\ufeff")
    if not text.startswith(("{", "[")):
        said = " ".join(text.split())[:_NOT_AN_ANSWER] or "nothing"
        if "limit" in said.lower() and "second" in said.lower():
            raise SourceError("GDELT", "rate_limited", "asks to be asked less often")
        raise ConfigError(f"--gdelt {search.query!r}", f"GDELT answers: {said}", "see GDELT's words on its DOC API")
    try:
        found = tolerant_json(text)
    except ValueError as error:
        raise SourceError("GDELT", "other_shape", f"its answer is no JSON: {error}") from error
    articles = found.get("articles", []) if isinstance(found, dict) else None  # `{}` where it found none
    if not isinstance(articles, list):
        raise SourceError("GDELT", "other_shape", "its answer holds no list of articles")
    return [one if isinstance(one, dict) else {} for one in articles]
