"""Every kind of address: one server, TLS, Sentinels, a cluster; and those that are none."""

import shutil
import ssl
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from signals.delivery.address import parse
from signals.delivery.publisher import Publisher
from signals.errors import BrokerError

from .conftest import NOW, Connect, make_row, make_rows, seqs, there, until
from .nodes import Node
from .proxy import Proxy

Start = Callable[..., Node]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts servers, and ends them after the test."""
    nodes: list[Node] = []

    def one(*options: str, sentinel: str = "") -> Node:
        nodes.append(Node(tmp_path / str(len(nodes)), *options, sentinel=sentinel))
        return nodes[-1]

    yield one
    for node in nodes:
        node.kill()


def send(node: Node, first: int, last: int) -> None:
    """Publish there."""
    with node.client() as server:
        Publisher(server).publish_many(make_rows(first, last), now=NOW, restart=first == 1)


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an authority, and a server's and a bot's certificate signed by it."""
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("needs openssl to make certificates")
    folder = tmp_path_factory.mktemp("certificates")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost", encoding="utf-8")

    def run(*words: str) -> None:
        subprocess.run([program, *words], cwd=folder, check=True, capture_output=True)

    new = ("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
    run(*new, "-x509", "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=ca")
    for name in ("server", "bot"):
        run(*new, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        signed = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names")
        run("x509", "-req", "-in", f"{name}.csr", "-out", f"{name}.pem", *signed)
    return folder


@pytest.fixture
def secured(url: str, certificates: Path) -> Iterator[str]:
    """Address of the empty server over TLS, which asks for a certificate of ours."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "server.pem", certificates / "server.key")
    context.load_verify_locations(certificates / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    with Proxy(url, lambda plain: context.wrap_socket(plain, server_side=True)) as proxy:
        yield proxy.url.replace("redis://", "rediss://")


def test_tls_by_options_and_by_url(secured: str, certificates: Path, joined: Connect, publisher: Publisher) -> None:
    """Authority and certificate of ours may be given either way; reading works as without TLS."""
    publisher.publish_many(make_rows(1, 2), now=NOW, restart=True)
    ca, certificate, key = (certificates / name for name in ("ca.pem", "bot.pem", "bot.key"))
    with joined(secured, ca=ca, certificate=certificate, key=key, live_only=False) as client:
        assert seqs(there(client)) == [1, 2]
    query = f"?ssl_ca_certs={ca}&ssl_certfile={certificate}&ssl_keyfile={key}"
    with joined(secured + query, live_only=False) as client:
        assert seqs(there(client)) == [1, 2]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "certificate verify failed"),
        ({"ca": "ca.pem"}, "wants a certificate of ours|closed the TLS connection|cannot be reached"),
        ({"ca": "ca.pem", "certificate": "no.pem"}, r"no\.pem: there is no such file"),
    ],
)
def test_tls_that_fails_says_so(
    secured: str, certificates: Path, joined: Connect, given: dict[str, str], words: str
) -> None:
    """An unknown authority, no certificate of ours, or a missing file: one line that names it."""
    options = {name: certificates / path for name, path in given.items()}
    with pytest.raises(BrokerError, match=words):
        joined(secured, **options)


def test_a_cluster_is_asked_which_node_has_the_keys(start: Start, joined: Connect) -> None:
    """Any node of a cluster leads to the one that holds the pair's keys."""
    one, other = (start("--cluster-enabled", "yes") for _ in range(2))
    with one.client() as server, other.client() as second:
        server.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        second.execute_command("CLUSTER", "MEET", "127.0.0.1", one.port)
        for each in (server, second):
            until(lambda each=each: b"cluster_state:ok" in each.execute_command("CLUSTER", "INFO"))  # type: ignore[misc]
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
    sentinel = start(sentinel=watched)
    send(primary, 1, 2)
    with replica.client() as server:
        until(lambda: server.xlen("signals:{usdjpy}:log") == 2)
    with sentinel.client() as watcher:
        until(lambda: len(watcher.execute_command("SENTINEL", "REPLICAS", "main")) == 1)
    address = f"redis+sentinel://127.0.0.1:1,127.0.0.1:{sentinel.port}/main"
    with joined(address, live_only=False) as client:
        client_items = client.signals("all")
        assert seqs([next(client_items), next(client_items)]) == [1, 2]
        primary.kill()
        with replica.client() as server:
            until(lambda: server.info("replication")["role"] == "master")
        send(replica, 3, 3)
        assert seqs([next(client_items)]) == [3]
        client_items.close()


def test_a_service_that_sentinels_do_not_know(start: Start, joined: Connect) -> None:
    """It is named, and so is what was asked."""
    sentinel = start(sentinel="sentinel monitor main 127.0.0.1 6399 1\n")
    with pytest.raises(BrokerError, match="No master found for 'other'"):
        joined(f"redis+sentinel://127.0.0.1:{sentinel.port}/other")


def test_a_node_that_lost_its_keys_is_left(start: Start, joined: Connect) -> None:
    """`MOVED` is no refusal: the cluster is asked again, and reading goes on at the new node."""
    one, other = (start("--cluster-enabled", "yes") for _ in range(2))
    with one.client() as server, other.client() as second:
        server.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        second.execute_command("CLUSTER", "MEET", "127.0.0.1", one.port)
        for each in (server, second):
            until(lambda each=each: b"cluster_state:ok" in each.execute_command("CLUSTER", "INFO"))  # type: ignore[misc]
        send(one, 1, 1)
        with joined(f"redis+cluster://127.0.0.1:{one.port}", live_only=False) as client:
            items = client.signals("all")
            assert seqs([next(items)]) == [1]
            slot = server.execute_command("CLUSTER", "KEYSLOT", "signals:{usdjpy}:log")
            name = second.execute_command("CLUSTER", "MYID").decode()
            server.execute_command("FLUSHALL")
            for each in (second, server):
                each.execute_command("CLUSTER", "SETSLOT", slot, "NODE", name)
            second.execute_command("CLUSTER", "BUMPEPOCH")
            until(lambda: len(second.execute_command("CLUSTER", "SLOTS")) > 1)
            with redis.Redis(port=other.port) as there_now:
                Publisher(there_now).publish_many([make_row(1), make_row(2)], now=NOW, restart=True)
            assert seqs([next(items)]) == [2]
            items.close()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("redis+sentinel://h1,h2:26380", "ends with the name of its service"),
        ("redis+sentinel://h1:port/main", "port from 1 to 65535"),
        ("redis+sentinel://,h2/main", "a host is written"),
        ("redis+cluster://h1/3", "no database but 0"),
        ("redis+magic://h1", "no scheme of ours"),
        ("http+cluster://h1", "no scheme of ours"),
    ],
)
def test_an_address_that_is_none_says_why(url: str, words: str) -> None:
    """One line with what is wrong, and how it is written."""
    with pytest.raises(BrokerError, match=words) as caught:
        parse(url)
    assert "redis+sentinel://HOST:26379/SERVICE" in str(caught.value)


def test_an_address_is_taken_apart() -> None:
    """Hosts with and without port, IPv6, login, database, and options of server and Sentinels."""
    found = parse("rediss+sentinel://bot:p%40w@h1,[::1]:27000,h3:1/main/2?ssl_ca_certs=/c&sentinel_username=s")
    assert found.hosts == (("h1", 26379), ("::1", 27000), ("h3", 1))
    assert (found.service, found.tls, found.sentinel_options) == ("main", True, {"username": "s"})
    assert found.url == "rediss://bot:p%40w@h1:26379/2?ssl_ca_certs=%2Fc"
    cluster = parse("redis+cluster://[::1],h2:7000")
    assert (cluster.hosts, cluster.url) == ((("::1", 6379), ("h2", 7000)), "redis://[::1]:6379/?")


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
