"""Too much of anything is a clear answer, and costs nobody else."""

import contextlib
import socket
import threading

import pytest

from jobs import limits, web
from jobs.limits import Buckets, Rate
from jobs.sessions import LIFE_S, Sessions
from tests.web.conftest import TOKEN

BEARER = {"Authorization": f"Bearer {TOKEN}"}


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_body_too_large_is_refused(serve):
    """413 with the bound."""
    got = serve().post("/change", b"x" * (web.MAX_BYTES + 1), **BEARER)
    assert (got.status, got.error) == (413, f"more than {web.MAX_BYTES} bytes")


def test_a_body_that_does_not_come_is_not_waited_for(serve, monkeypatch):
    """408 after its time."""
    monkeypatch.setattr("jobs.gate.BODY_S", 0.1)
    got = serve().ask("POST", "/change", None, Content_Length="10", **BEARER)
    assert got.status == 408


def test_who_asks_too_often_has_to_wait_and_the_token_does_not(serve, monkeypatch):
    """429 with when to come again; who shows the token is trusted to mean it."""
    monkeypatch.setattr("jobs.gate.READS", Rate(per_s=0.01, burst=3))
    port = serve()
    assert [port.get("/read").status for _ in range(4)] == [200, 200, 200, 429]
    assert int(port.get("/read").headers["retry-after"]) > 60
    assert port.get("/read", **BEARER).status == 200


def test_more_connections_than_there_are_places_are_told_so(serve, monkeypatch):
    """503 at once, while those that are open go on; one that goes makes room."""
    monkeypatch.setattr(limits, "MAX_CONNECTIONS", 2)
    port = serve()
    with contextlib.ExitStack() as held:
        open_ones = [held.enter_context(socket.create_connection(("127.0.0.1", port.port))) for _ in range(2)]
        for one in open_ones:  # each is served, so each is counted
            one.sendall(b"GET /alive HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert b"alive" in one.recv(4096)
        with socket.create_connection(("127.0.0.1", port.port)) as late:
            told = b"".join(iter(lambda: late.recv(4096), b""))
        assert told.startswith(b"HTTP/1.1 503")
        assert b"Retry-After" in told
    assert _soon(lambda: port.get("/alive").status == 200)


def test_a_connection_that_says_nothing_is_closed(serve, monkeypatch):
    """Half a head counts as nothing."""
    monkeypatch.setattr(limits, "IDLE_S", 0.1)
    port = serve()
    with socket.create_connection(("127.0.0.1", port.port), timeout=10) as slow:
        slow.sendall(b"GET /alive HTTP/1.1\r\nHost: local")
        assert slow.recv(4096) == b""


def test_buckets_fill_again_and_forget_the_oldest_peer():
    """Bounded whoever asks: a thousand peers are remembered, not a million."""
    clock = Clock()
    buckets = Buckets(Rate(per_s=2, burst=2), clock)
    for _ in range(2):
        assert buckets.wait_s("a") == 0
        buckets.take("a")
    assert buckets.wait_s("a") == pytest.approx(0.5)
    clock.now = 0.5
    assert buckets.wait_s("a") == 0
    for number in range(5000):
        buckets.take(f"peer {number}")
    assert len(buckets._left) == 1024


def test_a_session_ends_by_itself_and_there_are_only_so_many():
    """After twelve hours; the oldest of too many gives way."""
    clock = Clock()
    sessions = Sessions(clock)
    first = sessions.begin()
    assert sessions.good(first)
    for _ in range(100):
        last = sessions.begin()
    assert not sessions.good(first)
    clock.now = LIFE_S
    assert not sessions.good(last)
    assert not sessions.good(None)


def _soon(holds, within_s=10.0):
    tick = threading.Event()
    return any(holds() or tick.wait(0.02) for _ in range(int(within_s / 0.02)))
