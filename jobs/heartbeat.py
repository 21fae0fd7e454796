"""Heartbeat: what the service knows of itself, every few seconds, so that silence explains itself.

It never waits long for the store: one that is locked, full or gone is told of, with what was last read from it.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import NamedTuple

from jobs.app import App
from jobs.aside import Aside
from jobs.runner import Report, Run
from jobs.services import ServiceSeen, services
from signals.delivery.wire import Heartbeat, JobState, ServiceState, SourceState, encode_heartbeat
from signals.model import PAIR, FeedState, JobRun, Pause
from signals.store import feeds, leases, pauses, runs, signals

_WAIT_S = 1.0
"""How long a beat waits for the store, at most a quarter of its time."""


class _Read(NamedTuple):
    """What the store said at a UTC time."""

    at: dt.datetime
    epoch: str | None
    last_seq: int
    states: Mapping[str, FeedState]
    latest: Mapping[str, JobRun]
    paused: Mapping[str, Pause]
    services: tuple[ServiceSeen, ...]


class Pulse:
    """The heartbeat job of one service.

    Parameters
    ----------
    app : the service's parts.
    next_runs : gives each job's next scheduled time, UTC.
    settle : writes what is owed to the history: whether it can tells whether the store can be written.
    """

    def __init__(
        self,
        app: App,
        next_runs: Callable[[], Mapping[str, dt.datetime | None]],
        settle: Callable[[], None],
    ) -> None:
        self._app = app
        self._next_runs = next_runs
        self._started_at = app.clock()
        self._reading = Aside("reading the store", self._read)
        self._writing = Aside("writing to the store", settle)

    def __call__(self, run: Run) -> Report:
        """Publish one heartbeat."""
        wait_s = min(_WAIT_S, run.deadline.remaining_s() / 4)
        self._reading.begin()
        self._writing.begin()
        fault = self._reading.fault(wait_s) or self._writing.fault(wait_s)
        publisher = self._app.publisher()
        read = self._reading.given
        # Not even once read since the start: then Redis knows what it was sent last.
        epoch, last_seq = (read.epoch, read.last_seq) if read else publisher.state() or (None, 0)
        beat = Heartbeat(
            last_seq=last_seq,
            sources=tuple(_source(feed.id, read) for feed in self._app.settings.feeds if feed.enabled),
            jobs=tuple(_job(name, next_run_at, read) for name, next_run_at in self._next_runs().items()),
            started_at=self._started_at,
            read_at=read.at if read else None,
            store_error=fault,
            services=tuple(ServiceState(id=one.instance, state=one.state) for one in (read.services if read else ())),
        )
        message = encode_heartbeat(beat, epoch=epoch or "none", now=self._app.clock())
        heard = publisher.heartbeat(message.event)
        return Report({"heard_by": heard}, (fault,) if fault else ())

    def _read(self) -> _Read:
        at = self._app.clock()
        with self._app.store.read() as conn:
            epoch, last_seq = signals.channel_state(conn, PAIR)
            states = {state.source: state for state in feeds.states(conn)}
            standing = services(leases.read(conn, PAIR), leases.members(conn), at)
            return _Read(at, epoch, last_seq, states, runs.latest(conn), pauses.standing(conn, at), standing)


def _job(name: str, next_run_at: dt.datetime | None, read: _Read | None) -> JobState:
    last = read.latest.get(name) if read else None
    return JobState(
        job=name,
        outcome=last.outcome if last else None,
        last_started_at=last.started_at if last else None,
        last_ended_at=last.ended_at if last else None,
        next_run_at=next_run_at,
        paused=bool(read and name in read.paused),
        running_since=last.started_at if last and last.outcome == "running" else None,
    )


def _source(feed_id: str, read: _Read | None) -> SourceState:
    if read is None:
        return SourceState(id=feed_id, state="unknown", last_success_at=None, error=None)
    state = read.states.get(feed_id)
    if state is None or state.last_attempt_at is None:
        return SourceState(id=feed_id, state="new", last_success_at=None, error=None)
    down = state.failures > 0
    return SourceState(
        id=feed_id,
        state="down" if down else "ok",
        last_success_at=state.last_success_at,
        error=state.last_error if down else None,
    )
