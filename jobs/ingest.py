"""Ingest: read every source that is due, keep what is new; a source that is down costs only itself."""

import asyncio
from collections import Counter
from collections.abc import Sequence

import aiohttp
import msgspec

from jobs.app import App
from jobs.runner import Report, Run
from signals import sources
from signals.errors import ConfigError, SourceError
from signals.model import FeedState
from signals.sources.feed import Feed, Reading
from signals.sources.guard import open_session
from signals.store import feeds, headlines


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
    due = [
        feed for feed in app.settings.feeds if feed.enabled and (run.trigger != "schedule" or _due(app, feed, states))
    ]
    if any(feed.kind == "yahoo_news" for feed in due):
        _keep_yahoo_cache(app)
    counts: Counter[str] = Counter(sources=len(due), failed=0, unchanged=0, seen=0, new=0)
    notes: list[str] = []
    async with open_session() as session:
        for done in asyncio.as_completed(
            [_read_one(app, feed, states.get(feed.id, FeedState(source=feed.id)), session) for feed in due]
        ):
            feed, result = await done
            run.deadline.check()
            notes += _keep(app, run, feed, result, counts)
    return Report(counts, tuple(sorted(notes)))


def _keep_yahoo_cache(app: App) -> None:
    """Yfinance keeps cookies and time zones on disk: in the home, like everything written at run time."""
    import yfinance

    yfinance.set_tz_cache_location(str(app.settings.home / "yfinance"))


def _due(app: App, feed: Feed, states: dict[str, FeedState]) -> bool:
    state = states.get(feed.id)
    if state is None or state.last_attempt_at is None:
        return True
    # A second of slack: the scheduler's ticks and ours never meet exactly.
    return (app.clock() - state.last_attempt_at).total_seconds() >= feed.every_s - 1


async def _read_one(
    app: App, feed: Feed, state: FeedState, session: aiohttp.ClientSession
) -> tuple[Feed, Reading | FailedRead]:
    try:
        return feed, await sources.read(feed, state, app.clock, session)
    except SourceError as error:
        return feed, _failed(app, state, error.reason, error)
    except ConfigError as error:  # a row that can't be used costs only itself
        return feed, _failed(app, state, "configuration", error)


def _failed(app: App, state: FeedState, reason: str, error: SourceError | ConfigError) -> FailedRead:
    remembered = msgspec.structs.replace(
        state, last_attempt_at=app.clock(), last_error=f"{reason}: {error.problem}", failures=state.failures + 1
    )
    return FailedRead(reason, error, remembered)


def _keep(app: App, run: Run, feed: Feed, result: Reading | FailedRead, counts: Counter[str]) -> Sequence[str]:
    log = run.log.bind(source=feed.id)
    with app.store.write() as conn:  # the state and what it stands for, together: a crash can't skip items
        if isinstance(result, Reading):
            counts["new"] += headlines.add(conn, result.headlines)
        feeds.save(conn, result.state)
    if isinstance(result, FailedRead):
        counts["failed"] += 1
        log.warning("source.failed", reason=result.reason, error=str(result.error))
        return [f"{feed.id}: {result.reason} ({result.error.problem})"]
    counts["unchanged"] += result.unchanged
    counts["seen"] += len(result.headlines)
    for note in result.notes:
        log.warning("source.note", note=note)
    return result.notes
