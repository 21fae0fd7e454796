"""The embedded server: one a home, gone with its starter, its log kept."""

import json
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import redis

from signals.delivery.broker import EmbeddedBroker
from signals.delivery.endpoints import endpoint, set_endpoint

from .conftest import appended, is_open, public, until

ROOT = Path(__file__).parents[2]
STARTER = """
import sys
from pathlib import Path
from signals.delivery.broker import EmbeddedBroker
broker = EmbeddedBroker(Path(sys.argv[1]), 0)
print(broker.ensure(), flush=True)
sys.stdin.read()
"""


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


def config(url: str, name: str) -> str:
    """A setting of the server."""
    with redis.Redis.from_url(url, decode_responses=True) as client:
        return str(client.config_get(name)[name])


def test_starts_and_is_found_again(broker: EmbeddedBroker, home: Path) -> None:
    """The first call starts a server, the next ones find it, and `endpoints.json` names it."""
    url = broker.ensure()
    assert broker.ensure() == url
    assert EmbeddedBroker(home, 0).ensure() == url
    assert json.loads((home / "endpoints.json").read_text()) == {"redis": public(url)}


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
    assert endpoint(home, "redis") == public(url)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_a_killed_starter_leaves_no_server(home: Path) -> None:
    """The starter killed by -9 leaves no server; the next one finds the log and serves on."""
    process = start(home)
    url = address(process)
    with redis.Redis.from_url(url) as client:
        client.set("kept", "yes")
    process.kill()
    until(lambda: not is_open(url))
    end(process)
    with EmbeddedBroker(home, 0) as successor, redis.Redis.from_url(successor.ensure()) as client:
        assert client.get("kept") == b"yes"


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
    assert endpoint(home, "redis") == public(url)


def test_takes_the_port_it_is_given(home: Path) -> None:
    """A port that is free is taken, again right after a stop."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    for _ in range(2):
        with EmbeddedBroker(home, port) as broker:
            assert public(broker.ensure()) == f"redis://127.0.0.1:{port}"


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
