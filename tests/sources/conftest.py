"""Servers on 127.0.0.1 that the sources are read from: a web site, and Yahoo's news service."""

import asyncio
import datetime as dt
import json
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
import pytest_asyncio
import stamina
from aiohttp import web
from aiohttp.test_utils import RawTestServer
from curl_cffi.requests import Response, Session
from yfinance import cache  # type: ignore[import-untyped,unused-ignore]

from signals.model import FeedState
from signals.sources.feed import Feed
from signals.sources.guard import open_session

NOW = dt.datetime(2026, 2, 14, 12, 0, tzinfo=dt.UTC)

Page = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class Site:
    """A web server whose pages a test writes; unknown paths are 404."""

    def __init__(self) -> None:
        self.pages: dict[str, Page] = {}
        self.requests: list[web.BaseRequest] = []
        self.root = ""
        self.hung_up = asyncio.Event()
        """Set at the end, so that pages may wait on it for ever."""

    def put(self, path: str, body: bytes | str = b"", *, status: int = 200, **headers: str) -> None:
        """Answer `path` always so. Header names are written with underscores."""
        raw = body.encode() if isinstance(body, str) else body
        named = {name.replace("_", "-"): value for name, value in headers.items()}

        async def page(request: web.BaseRequest) -> web.StreamResponse:
            return web.Response(body=raw, status=status, headers=named)

        self.pages[path] = page

    def url(self, path: str) -> str:
        """The address of a page."""
        return self.root + path

    def port(self) -> int:
        """Where it listens."""
        port = urlsplit(self.root).port
        assert port
        return port

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Serve one request."""
        self.requests.append(request)
        page = self.pages.get(request.path)
        return await page(request) if page else web.Response(status=404)


@pytest_asyncio.fixture
async def site() -> AsyncIterator[Site]:
    """An empty web site, listening."""
    found = Site()
    async with RawTestServer(found.answer, host="127.0.0.1", port=0) as server:
        found.root = str(server.make_url("")).rstrip("/")
        yield found
        found.hung_up.set()


@pytest_asyncio.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """A session as the service uses it, whatever proxies this machine has."""
    async with open_session(proxies={}) as opened:
        yield opened


@pytest.fixture(autouse=True)
def no_pause() -> Iterator[None]:
    """Second attempts come at once."""
    with stamina.set_testing(True, attempts=2, cap=True):
        yield


GOLDEN = Path(__file__).parent / "golden"


def clock() -> dt.datetime:
    """The time of all tests: a Saturday at noon."""
    return NOW


def rss_feed(url: str, **fields: Any) -> Feed:
    """A row for a feed on this machine."""
    return Feed(**{"id": "wire", "kind": "rss", "url": url, "allow_private": True, **fields})


def blank(feed: Feed) -> FeedState:
    """The state of a source never read."""
    return FeedState(source=feed.id)


class Yahoo:
    """Yahoo's news service: it gives the answers put into `status` and `body`, and counts the requests for news."""

    def __init__(self) -> None:
        self.status = 200
        self.body: str = ""
        self.paths: list[str] = []
        self.root = ""

    def serve(self, stream: object) -> None:
        """Answer with this list of items."""
        self.body = json.dumps({"data": {"tickerStream": {"stream": stream}}})

    @property
    def news_requests(self) -> int:
        """How often news was asked for."""
        return sum("/xhr/ncp" in path for path in self.paths)

    def new_session(self) -> Session[Response]:
        """A session that comes here wherever it is sent."""
        root = self.root

        class Rewritten(Session[Response]):
            def request(self, method: Any, url: str, **options: Any) -> Response:  # type: ignore[override]
                parts = urlsplit(url)
                here = f"{root}/{parts.hostname}{parts.path}"
                return super().request(method, f"{here}?{parts.query}" if parts.query else here, **options)

        return Rewritten(trust_env=False)

    def answer(self, path: str) -> tuple[int, str]:
        """Status and body for a path."""
        self.paths.append(path)
        if "/xhr/ncp" in path:
            return self.status, self.body
        return 200, "crumb" if "getcrumb" in path else ""


@pytest.fixture
def yahoo(monkeypatch: pytest.MonkeyPatch) -> Iterator[Yahoo]:
    """The service, listening; yfinance keeps no cookie of it."""
    monkeypatch.setattr(cache._CookieCacheManager, "_Cookie_cache", cache._CookieCacheDummy())
    service = Yahoo()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, body = service.answer(self.path)
            raw = body.encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            with suppress(ConnectionError):  # the client has given up
                self.wfile.write(raw)

        do_POST = do_GET

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    service.root = f"http://127.0.0.1:{server.server_port}"
    yield service
    server.shutdown()
    server.server_close()
    thread.join()
