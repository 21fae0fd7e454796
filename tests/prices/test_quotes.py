"""Live quotes: yfinance's own client and decoding, a stream on 127.0.0.1 that falls silent, breaks or babbles."""

import asyncio
import base64
import contextlib
import datetime as dt
import json
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.asyncio.server import ServerConnection, serve
from yfinance.pricing_pb2 import PricingData  # type: ignore[import-untyped,unused-ignore]

from signals.prices.quotes import PAUSE_S, LineState, Quote, QuoteLine, pause_s, quote_of

pytestmark = pytest.mark.asyncio

NOON = dt.datetime(2026, 3, 4, 12, 0, 30, tzinfo=dt.UTC)
SATURDAY = dt.datetime(2026, 3, 7, 12, 0, 30, tzinfo=dt.UTC)
AT = dt.datetime(2026, 3, 4, 12, 0, 29, 500_000, tzinfo=dt.UTC)
PATIENCE_S = 10.0
END_S = 3.0
"""How long a line may take to end."""
Script = Callable[[ServerConnection], Awaitable[None]]


def frame(price: float, name: str = "USDJPY=X", at: dt.datetime = AT) -> str:
    """A frame as Yahoo sends it: a protocol buffer in base64 in JSON."""
    data = PricingData(id=name, price=price, time=int(at.timestamp() * 1000))
    return json.dumps({"type": "pricing", "message": base64.b64encode(data.SerializeToString()).decode()})


class Stream:
    """The stream: each connection does what the script of its number says (the last one's from then on)."""

    def __init__(self, *scripts: Script) -> None:
        self.scripts = scripts
        self.subscribed: list[dict[str, list[str]]] = []

    async def __call__(self, connection: ServerConnection) -> None:
        script = self.scripts[min(len(self.subscribed), len(self.scripts) - 1)]
        self.subscribed.append(json.loads(await connection.recv()))
        await script(connection)


def sends(*frames: str | bytes, then_stay: bool = True) -> Script:
    async def script(connection: ServerConnection) -> None:
        for one in frames:
            await connection.send(one)
        if then_stay:
            await connection.wait_closed()

    return script


async def breaks(connection: ServerConnection) -> None:
    """The line breaks without a word."""
    connection.transport.abort()


class Watch:
    """The states told, and a way to wait for one."""

    def __init__(self, line: QuoteLine) -> None:
        self.line = line

    async def until(self, seen: Callable[[LineState], bool]) -> LineState:
        async with asyncio.timeout(PATIENCE_S):
            while not seen(state := self.line.state()):
                await asyncio.sleep(0.002)
        return state


@contextlib.asynccontextmanager
async def watching(
    stream: Stream, *, silence_s: float = PATIENCE_S, now: dt.datetime = NOON, pauses: list[int] | None = None,
    ended_then: Callable[[], None] = lambda: None,
) -> AsyncIterator[Watch]:  # fmt: skip
    """A line to this stream, ended in the end."""

    def pause(failures: int) -> float:
        (pauses if pauses is not None else []).append(failures)
        return 0.0

    async with serve(stream, "127.0.0.1", 0) as server:
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        line = QuoteLine("USDJPY=X", lambda: now, silence_s=silence_s, url=url, pause=pause)
        ended = asyncio.Event()
        running = asyncio.create_task(line.run(ended))
        try:
            yield Watch(line)
        finally:
            ended.set()
            async with asyncio.timeout(END_S):
                await running
            ended_then()
            assert line.state().connected is False
            left = {task.get_coro().__qualname__ for task in asyncio.all_tasks()}
            assert not [name for name in left if name.startswith(("QuoteLine", "AsyncWebSocket"))]


async def test_the_last_quote_stands() -> None:
    """What the stream sends of our symbol is decoded by yfinance; its own time, and when it came, stand beside it."""
    stream = Stream(sends(frame(157.25), frame(1.08, "EURUSD=X"), frame(157.5)))
    async with watching(stream) as watch:
        state = await watch.until(lambda state: state.last is not None and state.last.price == 157.5)
    assert state == LineState(True, Quote(157.5, AT, NOON), 0.0, 0, 0, "")
    assert stream.subscribed == [{"subscribe": ["USDJPY=X"]}]


async def test_frames_that_cannot_be_read_cost_only_themselves() -> None:
    """No JSON, no protocol buffer, no object, no price: counted where unreadable, and the line stays."""
    garbage = ["", "no json", "[]", '"x"', "null", '{"message": 7}', b"\x00\xff",
               json.dumps({"message": base64.b64encode(b"\xff\xff\xff").decode()})]  # fmt: skip
    harmless = ["{}", '{"message": "%%%"}', '{"type":"pong"}', frame(0.0064), frame(15725.0), frame(float("nan"))]
    stream = Stream(sends(*garbage, *harmless, frame(157.25)))
    async with watching(stream) as watch:
        state = await watch.until(lambda state: state.last is not None)
    assert state.last == Quote(157.25, AT, NOON)
    assert (state.unreadable, state.reconnects) == (len(garbage), 0)


@pytest.mark.parametrize("end", [breaks, sends(then_stay=False)], ids=["breaks", "closes in good order"])
async def test_a_line_that_ends_is_made_anew(end: Script) -> None:
    """Whether it broke or was closed, which yfinance's own loop never notices; the last quote stands meanwhile."""
    pauses: list[int] = []
    stream = Stream(sends(frame(157.25), then_stay=False), end, end, sends(frame(157.5)))
    async with watching(stream, pauses=pauses) as watch:
        state = await watch.until(lambda state: state.last is not None and state.last.price == 157.5)
    assert state.reconnects == 3 and "ConnectionClosed" in state.problem
    assert pauses == [1, 2, 3]
    assert len(stream.subscribed) == 4


async def test_silence_in_an_open_market_makes_the_line_anew() -> None:
    """A line that says nothing, or nothing readable of ours, is not taken for a calm market."""

    async def of_others(connection: ServerConnection) -> None:
        with contextlib.suppress(OSError):
            while True:
                await connection.send(frame(1.08, "EURUSD=X"))
                await connection.send("no json")
                await asyncio.sleep(0.005)

    stream = Stream(sends(), of_others, sends(frame(157.5)))
    async with watching(stream, silence_s=0.05) as watch:
        state = await watch.until(lambda state: state.last is not None)
    assert state.reconnects >= 2
    assert state.problem == "SilentError: no quote for 0.05 s in an open market"


async def test_silence_at_the_weekend_is_as_it_should_be() -> None:
    """The line stays, however long nothing comes."""
    release = asyncio.Event()

    async def late(connection: ServerConnection) -> None:
        await release.wait()
        await connection.send(frame(157.5))
        await connection.wait_closed()

    async with watching(Stream(late), silence_s=0.01, now=SATURDAY) as watch:
        await watch.until(lambda state: state.connected)
        for _ in range(20):
            await asyncio.sleep(0.005)
        release.set()
        state = await watch.until(lambda state: state.last is not None)
    assert (state.reconnects, state.problem) == (0, "")


async def test_nobody_there_is_tried_again() -> None:
    """A refused connection is told, and followed by ever longer pauses; ending does not wait for them."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]  # free again once the block ends
    failures: list[int] = []

    def pause(count: int) -> float:
        failures.append(count)
        return 0.0 if count < 3 else 3600.0

    line = QuoteLine("USDJPY=X", lambda: NOON, url=f"ws://127.0.0.1:{port}/", pause=pause)
    ended = asyncio.Event()
    running = asyncio.create_task(line.run(ended))
    state = await Watch(line).until(lambda state: len(failures) == 3)
    assert not state.connected and state.last is None and state.age_s is None and state.problem
    ended.set()
    async with asyncio.timeout(PATIENCE_S):
        await running
    assert failures == [1, 2, 3]


async def test_a_side_that_never_says_goodbye_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ending takes no longer than `CLOSE_S`, whatever the other side does."""
    monkeypatch.setattr("signals.prices.quotes.CLOSE_S", 0.05)

    release = asyncio.Event()

    async def deaf(connection: ServerConnection) -> None:
        connection.transport.pause_reading()
        await connection.send(frame(157.25))
        await release.wait()
        connection.transport.abort()

    async with watching(Stream(deaf), ended_then=release.set) as watch:
        await watch.until(lambda state: state.last is not None)
        begun = time.monotonic()
    assert 0.05 <= time.monotonic() - begun < 1.0  # a default `CLOSE_S`; the goodbye was waited for, and not longer


@given(st.integers(1, 10_000), st.floats(0, 1, exclude_max=True))
async def test_pauses_grow_and_are_bounded(failures: int, chance: float) -> None:
    """Never shorter than half the first, never longer than the most, never shorter after more failures."""
    first, most = PAUSE_S
    assert first / 2 <= pause_s(failures, chance) <= most
    assert pause_s(failures, chance) <= pause_s(failures + 1, chance)


@pytest.mark.parametrize("name", ["USDJPY=X", "JPY=X"])
async def test_both_of_yahoos_names_are_ours(name: str) -> None:
    """Yahoo answers a subscription to the one under the other."""
    assert quote_of({"id": name, "price": 157.0, "time": "1772625629500"}, "USDJPY=X", NOON) == Quote(157.0, AT, NOON)
    assert quote_of({"id": "EURJPY=X", "price": 157.0, "time": "1772625629500"}, "USDJPY=X", NOON) is None
    assert quote_of({"id": name, "price": 157.0}, "USDJPY=X", NOON) is None
