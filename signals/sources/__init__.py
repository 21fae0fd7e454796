"""Sources of headlines: one file and one row of `KINDS` for each kind."""

import datetime as dt
from collections.abc import Awaitable, Mapping
from typing import TYPE_CHECKING, Protocol

import msgspec

from signals.errors import ConfigError
from signals.model import FeedState
from signals.sources.feed import Clock, Feed, Reading
from signals.sources.manners import after_success

if TYPE_CHECKING:
    import aiohttp

__all__ = ["KINDS", "Clock", "Feed", "Reader", "Reading", "read"]


class Reader(Protocol):
    """Reads one source of one kind."""

    def __call__(
        self, feed: Feed, state: FeedState, clock: Clock, session: "aiohttp.ClientSession | None" = None
    ) -> Awaitable[Reading]:
        """Read the source once. Raises SourceError and ConfigError."""
        ...


# Each kind is imported when the first feed of it is read: yfinance and its pandas take seconds.


async def _rss(feed: Feed, state: FeedState, clock: Clock, session: "aiohttp.ClientSession | None" = None) -> Reading:
    from signals.sources import rss

    return await rss.read(feed, state, clock, session)


async def _articles(
    feed: Feed, state: FeedState, clock: Clock, session: "aiohttp.ClientSession | None" = None
) -> Reading:
    from signals.sources import articles

    return await articles.read(feed, state, clock, session)


async def _yahoo_news(
    feed: Feed, state: FeedState, clock: Clock, session: "aiohttp.ClientSession | None" = None
) -> Reading:
    from signals.sources import yahoo_news

    return await yahoo_news.read(feed, state, clock, session)


KINDS: Mapping[str, Reader] = {"rss": _rss, "articles": _articles, "yahoo_news": _yahoo_news}
"""Reader by the `kind` of a feed."""


async def read(
    feed: Feed,
    state: FeedState,
    clock: Clock,
    session: "aiohttp.ClientSession | None" = None,
    *,
    not_before: dt.datetime | None = None,
) -> Reading:
    """Look at a source once; the reading's state is the one to remember for the next time.

    Parameters
    ----------
    state : what was remembered of the source (`FeedState(source=feed.id)` the first time).
    clock : gives the UTC time now.
    not_before : UTC; no headline is stamped as known earlier, and no publisher's date up to then lies in the future,
        whatever the clock says.
    session : from `guard.open_session`, shared by all feeds; null: each reading opens its own where it needs one.

    Raises
    ------
    SourceError : no usable answer this time; the caller counts the failure.
    ConfigError : the row cannot be used: an unknown kind, or a missing `url` or `path`.
    """
    reader = KINDS.get(feed.kind)
    if reader is None:
        raise ConfigError(f"feed {feed.id}", f"unknown kind {feed.kind!r}", f"use one of: {', '.join(sorted(KINDS))}")
    attempted_at = clock()
    reading = await reader(feed, state, clock if not_before is None else lambda: max(clock(), not_before), session)
    remembered = msgspec.structs.replace(
        reading.state,
        last_attempt_at=attempted_at,
        last_success_at=clock(),
        last_error=None,
        failures=0,
        next_attempt_at=after_success(feed.id, feed.every_s, reading.wishes, attempted_at),
    )
    return reading._replace(state=remembered)
