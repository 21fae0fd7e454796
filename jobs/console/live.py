"""What changes, as it changes: server-sent events that any page can resume.

One task reads the outbox while anyone looks: the same messages in the same order as on the channel, also while Redis
is away. All that came between two sends is one event, so a page that is slow gets fewer and larger ones. The id of an
event is `EPOCH:SEQ`; who comes back with it gets what followed.

events: `told` (messages of the outbox, oldest first), `state` (see `console.state`), `tick` (the time, so that a page
knows at once that the line is dead), `reset` (too much was missed, or the store is another: read the lists anew).
"""

import asyncio
import contextlib
import datetime as dt
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple

import msgspec
from aiohttp import web
from aiohttp_sse import EventSourceResponse, sse_response

from jobs.app import App
from signals.errors import SignalsError
from signals.model import PAIR
from signals.store import signals
from signals.store.signals import Outgoing

LOOK_S = 0.2
"""How often the outbox is looked at, and so the longest a signal waits."""
TICK_S = 2.0
_READ = 1000
_MISSED_MOST = 2000
"""Who missed more reads the lists anew."""
_WAITING_MOST = 10_000
"""Messages a page may be behind by before its line is cut: it comes back for them."""


class Position(NamedTuple):
    """A place in the outbox."""

    epoch: str | None
    seq: int

    @property
    def name(self) -> str:
        """The epoch, or what stands for it before the first message."""
        return self.epoch or "none"

    def __str__(self) -> str:
        """As it stands in an event's id."""
        return f"{self.name}:{self.seq}"


def position(raw: str | None) -> Position | None:
    """The place that an id names; null where it names none."""
    epoch, _, seq = (raw or "").rpartition(":")
    return Position(epoch, int(seq)) if epoch and seq.isdecimal() and len(seq) < 17 else None


class _Page:
    """One page that looks: what it has, and what waits for it."""

    def __init__(self, asked: Position | None, state: bytes | None, now: dt.datetime) -> None:
        self.asked = asked
        self.at: Position | None = None
        self.told: list[Outgoing] = []
        self.state = state
        self.tick: dt.datetime | None = now
        self.reset = False
        self.cut = False
        self.wake = asyncio.Event()
        self.wake.set()

    def hand(self, rows: Sequence[Outgoing]) -> None:
        """Let these wait for it."""
        self.told += rows
        self.cut = self.cut or len(self.told) > _WAITING_MOST
        self.wake.set()

    def take(self) -> list[Outgoing]:
        """What waits and follows what it has; nothing before it is known what that is."""
        if self.at is None:
            return []
        at, rows, self.told = self.at, self.told, []
        return [row for row in rows if row.seq > at.seq]


class Live:
    """The live part of one console.

    Parameters
    ----------
    app : the service's parts.
    state : reads the state as JSON without its time; may take a second.
    """

    def __init__(self, app: App, state: Callable[[], bytes]) -> None:
        self._app = app
        self._state = state
        self._pages: set[_Page] = set()
        self._at: Position | None = None
        self._last_state: bytes | None = None
        self._tasks: dict[float, asyncio.Task[None]] = {}

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Serve one page until it goes."""
        asked = request.headers.get("Last-Event-ID") or request.query.get("after")
        if not self._pages:  # nobody has looked: what was seen last is old
            self._last_state = None
        page = _Page(position(asked), self._last_state, self._app.clock())
        async with sse_response(request, send_timeout=15, ping_interval=15) as stream:
            self._pages.add(page)
            self._start()
            try:
                with contextlib.suppress(ConnectionError, TimeoutError):
                    await self._serve(page, stream)
            finally:
                self._pages.discard(page)
        return stream

    async def close(self, _: object = None) -> None:
        """End all lines: the service ends."""
        for page in self._pages:
            page.cut = True
            page.wake.set()
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def _start(self) -> None:
        """Look, while there is a page: what is put out from now on is handed to each."""
        for every_s, work in ((LOOK_S, self._look), (TICK_S, self._tick)):
            task = self._tasks.get(every_s)
            if task is None or task.done():
                self._at = None if every_s == LOOK_S else self._at
                self._tasks[every_s] = asyncio.create_task(self._repeat(every_s, work))

    async def _resume(self, page: _Page) -> None:
        """Hand it what it missed. What comes meanwhile waits for it already, and is sent once."""
        if self._at is None:
            begin = await asyncio.to_thread(self._end)
            self._at = self._at or begin
        end = await asyncio.to_thread(self._end)
        asked = page.asked or end
        missed = end.seq - asked.seq
        reset = asked.name != end.name or not 0 <= missed <= _MISSED_MOST
        after = end.seq if reset else asked.seq
        rows: list[Outgoing] = []
        while after + len(rows) < end.seq:
            rows += await asyncio.to_thread(self._tail, after + len(rows))
        page.told = [*rows, *page.told]
        page.at, page.reset = Position(end.epoch, after), reset

    async def _serve(self, page: _Page, stream: EventSourceResponse) -> None:
        while not page.cut:
            await page.wake.wait()
            page.wake.clear()
            if page.at is None:
                with contextlib.suppress(SignalsError):  # tried again with the next tick
                    await self._resume(page)
            if page.reset:
                page.reset = False
                await stream.send("{}", event="reset", id=str(page.at))
            rows = page.take()
            if rows:
                page.at = Position(rows[-1].epoch, rows[-1].seq)
                await stream.send(_array(row.event for row in rows), event="told", id=str(page.at))
            if page.state is not None:
                state, page.state = page.state, None
                await stream.send(state.decode(), event="state")
            if page.tick is not None:
                tick, page.tick = page.tick, None
                told = msgspec.json.encode({"at": tick})
                await stream.send(told.decode(), event="tick")

    async def _repeat(self, every_s: float, work: Callable[[], Awaitable[None]]) -> None:
        while self._pages:
            with contextlib.suppress(SignalsError):  # the state says what is wrong with the store
                await work()
            await asyncio.sleep(every_s)

    async def _look(self) -> None:
        if self._at is None:  # the first page is about to say where to begin
            return
        rows = await asyncio.to_thread(self._tail, self._at.seq)
        if rows:
            self._at = Position(rows[-1].epoch, rows[-1].seq)
            for page in self._pages:
                page.hand(rows)

    async def _tick(self) -> None:
        state = await asyncio.to_thread(self._state)
        changed, self._last_state = state != self._last_state, state
        now = self._app.clock()
        for page in self._pages:
            page.tick = now
            page.state = state if changed else page.state
            page.wake.set()

    def _end(self) -> Position:
        with self._app.store.read() as conn:
            return Position(*signals.channel_state(conn, PAIR))

    def _tail(self, after_seq: int) -> list[Outgoing]:
        with self._app.store.read() as conn:
            return signals.tail(conn, after_seq=after_seq, limit=_READ)


def _array(events: Any) -> str:
    """Messages, each JSON already, as one array."""
    return f"[{','.join(event.decode() for event in events)}]"
