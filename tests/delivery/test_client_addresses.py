"""The client at every kind of address: one server, TLS, Sentinels, a cluster."""

import contextlib
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from signals.delivery.publisher import Publisher
from signals.errors import BrokerError

from .conftest import KEYS, NOW, Connect, make_rows, seqs, there, until
from .servers import Server, replication, running, set_up
from .tls import Certificates

Start = Callable[..., Server]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts servers, and ends them after the test."""
    names = map(str, itertools.count())
    with contextlib.ExitStack() as servers:
        yield lambda *options, **how: servers.enter_context(running(tmp_path / next(names), *options, **how))


@pytest.fixture
def cluster(start: Start) -> tuple[Server, Server]:
    """A cluster of two nodes, of which the first has all the keys."""
    one, other = (start("--cluster-enabled", "yes") for _ in range(2))
    set_up(one, "CLUSTER", "ADDSLOTSRANGE", 0, 16383)
    set_up(other, "CLUSTER", "MEET", "127.0.0.1", one.port)
    for each in (one, other):
        until(lambda each=each: "cluster_state:ok" in str(set_up(each, "CLUSTER", "INFO")))  # type: ignore[misc]
    return one, other


def send(node: Server, first: int, last: int) -> None:
    """Publish there."""
    with redis.Redis(port=node.port) as server:
        Publisher(server).publish_many(make_rows(first, last), now=NOW, restart=first == 1)


def test_tls_by_options_and_by_url(
    tls_url: str, certificates: Certificates, joined: Connect, publisher: Publisher
) -> None:
    """Authority and certificate of ours may be given either way; reading works as without TLS."""
    publisher.publish_many(make_rows(1, 2), now=NOW, restart=True)
    ca, certificate, key = certificates.of_client
    with joined(tls_url, ca=ca, certificate=certificate, key=key, live_only=False) as client:
        assert seqs(there(client)) == [1, 2]
    query = f"?ssl_ca_certs={ca}&ssl_certfile={certificate}&ssl_keyfile={key}"
    with joined(tls_url + query, live_only=False) as client:
        assert seqs(there(client)) == [1, 2]


def test_tls_that_fails_says_so(tls_url: str, certificates: Certificates, joined: Connect) -> None:
    """An unknown authority, no certificate of ours, or a missing file: one line that names it."""
    cases: tuple[tuple[dict[str, Path], str], ...] = (
        ({}, "certificate that is not trusted"),
        ({"ca": certificates.ca}, "wants a certificate of ours"),
        ({"ca": certificates.ca, "certificate": Path("no.pem")}, r"no\.pem: no such file"),
    )
    for given, words in cases:
        with pytest.raises(BrokerError, match=words):
            joined(tls_url, **given)


def test_a_cluster_is_asked_which_node_has_the_keys(cluster: tuple[Server, Server], joined: Connect) -> None:
    """Any node of a cluster leads to the one that holds the pair's keys."""
    one, other = cluster
    send(one, 1, 2)
    with joined(f"redis+cluster://127.0.0.1:1,127.0.0.1:{other.port}", live_only=False) as client:
        assert seqs(there(client)) == [1, 2]


def test_a_primary_that_dies_is_replaced(start: Start, joined: Connect) -> None:
    """Sentinels name the primary; when it dies and they name another, reading goes on there."""
    primary = start()
    replica = start("--replicaof", f"127.0.0.1 {primary.port}")
    watched = (
        f"sentinel monitor main 127.0.0.1 {primary.port} 1\n"
        "sentinel down-after-milliseconds main 200\nsentinel failover-timeout main 2000\n"
    )
    sentinel = start("--sentinel", config=watched)
    send(primary, 1, 2)
    until(lambda: set_up(replica, "XLEN", KEYS.log) == 2)
    until(lambda: str(replica.port) in str(set_up(sentinel, "SENTINEL", "REPLICAS", "main")))
    address = f"redis+sentinel://127.0.0.1:1,127.0.0.1:{sentinel.port}/main"
    with joined(address, live_only=False) as client:
        client_items = client.signals("all")
        assert seqs([next(client_items), next(client_items)]) == [1, 2]
        primary.process.kill()
        until(lambda: replication(replica)["role"] == "master")
        send(replica, 3, 3)
        assert seqs([next(client_items)]) == [3]
        client_items.close()


def test_a_service_that_sentinels_do_not_know(start: Start, joined: Connect) -> None:
    """It is named, and so is what was asked."""
    sentinel = start("--sentinel", config="sentinel monitor main 127.0.0.1 6399 1\n")
    with pytest.raises(BrokerError, match="No master found for 'other'"):
        joined(f"redis+sentinel://127.0.0.1:{sentinel.port}/other")


def test_a_node_that_lost_its_keys_is_left(cluster: tuple[Server, Server], joined: Connect) -> None:
    """`MOVED` is no refusal: the cluster is asked again, and reading goes on at the new node."""
    one, other = cluster
    send(one, 1, 1)
    with joined(f"redis+cluster://127.0.0.1:{one.port}", live_only=False) as client:
        items = client.signals("all")
        assert seqs([next(items)]) == [1]
        slot = int(str(set_up(one, "CLUSTER", "KEYSLOT", KEYS.log)))
        with redis.Redis(port=other.port, decode_responses=True) as there_now:
            name = str(there_now.execute_command("CLUSTER", "MYID"))
        set_up(one, "FLUSHALL")
        for each in (other, one):
            set_up(each, "CLUSTER", "SETSLOT", slot, "NODE", name)
        set_up(other, "CLUSTER", "BUMPEPOCH")
        with redis.Redis(port=other.port) as asked:
            until(lambda: len(asked.execute_command("CLUSTER", "SLOTS")) > 1)
        send(other, 1, 2)
        assert seqs([next(items)]) == [2]
        items.close()


@pytest.mark.parametrize(
    ("query", "options", "words"),
    [
        ("?sockettimeout=3", {}, "option"),
        ("?db=x", {}, "db"),
        ("", {"ca": Path("ca.pem")}, "rediss"),
    ],
)
def test_an_option_that_is_none_is_named(
    url: str, joined: Connect, query: str, options: dict[str, Path], words: str
) -> None:
    """What redis-py does not know, or cannot be used without TLS, is one line before anything connects."""
    with pytest.raises(BrokerError, match=words):
        joined(url + query, **options)
