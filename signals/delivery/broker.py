"""The embedded server: a Valkey or Redis of its own for each home, on 127.0.0.1.

Whoever needs it calls `ensure()`: it gives the address of the server that this home has, and starts
one where there is none. Any process of the home may do so, and does again after a connection error,
since a server ends with the process that started it.

Two locks keep it to one server a home. `broker.lock` is held while one is being started. The open
file `redis/server.lock` is handed down to the server and locked as long as it lives: no second
server can ever write to the same log, even where `endpoints.json` was lost. It names the server's
address, so that this home's password is told to no stranger who took the port of a server that died.

`endpoints.json` holds the address for everybody, which may read (`acl.py`); `ensure()` gives it with the
login of the home's own user.
"""

import atexit
import contextlib
import fcntl
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import IO, TypeVar

import redis

from signals.delivery import acl
from signals.delivery.endpoints import endpoint, locked, set_endpoint
from signals.delivery.keys import DEFAULT_PORT
from signals.delivery.probe import look, open_to_all
from signals.delivery.server import USERS_FILE, command_of, find_server, free_port, port_taken, spawn, why_ended
from signals.errors import BrokerError

_START_S = 30.0
"""How long a server may take to load its log."""
_HANDOVER_S = 10.0
"""How long a server that holds the folder may take to answer or to end."""
_STOP_S = 5.0
_POLL_S = 0.01
_TRIES = 3
"""Free ports tried: another program may take one between our look and the server's."""


T = TypeVar("T")


class EmbeddedBroker:
    """The server of one home.

    Parameters
    ----------
    home : the folder for everything written at run time; made where it is missing.
    port : TCP port on 127.0.0.1; 0 takes a free one.
    program : the server to run; else `valkey-server` or `redis-server` on the path, else the packaged one.
    """

    def __init__(self, home: Path, port: int = DEFAULT_PORT, *, program: Path | None = None) -> None:
        self._home = home.resolve()
        self._folder = self._home / "redis"
        self._port = port
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None
        self._started: tuple[int, str] | None = None
        """Process id of the starter and public address, where this object started the server."""

    def ensure(self) -> str:
        """Address of this home's server with its publisher's login, started where there is none. Quick where it runs.

        Raises
        ------
        BrokerError : the port belongs to another program, the folder cannot be written, the server
            does not start, or it does not know our password; the message says which and the mend.
        """
        try:
            url = self._registered() or self._find_or_start()
            secret = acl.password(self._home)
            if secret is None:
                raise self._refused(url)
            return acl.with_login(url, acl.PUBLISHER, secret)
        except OSError as exc:
            path = exc.filename or self._home
            raise BrokerError(str(path), exc.strerror or str(exc), "make it usable, or set SIGNALS_HOME") from exc

    def address(self) -> str | None:
        """Address with the publisher's login as it stands in the home, whether or not anything answers there.

        Null where no server was started for it, or none is any more. Starts nothing, asks nothing.

        Raises
        ------
        BrokerError : a file in the home cannot be read.
        """
        try:
            url, secret = endpoint(self._home, "redis"), acl.password(self._home)
        except OSError as exc:
            raise BrokerError(str(exc.filename or self._home), exc.strerror or str(exc)) from exc
        return acl.with_login(url, acl.PUBLISHER, secret) if url and secret else None

    def stop(self) -> None:
        """End the server if this object started it; else do nothing. It keeps its log."""
        if self._process is None or self._started is None or self._started[0] != os.getpid():
            return  # a fork of the starter has this object too, but not the server
        process, url = self._process, self._started[1]
        self._process = self._started = None
        atexit.unregister(self.stop)
        process.terminate()
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        with contextlib.suppress(FileNotFoundError):  # the home itself may be gone by now
            set_endpoint(self._home, "redis", None, only_if=url)

    def __enter__(self) -> "EmbeddedBroker":
        self.ensure()
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    def _registered(self) -> str | None:
        url = endpoint(self._home, "redis")
        return url if url and self._lives(url) and self._serves(url) else None

    def _lives(self, url: str) -> bool:
        """Whether a server that was started for this home, at this address, holds its folder."""
        try:
            with (self._folder / "server.lock").open() as claim:
                if claim.read().strip() != url:
                    return False
                fcntl.flock(claim, fcntl.LOCK_SH | fcntl.LOCK_NB)
                return False
        except BlockingIOError:
            return True
        except FileNotFoundError:
            return False

    def _find_or_start(self) -> str:
        self._folder.mkdir(parents=True, exist_ok=True)
        with locked(self._home / "broker.lock"):
            url = self._registered()
            if url:
                return url
            with (self._folder / "server.lock").open("a+") as claim:
                url = self._claim(claim) or self._start(claim)
            set_endpoint(self._home, "redis", url)
            return url

    def _claim(self, claim: IO[str]) -> str | None:
        """Lock the folder for a new server; else the address of the one that holds it."""

        def settled() -> str | bool:
            try:
                fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
            except BlockingIOError:
                claim.seek(0)
                url = claim.read().strip()
                return url if url and self._serves(url) else False

        found = _wait(settled, _HANDOVER_S)
        if not found:
            mend = "end that server, or set SIGNALS_HOME to another folder"
            raise BrokerError(str(self._folder), "belongs to a server that does not answer", mend)
        return found if isinstance(found, str) else None

    def _start(self, claim: IO[str]) -> str:
        program = self._program or find_server()
        acl.write_users(self._home, self._folder / USERS_FILE)
        for attempt in range(1, _TRIES + 1):
            port = free_port(self._port)
            url = f"redis://127.0.0.1:{port}"
            claim.truncate(0)
            claim.write(url)
            claim.flush()
            fault = self._started_at(url, port, program, claim)
            if fault is None:
                return url
            if attempt == _TRIES or not fault.where.startswith("port"):
                raise fault
        raise AssertionError("unreachable")

    def _started_at(self, url: str, port: int, program: Path, claim: IO[str]) -> BrokerError | None:
        """Start the server and open it at this address once it has loaded its log; why not, if it could not.

        It loads behind a port that nobody knows: until then strangers are locked out (`acl.py`), and a
        bot that came back early should find nobody rather than be refused.
        """
        door = free_port(0) if self._port else port
        behind = f"redis://127.0.0.1:{door}"
        process, log = spawn(command_of(program, self._folder, door), self._folder / "server.log", claim.fileno())
        try:
            if not self._loaded(process, behind):
                return why_ended(log, door, self._folder)
            open_to_all(behind, self._home, port if door != port else None)
            self._process, self._started = process, (os.getpid(), url)
        except redis.RedisError:  # it runs, so what failed was taking the port
            return port_taken(port)
        finally:
            if self._process is not process:
                process.kill()
                process.wait()
        atexit.unregister(self.stop)
        atexit.register(self.stop)
        return None

    def _loaded(self, process: "subprocess.Popen[bytes]", url: str) -> bool:
        """Wait until the server has loaded its log; whether it has."""

        def settled() -> bool:
            return process.poll() is not None or look(url, self._home, self._folder) == "ours"

        return _wait(settled, _START_S) and process.poll() is None

    def _serves(self, url: str) -> bool:
        """Whether our server is ready there.

        Raises
        ------
        BrokerError : it does not know our password.
        """
        seen = look(url, self._home, self._folder)
        if seen == "refused":
            raise self._refused(url)
        return seen == "ours"

    def _refused(self, url: str) -> BrokerError:
        problem = f"runs for {self._home} and does not know the password in its file redis-password"
        mend = (
            "it was started by an earlier version, or the file was changed since: "
            "end its starter (`signals serve`, `run`, `watch` or `broker`) and start anew"
        )
        return BrokerError(url, problem, mend)


def _wait(look: Callable[[], T], patience_s: float) -> T:
    """Look until something true is seen, or until patience ends; the last thing seen."""
    end = time.monotonic() + patience_s
    while not (seen := look()) and time.monotonic() < end:
        time.sleep(_POLL_S)
    return seen
