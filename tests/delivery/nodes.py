"""Servers of other kinds than the embedded one: replicas, Sentinels and cluster nodes, from the same program."""

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import redis

from signals.delivery.server import find_server, free_port

from .conftest import until


def answers(port: int) -> bool:
    """Whether a server is there and ready."""
    with redis.Redis(port=port) as probe:
        try:
            return bool(probe.ping())
        except redis.RedisError:
            return False


class Node:
    """A server process of its own, in a folder of its own.

    Parameters
    ----------
    folder : for what it writes; made where it is missing.
    options : its command line.
    sentinel : lines of a configuration that makes it a Sentinel.
    """

    def __init__(self, folder: Path, *options: str, sentinel: str = "") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port(0)
        own = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", ""]
        configuration = folder / "sentinel.conf"
        configuration.write_text(sentinel, encoding="utf-8")
        head = [str(configuration), "--sentinel"] if sentinel else []
        self.process = subprocess.Popen([str(find_server()), *head, *own, *options], stdout=subprocess.DEVNULL)
        until(lambda: answers(self.port))

    @property
    def url(self) -> str:
        """Its address."""
        return f"redis://127.0.0.1:{self.port}"

    @contextlib.contextmanager
    def client(self) -> Iterator[Any]:
        """A connection to it."""
        with redis.Redis(port=self.port) as client:
            yield client

    def kill(self) -> None:
        """End it at once."""
        self.process.kill()
        self.process.wait()
