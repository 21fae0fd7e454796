"""A Redis that is nobody's but the test's: it goes away, hangs, is wiped or set back, and comes again where it was."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

from signals.delivery.server import command_of, find_server, free_port
from tests.chaos.service import until


class Server:
    """A server on a port of its own, configured as the embedded one is.

    Parameters
    ----------
    folder : holds its append-only log.
    before : a command that is to become the server, such as one that makes a disk of its own.
    """

    def __init__(self, folder: Path, before: tuple[str, ...] = ()) -> None:
        self._folder = folder
        self._before = before
        self._port = free_port(0)
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"redis://127.0.0.1:{self._port}"
        self.client = redis.Redis.from_url(self.url, socket_timeout=5)
        self.start()

    def start(self) -> None:
        """Start it from what its folder holds, and wait until it answers."""
        self._folder.mkdir(exist_ok=True)
        command = command_of(find_server(), self._folder, self._port)
        at = command.index("--aclfile")  # whoever comes may do all: what is tried here is not who may do what
        self._process = subprocess.Popen([*self._before, *command[:at], *command[at + 2 :]])
        until(self._answers, "an answer of the server")

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """End it as nothing can prevent."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(20)

    def hang(self) -> None:
        """Let it stand still: its connections stay, and nobody answers."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it go on."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGCONT)

    def lose_everything(self) -> None:
        """Kill it and start it with an empty folder."""
        self.kill()
        shutil.rmtree(self._folder)
        self.start()

    def copy(self, to: Path) -> None:
        """Keep what it has on disk now."""
        shutil.copytree(self._folder / "appendonlydir", to)

    def set_back(self, copy: Path) -> None:
        """Kill it and start it with what was kept earlier."""
        self.kill()
        shutil.rmtree(self._folder / "appendonlydir")
        shutil.copytree(copy, self._folder / "appendonlydir")
        self.start()

    def close(self) -> None:
        """End it."""
        self.client.close()
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait(20)

    def _answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except redis.RedisError:
            return False


@contextmanager
def running(folder: Path, before: tuple[str, ...] = ()) -> Iterator[Server]:
    """A server, ended at the end."""
    server = Server(folder, before)
    try:
        yield server
    finally:
        server.close()
