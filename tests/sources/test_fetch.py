"""One GET: conditional, bounded, public hosts only, and every failure named."""

import asyncio
import gzip
import socket
import zlib
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.test_utils import RawTestServer

from signals.errors import ConfigError, SourceError
from signals.model import FeedState
from signals.sources.feed import Feed
from signals.sources.fetch import USER_AGENT, Fetched, fetch
from signals.sources.guard import open_session

from .conftest import NOW, Site, blank, clock, rss_feed

pytestmark = pytest.mark.asyncio


async def get(session: aiohttp.ClientSession, feed: Feed, **options: Any) -> Fetched:
    """Fetch as the first time."""
    return await fetch(session, feed, blank(feed), clock, **options)


async def failure(session: aiohttp.ClientSession, feed: Feed, **options: Any) -> SourceError:
    """The error of a fetch that must fail."""
    with pytest.raises(SourceError) as caught:
        await get(session, feed, **options)
    return caught.value


class Names(AbstractResolver):
    """Answers look-ups from a table, one row of addresses a look-up."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The next row."""
        self.asked.append(host)
        return [
            ResolveResult(hostname=host, host=address, port=port, family=socket.AF_INET, proto=0, flags=0)
            for address in self.answers.pop(0).split()
        ]

    async def close(self) -> None:
        """Nothing is held."""


async def test_an_answer_is_handed_over_with_what_to_remember(site: Site, session: aiohttp.ClientSession) -> None:
    """Body, type, validators, address and time of receipt; we say who we are and what we read."""
    site.put("/rss", "<rss/>", Content_Type="text/xml", ETag='"v1"', Last_Modified="Fri, 13 Feb 2026 09:00:00 GMT")
    fetched = await get(session, rss_feed(site.url("/rss")))
    assert fetched == Fetched(
        200, b"<rss/>", "text/xml", '"v1"', "Fri, 13 Feb 2026 09:00:00 GMT", site.url("/rss"), NOW
    )
    sent = site.requests[0].headers
    assert sent["User-Agent"] == USER_AGENT
    assert sent["Accept-Encoding"] == "gzip, deflate"
    assert "rss+xml" in sent["Accept"]
    assert "If-None-Match" not in sent


async def test_what_is_known_is_told_to_the_server(site: Site, session: aiohttp.ClientSession) -> None:
    """The validators of last time are sent, and a 304 comes back without a body."""
    site.put("/rss", status=304)
    feed = rss_feed(site.url("/rss"))
    known = FeedState(source="wire", etag='W/"v1"', last_modified="Fri, 13 Feb 2026 09:00:00 GMT")
    fetched = await fetch(session, feed, known, clock)
    assert (fetched.status, fetched.body) == (304, b"")
    assert site.requests[0].headers["If-None-Match"] == 'W/"v1"'
    assert site.requests[0].headers["If-Modified-Since"] == "Fri, 13 Feb 2026 09:00:00 GMT"


async def test_a_304_that_was_not_asked_for_is_an_error(site: Site, session: aiohttp.ClientSession) -> None:
    """Without anything remembered, "nothing new" would hide a feed for ever."""
    site.put("/rss", status=304)
    assert (await failure(session, rss_feed(site.url("/rss")))).reason == "http_304"


@pytest.mark.parametrize(
    ("status", "reason", "requests"),
    [(401, "http_401", 1), (404, "http_404", 1), (429, "rate_limited", 1), (500, "http_500", 2), (503, "http_503", 2)],
)
async def test_a_bad_status_is_named(
    site: Site, session: aiohttp.ClientSession, status: int, reason: str, requests: int
) -> None:
    """Each status has its reason; only the server's own failures are worth a second attempt."""
    site.put("/rss", "<rss/>", status=status)
    error = await failure(session, rss_feed(site.url("/rss")))
    assert error.reason == reason
    assert error.where == f"wire {site.url('/rss')}"
    assert len(site.requests) == requests


async def test_the_second_attempt_may_succeed(site: Site, session: aiohttp.ClientSession) -> None:
    """A server that hangs up once is asked again."""

    async def page(request: web.BaseRequest) -> web.StreamResponse:
        if len(site.requests) == 1:
            assert request.transport
            request.transport.close()
        return web.Response(text="<rss/>")

    site.pages["/rss"] = page
    assert (await get(session, rss_feed(site.url("/rss")))).body == b"<rss/>"
    assert len(site.requests) == 2


async def test_a_slow_server_is_given_up(site: Site, session: aiohttp.ClientSession) -> None:
    """The time allowed covers everything, also a body that stops half way."""

    async def page(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"<rss>")
        await site.hung_up.wait()
        return response

    site.pages["/rss"] = page
    error = await failure(session, rss_feed(site.url("/rss")), timeout_s=0.05)
    assert error.reason == "timeout"


async def test_a_closed_port_is_refused(site: Site, session: aiohttp.ClientSession) -> None:
    """Nobody listens there."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        error = await failure(session, rss_feed(f"http://127.0.0.1:{unused.getsockname()[1]}/rss"))
    assert error.reason == "refused"


async def test_a_name_without_an_address_is_unreachable() -> None:
    """A name that cannot be looked up is told from a server that is down."""

    class Nowhere(Names):
        async def resolve(
            self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
        ) -> list[ResolveResult]:
            raise socket.gaierror(socket.EAI_NONAME, "no such name")

    async with open_session(proxies={}, resolver=Nowhere()) as session:
        assert (await failure(session, rss_feed("http://news.example/rss"))).reason == "unreachable"


async def test_a_broken_answer_is_unreachable(site: Site, session: aiohttp.ClientSession) -> None:
    """A body that does not decompress, or ends too early, is no answer."""
    site.put("/gzip", b"not gzip at all", Content_Encoding="gzip")

    async def cut(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b"<rss>")
        assert request.transport
        request.transport.close()
        return response

    site.pages["/cut"] = cut
    assert (await failure(session, rss_feed(site.url("/gzip")))).reason == "unreachable"
    assert (await failure(session, rss_feed(site.url("/cut")))).reason == "unreachable"


@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
async def test_compressed_answers_are_read(
    site: Site, session: aiohttp.ClientSession, encoding: str, pack: Any
) -> None:
    """Both encodings that we offer are understood."""
    site.put("/rss", pack(b"<rss/>"), Content_Encoding=encoding)
    assert (await get(session, rss_feed(site.url("/rss")))).body == b"<rss/>"


async def test_a_large_answer_is_not_read_to_its_end(site: Site, session: aiohttp.ClientSession) -> None:
    """An endless body is stopped at the limit; one of just that size is read."""
    site.put("/fits", b"x" * 1000)

    async def endless(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while not site.hung_up.is_set():
            await response.write(b"x" * 1000)
        return response

    site.pages["/endless"] = endless
    assert len((await get(session, rss_feed(site.url("/fits")), max_bytes=1000)).body) == 1000
    assert (await failure(session, rss_feed(site.url("/endless")), max_bytes=1000)).reason == "too_large"


async def test_a_gzip_bomb_is_stopped(site: Site, session: aiohttp.ClientSession) -> None:
    """Some sixty kilobytes that would become 64 MB count as what they would become."""
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(64)) + packer.flush()
    site.put("/rss", bomb, Content_Encoding="gzip")
    assert (await failure(session, rss_feed(site.url("/rss")))).reason == "too_large"


async def test_redirects_are_followed_to_the_end(site: Site, session: aiohttp.ClientSession) -> None:
    """Five redirects, relative ones too, lead to the feed and its final address."""
    for step in range(5):
        site.put(f"/{step}", status=(301, 302, 303, 307, 308)[step], Location=f"/{step + 1}")
    site.put("/5", "<rss/>")
    assert (await get(session, rss_feed(site.url("/0")))).final_url == site.url("/5")


async def test_a_redirect_loop_ends(site: Site, session: aiohttp.ClientSession) -> None:
    """After five redirects there is no sixth."""
    site.put("/rss", status=302, Location="/rss")
    assert (await failure(session, rss_feed(site.url("/rss")))).reason == "too_many_redirects"
    assert len(site.requests) == 6


@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://news.example/", "http://[bad/", "gopher:x"])
async def test_a_redirect_to_something_else_is_refused(
    site: Site, session: aiohttp.ClientSession, location: str
) -> None:
    """Only http and https addresses are followed."""
    site.put("/rss", status=302, Location=location)
    assert (await failure(session, rss_feed(site.url("/rss")))).reason == "refused"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1", "[::1]", "169.254.169.254", "0.0.0.0"])
async def test_private_hosts_are_refused(site: Site, session: aiohttp.ClientSession, host: str) -> None:
    """A feed that may not be private is not fetched from this machine or its network, however it is spelled."""
    site.put("/rss", "<rss/>")
    error = await failure(session, rss_feed(f"http://{host}:{site.port()}/rss", allow_private=False))
    assert error.reason == "private_address"
    assert "allow_private" in error.mend
    assert not site.requests


async def test_a_name_that_resolves_to_a_private_address_is_refused(site: Site) -> None:
    """What counts is the address connected to: looked up once, then used (no rebinding in between)."""
    site.put("/rss", "<rss/>")
    names = Names("127.0.0.1", "127.0.0.1")
    async with open_session(proxies={}, resolver=names) as session:
        error = await failure(session, rss_feed(f"http://news.example:{site.port()}/rss", allow_private=False))
    assert error.reason == "private_address"
    assert names.asked == ["news.example"]
    assert not site.requests


async def test_a_name_with_several_private_addresses_is_refused(site: Site) -> None:
    """Every address of a name is looked at, and the error tells which they are."""
    names = Names("127.0.0.1 10.0.0.1")
    async with open_session(proxies={}, resolver=names) as session:
        error = await failure(session, rss_feed(f"http://news.example:{site.port()}/rss", allow_private=False))
    assert error.reason == "private_address"
    assert "10.0.0.1" in error.problem
    assert not site.requests


async def test_a_name_may_be_private_where_the_row_says_so(site: Site) -> None:
    """An internal feed is read by its name."""
    site.put("/rss", "<rss/>")
    async with open_session(proxies={}, resolver=Names("127.0.0.1")) as session:
        assert (await get(session, rss_feed(f"http://feeds.intern:{site.port()}/rss"))).status == 200


@pytest.mark.parametrize("host", ["127.0.0.2", "localhost", "[::1]", "169.254.169.254", "other.intern"])
async def test_a_redirect_to_another_private_host_is_refused(site: Site, host: str) -> None:
    """Leave to be private is for the configured host, not for where it sends us."""
    site.put("/rss", status=302, Location=f"http://{host}:{site.port()}/secret")
    site.put("/secret", "<rss/>")
    async with open_session(proxies={}, resolver=Names("127.0.0.1")) as session:
        error = await failure(session, rss_feed(site.url("/rss")))
    assert error.reason == "private_address"
    assert [request.path for request in site.requests] == ["/rss"]


async def test_a_redirect_to_another_port_of_a_private_host_is_refused(
    site: Site, session: aiohttp.ClientSession
) -> None:
    """Another port is another service."""
    reached = []

    async def other(request: web.BaseRequest) -> web.StreamResponse:
        reached.append(request.path)
        return web.Response(text="<rss/>")

    async with RawTestServer(other, host="127.0.0.1", port=0) as server:
        site.put("/rss", status=302, Location=str(server.make_url("/")))
        assert (await failure(session, rss_feed(site.url("/rss")))).reason == "private_address"
    assert not reached


async def test_leave_given_to_one_feed_is_not_another_ones(site: Site, session: aiohttp.ClientSession) -> None:
    """Feeds share a session, side by side, and none uses a connection that another was allowed to open."""
    site.put("/rss", "<rss/>")
    allowed, stranger = rss_feed(site.url("/rss")), rss_feed(site.url("/rss"), id="stranger", allow_private=False)
    results = await asyncio.gather(
        *(get(session, feed) for feed in (allowed, stranger, allowed, stranger)), return_exceptions=True
    )
    assert [type(result) for result in results] == [Fetched, SourceError, Fetched, SourceError]


async def test_a_connection_that_was_allowed_is_not_used_again(site: Site) -> None:
    """The same host, asked for a moment later by a feed without leave, is refused."""
    site.put("/rss", "<rss/>")
    url = f"http://feeds.intern:{site.port()}/rss"
    async with open_session(proxies={}, resolver=Names("127.0.0.1", "127.0.0.1")) as session:
        await get(session, rss_feed(url))
        assert (await failure(session, rss_feed(url, id="stranger", allow_private=False))).reason == "private_address"
    assert len(site.requests) == 1


async def test_a_proxy_is_asked_for_public_names_only(site: Site) -> None:
    """The proxy may be on this machine, and looks names up itself; literal private addresses stay refused."""
    asked = []

    async def proxy(request: web.BaseRequest) -> web.StreamResponse:
        asked.append(str(request.raw_path))
        return web.Response(text="<rss/>")

    async with RawTestServer(proxy, host="127.0.0.1", port=0) as server:
        proxies = {"http": str(server.make_url("/"))}
        async with open_session(proxies=proxies, resolver=Names()) as session:
            public = await get(session, rss_feed("http://news.example/rss", allow_private=False))
            private = [
                await failure(session, rss_feed(f"http://{host}/rss", allow_private=False))
                for host in ("10.0.0.1", "localhost", "0xa000001", "169.254.169.254")
            ]
    assert public.body == b"<rss/>"
    assert {error.reason for error in private} == {"private_address"}
    assert asked == ["http://news.example/rss"]


async def test_a_proxy_that_says_no_is_named(site: Site) -> None:
    """It must not look as if the publisher had refused."""

    async def proxy(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=403)

    async with (
        RawTestServer(proxy, host="127.0.0.1", port=0) as server,
        open_session(proxies={"https": str(server.make_url("/"))}) as session,
    ):
        error = await failure(session, rss_feed("https://news.example/rss", allow_private=False))
    assert error.reason == "http_403"
    assert "proxy" in error.problem


async def test_errors_hold_no_secret(site: Site, session: aiohttp.ClientSession) -> None:
    """Neither password nor key of an address shows in what goes to logs; the server gets them."""
    site.put("/rss", status=500)
    address = site.url("/rss?apikey=S3CRET&q=yen").replace("http://", "http://user:PASSW0RD@")
    error = await failure(session, rss_feed(address))
    assert site.requests[0].headers["Authorization"].startswith("Basic ")
    assert "S3CRET" not in repr(error)
    assert "PASSW0RD" not in repr(error)
    assert "q=yen" in error.where


@pytest.mark.parametrize("url", [None, "", "no address", "http://[bad/", "http:///path"])
async def test_a_row_without_an_address_is_a_mistake_in_the_config(
    session: aiohttp.ClientSession, url: str | None
) -> None:
    """It names the feed; trying again would not help."""
    with pytest.raises(ConfigError, match="wire"):
        await get(session, Feed(id="wire", kind="rss", url=url))


async def test_a_session_without_a_guard_is_not_used(site: Site) -> None:
    """A plain session would connect anywhere."""
    async with aiohttp.ClientSession() as plain:
        with pytest.raises(TypeError, match="open_session"):
            await get(plain, rss_feed(site.url("/rss")))
