"""The embedded server where something is in its way: one clear line with the mend."""

import fcntl
import os
import signal
import socket
from pathlib import Path

import pytest
import redis

from signals.delivery import server as server_module
from signals.delivery.broker import EmbeddedBroker
from signals.delivery.endpoints import endpoint, set_endpoint
from signals.errors import BrokerError

from .conftest import appended, is_open, public

ROOT = Path(__file__).parents[2]
STARTER = """
import sys
from pathlib import Path
from signals.delivery.broker import EmbeddedBroker
broker = EmbeddedBroker(Path(sys.argv[1]), 0)
print(broker.ensure(), flush=True)
sys.stdin.read()
"""


def test_a_strangers_port_is_one_clear_line(home: Path) -> None:
    """A port in use by another program is named, with both ways out."""
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        port = stranger.getsockname()[1]
        with pytest.raises(BrokerError) as caught:
            EmbeddedBroker(home, port).ensure()
    assert str(caught.value) == (
        f"port {port}: in use by another program - set SIGNALS_BROKER_PORT=0 to take a free one, "
        "or SIGNALS_REDIS_URL to use that server"
    )


def test_a_port_taken_while_the_log_is_loaded_is_told(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who takes the port between our look and the server's opening is told of, and no server is left behind."""
    look = server_module.free_port
    monkeypatch.setattr("signals.delivery.broker.free_port", lambda port: port or look(0))
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        port = stranger.getsockname()[1]
        with pytest.raises(BrokerError, match=f"port {port}: in use by another program"):
            EmbeddedBroker(home, port).ensure()
    assert endpoint(home, "redis") is None
    with (home / "redis" / "server.lock").open() as claim:
        fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)  # nobody holds it any more


def test_another_homes_server_is_a_stranger(broker: EmbeddedBroker, tmp_path: Path) -> None:
    """A Redis that answers, but keeps another folder, is neither used nor disturbed."""
    url = broker.ensure()
    other = tmp_path / "other"
    other.mkdir()
    set_endpoint(other, "redis", public(url))
    with EmbeddedBroker(other, 0) as second:
        assert public(second.ensure()) != public(url)
    with pytest.raises(BrokerError, match="in use by another program"):
        EmbeddedBroker(tmp_path / "third", int(url.rpartition(":")[2])).ensure()
    assert is_open(url)


def test_a_log_that_cannot_be_read_is_named(broker: EmbeddedBroker, home: Path) -> None:
    """A broken log is an error with the server's own last words and the way out."""
    with redis.Redis.from_url(broker.ensure()) as client:
        client.set("first", "1")
    broker.stop()
    appended(home).write_bytes(b"something else altogether" * 10)
    with pytest.raises(BrokerError, match=r"Bad file format.*move .*redis aside"):
        broker.ensure()
    assert endpoint(home, "redis") is None


def test_a_server_that_cannot_run_is_named(home: Path, tmp_path: Path) -> None:
    """A program that ends at once, or is none, gives its last words."""
    program = tmp_path / "valkey-server"
    program.write_text("#!/bin/sh\necho no such luck\n")
    program.chmod(0o755)
    with pytest.raises(BrokerError, match="no such luck"):
        EmbeddedBroker(home, 0, program=program).ensure()
    with pytest.raises(BrokerError, match=r"did not start .*No such file"):
        EmbeddedBroker(home, 0, program=tmp_path / "absent").ensure()


def test_a_home_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """A home that is a file is an error that names it and the setting."""
    (tmp_path / "var").write_text("")
    with pytest.raises(BrokerError, match=r"var.*SIGNALS_HOME"):
        EmbeddedBroker(tmp_path / "var", 0).ensure()


def test_a_broken_endpoints_file_is_named(broker: EmbeddedBroker, home: Path) -> None:
    """A file that somebody broke is named with the mend, not overwritten in silence."""
    home.mkdir()
    (home / "endpoints.json").write_text("{oops")
    with pytest.raises(BrokerError, match=r"endpoints\.json.*delete it"):
        broker.ensure()


def test_a_server_on_the_path_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server of the machine is preferred; without one the packaged one is taken."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert server_module.find_server().name == "valkey-server"
    assert server_module.find_server().parent != tmp_path
    mine = tmp_path / "redis-server"
    mine.write_text("#!/bin/sh\n")
    mine.chmod(0o755)
    assert server_module.find_server() == mine


def test_a_server_that_hangs_is_not_doubled(
    broker: EmbeddedBroker, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a server holds the folder without answering, none is started beside it."""
    url = broker.ensure()
    with redis.Redis.from_url(url) as client:
        server_pid = int(client.info("server")["process_id"])
    monkeypatch.setattr("signals.delivery.broker._HANDOVER_S", 0.0)
    monkeypatch.setattr("signals.delivery.probe.ANSWER_S", 0.1)
    os.kill(server_pid, signal.SIGSTOP)
    try:
        with pytest.raises(BrokerError, match="belongs to a server that does not answer"):
            EmbeddedBroker(home, 0).ensure()
    finally:
        os.kill(server_pid, signal.SIGCONT)
    assert broker.ensure() == url
