"""Ingest: read every source that is due, keep what is new; a source that is down costs only itself."""

import asyncio
import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Sequence
from urllib.parse import urlsplit

import aiohttp
import msgspec
import sqlalchemy as sa

from jobs import traces
from jobs.admission import admit, clock_note
from jobs.app import App
from jobs.runner import Report, Run
from signals import sources
from signals.errors import ConfigError, SourceError
from signals.model import FeedState, Withdrawal
from signals.sources.feed import Feed, Reading
from signals.sources.guard import open_session
from signals.sources.manners import after_failure
from signals.sources.vanished import look, still_missing
from signals.store import facts, feeds, source_days, withdrawals

_SLACK = dt.timedelta(seconds=1)
"""The scheduler's ticks and ours never meet exactly."""
_RECENT = 20
"""How many answers of a source are remembered by how they ended."""
_FORBIDDEN = ("rate_limited", "http_410")
"""Failures after which even a person's own run waits as the server says."""


class FailedRead(msgspec.Struct, frozen=True):
    """Why a source could not be read, and what is remembered of that."""

    reason: str
    error: SourceError | ConfigError
    state: FeedState


def ingest(app: App, run: Run) -> Report:
    """Read the sources that are due (all of them in a cycle or a manual run) and store their headlines."""
    return asyncio.run(_ingest(app, run))


async def _ingest(app: App, run: Run) -> Report:
    with app.store.read() as conn:
        states = {state.source: state for state in feeds.states(conn)}
        last_at, behind = facts.last_known_at(conn), clock_note(conn, app.clock())
    due = [feed for feed in app.settings.feeds if feed.enabled and _due(app, run, feed, states.get(feed.id))]
    if any(feed.kind == "yahoo_news" for feed in due):
        _keep_yahoo_cache(app)
    counts: Counter[str] = Counter(sources=len(due), failed=0, unchanged=0, seen=0, new=0, withdrawn=0)
    notes: list[str] = []
    doors: defaultdict[str | None, asyncio.Lock] = defaultdict(asyncio.Lock)
    async with open_session(contact=app.settings.sources.contact) as session:
        for done in asyncio.as_completed(
            [
                _read_one(
                    app, feed, states.get(feed.id, FeedState(source=feed.id)), session, doors[_door(feed)], last_at
                )
                for feed in due
            ]
        ):
            feed, result = await done
            run.deadline.check()
            notes += _keep(app, run, feed, result, counts)
    return Report(counts, (*sorted(notes), *([behind] if behind else [])))


def _keep_yahoo_cache(app: App) -> None:
    """Yfinance keeps cookies and time zones on disk: in the home, like everything written at run time."""
    import yfinance

    yfinance.set_tz_cache_location(str(app.settings.home / "yfinance"))


def _due(app: App, run: Run, feed: Feed, state: FeedState | None) -> bool:
    """On schedule: as its row and its server wish. A cycle or a manual run asks all but whom a server forbids.

    What was asked in the future was asked before the clock was set back: nobody knows how long ago.
    """
    if state is None or state.next_attempt_at is None:
        return True
    if run.trigger != "schedule" and not (state.last_error or "").startswith(_FORBIDDEN):
        return True
    now = app.clock()
    set_back = state.last_attempt_at is not None and state.last_attempt_at > now + _SLACK
    return set_back or now >= state.next_attempt_at - _SLACK


async def _read_one(
    app: App,
    feed: Feed,
    state: FeedState,
    session: aiohttp.ClientSession,
    door: asyncio.Lock,
    last_at: dt.datetime | None,
) -> tuple[Feed, Reading | FailedRead]:
    try:
        async with door:
            with traces.fetch(feed.id):
                return feed, await sources.read(feed, state, app.clock, session, not_before=last_at)
    except SourceError as error:
        return feed, _failed(app, feed, state, error.reason, error)
    except ConfigError as error:  # a row that can't be used costs only itself
        return feed, _failed(app, feed, state, "configuration", error)


def _door(feed: Feed) -> str | None:
    """Whom one request at a time may be made to: the host and port, or for what has none the feed itself."""
    try:
        parts = urlsplit(feed.url or "")
        return f"{parts.hostname}:{parts.port}" if parts.hostname else feed.id
    except ValueError:  # no address at all: reading it says so
        return feed.id


def _failed(app: App, feed: Feed, state: FeedState, reason: str, error: SourceError | ConfigError) -> FailedRead:
    now, failures = app.clock(), state.failures + 1
    ordered_s = error.retry_after_s if isinstance(error, SourceError) else None
    remembered = msgspec.structs.replace(
        state,
        last_attempt_at=now,
        last_error=f"{reason}: {error.problem}",
        failures=failures,
        next_attempt_at=after_failure(
            feed.id, feed.every_s, failures, now, ordered_s=ordered_s, gone=reason == "http_410"
        ),
    )
    return FailedRead(reason, error, remembered)


def _keep(app: App, run: Run, feed: Feed, result: Reading | FailedRead, counts: Counter[str]) -> Sequence[str]:
    log = run.log.bind(source=feed.id)
    with app.store.write() as conn:  # the state and what it stands for, together: a crash can't skip items
        new = withdrawn = 0
        if isinstance(result, Reading):
            facts.hold(conn)  # first of all, so that whoever holds rows of the table waits for nobody
            new, withdrawn = admit(conn, result.headlines, _vanished(conn, feed, result, app))
        feeds.save(conn, _remembered(result))
        source_days.count(conn, _looked(feed, result, new, withdrawn), app.clock())
    counts.update(new=new, withdrawn=withdrawn)
    if isinstance(result, FailedRead):
        counts["failed"] += 1
        log.warning("source.failed", reason=result.reason, error=str(result.error))
        return [f"{feed.id}: {result.reason} ({result.error.problem})"]
    counts["unchanged"] += result.unchanged
    counts["seen"] += len(result.headlines)
    for note in result.notes:
        log.warning("source.note", note=note)
    return result.notes


def _remembered(result: Reading | FailedRead) -> FeedState:
    """What is remembered of the source, with how this look at it ended."""
    ended = "." if isinstance(result, Reading) else "x"
    return msgspec.structs.replace(result.state, recent=(result.state.recent + ended)[-_RECENT:])


def _looked(feed: Feed, result: Reading | FailedRead, new: int, withdrawn: int) -> source_days.Look:
    """One look at a source, for its record of the day."""
    if isinstance(result, FailedRead):
        return source_days.Look(feed.id, failure=result.reason)
    return source_days.Look(feed.id, result.unchanged, len(result.headlines), new, withdrawn)


def _vanished(conn: sa.Connection, feed: Feed, reading: Reading, app: App) -> list[Withdrawal]:
    """What its publisher took off its list, by comparison with what the list held before."""
    if not feed.watch_vanished or feed.kind == "articles":
        return []
    now = app.clock()
    since = now - dt.timedelta(seconds=app.settings.policy.story_window_s)
    kept = withdrawals.listed(conn, feed.id, since)
    looked = still_missing(kept, now) if reading.unchanged else look(reading.headlines, kept, now)
    withdrawals.mark_missing(conn, looked.missing, now)
    withdrawals.mark_missing(conn, looked.back, None)
    return [Withdrawal(headline_id=name, known_at=now, reason="vanished") for name in looked.vanished]
