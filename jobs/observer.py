"""Looking at a service: the store and Redis aside, the schedule and the machine at once."""

import datetime as dt
import shutil
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from jobs.aside import Aside
from jobs.observed import WATCH, ChannelSeen, InboxSeen, JobSeen, Observed, PriceSeen, SourceSeen
from jobs.services import ServiceSeen, services
from jobs.settings import Jobs
from jobs.steadiness import Steadiness
from signals.market.hours import is_quoted
from signals.model import PAIR, FeedState
from signals.sources import scored
from signals.sources.feed import Feed
from signals.store import bars, facts, feeds, leases, outlook, pauses, signals

if TYPE_CHECKING:
    import redis

    from jobs.app import App

SERIES = (("yahoo", 60), ("yahoo", 3600), ("ecb", 0))
"""Whose closes of which length (seconds) are looked at."""
_WAIT_S = 1.0
_LAGS_OF = dt.timedelta(days=1)
_RECENT = dt.timedelta(hours=1)
_SENT_WITHIN = dt.timedelta(minutes=10)
_HEADLINE = "signals.headline.v1"


class _Read(NamedTuple):
    """What the store said."""

    at: dt.datetime
    sources: tuple[SourceSeen, ...]
    jobs: Mapping[str, outlook.Job]
    prices: tuple[PriceSeen, ...]
    channel: ChannelSeen
    last_headline_at: dt.datetime | None
    judged_at: dt.datetime | None
    paused: frozenset[str]
    services: tuple[ServiceSeen, ...]


class _Asked(NamedTuple):
    """What Redis said."""

    offset_s: float | None
    """How far our clock is ahead of its own; null where it does not tell."""
    inbox: InboxSeen | None


class Observer:
    """Looks at one service, and remembers since when what is wrong.

    Parameters
    ----------
    app : its parts; nothing of them is started by looking.
    """

    def __init__(self, app: "App") -> None:
        self._app = app
        self._reading = Aside("reading the store", self._read)
        self._asking = Aside("asking Redis", self._ask)
        self._since: dict[str, dt.datetime] = {}
        self._lock = threading.Lock()
        self._steadiness = Steadiness(app.ticks)
        self._begun_at: dt.datetime | None = None
        self.judged_at: dt.datetime | None = None
        """When this process' watchdog last judged."""
        self.write_fault: str | None = None
        """Why it could not write that down; null where it could."""

    def look(self, next_runs: Mapping[str, dt.datetime | None]) -> Observed:
        """One look, within a second; `next_runs` are this process' schedule, empty where it has none."""
        with self._lock:
            self._reading.begin()
            self._asking.begin()
        store_fault = self._reading.fault(_WAIT_S) or self.write_fault
        broker_fault = self._asking.fault(_WAIT_S)
        with self._lock:
            return self._seen(next_runs, store_fault, broker_fault)

    def _seen(
        self, next_runs: Mapping[str, dt.datetime | None], store_fault: str | None, broker_fault: str | None
    ) -> Observed:
        at, read = self._app.clock(), self._reading.given
        if next_runs:
            self._begun_at = self._begun_at or at
        judged = [moment for moment in (self.judged_at, read.judged_at if read else None) if moment]
        scorer = self._app.__dict__.get("scorer")  # loading it takes a second: who looks does not load it
        return Observed(
            at=at,
            read_at=read.at if read else None,
            sources=read.sources if read else None,
            jobs=tuple(self._job(name, read, next_runs.get(name)) for name in Jobs.__struct_fields__),
            prices=read.prices if read else None,
            channel=read.channel if read else None,
            last_headline_at=read.last_headline_at if read else None,
            market_open=is_quoted(at),
            model_id=scorer.model_id if scorer else None,
            store_fault=store_fault,
            broker_fault=broker_fault,
            disk_free_bytes=self._disk_free(),
            clock_offset_s=self._offset(at, read),
            clock_jump_s=self._steadiness.jump_s(at),
            model_fault=self._app.model_fault,
            started_at=self._begun_at,
            judged_at=max(judged, default=None),
            services=read.services if read else (),
            leads=self._app.keeper.leads if self._app.keeper is not None else None,
            store_fault_since=self._first("store", store_fault, at),
            broker_fault_since=self._first("broker", broker_fault, at),
            inbox=self._asking.given.inbox if self._asking.given and broker_fault is None else None,
        )

    def _first(self, name: str, fault: str | None, at: dt.datetime) -> dt.datetime | None:
        """Since when it is so."""
        if fault is None:
            self._since.pop(name, None)
            return None
        return self._since.setdefault(name, at)

    def _job(self, name: str, read: _Read | None, next_run_at: dt.datetime | None) -> JobSeen:
        schedule = getattr(self._app.settings.jobs, name)
        kept = read.jobs[name] if read else outlook.Job(None, None, "")
        last = kept.last_run
        return JobSeen(
            name=name,
            enabled=schedule.enabled,
            paused=bool(read and name in read.paused),
            every_s=schedule.every_s,
            timeout_s=schedule.timeout_s,
            last_run=last,
            running_since=last.started_at if last and last.outcome == "running" else None,
            next_run_at=next_run_at,
            last_ok_at=kept.last_ok_at,
            recent=kept.recent,
        )

    def _disk_free(self) -> int | None:
        try:
            return shutil.disk_usage(self._app.settings.home).free
        except OSError:  # no home, so nothing is known of its disk; who cannot make it says so
            return None

    def _offset(self, at: dt.datetime, read: _Read | None) -> float | None:
        """Against the newest headline where that is from the future, else against the clock of Redis."""
        newest = read.last_headline_at if read else None
        if newest and newest > at:
            return (at - newest).total_seconds()
        return self._asking.given.offset_s if self._asking.given else None

    def _ask(self) -> _Asked:
        """Whether Redis serves, and what it says."""
        from signals.delivery.probe import server_time

        with self._app.redis_as_it_is() as client:
            before = self._app.clock()
            told = server_time(client)
            offset_s = None if told is None else (before - told).total_seconds()
            return _Asked(offset_s, self._inbox(client))

    def _inbox(self, client: "redis.Redis") -> InboxSeen | None:
        """Null where our user may not look at it: that is no fault of what we are for."""
        from redis.exceptions import ResponseError

        workers = self._app.settings.workers
        try:
            found = scored.look(client, workers.silence_s)
        except ResponseError:
            return None
        return InboxSeen(*found, wanted=workers.enabled, most=workers.inbox_max)

    def _read(self) -> _Read:
        app, at = self._app, self._app.clock()
        with app.store.read() as conn:
            states = {state.source: state for state in feeds.states(conn)}
            epoch, last_seq = signals.channel_state(conn, PAIR)
            waits = outlook.outbox(conn, epoch, _HEADLINE, at - _SENT_WITHIN)
            sources = [
                _source(feed, outlook.source(conn, feed.id, at - _LAGS_OF), states.get(feed.id))
                for feed in app.settings.feeds
            ]
            wanted = [one for one in SERIES if one[0] != "yahoo" or app.settings.prices.enabled]
            closes = tuple(PriceSeen(*series, bars.last_close_at(conn, *series)) for series in wanted)
            return _Read(
                at=at,
                sources=tuple(sources),
                jobs=outlook.jobs(conn, Jobs.__struct_fields__, at - _RECENT),
                prices=closes,
                channel=ChannelSeen(epoch, last_seq, waits.last_signal_at, waits.depth, waits.oldest_at, waits.lag_s),
                last_headline_at=facts.last_known_at(conn),
                judged_at=outlook.watched_at(conn, WATCH),
                paused=frozenset(pauses.standing(conn, at)),
                services=services(leases.read(conn, PAIR), leases.members(conn), at),
            )


def _source(feed: Feed, kept: outlook.Source, state: FeedState | None) -> SourceSeen:
    state = state or FeedState(source=feed.id)
    return SourceSeen(
        id=feed.id,
        enabled=feed.enabled,
        every_s=feed.every_s,
        remote=feed.url is not None or feed.path is None,
        last_attempt_at=state.last_attempt_at,
        last_success_at=state.last_success_at,
        last_new_at=kept.last_new_at,
        failures=state.failures,
        last_error=state.last_error,
        next_attempt_at=state.next_attempt_at,
        recent=state.recent,
        lag_s=kept.lag_s,
    )
