"""Sending to a server that refuses: nothing half done, and an error with the mend."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis

from signals.delivery.acl import with_login
from signals.delivery.broker import EmbeddedBroker
from signals.delivery.publisher import Publisher
from signals.errors import BrokerError

from .conftest import KEYS, NOW, everything, make_retraction_row, make_row, make_rows, public, until
from .servers import running, set_up


def out_of_memory(server: Any) -> None:
    """Less memory than is in use."""
    server.config_set("maxmemory", "1mb")


def read_only(server: Any) -> None:
    """A replica, which takes no writes."""
    server.replicaof("127.0.0.1", 1)


def no_publishing(server: Any) -> None:
    """A user without PUBLISH."""
    server.execute_command("ACL", "SETUSER", "publisher", "-publish")


def no_channel(server: Any) -> None:
    """A user without our channel."""
    server.execute_command("ACL", "SETUSER", "publisher", "resetchannels")


def no_deleting(server: Any) -> None:
    """A user who may not do what a retraction needs."""
    server.execute_command("ACL", "SETUSER", "publisher", "-del")


def stale_replica(server: Any) -> None:
    """A replica that has lost its primary, and says so rather than serve what is old."""
    server.config_set("replica-serve-stale-data", "no")
    server.replicaof("127.0.0.1", 1)


def no_replicas(server: Any) -> None:
    """A primary that wants more replicas than it has."""
    server.config_set("min-replicas-to-write", 1)


def mend(server: Any) -> None:
    """All of that undone."""
    server.replicaof("NO", "ONE")
    server.config_set("replica-serve-stale-data", "yes")
    server.config_set("min-replicas-to-write", 0)
    server.config_set("maxmemory", 0)
    server.execute_command("ACL", "SETUSER", "publisher", "+@all", "allchannels")


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (out_of_memory, "raise its maxmemory"),
        (read_only, "SIGNALS_REDIS_URL at the primary"),
        (no_publishing, "forbids"),
        (no_channel, "forbids"),
        (no_deleting, "forbids"),
        (stale_replica, "replica that has lost its primary .* - point SIGNALS_REDIS_URL at the primary"),
        (no_replicas, "too few replicas .* - start them, or lower its min-replicas-to-write"),
    ],
)
def test_together_or_not_at_all(publisher: Publisher, server: Any, harm: Callable[[Any], None], words: str) -> None:
    """A server that refuses any part of the step keeps nothing of it, and the error names the mend."""
    publisher.publish(make_row(1), now=NOW, restart=True)
    rows = [*make_rows(1, 2), make_retraction_row(3, number=2)]
    before = everything(server)
    try:
        harm(server)
        with pytest.raises(BrokerError, match=words) as caught:
            publisher.publish_many(rows, now=NOW)
    finally:
        mend(server)
    assert "\n" not in str(caught.value)
    assert caught.value.transient
    assert everything(server) == before
    assert publisher.publish_many(rows, now=NOW) == 2


def test_another_programs_key_is_named(publisher: Publisher, server: Any) -> None:
    """A value that is not ours under our key is an error that names it, and is not overwritten."""
    for value in (b"7", b"{}", b"not JSON"):
        server.set(KEYS.seq, value)
        for act in (publisher.state, lambda: publisher.publish(make_row(1), now=NOW, restart=True)):
            with pytest.raises(BrokerError, match=r"signals:{usdjpy}:seq.*delete the key"):
                act()
        assert server.get(KEYS.seq) == value
    server.delete(KEYS.seq)
    server.set(KEYS.log, b"no stream")
    with pytest.raises(BrokerError, match="WRONGTYPE"):
        publisher.publish(make_row(1), now=NOW, restart=True)
    assert server.keys() == [KEYS.log.encode()]


def test_a_refused_login_keeps_its_password(url: str) -> None:
    """A wrong password is an error that says so, with the address and without the password."""
    with redis.Redis.from_url(with_login(url, "bot", "s3cret")) as client:
        publisher = Publisher(client)
        for act in (publisher.state, lambda: publisher.publish(make_row(1), now=NOW), lambda: publisher.heartbeat(b"")):
            with pytest.raises(BrokerError, match=r"login.*password in SIGNALS_REDIS_URL") as caught:
                act()
            assert public(url) in str(caught.value)
            assert "s3cret" not in str(caught.value)


def test_a_server_that_is_gone_is_named(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Where nobody answers, the error names the address and passes as transient."""
    broker = EmbeddedBroker(tmp_path_factory.mktemp("gone"), 0)
    url = broker.ensure()
    with redis.Redis.from_url(url, retry=redis.retry.Retry(redis.backoff.NoBackoff(), 0)) as client:
        publisher = Publisher(client)
        publisher.publish(make_row(1), now=NOW, restart=True)
        broker.stop()
        with pytest.raises(BrokerError, match=f"{public(url)}.*cannot be reached") as caught:
            publisher.publish(make_row(2), now=NOW)
    assert caught.value.transient


def test_a_server_that_loads_is_waited_for(tmp_path: Path) -> None:
    """A server that reads its data says so in one line; once it has, sending goes on where it was."""
    slow = (
        "--enable-debug-command",
        "yes",
        "--key-load-delay",
        "4000",
        "--loading-process-events-interval-bytes",
        "1024",
    )
    with running(tmp_path, *slow) as server, redis.Redis.from_url(server.url, retry=None) as client:
        publisher = Publisher(client)
        publisher.publish(make_row(1), now=NOW, restart=True)
        for number in range(200):
            client.set(f"ballast-{number}", "x" * 2000)
        loader = threading.Thread(target=set_up, args=(server, "DEBUG", "RELOAD"))
        loader.start()
        told: list[BrokerError] = []

        def refused() -> bool:
            try:
                publisher.publish(make_row(1), now=NOW)
            except BrokerError as error:
                told.append(error)
            return bool(told)

        until(refused)
        loader.join()
        assert "is still loading its log" in str(told[0])
        assert publisher.publish_many(make_rows(1, 3), now=NOW) == 2


def test_the_log_is_bounded(publisher: Publisher, server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The log does not grow past its bound by more than one node of the server."""
    monkeypatch.setattr("signals.delivery.publisher.LOG_MAXLEN", 200)
    publisher.publish_many(make_rows(1, 1000), now=NOW, restart=True)
    assert 200 <= server.xlen(KEYS.log) <= 300
    assert publisher.state() == ("e1", 1000)
