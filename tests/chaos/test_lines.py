"""Lines that go dead without being closed, and readers that stop reading."""

import datetime as dt
import threading
import time
from contextlib import closing

import pytest

import signals
from signals.delivery import wire
from signals.delivery.publisher import Publisher
from tests.chaos.server import running
from tests.chaos.service import until
from tests.chaos.subscribers import MESSAGES, fat_rows, latencies, stuck_subscriber, subscribers
from tests.delivery.conftest import HOUR, NOW, make_heartbeat, make_row, make_rows, seqs
from tests.delivery.proxy import Proxy

pytestmark = pytest.mark.slow

DEADLINE_S = 3.0
ANSWER_S = 5.0
"""The longest that a client waits for an answer."""


@pytest.fixture(scope="module")
def running_server(tmp_path_factory):
    with running(tmp_path_factory.mktemp("home") / "server") as made:
        yield made


@pytest.fixture
def server(running_server):
    running_server.client.flushall()
    return running_server


@pytest.fixture
def heartbeats(server):
    """A publisher whose heart goes on beating, whoever can hear it."""
    ended, publisher = threading.Event(), Publisher(server.client)

    def beat():
        while not ended.wait(0.2):
            now = dt.datetime.now(dt.UTC)
            publisher.heartbeat(wire.encode_heartbeat(make_heartbeat(0), epoch="e1", now=now).event)

    heart = threading.Thread(target=beat, daemon=True)
    heart.start()
    yield
    ended.set()
    heart.join()


def row(seq):
    """A signal that is live by the machine's clock."""
    return make_row(seq, valid_for=dt.datetime.now(dt.UTC) - NOW + HOUR)


def test_a_line_that_goes_dead_is_told_in_time_and_read_on_when_it_lives(server, heartbeats):
    """Bytes vanish and nothing is closed: the silence is told with its fault by the deadline; and once the line lives
    again, each signal comes once.
    """
    publisher = Publisher(server.client)
    publisher.publish(row(1), now=NOW, restart=True)
    with Proxy(server.url) as proxy, signals.connect(proxy.url, heartbeat_deadline_s=DEADLINE_S) as client:
        items = client.signals("all")
        assert seqs([next(items)]) == [1]
        until(lambda: client.heartbeat or not list(client.signals("new", timeout_s=0.3)), "a heartbeat")
        proxy.die()
        died = time.monotonic()
        publisher.publish(row(2), now=NOW)
        told = next(items)
        assert isinstance(told, signals.Silence)
        assert told.fault is not None
        assert "no answer in time" in told.fault
        assert time.monotonic() - died < DEADLINE_S + 1
        publisher.publish(row(3), now=NOW)
        proxy.live()
        read: list[int] = []
        while len(read) < 2:  # between them it says that it hears again
            read += seqs([next(items)])
        assert read == [2, 3]
        assert client.counts.repeats == 0
        items.close()


def test_nobody_waits_long_at_a_dead_line(server):
    """`connect` and `latest` through a line that swallows everything are errors within an answer's patience."""
    with Proxy(server.url) as proxy:
        client = signals.connect(proxy.url)
        proxy.die()
        for ask in (client.latest, client.ping, lambda: signals.connect(proxy.url)):
            start = time.monotonic()
            with pytest.raises(signals.BrokerError, match="no answer in time"):
                ask()
            assert time.monotonic() - start < ANSWER_S + 1
        client.close()


def test_a_subscriber_that_stops_reading_harms_nobody_else(server):
    """It is cut off when what waits for it passes the server's bound; a bot beside it gets all, as soon as before."""
    rows = fat_rows()
    alone = latencies(server.url, rows)
    server.client.flushall()
    with closing(stuck_subscriber(server.url)):
        assert subscribers(server.client) == 1
        beside = latencies(server.url, rows)
        until(lambda: subscribers(server.client) == 0, "the end of the one that is stuck")
    assert beside.p99_s < max(0.5, 5 * alone.p99_s), (alone, beside)


def test_a_bot_that_was_long_over_one_signal_misses_none(server):
    """So long that the server cut off its subscription: it gets every signal all the same, once, in order."""
    publisher = Publisher(server.client)
    with signals.connect(server.url, clock=lambda: NOW, heartbeat_deadline_s=None) as client:
        items = client.signals("all", timeout_s=1)
        rows = fat_rows()
        publisher.publish(rows[0], now=NOW, restart=True)
        assert seqs([next(items)]) == [1]
        publisher.publish_many(rows, now=NOW)
        until(lambda: subscribers(server.client) == 0, "the end of its subscription")
        assert seqs(list(items)) == list(range(2, MESSAGES + 1))


def test_a_reader_cut_off_in_the_middle_of_an_answer_reads_on(server):
    """Its connection is closed by the server between two looks, again and again: each signal comes once."""
    publisher = Publisher(server.client)
    with signals.connect(server.url, clock=lambda: NOW, heartbeat_deadline_s=None) as client:
        items = client.signals("all", timeout_s=5)
        for seq in range(1, 21):
            publisher.publish(make_rows(seq, seq)[0], now=NOW, restart=True)
            assert seqs([next(items)]) == [seq]
            server.client.client_kill_filter(_type="normal", skipme=True)
            server.client.client_kill_filter(_type="pubsub")
        items.close()
