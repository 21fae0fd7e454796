"""Who holds a file or a port, as the system tells it (Linux: /proc), without touching either.

Null means nobody that can be seen: processes of other users and containers may be hidden, and elsewhere than on
Linux all are (`CAN_TELL`).
"""

import datetime as dt
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_PROC = Path("/proc")
_LOCKS = _PROC / "locks"
CAN_TELL = _LOCKS.exists()
"""Whether this system tells who holds what."""
_LISTENING = "0A"


class Holder(NamedTuple):
    """A process."""

    pid: int
    name: str

    def __str__(self) -> str:
        return f"process {self.pid} ({self.name})"


class _Lock(NamedTuple):
    kind: str
    writes: bool
    pid: int
    file: str
    """`MAJOR:MINOR:INODE`, the first two in hex."""
    first: int
    last: float


def flock_holder(path: Path) -> Holder | None:
    """Who holds this file by flock(2) for itself alone."""
    return _holder(path, "FLOCK", 0)


def range_holder(path: Path, at: int) -> Holder | None:
    """Who holds this byte of a file by fcntl(2) for itself alone, as SQLite does."""
    return _holder(path, "POSIX", at)


def listener(port: int) -> Holder | None:
    """Who listens on this TCP port; null also where it is somebody whose files we may not see."""
    wanted = {f"socket:[{inode}]" for inode in _listening(port)}
    for pid, target in _open_files():
        if target in wanted:
            return _process(pid)
    return None


def started_at(pid: int) -> dt.datetime | None:
    """When a process began, UTC; null where it is gone or cannot be seen."""
    try:
        fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
        up_s = float((_PROC / "uptime").read_text().split()[0])
    except (OSError, ValueError):
        return None
    from jobs.clock import utc_now

    return utc_now() - dt.timedelta(seconds=up_s - int(fields[19]) / os.sysconf("SC_CLK_TCK"))


def _holder(path: Path, kind: str, at: int) -> Holder | None:
    try:
        found = path.stat()
    except OSError:
        return None
    file = f"{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}:{found.st_ino}"
    for lock in _locks():
        if lock.kind == kind and lock.writes and lock.first <= at <= lock.last and _same(lock, file, path):
            return _process(lock.pid)
    return None


def _same(lock: _Lock, file: str, path: Path) -> bool:
    """Layered file systems give the lock another device than the file: then the holder has the path open."""
    if lock.file == file:
        return True
    same_number = lock.file.rpartition(":")[2] == file.rpartition(":")[2]
    return same_number and str(path.resolve()) in {target for _, target in _open_files(lock.pid)}


def _locks() -> Iterator[_Lock]:
    try:
        text = _LOCKS.read_text()
    except OSError:
        return
    for line in text.splitlines():
        words = line.split()
        if "->" not in words:  # who only waits
            _, kind, _, way, pid, file, first, last = words
            yield _Lock(kind, way == "WRITE", int(pid), file, int(first), float("inf") if last == "EOF" else int(last))


def _listening(port: int) -> set[str]:
    """Inodes of the sockets that listen there."""
    found = set()
    for table in ("tcp", "tcp6"):
        try:
            lines = (_PROC / "net" / table).read_text().splitlines()[1:]
        except OSError:
            continue
        for words in map(str.split, lines):
            if words[3] == _LISTENING and int(words[1].rpartition(":")[2], 16) == port:
                found.add(words[9])
    return found


def _open_files(pid: int | None = None) -> Iterator[tuple[int, str]]:
    for folder in _PROC.glob(f"{pid or '[0-9]*'}/fd"):
        try:
            for file in folder.iterdir():
                yield int(folder.parent.name), str(file.readlink())
        except OSError:  # not ours to see, or gone meanwhile
            continue


def _process(pid: int) -> Holder:
    try:
        name = (_PROC / str(pid) / "comm").read_text().strip()
    except OSError:
        name = "not ours to see"
    return Holder(pid, name)
