"""Heartbeat: what the service knows of itself, every few seconds, so that silence explains itself."""

import datetime as dt
from collections.abc import Callable, Mapping

from jobs.app import App
from jobs.runner import Report, Run
from signals.delivery.wire import Heartbeat, JobState, SourceState, encode_heartbeat
from signals.model import PAIR, FeedState
from signals.store import feeds, runs, signals


class Pulse:
    """The heartbeat job of one service.

    Parameters
    ----------
    app : the service's parts.
    next_runs : gives each job's next scheduled time, UTC.
    """

    def __init__(self, app: App, next_runs: Callable[[], Mapping[str, dt.datetime | None]]) -> None:
        self._app = app
        self._next_runs = next_runs
        self._started_at = app.clock()

    def __call__(self, run: Run) -> Report:
        """Publish one heartbeat."""
        app = self._app
        with app.store.read() as conn:
            epoch, last_seq = signals.channel_state(conn, PAIR)
            states = {state.source: state for state in feeds.states(conn)}
            latest = runs.latest(conn)
        next_runs = self._next_runs()
        sources = [_source(feed.id, states.get(feed.id)) for feed in app.settings.feeds if feed.enabled]
        jobs = [
            JobState(
                job=name,
                outcome=latest[name].outcome if name in latest else None,
                last_started_at=latest[name].started_at if name in latest else None,
                last_ended_at=latest[name].ended_at if name in latest else None,
                next_run_at=next_run,
            )
            for name, next_run in next_runs.items()
        ]
        beat = Heartbeat(last_seq=last_seq, sources=tuple(sources), jobs=tuple(jobs), started_at=self._started_at)
        message = encode_heartbeat(beat, epoch=epoch or "none", now=app.clock())
        heard = app.publisher().heartbeat(message.event)
        return Report({"heard_by": heard})


def _source(feed_id: str, state: FeedState | None) -> SourceState:
    if state is None or state.last_attempt_at is None:
        return SourceState(id=feed_id, state="new", last_success_at=None, error=None)
    down = state.failures > 0
    return SourceState(
        id=feed_id,
        state="down" if down else "ok",
        last_success_at=state.last_success_at,
        error=state.last_error if down else None,
    )
