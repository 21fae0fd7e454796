"""Live quotes from Yahoo's stream, through yfinance, under a watchdog. Nothing is stored: the last quote stands.

1. Connect and subscribe, within `CONNECT_S`.
2. Each frame that can be read and is of our symbol is the last quote; any other is counted and passed over.
3. When nothing of ours came for `silence_s` in an open market, or the line broke: connect anew after a pause,
   longer each time until a quote comes.
"""

import asyncio
import datetime as dt
import json
import random
from collections.abc import Callable
from typing import Any, NamedTuple

import pandas as pd
import yfinance as yf  # type: ignore[import-untyped,unused-ignore]
from google.protobuf.message import DecodeError  # type: ignore[import-untyped,unused-ignore]

from signals.prices.checks import PLAUSIBLE, in_fx_week
from signals.prices.reading import Clock

URL = "wss://streamer.finance.yahoo.com/?version=2"
CONNECT_S = 10.0
CLOSE_S = 1.0
"""How long the other side may take to say goodbye."""
PAUSE_S = (1.0, 60.0)
"""The first pause before connecting anew, doubled each time up to the second."""

_UNREADABLE = (ValueError, TypeError, AttributeError, DecodeError)
"""What yfinance's decoding raises for a frame that is not Yahoo's."""


class Quote(NamedTuple):
    """A price as it was told."""

    price: float
    """JPY per USD."""
    at: dt.datetime
    """When it was made, by Yahoo, UTC."""
    known_at: dt.datetime


class LineState(NamedTuple):
    """What is known of the line."""

    connected: bool
    last: Quote | None
    age_s: float | None
    """Seconds since the last quote came; null where none has."""
    reconnects: int
    unreadable: int
    """Frames that could not be read."""
    problem: str
    """Why the line broke last; empty where it never has."""


class SilentError(Exception):
    """Nothing of ours came for too long in an open market."""


def pause_s(failures: int, chance: float) -> float:
    """Seconds to wait before connecting for the time after so many failures (at least one); `chance` in [0, 1)."""
    first, most = PAUSE_S
    longest: float = min(first * 2.0 ** min(failures - 1, 16), most)
    return longest * (0.5 + chance / 2)  # not all at once, when Yahoo comes back


def quote_of(message: dict[str, Any], symbol: str, now: dt.datetime) -> Quote | None:
    """A decoded message as a quote; null where it is of another symbol, or no price of ours.

    Yahoo calls `USDJPY=X` also `JPY=X`.
    """
    price, at_ms = message.get("price"), message.get("time")
    if message.get("id") not in (symbol, symbol.removeprefix("USD")) or price is None or at_ms is None:
        return None
    if not PLAUSIBLE[0] <= float(price) <= PLAUSIBLE[1]:
        return None
    return Quote(float(price), dt.datetime.fromtimestamp(int(at_ms) / 1000, dt.UTC), now)


class _Stream(yf.AsyncWebSocket):  # type: ignore[misc,unused-ignore]
    """yfinance's client, read frame by frame.

    Its own `listen` never gives the thread back once the other side has closed in good order: it asks the closed
    line for the next frame for ever.
    """

    async def frame(self) -> str | bytes:
        """The next frame as it came."""
        raw: str | bytes = await self._ws.recv()
        return raw

    def decoded(self, raw: str | bytes) -> dict[str, Any]:
        """A frame's message."""
        message: dict[str, Any] = self._decode_message(json.loads(raw).get("message", ""))
        return message

    async def end(self) -> None:
        """Close, even if the other side does not answer; nothing is left running."""
        beat = self._heartbeat_task
        try:
            async with asyncio.timeout(CLOSE_S):
                await self.close()
        except TimeoutError:
            self._ws.transport.abort()
        if beat is not None:
            await asyncio.gather(beat, return_exceptions=True)


class QuoteLine:
    """Keeps the last quote of one symbol.

    Parameters
    ----------
    symbol : Yahoo's name for USD/JPY.
    clock : gives the UTC time now.
    silence_s : seconds without a quote in an open market after which the line counts as broken.
    url : of the stream.
    pause : seconds to wait, by how often connecting has failed in a row.
    changed : called with the state when the line is there and when it broke.
    """

    def __init__(
        self, symbol: str, clock: Clock, *, silence_s: float = 60.0, url: str = URL,
        pause: Callable[[int], float] = lambda failures: pause_s(failures, random.random()),
        changed: Callable[[LineState], None] = lambda _state: None,
    ) -> None:  # fmt: skip
        self._symbol, self._clock, self._silence_s, self._url = symbol, clock, silence_s, url
        self._pause, self._changed = pause, changed
        self._connected = False
        self._last: Quote | None = None
        self._lines = self._failures = self._unreadable = 0
        self._problem = ""

    def state(self) -> LineState:
        """As it stands; may be asked from any thread."""
        last = self._last
        age_s = (self._clock() - last.known_at).total_seconds() if last else None
        reconnects = max(0, self._lines - 1)
        return LineState(self._connected, last, age_s, reconnects, self._unreadable, self._problem)

    async def run(self, ended: asyncio.Event) -> None:
        """Until `ended` is set; the line is closed then."""
        yf.config.debug.hide_exceptions = False  # else yfinance prints what is wrong, and goes on
        keeping = asyncio.create_task(self._keep())
        await ended.wait()
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)

    async def _keep(self) -> None:
        while True:
            stream = _Stream(self._url, verbose=False)
            try:
                await self._listen(stream)
            except Exception as error:  # noqa: BLE001 - whatever the library raises is why the line broke, and told
                self._failures += 1
                self._problem = f"{type(error).__name__}: {error}"[:200]
            finally:
                self._connected = False
                await stream.end()
            self._changed(self.state())
            await asyncio.sleep(self._pause(self._failures))

    async def _listen(self, stream: _Stream) -> None:
        async with asyncio.timeout(CONNECT_S):
            await stream.subscribe(self._symbol)
        self._lines += 1
        self._connected = True
        self._changed(self.state())
        while True:
            quote = await self._next(stream)
            self._last, self._failures = quote, 0

    async def _next(self, stream: _Stream) -> Quote:
        """The next quote of ours.

        Raises
        ------
        SilentError : none came for too long while the market was open.
        """
        while True:
            try:
                async with asyncio.timeout(self._silence_s):
                    return await self._read(stream)
            except TimeoutError:
                if _is_open(self._clock()):
                    problem = f"no quote for {self._silence_s:g} s in an open market"
                    raise SilentError(problem) from None

    async def _read(self, stream: _Stream) -> Quote:
        while True:
            raw = await stream.frame()
            try:
                quote = quote_of(stream.decoded(raw), self._symbol, self._clock())
            except _UNREADABLE:
                self._unreadable += 1
                continue
            if quote is not None:
                return quote


def _is_open(now: dt.datetime) -> bool:
    return bool(in_fx_week(pd.DatetimeIndex([now]))[0])
