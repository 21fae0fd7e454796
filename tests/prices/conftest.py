"""Yahoo's chart service on 127.0.0.1, spoken to by yfinance's own code."""

import contextlib
import datetime as dt
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from curl_cffi.requests import Session
from yfinance import cache  # type: ignore[import-untyped,unused-ignore]
from yfinance.data import SingletonMeta  # type: ignore[import-untyped,unused-ignore]

from signals.market.hours import is_open

LONDON = ZoneInfo("Europe/London")
NOW = dt.datetime(2026, 3, 4, 12, 0, 30, tzinfo=dt.UTC)
"""A Wednesday, half a minute into a bar."""


class Yahoo:
    """What the service says: rows of a seeded random walk, or whatever a test puts in their place."""

    now = NOW
    port = 0

    def __init__(self) -> None:
        self.rows: list[list[Any]] = []  # time of opening (s since 1970), open, high, low, close
        self.hours: list[list[Any]] | None = None  # in place of the rows, where bars of an hour are asked for
        self.status = 200
        self.body: str | None = None  # in place of the rows
        self.refusals = 0  # so many requests for prices are answered 401 first
        self.silent = False
        self.broken_before: dt.datetime | None = None  # requests for prices from before it are answered 500
        self.hits: list[tuple[str, dict[str, str]]] = []
        self.released = threading.Event()

    def walk(self, interval_s: int, first: dt.datetime, last: dt.datetime) -> None:
        """A bar every `interval_s`, from `first` to `last`, both included, while the market is open."""
        every = range(int(first.timestamp()), int(last.timestamp()) + 1, interval_s)
        times = [at for at in every if is_open(dt.datetime.fromtimestamp(at, dt.UTC))]
        random = np.random.default_rng(7)
        close = 157 * np.exp(np.cumsum(random.normal(0, 1e-4, len(times))))
        opened = np.concatenate([[157.0], close[:-1]])
        spread = np.abs(random.normal(0, 5e-3, len(times)))
        high, low = np.maximum(opened, close) + spread, np.minimum(opened, close) - spread
        self.rows = [list(row) for row in zip(times, *(c.tolist() for c in (opened, high, low, close)), strict=True)]

    def set(self, at: dt.datetime, *prices: float | None) -> None:
        """Put other prices (open, high, low, close) on the bar that opens at `at`."""
        next(row for row in self.rows if row[0] == at.timestamp())[1:] = prices

    def hide(self, first: dt.datetime, last: dt.datetime) -> list[list[Any]]:
        """Take the bars away that open from `first` to `last`, both included; returns them."""
        hidden = [row for row in self.rows if first.timestamp() <= row[0] <= last.timestamp()]
        self.rows = [row for row in self.rows if row not in hidden]
        return hidden

    def session(self) -> Session[Any]:
        """A session whose every request comes here instead of to Yahoo."""
        return redirected(self.port)

    @property
    def charts(self) -> list[dict[str, str]]:
        """Queries of the requests for prices (not those that only ask for the time zone)."""
        return [query for path, query in self.hits if "/chart/" in path and "period1" in query]

    def answer(self, path: str, query: dict[str, str]) -> tuple[int, str]:
        """Status and body."""
        self.hits.append((path, query))
        if path.endswith("/v1/test/getcrumb"):
            return 200, "crumb"
        if "/v8/finance/chart/" not in path:
            return 404, ""  # what the cookie's host says to everyone
        if self.refusals:
            self.refusals -= 1
            return 401, ""
        if self.silent:
            self.released.wait(30)
        if self.body is not None or self.status != 200:
            return self.status, self.body or ""
        low, high = int(query.get("period1", 0)), int(query.get("period2", 2**40))
        if self.broken_before and "period1" in query and low < self.broken_before.timestamp():
            return 500, ""
        rows = self.hours if self.hours is not None and query.get("interval") == "1h" else self.rows
        return 200, chart_json([row for row in rows if low <= row[0] <= high])


def chart_json(rows: list[list[Any]]) -> str:
    """The answer of `/v8/finance/chart/USDJPY=X` to a question about bars shorter than a day."""
    days = sorted({dt.datetime.fromtimestamp(row[0], LONDON).date() for row in rows})
    spans = [
        [int(dt.datetime.combine(day, t, LONDON).timestamp()) for t in (dt.time(0), dt.time(23, 59))] for day in days
    ]
    periods = [[{"timezone": "GMT", "start": start, "end": end, "gmtoffset": 0}] for start, end in spans]
    meta = {
        "currency": "JPY", "symbol": "USDJPY=X", "exchangeName": "CCY", "instrumentType": "CURRENCY",
        "exchangeTimezoneName": "Europe/London", "timezone": "GMT", "gmtoffset": 0, "priceHint": 4,
        "validRanges": ["1d", "5d", "1mo", "2y", "max"], "tradingPeriods": periods,
    }  # fmt: skip
    result: dict[str, Any] = {"meta": meta, "indicators": {"quote": [{}]}}
    if rows:
        result["timestamp"] = [row[0] for row in rows]
        columns = {name: [row[i] for row in rows] for i, name in enumerate(("open", "high", "low", "close"), 1)}
        result["indicators"] = {"quote": [{**columns, "volume": [0] * len(rows)}]}
    return json.dumps({"chart": {"result": [result], "error": None}})


class Ecb:
    """The ECB's reference rates on 127.0.0.1, or whatever a test puts in their place."""

    def __init__(self) -> None:
        self.rates: dict[str, tuple[str, str]] = {}  # USD and JPY per EUR by date, as written; empty: not there
        self.status = 200
        self.body: bytes | None = None
        self.chunked = False
        self.redirects: list[str] = []
        self.drip_s: float | None = None
        self.hits = 0
        self.released = threading.Event()
        self.url = ""

    def document(self) -> bytes:
        """One `Cube` a day, newest first, as the ECB writes them."""
        days = "".join(
            f"<Cube time='{day}'>"
            + "".join(
                f"<Cube currency='{name}' rate='{rate}'/>"
                for name, rate in (("USD", usd), ("JPY", jpy), ("GBP", "0.86"))
                if rate
            )
            + "</Cube>"
            for day, (usd, jpy) in self.rates.items()
        )
        return f"<?xml version='1.0'?><e:Envelope xmlns:e='urn:e'><Cube>{days}</Cube></e:Envelope>".encode()

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer one request."""
        self.hits += 1
        body = self.document() if self.body is None else self.body
        if self.redirects:
            handler.send_response(302)
            handler.send_header("Location", self.redirects.pop(0))
            body = b""
        else:
            handler.send_response(self.status)
        if self.chunked:
            handler.send_header("Transfer-Encoding", "chunked")
            body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        else:
            handler.send_header("Content-Length", "99999" if self.drip_s else str(len(body)))
        handler.end_headers()
        while self.drip_s and not self.released.wait(self.drip_s):
            handler.wfile.write(b" ")
        handler.wfile.write(body)


@pytest.fixture
def ecb_server() -> Iterator[Ecb]:
    """The service, listening."""
    service = Ecb()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.close_connection = True
            with contextlib.suppress(ConnectionError):  # who asked has seen enough
                service.answer(self)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    service.url = f"http://127.0.0.1:{server.server_address[1]}/eurofxref-hist-90d.xml"
    yield service
    service.released.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def yahoo() -> Iterator[Yahoo]:
    """The service, listening."""
    service = Yahoo()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            status, body = service.answer(parts.path, {k: v[0] for k, v in parse_qs(parts.query).items()})
            raw = body.encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        do_POST = do_GET

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    service.port = server.server_address[1]
    yield service
    service.released.set()
    server.shutdown()
    server.server_close()
    thread.join()


def redirected(port: int) -> Session[Any]:
    """A session whose every request goes to 127.0.0.1, the host it meant as the first part of the path."""

    class Redirected(Session[Any]):
        def request(self, method: Any, url: str, *args: Any, **options: Any) -> Any:
            meant = urlsplit(url)
            query = f"?{meant.query}" if meant.query else ""
            return super().request(
                method, f"http://127.0.0.1:{port}/{meant.netloc}{meant.path}{query}", *args, **options
            )

    return Redirected()


@pytest.fixture(autouse=True)
def fresh_yfinance(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test meets yfinance as a new process would: no crumb, no cached time zone."""
    monkeypatch.setattr(SingletonMeta, "_instances", {})
    monkeypatch.setattr(cache._TzCacheManager, "_tz_cache", None)
    monkeypatch.setattr(cache._CookieCacheManager, "_Cookie_cache", None)
