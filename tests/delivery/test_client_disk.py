"""A server that cannot write to its disk still serves readers."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from signals.delivery.address import Tls
from signals.delivery.dial import Dialling, dial, dial_async
from signals.delivery.publisher import Publisher
from signals.errors import BrokerError

from .conftest import KEYS, NOW, Clock, Connect, make_row, make_rows, seqs, there, until
from .servers import Server, running, set_up


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Server]:
    """A server that holds three signals, and whose last save failed: it refuses writes, and PING with them."""
    with running(tmp_path / "server") as server, redis.Redis.from_url(server.url) as client:
        Publisher(client).publish_many(make_rows(1, 3), now=NOW, restart=True)
        (tmp_path / "server" / "dump.rdb").mkdir()  # in the way of the file
        set_up(server, "CONFIG", "SET", "save", "3600 1")
        set_up(server, "BGSAVE")
        until(lambda: client.info("persistence")["rdb_last_bgsave_status"] == "err")
        with pytest.raises(redis.ResponseError, match="MISCONF"):
            client.ping()
        yield server
        set_up(server, "CONFIG", "SET", "save", "")  # else it would not end before it has saved


def test_a_full_disk_keeps_nobody_from_reading(full: Server, clock: Clock, joined: Connect) -> None:
    """Where the server refuses PING for want of room, clients connect and read."""
    with joined(full.url, clock=clock) as client:
        assert seqs(there(client)) == [1, 2, 3]
        latest = client.latest()
        assert latest is not None
        assert latest.event.seq == 3
        client.ping()
    with redis.Redis.from_url(full.url) as server, pytest.raises(BrokerError, match="cannot write to its disk"):
        Publisher(server).publish(make_row(4), now=NOW)


def test_no_address_makes_a_client_ping() -> None:
    """An address that asks redis-py to see by PING whether a connection is well is not followed in that."""
    how = Dialling(Tls(), 1, 1, KEYS.log)
    url = "redis://127.0.0.1:1?health_check_interval=1"
    for client in (dial(url, how), asyncio.run(dial_async(url, how))):
        assert client.connection_pool.connection_kwargs["health_check_interval"] == 0
