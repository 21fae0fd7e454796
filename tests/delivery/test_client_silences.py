"""A dead connection, a dead publisher and a quiet market are three different things, and told in time."""

import contextlib
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from signals.delivery.items import Item, Quiet, Received, Restored, Silence
from signals.delivery.journal import Reader
from signals.delivery.publisher import Publisher
from signals.delivery.pulse import Pulse
from signals.delivery.wire import encode_heartbeat

from .conftest import KEYS, NOW, Clock, Connect, make_heartbeat, make_row, seqs, until
from .proxy import Proxy

DEADLINE_S = 0.9
BEAT = encode_heartbeat(make_heartbeat(), epoch="e1", now=NOW).event


@pytest.fixture
def proxy(url: str) -> Iterator[Proxy]:
    """A network to the empty server."""
    with Proxy(url) as proxy:
        yield proxy


@contextlib.contextmanager
def beating(url: str) -> Iterator[None]:
    """Heartbeats as long as it lasts."""
    over = threading.Event()

    def beat() -> None:
        with redis.Redis.from_url(url) as server:
            while not over.wait(0.03):
                server.publish(KEYS.channel, BEAT)

    thread = threading.Thread(target=beat)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def first(items: Iterator[Item], kind: type) -> Any:
    """The next item of a kind."""
    return next(item for item in items if isinstance(item, kind))


def test_a_half_open_connection_is_told_within_the_deadline(
    proxy: Proxy, url: str, joined: Connect, publisher: Publisher
) -> None:
    """Bytes that vanish on the way: told as the connection's fault in time, and reading goes on when they pass."""
    publisher.publish(make_row(1), now=NOW, restart=True)
    with joined(proxy.url, heartbeat_deadline_s=DEADLINE_S, live_only=False) as client:
        items = client.signals("all")
        with beating(url):
            assert seqs([next(items)]) == [1]
            assert client.status.state in ("live", "waiting")
        proxy.swallowing = True
        begun = time.monotonic()
        told = first(items, Silence)
        assert time.monotonic() - begun < DEADLINE_S + 2  # of the machine's doing, not of the rule's
        assert (told.kind, client.status.state) == ("connection", "unreachable")
        assert "no answer in time" in str(client.status.fault)
        proxy.swallowing = False
        publisher.publish(make_row(2), now=NOW)
        assert first(items, Received).event.seq == 2
        with beating(url):
            assert first(items, Restored).heartbeat == make_heartbeat()
        assert client.status.state == "live"
        items.close()


def test_a_dead_publisher_is_another_thing(url: str, joined: Connect) -> None:
    """Redis answers and nobody sends: told as the publisher's fault; the status says since when."""
    with joined(url, heartbeat_deadline_s=DEADLINE_S) as client:
        assert client.status.state == "idle"
        items = client.signals()
        told = first(items, Silence)
        assert (told.kind, told.fault, client.status.state) == ("publisher", None, "silent")
        assert client.status.reached_at is not None
        with beating(url):
            assert first(items, Restored).silence == told
        items.close()


def test_a_quiet_market_is_a_third(url: str, joined: Connect, publisher: Publisher) -> None:
    """Heartbeats come and no signals: told once, with what the publisher says of its sources; a signal ends it."""
    with joined(url, heartbeat_deadline_s=5, quiet_after_s=0.2, live_only=False) as client, beating(url):
        items = client.signals()
        told = next(items)
        assert isinstance(told, Quiet)
        assert told.quiet_s > 0.2
        assert [source.state for source in told.heartbeat.sources] == ["ok", "down"]
        assert client.status.state == "quiet"
        publisher.publish(make_row(1), now=NOW, restart=True)
        assert seqs([next(items)]) == [1]
        assert client.status.state == "live"
        assert isinstance(next(items), Quiet)
        items.close()


def test_a_subscription_that_dies_alone_is_made_anew(proxy: Proxy, url: str, joined: Connect) -> None:
    """Where the heartbeats' connection alone is half-open, the publisher is not taken for dead."""
    with joined(proxy.url, heartbeat_deadline_s=DEADLINE_S, quiet_after_s=2 * DEADLINE_S) as client, beating(url):
        items = client.signals()
        with redis.Redis.from_url(url) as server:
            until(lambda: server.pubsub_numsub(KEYS.channel)[0][1])
            address = next(c["addr"] for c in server.client_list() if c["flags"] != "N" and int(c["sub"]))
        proxy.mute.add(proxy.number_of[int(address.rpartition(":")[2])])
        assert isinstance(next(items), Quiet)  # that is: no silence before
        items.close()


def test_a_cut_and_slow_network_loses_nothing(proxy: Proxy, joined: Connect, publisher: Publisher) -> None:
    """Connections cut again and again, and slow ones: each message comes once, in order."""
    publisher.publish(make_row(1), now=NOW, restart=True)
    with joined(proxy.url, live_only=False) as client:
        items = client.signals("all")
        assert seqs([next(items)]) == [1]
        proxy.delay_s = 0.01
        for seq in range(2, 8):
            proxy.cut()
            publisher.publish(make_row(seq), now=NOW)
            assert seqs([next(items)]) == [seq]
        items.close()


class Told:
    """A pulse by hand: deadline 15 s, quiet after 100 s."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.pulse = Pulse(Reader("usdjpy"), self.clock, lambda: self.clock.now.timestamp(), 15, 100)

    def after(self, seconds: float, *messages: bytes) -> list[str]:
        """What is told when, so much later, Redis answers and the channel brings these."""
        self.clock.forward(seconds)
        self.pulse.answered()
        self.pulse.hear(messages)
        return [getattr(item, "kind", type(item).__name__) for item in self.pulse.told()]

    def failed(self, seconds: float, next_try_s: float = 7) -> list[str]:
        """What is told when, so much later, a try fails."""
        self.clock.forward(seconds)
        return [item.kind for item in self.pulse.failed("gone", next_try_s)]


def test_the_three_are_told_once_each() -> None:
    """Each kind once, the other kind though one was told, and nothing while all is well."""
    told = Told()
    assert told.after(1, BEAT) == []
    assert told.after(15) == []
    assert told.after(1) == ["publisher"]
    assert told.after(100) == []
    assert told.failed(1) == []  # a single fault is no silence
    assert told.failed(20) == ["connection"]
    assert told.failed(500) == []
    assert told.pulse.status().state == "unreachable"
    assert told.after(1) == []  # Redis is back: the publisher has a deadline to be heard
    assert told.after(14) == []
    assert told.after(2) == ["publisher"]
    assert told.after(1, BEAT) == ["Restored", "Quiet"]
    assert told.after(1, BEAT) == []
    told.pulse.signalled()
    assert told.after(1, BEAT) == []
    assert told.pulse.status().state == "live"
    assert told.after(101, BEAT) == ["Quiet"]


def test_a_fault_is_told_before_another_try_could_overrun() -> None:
    """The deadline counts from the last answer, and the next try is reckoned with."""
    told = Told()
    assert told.after(0, BEAT) == []
    assert told.failed(7) == []
    assert told.failed(1.5) == ["connection"]


def test_flapping_does_not_hide_a_dead_publisher() -> None:
    """A connection that comes and goes gives the publisher time once, not for ever."""
    told = Told()
    assert told.after(0, BEAT) == []
    answers = [told.failed(3, 0) + told.after(1) for _ in range(8)]
    assert ["publisher"] in answers


def test_nobody_looks() -> None:
    """Where no item was asked for within the deadline the status says that nothing is known."""
    told = Told()
    told.after(0, BEAT)
    told.clock.forward(16)
    assert told.pulse.status().state == "idle"


def test_other_peoples_heartbeats_do_not_count() -> None:
    """A heartbeat of another pair, and one that verification refuses, are none."""
    told = Told()
    other = encode_heartbeat(make_heartbeat(), epoch="e1", now=NOW, pair="EURJPY").event
    assert told.after(16, other, b"junk") == ["publisher"]
    assert told.pulse.heartbeat is None
