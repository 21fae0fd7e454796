"""Servers that misbehave on the wire, over real sockets: each a named failure, in time and in bounded memory."""

import asyncio
import gzip
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from random import Random

import aiohttp
import pytest

from signals import sources
from signals.errors import SourceError
from signals.sources.fetch import Fetched, fetch
from signals.sources.rss import MAX_ITEMS

from .conftest import Site, blank, clock, rss_feed
from .hostile.damage import spoil
from .test_fetch import failure, get

pytestmark = pytest.mark.asyncio

FEED = "<rss version='2.0'><channel><item><title>Yen rises</title></item></channel></rss>"
LOGIN = "<!DOCTYPE html><html><title>Sign in</title><form><input type=password></form></html>"
Talk = Callable[[asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def talking(talk: Talk) -> AsyncIterator[str]:
    """A server that reads a request's head and then says what it likes; its address."""

    talks: list[tuple[asyncio.Task[None], asyncio.StreamWriter]] = []

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            await talk(writer)
        writer.close()

    def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talks.append((asyncio.create_task(converse(reader, writer)), writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/rss"
        for task, writer in talks:
            task.cancel()
            writer.transport.abort()
        await asyncio.gather(*(task for task, _ in talks), return_exceptions=True)
        await asyncio.sleep(0)


def saying(*parts: bytes) -> Talk:
    """These bytes, then the end."""

    async def talk(writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()

    return talk


def repeating(first: bytes, again: bytes) -> Talk:
    """Some bytes, and then others for ever, as fast as they are taken."""

    async def talk(writer: asyncio.StreamWriter) -> None:
        writer.write(first)
        while not writer.is_closing():
            writer.write(again)
            await writer.drain()
            await asyncio.sleep(0)

    return talk


def trickling(text: bytes) -> Talk:
    """A byte at a time, for longer than anyone waits."""

    async def talk(writer: asyncio.StreamWriter) -> None:
        for at in range(len(text)):
            writer.write(text[at : at + 1])
            await writer.drain()
            await asyncio.sleep(0.01)

    return talk


OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n"


@pytest.mark.parametrize(
    "talk",
    [
        trickling(b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 5000),
        trickling(OK + b"\r\n" + b"<rss>" * 5000),
        trickling(OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 5000),
        repeating(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        repeating(OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b""),
    ],
    ids=["head", "body", "chunks", "continue", "trailer"],
)
async def test_a_server_that_never_ends_is_given_up(session: aiohttp.ClientSession, talk: Talk) -> None:
    """However it dawdles, the time allowed covers all of it."""
    async with talking(talk) as url:
        assert (await failure(session, rss_feed(url), timeout_s=0.2)).reason == "timeout"


@pytest.mark.parametrize(
    ("first", "again"),
    [
        (OK, b"X-Flood: 0123456789abcdef\r\n" * 100),
        (OK + b"X-Long: ", b"x" * 4096),
        (b"HTTP/1.1 200 ", b"O" * 4096),
        (b"", b"\xff\x00garbage" * 400),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n1;", b"x" * 4096),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"f" * 4096),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X-Trailer: 0123456789abcdef\r\n" * 100),
    ],
    ids=["headers", "header", "status", "garbage", "extension", "size", "trailers"],
)
async def test_a_flood_before_the_body_is_no_answer(session: aiohttp.ClientSession, first: bytes, again: bytes) -> None:
    """Endless heads, trailers and chunk sizes are cut off within megabytes, long before the time is up."""
    async with talking(repeating(first, again)) as url:
        tracemalloc.start()
        try:
            error = await failure(session, rss_feed(url), timeout_s=1)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert error.reason in ("unreachable", "timeout")
    assert peak < 30_000_000


@pytest.mark.parametrize(
    "answer",
    [
        b"<rss>an answer of HTTP/0.9</rss>", b"", b"\r\n\r\n", b"HTTP/1.1\r\n\r\n", b"HTTP/9.9 200 OK\r\n\r\n<rss/>",
        b"SSH-2.0-OpenSSH_9.2\r\n", b"\x15\x03\x01\x00\x02\x02\x16", b"HTTP/1.1 999999 OK\r\n\r\n",
        b"ICY 200 OK\r\n\r\n<rss/>",
        OK + b"Content-Length: -1\r\n\r\n<rss/>", OK + b"Content-Length: 6, 7\r\n\r\n<rss/>",
        OK + b"Content-Length: \xb2\r\n\r\n<rss/>", OK + b"Bad Header : x\r\n\r\n<rss/>",
        OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n<rss/>\r\n0\r\n\r\n",
        OK + b"Content-Length: 1000\r\n\r\n<rss/>",
        OK + b"Content-Encoding: gzip\r\nContent-Length: 6\r\n\r\n<rss/>",
        OK + b"Content-Encoding: br\r\nContent-Length: 6\r\n\r\n<rss/>",
    ],
)  # fmt: skip
async def test_what_is_no_http_is_unreachable(session: aiohttp.ClientSession, answer: bytes) -> None:
    """Foreign protocols, wrong lengths and encodings that are not what they claim: named, never an error of ours."""
    async with talking(saying(answer)) as url:
        assert (await failure(session, rss_feed(url), timeout_s=3)).reason == "unreachable"


async def test_more_than_it_promised_is_not_read(session: aiohttp.ClientSession) -> None:
    """What comes after the length that was told belongs to no answer."""
    async with talking(saying(OK + b"Content-Length: 6\r\n\r\n<rss/>HTTP/1.1 200 OK\r\n\r\nsmuggled")) as url:
        assert (await get(session, rss_feed(url))).body == b"<rss/>"


async def test_a_packed_body_that_is_cut_off_is_read_as_cut_off(session: aiohttp.ClientSession) -> None:
    """What was unpacked before the cut is read; the item in which it lies is dropped, with a note."""
    items = "".join(f"<item><title>Yen moves {n * 7919}</title></item>" for n in range(300))
    raw = gzip.compress(f"<rss version='2.0'><channel>{items}</channel></rss>".encode())
    raw = raw[: len(raw) // 2]
    head = f"Content-Encoding: gzip\r\nContent-Length: {len(raw)}\r\n\r\n".encode()
    async with talking(saying(OK + head + raw)) as url:
        reading = await sources.read(rss_feed(url), blank(rss_feed(url)), clock, session)
    titles = [headline.title for headline in reading.headlines]
    assert 50 < len(titles) < 300
    assert titles == [f"Yen moves {n * 7919}" for n in range(len(titles))]
    assert any("cut off" in note for note in reading.notes)


@pytest.mark.parametrize("encoding", ["identity", "GZIP", "x-gzip", "nonsense"])
async def test_odd_encodings_are_read_or_named(session: aiohttp.ClientSession, encoding: str) -> None:
    """A body is what its bytes are once unpacked; an encoding that nobody knows leaves them as they are."""
    raw = gzip.compress(FEED.encode()) if "gzip" in encoding.lower() else FEED.encode()
    head = f"Content-Encoding: {encoding}\r\nContent-Length: {len(raw)}\r\n\r\n".encode()
    async with talking(saying(OK + head + raw)) as url:
        feed = rss_feed(url)
        try:
            reading = await sources.read(feed, blank(feed), clock, session)
        except SourceError as error:
            assert error.reason in ("unreachable", "not_a_feed")
        else:
            assert len(reading.headlines) == 1


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("name", ["gzip", "deflate"])
async def test_bombs_are_stopped_while_small(session: aiohttp.ClientSession, name: str, layers: int) -> None:
    """What would become 64 MB, packed once or twice, is stopped at the limit, and the memory with it."""
    packer = zlib.compressobj(9, wbits=31 if name == "gzip" else 15)
    bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(64)) + packer.flush()
    for _ in range(layers - 1):
        bomb = gzip.compress(bomb) if name == "gzip" else zlib.compress(bomb)
    head = f"Content-Encoding: {', '.join([name] * layers)}\r\nContent-Length: {len(bomb)}\r\n\r\n".encode()
    async with talking(saying(OK + head + bomb)) as url:
        tracemalloc.start()
        try:
            error = await failure(session, rss_feed(url), max_bytes=1 << 20) if layers == 1 else None
            fetched = None if error else await _tried(session, url)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert peak < 40_000_000
    assert error is None or error.reason == "too_large"
    assert fetched is None or len(fetched.body) < 1 << 20


async def _tried(session: aiohttp.ClientSession, url: str) -> Fetched | None:
    """The answer, or null where it is refused."""
    feed = rss_feed(url)
    try:
        return await fetch(session, feed, blank(feed), clock, max_bytes=1 << 20)
    except SourceError:
        return None


async def test_any_damaged_answer_ends_well(session: aiohttp.ClientSession) -> None:
    """A hundred answers damaged anywhere, head or body: a reading or a named failure."""
    chance = Random(11)
    ends: list[str] = []
    for _ in range(100):
        whole = spoil(
            chance, f"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nETag: x\r\nConnection: close\r\n\r\n{FEED}"
        )
        async with talking(saying(whole.encode("utf-8", "replace"))) as url:
            feed = rss_feed(url)
            try:
                await sources.read(feed, blank(feed), clock, session)
            except SourceError as error:
                ends.append(error.reason)
            else:
                ends.append("read")
    assert len(ends) == 100
    assert {"read", "unreachable", "not_a_feed"} <= set(ends)


async def test_a_feed_that_turns_into_a_login_page_is_told_and_not_forgotten(
    site: Site, session: aiohttp.ClientSession
) -> None:
    """The page is an error with a mend; what was remembered stays, and the feed is read again once it is back."""
    feed = rss_feed(site.url("/rss"))
    site.put("/rss", FEED, ETag='"v1"', Content_Type="application/rss+xml")
    first = await sources.read(feed, blank(feed), clock, session)
    for content_type in ("text/html", "application/rss+xml"):
        site.put("/rss", LOGIN, ETag='"login"', Content_Type=content_type)
        with pytest.raises(SourceError) as caught:
            await sources.read(feed, first.state, clock, session)
        assert caught.value.reason == "not_a_feed"
        assert "login" in caught.value.mend
    site.put("/login", LOGIN)
    site.put("/rss", status=302, Location="/login")
    with pytest.raises(SourceError) as caught:
        await sources.read(feed, first.state, clock, session)
    assert "/login" in caught.value.where
    site.put("/rss", FEED, ETag='"v2"')
    again = await sources.read(feed, first.state, clock, session)
    assert [headline.headline_id for headline in again.headlines] == [
        headline.headline_id for headline in first.headlines
    ]


@pytest.mark.slow
async def test_ten_thousand_items_do_not_hold_up_the_loop(site: Site, session: aiohttp.ClientSession) -> None:
    """An archive of more than the bound is read to the bound, with a note, while the loop goes on."""
    items = "".join(
        f"<item><title>Yen moves {n}</title><link>https://wire.example/{n}</link><guid>g{n}</guid>"
        f"<description>Words</description><pubDate>Fri, 13 Feb 2026 09:30:00 GMT</pubDate></item>"
        for n in range(MAX_ITEMS + 5)
    )
    site.put("/rss", f"<rss version='2.0'><channel>{items}</channel></rss>")
    feed = rss_feed(site.url("/rss"))
    reading = asyncio.create_task(sources.read(feed, blank(feed), clock, session))
    turns = 0
    while not reading.done():
        await asyncio.sleep(0.01)
        turns += 1
    assert [headline.title for headline in reading.result().headlines] == [f"Yen moves {n}" for n in range(MAX_ITEMS)]
    assert any("the rest is not read" in note for note in reading.result().notes)
    assert turns > 20
