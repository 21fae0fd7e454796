"""Every form of address opens a real server of its kind; what is wrong with one is told without its password."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from signals.delivery import wire
from signals.delivery.address import Tls, with_tls
from signals.delivery.client import connect
from signals.delivery.faults import address_of
from signals.delivery.opening import open_redis
from signals.delivery.publisher import Publisher
from signals.errors import BrokerError
from signals.sources import inbox

from .conftest import (
    KEYS,
    NOW,
    Clock,
    make_heartbeat,
    make_retraction_row,
    make_row,
    make_rows,
    public,
    seqs,
    there,
    until,
)
from .servers import Server, replication, running, set_up
from .tls import Certificates, make_certificates

QUICK = {"socket_timeout": 5, "socket_connect_timeout": 2}


def send_all(url: str) -> Any:
    """Everything the service does there; gives the client."""
    client = open_redis(url, **QUICK)
    publisher = Publisher(client)
    assert publisher.publish_many(make_rows(1, 700), now=NOW, restart=True) == 700
    assert publisher.publish_many([make_row(700), make_retraction_row(701, number=700)], now=NOW) == 1
    assert publisher.state() == ("e1", 701)
    publisher.heartbeat(wire.encode_heartbeat(make_heartbeat(701), epoch="e1", now=NOW).event)
    assert client.xlen(KEYS.log) == 701
    assert client.exists(KEYS.latest) == 0
    client.xadd(inbox.STREAM, {"headline": b'{"id": "7", "title": "BOJ hikes"}'})
    client.xadd(inbox.STREAM, {"headline": b"no news"})
    for entries in inbox.take(client, lambda: NOW):
        inbox.settle(client, entries)
    assert (client.xlen(inbox.STREAM), client.xlen(inbox.REJECTED)) == (0, 1)
    return client


def test_a_plain_address(url: str) -> None:
    """redis:// with a login opens, and messages of errors name it without."""
    with send_all(url) as client:
        assert address_of(client) == f"{public(url)}/0"


@pytest.fixture(scope="module")
def strangers_ca(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Of a CA that nobody here trusts."""
    return make_certificates(tmp_path_factory.mktemp("strangers"))


def test_tls_with_certificates_of_both_sides(tls_url: str, certificates: Certificates, clock: Clock) -> None:
    """Publisher and client reach a server that asks for their certificate, and check its own."""
    url = with_tls(tls_url, certificates.of_client)
    with send_all(url) as client:
        assert address_of(client).startswith("rediss://127.0.0.1:")
    with connect(url, clock=clock) as bot:
        assert seqs(there(bot))[-1] == 701


def test_tls_that_fails_says_why(
    tls_url: str, certificates: Certificates, strangers_ca: Certificates, url: str
) -> None:
    """A certificate that is not trusted, missing, or not one that is asked for: each one line with its mend."""
    cases = (
        (
            with_tls(tls_url, Tls(strangers_ca.ca)),
            "certificate that is not trusted .* - name its CA in SIGNALS_REDIS_CA",
        ),
        (with_tls(tls_url, Tls(certificates.ca)), "wants a certificate of ours .* - set SIGNALS_REDIS_CERT"),
        (
            with_tls(tls_url, strangers_ca.of_client._replace(ca=certificates.ca)),
            "does not trust our certificate .* - give SIGNALS_REDIS_CERT one of a CA that it trusts",
        ),
    )
    for address, words in cases:
        with open_redis(address, retry=None, **QUICK) as client, pytest.raises(BrokerError, match=words) as caught:
            Publisher(client).state()
        assert str(urlsplit(url).password) not in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A cluster of two nodes; the one that is named has none of our slots."""
    folder = tmp_path_factory.mktemp("cluster")
    options = ("--cluster-enabled", "yes", "--cluster-node-timeout", "2000")
    with running(folder / "a", *options) as first, running(folder / "b", *options) as second:
        slots = [int(str(set_up(first, "CLUSTER", "KEYSLOT", key))) for key in (KEYS.log, inbox.STREAM)]
        inner = sorted([*range(1000, 3000), *slots])
        ours = [str(slot) for slot in inner]
        rest = [str(slot) for slot in range(16384) if slot not in set(inner)]
        set_up(second, "CLUSTER", "ADDSLOTS", *ours)
        set_up(first, "CLUSTER", "ADDSLOTS", *rest)
        set_up(first, "CLUSTER", "SET-CONFIG-EPOCH", 1)
        set_up(second, "CLUSTER", "SET-CONFIG-EPOCH", 2)
        set_up(first, "CLUSTER", "MEET", "127.0.0.1", second.port)
        for node in (first, second):
            until(lambda node=node: b"cluster_state:ok" in bytes(str(set_up(node, "CLUSTER", "INFO")), "utf-8"))
        yield first


def test_a_cluster_by_any_of_its_nodes(cluster: Server) -> None:
    """The step finds the node that has the keys, stays one step there, and is heard on every node."""
    url = f"redis+cluster://127.0.0.1:1,127.0.0.1:{cluster.port}"
    with open_redis(f"redis://127.0.0.1:{cluster.port}") as listener:
        heard = listener.pubsub()
        heard.subscribe(KEYS.channel)
        assert heard.get_message(timeout=5)
        with send_all(url) as client:
            assert address_of(client).startswith("redis+cluster://127.0.0.1:")
            until(lambda: heard.get_message(timeout=5)["data"] == make_row(1).event)
            publisher = Publisher(client)
            publisher._by_sha = ("EVALSHA", "0" * 40)  # as after SCRIPT FLUSH within a round trip
            rows = [make_row(seq) for seq in range(702, 706)]
            assert publisher.publish_many(rows, now=NOW) == 4
            assert client.xlen(KEYS.log) == 705


def test_one_node_of_a_cluster_is_told(cluster: Server) -> None:
    """A plain address of a node that has other slots: the error says how to write the cluster's."""
    with open_redis(cluster.url) as client, pytest.raises(BrokerError, match=r"one node of a cluster .*redis\+cluster"):
        Publisher(client).state()


@pytest.fixture
def sentinel(tmp_path: Path) -> Iterator[tuple[Server, Server, Server]]:
    """A primary, its replica, and a Sentinel that watches them."""
    quick = ("--repl-diskless-sync-delay", "0")
    with running(tmp_path / "primary", *quick) as primary, running(tmp_path / "replica") as replica:
        set_up(replica, "REPLICAOF", "127.0.0.1", primary.port)
        until(lambda: replication(replica)["master_link_status"] == "up")
        config = f"sentinel monitor mymaster 127.0.0.1 {primary.port} 1\n"
        with running(tmp_path / "sentinel", "--sentinel", config=config) as watcher:
            until(lambda: str(replica.port) in str(set_up(watcher, "SENTINEL", "REPLICAS", "mymaster")))
            yield primary, replica, watcher


def test_the_primary_that_sentinel_names(sentinel: tuple[Server, Server, Server]) -> None:
    """Sending goes to the primary, and after a failover to its successor: nothing lost, nothing twice."""
    primary, replica, watcher = sentinel
    url = f"redis+sentinel://127.0.0.1:1,127.0.0.1:{watcher.port}/mymaster?db=0"
    with send_all(url) as client:
        assert address_of(client) == f"redis+sentinel://127.0.0.1:1,127.0.0.1:{watcher.port}/mymaster"
        publisher = Publisher(client)
        until(lambda: replication(primary)["slave0"]["offset"] == replication(primary)["master_repl_offset"])
        set_up(watcher, "SENTINEL", "FAILOVER", "mymaster")
        until(lambda: replication(replica)["role"] == "master")
        rows = [make_row(seq) for seq in (701, 702, 703)]
        with open_redis(replica.url) as successor:

            def caught_up() -> bool:
                """Send as the service does: what follows the last message that Redis has."""
                with contextlib.suppress(BrokerError):
                    state = publisher.state()
                    publisher.publish_many([row for row in rows if state and row.seq > state[1]], now=NOW)
                return Publisher(successor).state() == ("e1", 703)

            until(caught_up)
            logged = [json.loads(fields[b"event"])["seq"] for _, fields in successor.xrange(KEYS.log)]
            assert logged == list(range(1, 704))
    words = "knows of no primary by that name"
    with open_redis(url.replace("mymaster", "other"), retry=None) as client, pytest.raises(BrokerError, match=words):
        Publisher(client).state()


def test_a_cluster_that_is_away_is_told() -> None:
    """Where no node answers, the error names them, without the password."""
    with pytest.raises(
        BrokerError, match=r"redis\+cluster://me@127\.0\.0\.1:1,127\.0\.0\.1:2: .*cannot be reached"
    ) as caught:
        open_redis("redis+cluster://me:s3cret@127.0.0.1:1,127.0.0.1:2", **QUICK)
    assert "s3cret" not in str(caught.value)


def test_hosts_are_read_in_every_form() -> None:
    """Several hosts, an address in brackets, no port: what is left out has the usual one."""
    client = open_redis("rediss+sentinel://me:pw@a,[::1]:7,b:8/main?db=2&sentinel_username=s&sentinel_password=t")
    pool: Any = client.connection_pool
    finders = [one.connection_pool.connection_kwargs for one in pool.sentinel_manager.sentinels]
    assert [(one["host"], one["port"], one["username"], one["password"]) for one in finders] == [
        ("a", 26379, "s", "t"), ("::1", 7, "s", "t"), ("b", 8, "s", "t")
    ]  # fmt: skip
    assert (pool.service_name, pool.connection_kwargs["db"], pool.connection_kwargs["password"]) == ("main", 2, "pw")
    assert "SSL" in pool.connection_class.__name__
