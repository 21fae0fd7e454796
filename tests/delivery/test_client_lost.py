"""What a bot is told when server or publisher are in trouble, and how it goes on."""

from pathlib import Path
from typing import Any

import pytest
import redis

import signals
from signals.delivery.acl import with_login
from signals.delivery.broker import EmbeddedBroker
from signals.delivery.client import Client, connect
from signals.delivery.endpoints import set_endpoint
from signals.delivery.follow import pause_s
from signals.delivery.items import Restored, Silence
from signals.delivery.outbox import OutboxRow
from signals.delivery.publisher import Publisher
from signals.errors import BrokerError

from .conftest import (
    KEYS,
    NOW,
    Clock,
    beat,
    make_heartbeat,
    make_row,
    make_rows,
    make_signal,
    put,
    seqs,
    there,
)


def test_survives_a_server_that_moves(tmp_path: Path, clock: Clock) -> None:
    """The server ends and comes back on another port: reading goes on, each message once."""
    broker, successor = EmbeddedBroker(tmp_path, 0), EmbeddedBroker(tmp_path, 0)

    def send(rows: list[OutboxRow], restart: bool = False) -> None:
        with redis.Redis.from_url(successor.ensure()) as server:
            Publisher(server).publish_many(rows, now=NOW, restart=restart)

    with broker, connect(ensure=successor.ensure, clock=clock) as client:
        send(make_rows(1, 2), restart=True)
        before = broker.ensure()
        items = client.signals("all")
        assert seqs([next(items)]) == [1]
        broker.stop()
        with successor:
            send(make_rows(1, 4))
            assert seqs([next(items) for _ in range(3)]) == [2, 3, 4]
            assert successor.ensure() != before
            items.close()  # type: ignore[attr-defined]


def test_survives_a_server_that_lost_everything(client: Client, publisher: Publisher, server: Any) -> None:
    """A wiped server that is filled again by a clock behind gives what is new, and nothing twice."""
    put(server, "9999999999999-0", make_row(1))
    put(server, "9999999999999-1", make_row(2))
    items = client.signals("all")
    assert seqs([next(items), next(items)]) == [1, 2]
    server.flushall()
    publisher.publish_many(make_rows(1, 3), now=NOW, restart=True)
    assert seqs([next(items)]) == [3]
    server.client_kill_filter(_type="normal", skipme=True)
    server.client_kill_filter(_type="pubsub")
    publisher.publish(make_row(4), now=NOW)
    assert seqs([next(items)]) == [4]


def test_an_id_of_another_log_loses_nothing(client: Client, publisher: Publisher) -> None:
    """An id later than anything in the log comes from another one: all that is there is read."""
    publisher.publish_many(make_rows(1, 3), now=NOW, restart=True)
    assert seqs(there(client, "9999999999999-0")) == [1, 2, 3]


def test_silence_is_told_once(client: Client, publisher: Publisher, clock: Clock) -> None:
    """No heartbeat within the deadline is told once, and again only after one has come."""
    items = client.signals("new")
    beat(publisher)
    clock.forward(14.9)
    for seq in (1, 2):
        publisher.publish(make_row(seq), now=NOW, restart=seq == 1)
        assert seqs([next(items)]) == [seq]  # heard meanwhile, and in time
    heard_at = client.heard_at
    clock.forward(15.1)
    silence = next(items)
    assert silence == Silence(heard_at=heard_at, heartbeat=make_heartbeat(0), fault=None, kind="publisher")
    clock.forward(100)
    for seq in (3, 4):
        publisher.publish(make_row(seq), now=NOW)
        assert seqs([next(items)]) == [seq]
    beat(publisher, last_seq=2)
    publisher.publish(make_row(5), now=NOW)
    told = [next(items), next(items)]  # log and channel are two connections: either may be the first
    assert Restored(silence=silence, heartbeat=make_heartbeat(2)) in told
    assert seqs(told) == [5]
    clock.forward(16)
    told = next(items)
    assert isinstance(told, Silence)
    assert told.heartbeat == make_heartbeat(2) == client.heartbeat


def test_a_publisher_never_heard_is_silent_too(url: str, clock: Clock) -> None:
    """Silence from the start is told after the deadline; without a deadline never."""
    for deadline_s, told in ((15, [Silence(heard_at=None, heartbeat=None, fault=None)]), (None, [])):
        with connect(url, clock=clock, heartbeat_deadline_s=deadline_s) as client:
            items = client.signals(timeout_s=0)
            clock.forward(16)
            assert list(items) == told
            assert client.heartbeat is None


def test_a_server_that_is_gone_explains_the_silence(tmp_path: Path, clock: Clock) -> None:
    """Where the server itself is out of reach, the silence says so; and hours of it are survived."""
    with EmbeddedBroker(tmp_path, 0) as broker, connect(broker.ensure(), clock=clock) as client:
        items = client.signals()
        broker.stop()
        clock.forward(16)
        told = next(items)
    assert isinstance(told, Silence)
    assert told.fault is not None
    assert "cannot be reached" in told.fault
    assert all(0 <= pause_s(failures) <= 5 for failures in (1, 10, 10**6))


def test_latest_is_what_may_be_acted_on(client: Client, publisher: Publisher, server: Any, clock: Clock) -> None:
    """`latest()` gives the last valid signal, none when its time is over, none when it is no message."""
    assert client.latest() is None
    publisher.publish_many(make_rows(1, 2), now=NOW, restart=True)
    latest = client.latest()
    assert latest is not None
    assert (latest.signal, latest.stream_id, latest.expired) == (make_signal(2), None, False)
    clock.forward(3600)
    assert client.latest() is None
    server.set(KEYS.latest, b"junk")
    assert client.latest() is None
    assert client.invalid == 1


def test_a_reader_needs_few_rights(server: Any, url: str, clock: Clock, publisher: Publisher) -> None:
    """A stranger that may only read and subscribe has all the client needs."""
    rights = "on >pw resetkeys resetchannels &signals.* %R~signals:* -@all +subscribe +unsubscribe +xread +xrange " \
        "+xrevrange +get +ping +hello +select +client|setinfo +client|setname"  # fmt: skip
    server.execute_command("ACL", "SETUSER", "reader", *rights.split())
    publisher.publish_many(make_rows(1, 2), now=NOW, restart=True)
    try:
        with connect(with_login(url, "reader", "pw"), clock=clock) as client:
            assert seqs(there(client)) == [1, 2]
            assert client.latest() is not None
    finally:
        server.execute_command("ACL", "DELUSER", "reader")


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("redis://bot:s3cret@127.0.0.1:1", r"bot@127\.0\.0\.1:1.*cannot be reached"),
        ("bot:s3cret@127.0.0.1:6379", "redis://HOST:PORT"),
        ("redis://bot:s3cret@127.0.0.1:port", "redis://HOST:PORT"),
    ],
)
def test_an_address_that_does_not_work_is_named(address: str, words: str) -> None:
    """Connecting to nobody is one line with the address, the mend, and no password."""
    with pytest.raises(BrokerError, match=words) as caught:
        connect(address)
    assert "s3cret" not in str(caught.value)


def test_a_wrong_password_ends_the_reading(server: Any, url: str, clock: Clock) -> None:
    """A login that is refused is not tried for ever."""
    server.execute_command("ACL", "SETUSER", "gone", "on", ">pw", "~*", "&*", "+@all")
    with connect(with_login(url, "gone", "pw"), clock=clock) as client:
        items = client.signals()
        server.execute_command("ACL", "DELUSER", "gone")
        with pytest.raises(BrokerError, match="login"):
            next(items)


def test_a_server_that_stays_away_is_told_when_time_is_up(tmp_path: Path, clock: Clock) -> None:
    """An end by `timeout_s` while nobody could be reached is an error, not an empty answer."""
    with EmbeddedBroker(tmp_path, 0) as broker, connect(broker.ensure(), clock=clock) as client:
        items = client.signals(timeout_s=0.2)
        broker.stop()
        with pytest.raises(BrokerError, match="cannot be reached"):
            next(items)


def test_the_home_names_the_address(url: str, tmp_path: Path) -> None:
    """With a home the address is read from its `endpoints.json`; a home without one says what to start."""
    with pytest.raises(BrokerError, match=r"endpoints\.json.*signals serve"):
        connect(home=tmp_path)
    set_endpoint(tmp_path, "redis", url)
    with signals.connect(home=tmp_path) as client:  # by the machine's clock
        assert there(client) == []


def test_another_pair_is_another_log(url: str, server: Any, clock: Clock, publisher: Publisher) -> None:
    """A client of one pair sees nothing of another."""
    publisher.publish(make_row(1), now=NOW, restart=True)
    with connect(url, clock=clock, pair="eurjpy") as client:
        assert there(client) == []
        assert client.latest() is None
