"""What a backup is: one archive, and in it a list of its files with the sum of each."""

import contextlib
import datetime as dt
import shlex
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from jobs.settings import Settings
from signals.errors import ConfigError
from signals.store.database import address, shown

FORMAT: Final = 1
MANIFEST = "manifest.json"
STORE = "signals.db"
SETTINGS = "settings"
"""Folder of the archive, and of a restored home, in which the settings lie as they were."""
CHUNK = 1 << 20
"""Bytes held at once."""


class Entry(msgspec.Struct, frozen=True):
    """One file of a backup."""

    bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """What a backup holds."""

    format: int
    made_at: dt.datetime
    """UTC; what the store learned later is not in it."""
    version: str
    """Of the code that made it."""
    revision: str
    """Of the store's tables."""
    with_secrets: bool
    files: dict[str, Entry]
    """By path in the archive, which is that in the home."""


def store_file(settings: Settings, done: str, command: str) -> Path:
    """The file of the store. Raises ConfigError where it is none."""
    url = address(settings.database_url)
    if url.get_backend_name() != "sqlite" or not url.database:
        there = shlex.quote(shown(url._replace(drivername="postgresql", password=None)))
        mend = f"PGPASSWORD=… {command}{there}; config/deploy/README.md has the rest"
        raise ConfigError("SIGNALS_DATABASE_URL", f"a server's database is {done} by its own tools", mend)
    return Path(url.database)


def checked(store: sqlite3.Connection) -> str:
    """Its revision, once SQLite has found it whole."""
    found = store.execute("PRAGMA quick_check").fetchone()
    if found != ("ok",):
        raise sqlite3.DatabaseError(f"is broken: {found[0]}")
    return str(store.execute("SELECT version_num FROM alembic_version").fetchone()[0])


@contextlib.contextmanager
def opened(uri: str) -> Iterator[sqlite3.Connection]:
    """A connection of SQLite's own, closed at the end."""
    with contextlib.closing(sqlite3.connect(uri, uri=True, timeout=30)) as made:
        yield made
