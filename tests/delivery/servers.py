"""Servers that users run themselves: configured by hand, on a free port, gone at the end of the test."""

import contextlib
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import redis

from signals.delivery.server import find_server

from .conftest import is_open, until


class Server(NamedTuple):
    """A running server, and the process that is it."""

    url: str
    port: int
    process: "subprocess.Popen[bytes]"


def free_port() -> int:
    """A port that nobody has now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running(folder: Path, *options: str, config: str | None = None, port: int | None = None) -> Iterator[Server]:
    """A server with these options (and lines of a configuration file) in a folder of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    file = []
    if config is not None:
        (folder / "redis.conf").write_text(config)
        file = [str(folder / "redis.conf")]
    command = [str(find_server()), *file, "--dir", str(folder), "--port", str(port), "--bind", "127.0.0.1",
               "--save", "", "--logfile", str(folder / "log"), *options]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
    url = f"redis://127.0.0.1:{port}"
    try:
        until(lambda: is_open(url) or process.poll() is not None)
        assert process.poll() is None, (folder / "log").read_text()
        yield Server(url, port, process)
    finally:
        process.terminate()
        process.wait(20)


def set_up(server: Server, *command: str | int) -> object:
    """Run a command there as whoever may."""
    with redis.Redis.from_url(server.url) as client:
        return client.execute_command(*command)


def replication(server: Server) -> Any:
    """What it says of its replication; nothing while it drops connections, as at a change of its role."""
    with redis.Redis.from_url(server.url) as client:
        try:
            return client.info("replication")
        except redis.ConnectionError:
            return {"role": None, "master_link_status": None}
