"""Ingest as its servers see it: one request at a time a host, and nobody asked before they wish."""

import contextlib
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import msgspec
import pytest

from jobs.app import App
from jobs.catalogue import runner_for
from jobs.settings import load
from signals.sources.feed import Feed
from tests.conftest import ROOT
from tests.properties.conftest import START, Clock

BODY = b'<rss version="2.0"><channel><title>t</title>%s<item><title>Yen rises %d</title></item></channel></rss>'


class Host:
    """A server that counts, and tells how many requests were with it at once."""

    def __init__(self, together: threading.Barrier | None = None) -> None:
        self.asked: Counter[str] = Counter()
        self.headers: dict[str, str] = {}
        self.status = 200
        self.channel = b""
        self.most = self.now = 0
        lock, host = threading.Lock(), self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                with lock:
                    host.asked[self.path] += 1
                    host.now += 1
                    host.most = max(host.most, host.now)
                if together:
                    together.wait(20)  # passes only if the other host is asked meanwhile
                body = BODY % (host.channel, host.asked[self.path])
                with lock:
                    host.now -= 1
                self.send_response(host.status)
                for name, value in host.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def feed(self, path: str) -> Feed:
        url = f"http://127.0.0.1:{self.http.server_address[1]}/{path}"
        return Feed(id=f"{path}-{self.http.server_address[1]}", kind="rss", url=url, every_s=60, allow_private=True)

    def close(self) -> None:
        self.http.shutdown()
        self.http.server_close()


@pytest.fixture
def clock():
    return Clock(START)


@pytest.fixture
def asks(tmp_path, clock):
    """Runs ingest over these feeds; the same store each time."""
    settings = load(ROOT / "config" / "signals.toml", {"SIGNALS_HOME": str(tmp_path / "home")})
    with contextlib.ExitStack() as stack:

        def ask(*feeds: Feed, trigger: str = "schedule"):
            app = App(msgspec.structs.replace(settings, feeds=feeds), clock)
            stack.callback(app.close)
            return runner_for(app).run("ingest", trigger)

        yield ask


@pytest.fixture
def host():
    made = Host()
    yield made
    made.close()


def test_a_host_is_asked_one_thing_at_a_time_and_hosts_at_once(asks):
    """Six feeds of two hosts: never two requests with one host, always one with each."""
    together = threading.Barrier(2)
    hosts = [Host(together), Host(together)]
    run = asks(*(host.feed(f"f{n}") for n in range(3) for host in hosts))
    for host in hosts:
        host.close()
    assert run.outcome == "ok"
    assert run.counts["new"] == 6
    assert [host.most for host in hosts] == [1, 1]


@pytest.mark.parametrize(
    ("headers", "channel", "wait_s"),
    [
        ({}, b"", 60),
        ({"Cache-Control": "max-age=600"}, b"", 600),
        ({}, b"<ttl>10</ttl>", 600),
        ({}, b"<skipHours><hour>9</hour></skipHours>", 3600),
    ],
)
def test_a_feed_is_asked_again_when_it_wishes(asks, host, clock, headers, channel, wait_s):
    """Not a moment before, on schedule; a person's own run asks at any time. START is nine o'clock."""
    host.headers, host.channel = headers, channel
    feed = host.feed("x")
    asks(feed)
    clock.forward(seconds=wait_s - 2)
    assert asks(feed).counts["sources"] == 0
    clock.forward(seconds=2 if wait_s < 3600 else 600)  # a skipped hour ends for each feed a little after it
    assert asks(feed).counts["sources"] == 1
    assert asks(feed, trigger="manual").counts["sources"] == 1
    assert host.asked["/x"] == 3


def test_an_order_to_wait_binds_even_a_person(asks, host, clock):
    """429 with Retry-After: nobody asks before; after it all is as before."""
    host.status, host.headers = 429, {"Retry-After": "1200"}
    feed = host.feed("x")
    assert "rate_limited" in asks(feed).notes[0]
    clock.forward(seconds=1190)
    assert asks(feed, trigger="manual").counts["sources"] == 0
    host.status = 200
    clock.forward(seconds=10)
    assert asks(feed).outcome == "ok"
    clock.forward(seconds=1200)
    assert asks(feed).counts["sources"] == 1


def test_a_source_that_keeps_failing_is_asked_ever_less(asks, host, clock):
    """Each minute for four hours: a dozen requests, not 240; the first answer closes the circuit."""
    host.status = 500
    feed = host.feed("x")
    for _ in range(240):
        asks(feed)
        clock.forward(seconds=60)
    tries = host.asked["/x"] / 2  # each try asks a failing server twice
    assert 7 <= tries <= 12
    host.status = 200
    clock.forward(seconds=4000)
    assert asks(feed).outcome == "ok"
    clock.forward(seconds=60)
    assert asks(feed).counts["sources"] == 1
