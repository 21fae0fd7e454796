"""What the feeds answer just now, by the way ingest asks them: politely, once, and nothing of it is kept."""

import asyncio
import datetime as dt
from collections.abc import Mapping
from contextvars import ContextVar
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from signals.errors import ConfigError, SignalsError, SourceError
from signals.model import FeedState
from signals.sources.feed import Feed

if TYPE_CHECKING:
    from jobs.checks.seen import Seen

TIMEOUT_S = 5.0
_AT_ONCE = 8
_FORBIDDEN = ("rate_limited", "http_410")
"""Whoever said so is not asked before the time it named, not even by us."""
_DATED: ContextVar[list[float]] = ContextVar("dated")
"""Where the feed that is being asked has its times noted."""


class Answer(NamedTuple):
    """What one feed answered."""

    fault: SignalsError | None
    """Null where it gave a usable answer, which says nothing of what stands in it."""
    took_s: float
    date_offset_s: float | None
    """How far its `Date` is ahead of our clock, in seconds; null where it told none."""


def answers(seen: "Seen") -> dict[str, Answer]:
    """Ask every enabled feed with an address, side by side."""
    if seen.offline:
        return {}
    states = _remembered(seen)
    asked = [feed for feed in seen.settings.feeds if feed.enabled and feed.url and not _left(feed, states, seen)]
    return asyncio.run(_ask_all(seen, asked, states)) if asked else {}


def _remembered(seen: "Seen") -> Mapping[str, FeedState]:
    try:
        kept = seen.store().kept
    except SignalsError:  # told by the check of the database; the feeds can be asked all the same
        return {}
    return kept.states if kept else {}


def _left(feed: Feed, states: Mapping[str, FeedState], seen: "Seen") -> bool:
    state = states.get(feed.id)
    if state is None or state.next_attempt_at is None or not (state.last_error or "").startswith(_FORBIDDEN):
        return False
    return seen.clock() < state.next_attempt_at


async def _ask_all(seen: "Seen", feeds: list[Feed], states: Mapping[str, FeedState]) -> dict[str, Answer]:
    from signals.sources.guard import open_session

    places = asyncio.Semaphore(_AT_ONCE)
    try:
        session = open_session(contact=seen.settings.sources.contact)
    except ConfigError as error:
        return {feed.id: Answer(error, 0.0, None) for feed in feeds}
    session.trace_configs.append(_dates(seen))
    async with session:

        async def ask(feed: Feed) -> Answer:
            async with places:
                return await _ask(seen, session, feed, states.get(feed.id, FeedState(source=feed.id)))

        done = await asyncio.gather(*(ask(feed) for feed in feeds))
    return dict(zip((feed.id for feed in feeds), done, strict=True))


async def _ask(seen: "Seen", session: Any, feed: Feed, state: FeedState) -> Answer:
    from signals.sources.fetch import fetch

    began = asyncio.get_running_loop().time()
    fault: SignalsError | None = None
    dated: list[float] = []
    _DATED.set(dated)
    try:
        await fetch(session, feed, state, seen.clock, timeout_s=TIMEOUT_S, attempts=1)
    except (SourceError, ConfigError) as error:
        fault = error
    return Answer(fault, asyncio.get_running_loop().time() - began, dated[0] if dated else None)


def _dates(seen: "Seen") -> Any:
    """Notes what answers say of the time, for whoever asked."""
    import aiohttp

    async def note(_session: Any, _context: Any, ended: aiohttp.TraceRequestEndParams) -> None:
        told = ended.response.headers.get("Date")
        try:
            at = parsedate_to_datetime(told) if told else None
        except ValueError:
            return
        if at is not None and at.tzinfo is not None:
            stored_s = ended.response.headers.get("Age", "")  # by a cache on the way
            at += dt.timedelta(seconds=int(stored_s) if stored_s.isdecimal() else 0)
            # Whole seconds are told: on average it was half a second later.
            _DATED.get().append((at - seen.clock()).total_seconds() + 0.5)

    trace = aiohttp.TraceConfig()
    trace.on_request_end.append(note)
    trace.freeze()
    return trace
