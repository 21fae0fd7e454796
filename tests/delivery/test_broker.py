"""The embedded server: one a home, gone with its starter, its log kept."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from signals.delivery import server as server_module
from signals.delivery.broker import EmbeddedBroker
from signals.delivery.endpoints import endpoint, set_endpoint
from signals.errors import BrokerError

from .conftest import until

ROOT = Path(__file__).parents[2]
STARTER = """
import sys
from pathlib import Path
from signals.delivery.broker import EmbeddedBroker
broker = EmbeddedBroker(Path(sys.argv[1]), 0)
print(broker.ensure(), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home that does not exist yet."""
    return tmp_path / "var"


@pytest.fixture
def broker(home: Path) -> Iterator[EmbeddedBroker]:
    """A broker of that home, on a free port."""
    broker = EmbeddedBroker(home, 0)
    yield broker
    broker.stop()


def start(home: Path) -> "subprocess.Popen[str]":
    """Another process that runs this home's server until its input ends."""
    return subprocess.Popen(
        [sys.executable, "-c", STARTER, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )


def address(process: "subprocess.Popen[str]") -> str:
    """What `ensure()` gave in that process."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def end(process: "subprocess.Popen[str]") -> None:
    """Let that process end by itself."""
    process.communicate()


def is_open(url: str) -> bool:
    """Whether anybody listens at an address."""
    host, _, port = url.removeprefix("redis://").partition(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0


def config(url: str, name: str) -> str:
    """A setting of the server."""
    with redis.Redis.from_url(url, decode_responses=True) as client:
        return str(client.config_get(name)[name])


def test_starts_and_is_found_again(broker: EmbeddedBroker, home: Path) -> None:
    """The first call starts a server, the next ones find it, and `endpoints.json` names it."""
    url = broker.ensure()
    assert broker.ensure() == url
    assert EmbeddedBroker(home, 0).ensure() == url
    assert json.loads((home / "endpoints.json").read_text()) == {"redis": url}


def test_runs_as_promised(broker: EmbeddedBroker, home: Path) -> None:
    """On loopback only, each write on disk within a second, full memory an error, out of reach of Ctrl-C."""
    url = broker.ensure()
    wanted = {"bind": "127.0.0.1", "appendonly": "yes", "appendfsync": "everysec", "save": "",
              "maxmemory-policy": "noeviction", "dir": str(home / "redis")}  # fmt: skip
    assert {name: config(url, name) for name in wanted} == wanted
    with redis.Redis.from_url(url) as client:
        server_pid = int(client.info("server")["process_id"])
    assert os.getsid(server_pid) != os.getsid(0)


def test_stop_ends_it_and_keeps_its_log(broker: EmbeddedBroker, home: Path) -> None:
    """After `stop()` nobody listens, other endpoints stay, and the next start has what was written."""
    url = broker.ensure()
    set_endpoint(home, "console", "http://127.0.0.1:8080")
    with redis.Redis.from_url(url) as client:
        client.set("kept", "yes")
    broker.stop()
    assert not is_open(url)
    assert json.loads((home / "endpoints.json").read_text()) == {"console": "http://127.0.0.1:8080"}
    with redis.Redis.from_url(broker.ensure()) as client:
        assert client.get("kept") == b"yes"


def test_only_the_starter_stops_it(broker: EmbeddedBroker, home: Path) -> None:
    """A process that found a running server leaves it running."""
    url = broker.ensure()
    with EmbeddedBroker(home, 0):
        pass
    assert is_open(url)
    assert endpoint(home, "redis") == url


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_a_killed_starter_leaves_no_server(home: Path) -> None:
    """The starter killed by -9 leaves no server; the next one finds the log and serves on."""
    process = start(home)
    url = address(process)
    with redis.Redis.from_url(url) as client:
        client.set("kept", "yes")
    process.kill()
    with EmbeddedBroker(home, 0) as successor, redis.Redis.from_url(successor.ensure()) as client:
        assert client.get("kept") == b"yes"
        assert not is_open(url) or url == successor.ensure()
    until(lambda: not is_open(url), tries=100_000)
    end(process)


def test_a_starter_that_ends_takes_it_along(home: Path) -> None:
    """A starter that simply ends leaves neither server nor entry."""
    process = start(home)
    url = address(process)
    end(process)
    assert not is_open(url)
    assert endpoint(home, "redis") is None


def test_outlives_the_thread_that_asked(broker: EmbeddedBroker) -> None:
    """The server lives as long as the process, not as the thread that happened to start it."""
    urls: list[str] = []
    thread = threading.Thread(target=lambda: urls.append(broker.ensure()))
    thread.start()
    thread.join()
    assert any(keeper.name == "broker-keeper" for keeper in threading.enumerate())
    with redis.Redis.from_url(urls[0]) as client:
        assert all(client.ping() for _ in range(500))


def test_a_race_gives_one_server(home: Path) -> None:
    """Processes that ask at the same time get the same server."""
    processes = [start(home) for _ in range(4)]
    assert len({address(process) for process in processes}) == 1
    for process in processes:
        end(process)


def test_whoever_needs_it_starts_it_again(broker: EmbeddedBroker, home: Path) -> None:
    """When the starter has ended, another process of the home becomes the starter."""
    process = start(home)
    url = address(process)
    assert broker.ensure() == url
    end(process)
    assert is_open(broker.ensure())


def test_a_lost_endpoints_file_is_written_again(broker: EmbeddedBroker, home: Path) -> None:
    """Where only the file is lost, the running server is found: never two on one log."""
    url = broker.ensure()
    (home / "endpoints.json").unlink()
    assert EmbeddedBroker(home, 0).ensure() == url
    assert endpoint(home, "redis") == url


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


def test_another_homes_server_is_a_stranger(broker: EmbeddedBroker, tmp_path: Path) -> None:
    """A Redis that answers, but keeps another folder, is neither used nor disturbed."""
    url = broker.ensure()
    other = tmp_path / "other"
    other.mkdir()
    set_endpoint(other, "redis", url)
    with EmbeddedBroker(other, 0) as second:
        assert second.ensure() != url
    with pytest.raises(BrokerError, match="in use by another program"):
        EmbeddedBroker(tmp_path / "third", int(url.rpartition(":")[2])).ensure()
    assert is_open(url)


def test_takes_the_port_it_is_given(home: Path) -> None:
    """A port that is free is taken, again right after a stop."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    for _ in range(2):
        with EmbeddedBroker(home, port) as broker:
            assert broker.ensure() == f"redis://127.0.0.1:{port}"


def appended(home: Path) -> Path:
    """The file to which the server appends."""
    return next((home / "redis" / "appendonlydir").glob("*.incr.aof"))


def test_a_log_cut_off_by_a_crash_is_read(broker: EmbeddedBroker, home: Path) -> None:
    """A last write that is incomplete costs only itself."""
    with redis.Redis.from_url(broker.ensure()) as client:
        client.set("first", "1")
        client.set("second", "2")
    broker.stop()
    with appended(home).open("r+b") as file:
        file.truncate(appended(home).stat().st_size - 3)
    with redis.Redis.from_url(broker.ensure()) as client:
        assert (client.get("first"), client.get("second")) == (b"1", None)


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
    monkeypatch.setattr("signals.delivery.broker._ANSWER_S", 0.1)
    os.kill(server_pid, signal.SIGSTOP)
    try:
        with pytest.raises(BrokerError, match="belongs to a server that does not answer"):
            EmbeddedBroker(home, 0).ensure()
    finally:
        os.kill(server_pid, signal.SIGCONT)
    assert broker.ensure() == url
