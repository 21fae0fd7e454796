"""What the page reads: signals, one signal, runs, one run with its lines, the chart, the scorecard; and CSV."""

import asyncio
import csv
import datetime as dt
import functools
import io
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import sqlalchemy as sa
from aiohttp import web

from jobs import logs
from jobs.answers import Refused, said
from jobs.app import App
from jobs.console import asking
from jobs.console.chart import RANGES, chart
from jobs.console.live import Position
from jobs.runner import QUIET
from signals.model import PAIR, JobRun
from signals.store import alerts, listing, runs, signals
from signals.store.listing import Before, Listed

T = TypeVar("T")

PAGE = 500
"""Signals of one answer at most."""
COUNTED = 100_000
_CSV_MOST = 100_000
_RUNS_MOST = 20_000
_LINES_MOST = 1000
_ALERTS_OF, _ALERTS_MOST = dt.timedelta(days=7), 200
_CARD_DAYS = (1, 7, 30)
_CARD_KEPT = dt.timedelta(minutes=1)
_ROW = (
    "signal_id", "story_id", "revision", "supersedes", "known_at", "valid_until", "direction", "p_up", "p_flat",
    "p_down", "strength", "topics", "title", "source", "abstained", "backfilled",
)  # fmt: skip
"""Of a signal what its row in the list needs."""
_CSV = (
    "signal_id", "known_at", "source_published_at", "valid_until", "direction", "abstained", "p_up", "p_flat",
    "p_down", "strength", "usd_effect", "jpy_effect", "relevance", "topics", "novelty", "ref_price", "ref_price_at",
    "source", "title", "url", "model_id",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Reads:
    """The routes that read.

    Parameters
    ----------
    app : the service's parts.
    """

    def __init__(self, app: App) -> None:
        self._app = app
        self._card: tuple[dt.datetime, list[dict[str, Any]]] | None = None
        self._reckoning = asyncio.Lock()

    async def signals(self, request: web.Request) -> web.Response:
        """A page of the list: rows newest first, how many there are, and from where the live part goes on."""
        wanted, before = asking.wanted(request.query), asking.before(request.query)
        limit = int(asking.number(request.query, "limit", 200, 1, PAGE))

        def look(conn: sa.Connection) -> dict[str, Any]:
            at = Position(*signals.channel_state(conn, PAIR))
            rows = listing.signals(conn, wanted, limit=limit, before=before)
            count = None if before else listing.count(conn, wanted, most=COUNTED)
            return {"rows": [row(one) for one in rows], "count": count, "more": len(rows) == limit, "at": str(at)}

        return said(200, await self._read(look))

    async def signal(self, request: web.Request) -> web.Response:
        """All of one signal, and what came of it."""
        signal_id = request.match_info["signal_id"]
        found = await self._read(lambda conn: listing.signal(conn, signal_id))
        if found is None:
            raise Refused(404, f"{signal_id}: there is no such signal")
        listed, outcome = found
        return said(200, {"signal": listed.data, "retracted_at": listed.retracted_at, "outcome": outcome})

    async def csv(self, request: web.Request) -> web.StreamResponse:
        """The filtered list as a file; the newest `_CSV_MOST`."""
        wanted = asking.wanted(request.query)
        name = f"signals-{self._app.clock():%Y%m%dT%H%M%SZ}.csv"
        answer = web.StreamResponse(
            headers={
                "Content-Type": "text/csv; charset=utf-8",
                "Content-Disposition": f'attachment; filename="{name}"',
            }
        )
        await answer.prepare(request)
        await answer.write(_csv_lines([(*_CSV, "retracted_at", "return_bp")]))
        before: Before | None = None
        left = _CSV_MOST
        while left > 0:
            rows = await self._read(functools.partial(listing.signals, wanted=wanted, limit=PAGE, before=before))
            if not rows:
                break
            await answer.write(_csv_lines(_csv_row(one) for one in rows[:left]))
            left -= len(rows)
            last = rows[-1].data
            before = Before(dt.datetime.fromisoformat(last["known_at"]), last["signal_id"])
        await answer.write_eof()
        return answer

    async def chart(self, request: web.Request) -> web.Response:
        """Bars, index and marks of a range."""
        name = request.query.get("range", "1d")
        if name not in RANGES:
            raise Refused(400, f"range: one of {', '.join(RANGES)}")
        return said(200, await self._read(lambda conn: chart(conn, name, self._app.clock())))

    async def runs(self, request: web.Request) -> web.Response:
        """The runs of the last hours, newest first, of each its id, job, start, end, outcome."""
        hours = asking.number(request.query, "hours", 3, 0.01, 24)
        since = self._app.clock() - dt.timedelta(hours=hours)
        found = await self._read(lambda conn: listing.runs_since(conn, since, without=QUIET, limit=_RUNS_MOST))
        rows = [(run.run_id, run.job, run.started_at, run.ended_at, run.outcome) for run in found]
        return said(200, {"since": since, "rows": rows, "complete": len(rows) < _RUNS_MOST})

    async def run(self, request: web.Request) -> web.Response:
        """One run and its log lines."""
        run_id = request.match_info["run_id"]
        found = await self._read(lambda conn: runs.find(conn, run_id))
        if found is None:
            raise Refused(404, f"{run_id}: there is no such run")
        lines = await asyncio.to_thread(self._lines, found)
        return said(200, {"run": found, "lines": lines[-_LINES_MOST:], "left_out": max(0, len(lines) - _LINES_MOST)})

    async def alerts(self, _request: web.Request) -> web.Response:
        """What is open, and what was within the last days, newest first, each with its mend."""
        since = self._app.clock() - _ALERTS_OF
        found = await self._read(functools.partial(alerts.told, limit=_ALERTS_MOST, since=since))
        return said(200, {"alerts": found, "days": _ALERTS_OF.days})

    async def scorecard(self, _request: web.Request) -> web.Response:
        """What came of the signals of the last day, week and month; reckoned at most once a minute."""
        async with self._reckoning:
            if self._card is None or self._app.clock() - self._card[0] > _CARD_KEPT:
                self._card = await asyncio.to_thread(self._cards)
        at, cards = self._card
        return said(200, {"at": at, "cards": cards})

    def _cards(self) -> tuple[dt.datetime, list[dict[str, Any]]]:
        from jobs.cards import cards_of, plain  # here: what it needs takes a second to load

        at = self._app.clock()
        return at, [{"days": days} | plain(one) for days, one in cards_of(self._app, _CARD_DAYS).items()]

    def _lines(self, run: JobRun) -> list[dict[str, Any]]:
        return list(logs.lines_of(self._app.settings.home, run.run_id))

    async def _read(self, look: Callable[[sa.Connection], T]) -> T:
        """What the store says, read in a thread: it may be slow, and the loop serves everyone."""

        def inside() -> T:
            with self._app.store.read() as conn:
                return look(conn)

        return await asyncio.to_thread(inside)


def row(one: Listed) -> dict[str, Any]:
    """A row of the list."""
    short = {name: one.data[name] for name in _ROW}
    return short | {"retracted_at": one.retracted_at, "return_bp": one.return_bp}


def _csv_row(one: Listed) -> tuple[Any, ...]:
    return (*(_cell(one.data[name]) for name in _CSV), _cell(one.retracted_at), _cell(one.return_bp))


def _cell(value: Any) -> Any:
    """A cell; a text that a spreadsheet would take for a formula gets an apostrophe before it."""
    if isinstance(value, dt.datetime):
        return value.isoformat()
    if isinstance(value, list):
        value = " ".join(value)
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value


def _csv_lines(rows: "list[tuple[Any, ...]] | Iterator[tuple[Any, ...]]") -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()
