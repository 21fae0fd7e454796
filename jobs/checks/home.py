"""The home: whether it can be written, how much room it has, and whether its secrets are its owner's alone."""

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from jobs.checks.line import Line, fail, ok, size, warn
from jobs.checks.seen import Seen
from jobs.mends import mend_of

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
        return [ok("home", f"{folder} is not there yet: the first command makes it"), room(nearest, seen)]
    if not folder.is_dir():
        return [fail("home", f"{folder} is no folder", "move it away, or set SIGNALS_HOME elsewhere")]
    shut = [path for path in _ours(folder) if not _writable(path)]
    if shut:
        mend = "give this user the right to write there, or set SIGNALS_HOME elsewhere"
        return [fail("home", f"{shut[0]} cannot be written", mend), room(folder, seen)]
    return [ok("home", str(folder)), room(folder, seen)]


def secrets(seen: Seen) -> list[Line]:
    """Files that only their owner may read."""
    found = [path for name in _SECRETS for path in sorted(seen.settings.home.glob(name)) if path.is_file()]
    lines = [
        fail(f"secrets:{path.name}", f"others may read {path} (mode {_mode(path):04o})", f"chmod 600 {path}")
        for path in found
        if _mode(path) & 0o077
    ]
    return lines or [ok("secrets", f"{len(found)} files of secrets, readable by their owner alone")]


def room(folder: Path, seen: Seen) -> Line:
    """Free bytes on the disk of this folder, against what `freshness.service` wants."""
    least = seen.settings.freshness.service.disk_free_mb * 1_000_000
    usage = shutil.disk_usage(folder)
    text = f"{size(usage.free)} of {size(usage.total)} free for {folder}"
    if usage.free >= least:
        return ok("disk", text)
    judge = fail if usage.free < least / 10 else warn  # as the alert: see `rules_service.disk`
    return judge("disk", text, f"{mend_of('', 'disk')}: store and Redis cannot write on a full disk")


def _ours(folder: Path) -> Iterator[Path]:
    yield folder
    for name in ("redis", "logs", "model", "signals.db", "serve.lock", "endpoints.json"):
        if (path := folder / name).exists():
            yield path


def _writable(path: Path) -> bool:
    return os.access(path, os.W_OK) and not os.statvfs(path).f_flag & os.ST_RDONLY


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)
