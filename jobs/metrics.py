"""`/metrics` for Prometheus. Whoever asks pays: jobs only leave their ended runs, and the rest is read from the store.

What was counted lies in this process from its start on, as Prometheus expects; the store says what happened since it
was last asked. That reading goes aside, so that a store that hangs costs a second and loses no count.
"""

import asyncio
import datetime as dt
import threading
from collections import deque
from typing import NamedTuple

import sqlalchemy as sa
from aiohttp import web
from aiohttp.web_urldispatcher import UrlDispatcher
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from jobs.app import App
from jobs.aside import Aside
from jobs.gauges import Gauges, Look
from jobs.health import reasons
from jobs.routes import NextRuns, Parts
from jobs.runner import Runner
from jobs.tally import Tally
from signals.model import PAIR, JobRun
from signals.store import counting, signals

_WAIT_S = 1.0
_ROWS = 5000
"""Read at once; what is more comes with the next ones, so that an import of a million is no load."""
_ROUNDS = 4
_ENDED = 10_000
"""Runs that wait to be counted: more than a day of them between two scrapes are not counted all."""


class _Marks(NamedTuple):
    """Up to where the store was counted."""

    scored_at: dt.datetime
    """UTC."""
    epoch: str | None
    seq: int
    days: dict[tuple[str, dt.date], counting.SourceCount]


class Meter:
    """Counts and looks, when asked.

    Parameters
    ----------
    app : the service's parts.
    runner : its jobs; null where it has none.
    next_runs : gives each job's next scheduled time, UTC.
    """

    def __init__(self, app: App, runner: Runner | None, next_runs: NextRuns) -> None:
        self._app = app
        self._next_runs = next_runs
        self._registry = CollectorRegistry()
        self._tally = Tally(self._registry, [feed.id for feed in app.settings.feeds])
        self._gauges = Gauges()
        self._registry.register(self._gauges)
        ProcessCollector(registry=self._registry)
        self._ended: deque[JobRun] = deque(maxlen=_ENDED)
        if runner is not None:
            runner.watchers.append(self._ended.append)
        self._marks: _Marks | None = None
        self._counting = Aside("counting", self._count)
        self._asking = Aside("asking Redis", self._broker_seq)
        self._lock = threading.Lock()

    def begin(self) -> None:
        """Remember where the store stands: what comes after it is counted."""
        self._counting.begin()

    def scrape(self) -> bytes:
        """All metrics as text, within about a second."""
        with self._lock:
            while self._ended:
                self._tally.ended(self._ended.popleft())
            self._counting.begin()
            self._asking.begin()
            observed, findings, why = reasons(self._app, self._next_runs)
            store_fault, broker_fault = self._counting.fault(_WAIT_S), self._asking.fault(_WAIT_S)
            self._gauges.look = Look(
                observed, tuple(findings), not why,
                open_alerts=None if store_fault else self._counting.given,
                broker_seq=None if broker_fault else self._asking.given,
            )  # fmt: skip
            return generate_latest(self._registry)

    def _count(self) -> dict[str, int]:
        """Count what the store has since the marks; gives the alerts that are open."""
        with self._app.store.read() as conn:
            if self._marks is None:
                self._marks = self._first(conn)
            else:
                self._days(conn, self._marks)
                for _ in range(_ROUNDS):
                    if not self._rows(conn, self._marks):
                        break
            return counting.open_alerts(conn)

    def _first(self, conn: sa.Connection) -> _Marks:
        now = self._app.clock()
        epoch, _ = signals.channel_state(conn, PAIR)
        return _Marks(
            counting.last_scored_at(conn) or dt.datetime.min.replace(tzinfo=dt.UTC),
            epoch, counting.last_sent_seq(conn, epoch), self._counts(conn, now),
        )  # fmt: skip

    def _counts(self, conn: sa.Connection, now: dt.datetime) -> dict[tuple[str, dt.date], counting.SourceCount]:
        """Of today and yesterday: midnight may lie between two looks."""
        days = counting.of_sources(conn, now.date() - dt.timedelta(days=1))
        return {(one.source, one.day): one for one in days}

    def _days(self, conn: sa.Connection, marks: _Marks) -> None:
        found = self._counts(conn, self._app.clock())
        self._marks = marks._replace(days=found)
        for key, day in found.items():
            self._tally.looked(day, marks.days.get(key))

    def _rows(self, conn: sa.Connection, marks: _Marks) -> bool:
        """Count one batch, after moving the marks: what fails is lost, not counted twice. Whether there may be more."""
        epoch, _ = signals.channel_state(conn, PAIR)
        if epoch != marks.epoch:
            marks = marks._replace(epoch=epoch, seq=0)
        taken = counting.taken(conn, marks.scored_at, _ROWS)
        sent = counting.sent(conn, epoch, marks.seq, _ROWS)
        upto = taken[-1].scored_at if taken else marks.scored_at
        said = counting.directions(conn, marks.scored_at, upto)
        self._marks = marks._replace(scored_at=upto, seq=sent[-1].seq if sent else marks.seq)
        for direction, number in said.items():
            self._tally.scored(direction, number)
        self._tally.took(taken)
        self._tally.sent(sent)
        return max(len(taken), len(sent)) >= _ROWS

    def _broker_seq(self) -> int | None:
        from signals.delivery.publisher import Publisher

        with self._app.redis_as_it_is() as client:
            there = Publisher(client).state()
        marks = self._marks
        return there[1] if there is not None and marks is not None and there[0] == marks.epoch else None


def add_routes(router: UrlDispatcher, parts: Parts) -> None:
    """Add `/metrics`."""
    meter = Meter(parts.app, parts.runner, parts.next_runs)

    async def metrics(_request: web.Request) -> web.Response:
        text = await asyncio.to_thread(meter.scrape)
        return web.Response(body=text, headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def begin(_http: web.Application) -> None:
        meter.begin()

    parts.http.on_startup.append(begin)
    router.add_get("/metrics", metrics)
