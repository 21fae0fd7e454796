"""How the service of a home stands, for other processes: what runs, what is due; and whether one runs at all.

The service holds `serve.lock` as long as it lives, and writes `service.json` every few seconds.
"""

import contextlib
import datetime as dt
import fcntl
import os
import time
from pathlib import Path
from typing import IO

import msgspec

from signals.errors import ConfigError
from signals.model import JobRun

_ORPHAN_S = 5.0
"""A service whose minder was killed dies within a moment; so long it is waited for."""
_POLL_S = 0.05


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What the service said of itself at a UTC time."""

    at: dt.datetime
    pid: int
    started_at: dt.datetime
    next_runs: dict[str, dt.datetime | None]
    """When each scheduled job is due next, UTC."""
    active: tuple[JobRun, ...]
    """The runs under way."""


def write(home: Path, standing: Standing) -> None:
    """Say how the service stands. A file that cannot be written is left as it is: its `at` tells its age."""
    beside = home / ".service.json"
    with contextlib.suppress(OSError):
        beside.write_bytes(msgspec.json.encode(standing))
        beside.replace(home / "service.json")


def read(home: Path) -> Standing | None:
    """What the home's service last said; null where none runs, or it has not said anything yet."""
    if not runs(home):
        return None
    try:
        return msgspec.json.decode((home / "service.json").read_bytes(), type=Standing)
    except (OSError, msgspec.MsgspecError):
        return None


def runs(home: Path) -> bool:
    """Whether a service of this home runs."""
    try:
        with (home / "serve.lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False


def alone(home: Path) -> IO[str]:
    """The home's lock, held until it is closed in every process that has it: two services would do every job twice.

    Raises
    ------
    ConfigError : another service has it.
    """
    home.mkdir(parents=True, exist_ok=True)
    lock = (home / "serve.lock").open("a+")
    end = time.monotonic() + _ORPHAN_S
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError as error:
            if time.monotonic() > end or _lives(lock):
                lock.close()
                mend = "end that one, or set SIGNALS_HOME to another folder"
                raise ConfigError(str(home), "another `signals serve` runs on this home", mend) from error
        time.sleep(_POLL_S)
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    (home / "service.json").unlink(missing_ok=True)  # what the one before said is no longer so
    return lock


def _lives(lock: IO[str]) -> bool:
    """Whether the process that took the lock lives: then it is not what one that was killed left behind."""
    lock.seek(0)
    named = lock.read().strip()
    try:
        os.kill(int(named), 0)
    except (ValueError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return True
