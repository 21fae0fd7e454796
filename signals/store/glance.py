"""Looking at a database without changing anything: no migration, no lock, no file made, for whoever only wants to see.

A SQLite file that nobody has open is read as one that cannot change, or even reading would leave files beside it;
one that is in use, or was left by a killed process, is read through the files that are there.
"""

import sqlite3
import time
from pathlib import Path
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.pool import NullPool

from signals.errors import ConfigError, StoreError
from signals.store import server
from signals.store.database import HEAD, Store, address, impatient

_WAIT_S = 2
"""How long a glance waits for a lock or a server."""


class Nature(NamedTuple):
    """What kind of database it is."""

    program: str
    """`SQLite 3.45.1`, `PostgreSQL 15.3`."""
    revision: str | None
    """Of its tables; null where it has none of ours."""

    @property
    def current(self) -> bool:
        """Whether this code can read its tables."""
        return self.revision == HEAD


def file_of(url: str) -> Path | None:
    """The file of a SQLite database; null for other databases, and for one in memory."""
    made = _url(url)
    name = made.database
    return Path(name) if made.get_backend_name() == "sqlite" and name and name != ":memory:" else None


def glance(url: str) -> Store:
    """A store that can only be read. Close it at the end.

    Raises
    ------
    ConfigError : the URL cannot be used.
    StoreError : there is no such file.
    """
    path = file_of(url)
    try:
        if path is not None:
            return Store(_reader(path))
        quick = impatient(url, _WAIT_S)
        engine = sa.create_engine(quick, poolclass=NullPool, connect_args=server.session(address(quick)))
    except (NoSuchModuleError, ImportError) as error:
        raise ConfigError("SIGNALS_DATABASE_URL", f"cannot be used: {error}", "install the extra [postgres]") from error
    return Store(engine)


def nature(store: Store) -> Nature:
    """What is there. Raises StoreError where it cannot be read."""
    with store.read() as conn:
        sqlite = conn.dialect.name == "sqlite"
        version = conn.execute(sa.text("SELECT sqlite_version()" if sqlite else "SHOW server_version")).scalar_one()
        known = sa.inspect(conn).has_table("alembic_version")
        revision = conn.execute(sa.text("SELECT version_num FROM alembic_version")).scalar() if known else None
    name = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}.get(store.engine.dialect.name, store.engine.dialect.name)
    return Nature(f"{name} {version}", revision)


def damage(path: Path, within_s: float) -> str | None:
    """What is broken in a SQLite file, its first fault; null where nothing is.

    Raises
    ------
    StoreError : it could not be looked through in that time, or cannot be read at all.
    """
    end = time.monotonic() + within_s
    try:
        conn = _connect(path)
        try:
            conn.set_progress_handler(lambda: time.monotonic() > end, 10_000)
            (said,) = conn.execute("PRAGMA quick_check(1)").fetchone()
        finally:
            conn.close()
    except sqlite3.OperationalError as error:
        slow = error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT
        problem = f"not looked through within {within_s:g} s" if slow else str(error)
        raise StoreError(str(path), problem) from error
    except sqlite3.DatabaseError as error:
        return str(error)
    return None if said == "ok" else str(said)


def _url(url: str) -> sa.URL:
    try:
        return address(url)
    except (ArgumentError, ValueError):  # without its text: a piece of a password may stand in it
        mend = "sqlite:///FILE or postgresql+psycopg://…; in a password write %40 for @, %3A for :, %2F for /"
        raise ConfigError("SIGNALS_DATABASE_URL", "is no address of a database", mend) from None


def _reader(path: Path) -> sa.Engine:
    return sa.create_engine("sqlite://", creator=lambda: _connect(path), poolclass=NullPool)


def _connect(path: Path) -> sqlite3.Connection:
    beside = (path.with_name(f"{path.name}-{kind}") for kind in ("wal", "journal"))
    in_use = any(one.exists() and one.stat().st_size > 0 for one in beside)
    way = "mode=ro&readonly_shm=1" if in_use else "immutable=1"
    return sqlite3.connect(f"{path.absolute().as_uri()}?{way}", uri=True, timeout=_WAIT_S, check_same_thread=False)
