"""A backup: what cannot be made again, in one archive.

The store is copied by SQLite's own online backup, as it stood at one moment, while the service goes on. With it go
the model trained here, the ledger of trials, and the settings as they were. Not kept: logs, what Redis holds (it is
sent anew from the store), and secrets, unless they are asked for.
"""

import datetime as dt
import hashlib
import io
import os
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec

from jobs.kept import FORMAT, MANIFEST, SETTINGS, STORE, Entry, Manifest, checked, opened, store_file
from jobs.settings import Settings
from signals import __version__
from signals.delivery.acl import USERS
from signals.errors import ConfigError, StoreError

_KEPT = ("model", "trials.jsonl")
_SECRET = ("token", "token.sha256", *(user.file for user in USERS))


def back_up(settings: Settings, to: Path, now: dt.datetime, *, with_secrets: bool = False) -> Manifest:
    """Write a backup, in place at once and readable by its owner alone.

    Raises
    ------
    ConfigError : there is nothing to keep, or the store is kept by other means.
    StoreError : the store cannot be read, or is broken.
    OSError : the file cannot be written.
    """
    source = store_file(settings, "backed up", "pg_dump --format=custom --file=signals.dump ")
    if not source.is_file():
        raise ConfigError(str(source), "there is no store here", "set SIGNALS_HOME to the home of the service")
    if not to.absolute().parent.is_dir():
        raise ConfigError(str(to), "its folder does not exist", "make it, or name another file")
    draft = to.with_name(f".{to.name}.draft")
    try:
        with tempfile.TemporaryDirectory(dir=to.absolute().parent) as aside:
            copy = Path(aside) / STORE
            revision = _copy(source, copy)
            found = {STORE: copy} | dict(_others(settings, with_secrets=with_secrets))
            files = {name: _entry(path) for name, path in found.items()}
            made = Manifest(FORMAT, now, __version__, revision, with_secrets, files)
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                _write(file, made, found)
                file.flush()
                os.fsync(file.fileno())
        draft.replace(to)
    finally:
        draft.unlink(missing_ok=True)
    return made


def _copy(source: Path, to: Path) -> str:
    """Copy a store as it stands at one moment; its revision. In WAL a reader holds up no writer."""
    try:
        with opened(f"{source.absolute().as_uri()}?mode=ro") as old, opened(to.absolute().as_uri()) as new:
            old.backup(new)  # in one go: by pages it would begin anew with each write of another process
            new.execute("PRAGMA journal_mode=DELETE")
            _let_go(new)
            return checked(new)
    except sqlite3.Error as error:
        raise StoreError(str(source), str(error), "`signals doctor` says more") from error


def _let_go(copy: sqlite3.Connection) -> None:
    """Nobody leads a copy: whoever restores it must not wait for a service of another home, nor miss it."""
    if copy.execute("SELECT 1 FROM sqlite_master WHERE name = 'leases'").fetchone():  # an older store has none
        copy.execute("UPDATE leases SET holder = NULL")
        copy.execute("DELETE FROM members")
        copy.commit()


def _others(settings: Settings, *, with_secrets: bool) -> Iterator[tuple[str, Path]]:
    """What else is kept, by its path in the archive."""
    for name in (*_KEPT, *(_SECRET if with_secrets else ())):
        top = settings.home / name
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            if path.is_file():
                yield str(path.relative_to(settings.home)), path
    for path in sorted(settings.path.parent.glob("*.toml")):
        yield f"{SETTINGS}/{path.name}", path


def _entry(path: Path) -> Entry:
    with path.open("rb") as file:
        return Entry(path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest())


def _write(file: io.BufferedWriter, made: Manifest, found: dict[str, Path]) -> None:
    with tarfile.open(fileobj=file, mode="w:gz", compresslevel=6) as archive:
        told = msgspec.json.format(msgspec.json.encode(made))
        head = tarfile.TarInfo(MANIFEST)
        head.size, head.mode, head.mtime = len(told), 0o600, int(made.made_at.timestamp())
        archive.addfile(head, io.BytesIO(told))
        for name, path in found.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode, entry.mtime = made.files[name].bytes, 0o600, head.mtime
            with path.open("rb") as content:
                archive.addfile(entry, content)
