"""The home: whether it can be written, how much room it has, and whether its secrets are its owner's alone."""

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from jobs.checks.line import Line, fail, ok, size, warn
from jobs.checks.seen import Seen

LEAST_BYTES = 16_000_000
"""With less a day's work may not fit: the log of Redis and the store's own log grow before they are thinned."""
LITTLE_BYTES = 500_000_000
_SECRETS = ("redis-password*", "token*")


def home(seen: Seen) -> list[Line]:
    """Whether the service can work in it."""
    folder = seen.settings.home
    if not folder.exists():
        nearest = next(parent for parent in folder.parents if parent.exists())
        if not os.access(nearest, os.W_OK | os.X_OK):
            return [
                fail("home", f"{folder} cannot be made: {nearest} is not ours to write", "set SIGNALS_HOME elsewhere")
            ]
        return [ok("home", f"{folder} is not there yet: the first command makes it"), room(nearest)]
    if not folder.is_dir():
        return [fail("home", f"{folder} is no folder", "move it away, or set SIGNALS_HOME elsewhere")]
    shut = [path for path in _ours(folder) if not _writable(path)]
    if shut:
        mend = "give this user the right to write there, or set SIGNALS_HOME elsewhere"
        return [fail("home", f"{shut[0]} cannot be written", mend), room(folder)]
    return [ok("home", str(folder)), room(folder)]


def secrets(seen: Seen) -> list[Line]:
    """Files that only their owner may read."""
    found = [path for name in _SECRETS for path in sorted(seen.settings.home.glob(name)) if path.is_file()]
    lines = [
        fail(f"secrets:{path.name}", f"others may read {path} (mode {_mode(path):04o})", f"chmod 600 {path}")
        for path in found
        if _mode(path) & 0o077
    ]
    return lines or [ok("secrets", f"{len(found)} files of secrets, readable by their owner alone")]


def room(folder: Path) -> Line:
    """Free bytes on the disk of this folder."""
    usage = shutil.disk_usage(folder)
    text = f"{size(usage.free)} of {size(usage.total)} free for {folder}"
    if usage.free < LEAST_BYTES:
        return fail("disk", text, "free space there, or move SIGNALS_HOME: store and Redis cannot write on a full disk")
    if usage.free < LITTLE_BYTES:
        return warn("disk", text, "free space there before it is full")
    return ok("disk", text)


def _ours(folder: Path) -> Iterator[Path]:
    yield folder
    for name in ("redis", "logs", "model", "signals.db", "serve.lock", "endpoints.json"):
        if (path := folder / name).exists():
            yield path


def _writable(path: Path) -> bool:
    return os.access(path, os.W_OK) and not os.statvfs(path).f_flag & os.ST_RDONLY


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)
