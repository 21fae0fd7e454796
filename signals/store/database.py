"""Opening the database: engine, migrations, transactions, and its errors in our words."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from signals.errors import ConfigError, StoreError
from signals.store import server
from signals.store.faults import own_errors

HEAD = "0010"
"""Revision that this code needs; a test holds it equal to the newest migration."""
BUSY_S = 30
"""How long a SQLite writer waits for another before it gives up."""

_SECRET = ("password", "sslpassword", "options")
_MIGRATIONS = Path(__file__).parent / "migrations"


class Store:
    """A migrated database.

    Raises
    ------
    ConfigError : the URL cannot be used.
    StoreError : the database is unreachable, locked, full or broken (transient: the runner tries again).
    """

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        self.fence: Callable[[sa.Connection], object] | None = None
        """Called first in each writing transaction of who leads: raises `leases.Fenced` once another does."""
        self.name = engine.url.set(query={}).render_as_string(hide_password=True)  # a query can hold a password too

    @classmethod
    def open(cls, url: str) -> "Store":
        """Connect to `url` (SQLAlchemy's form) and bring its tables up to date."""
        try:
            made = address(url)
            engine = sa.create_engine(made, **_options(made))
        except ImportError as error:
            mend = "install its driver: pip install 'psycopg[binary]'"
            raise ConfigError("SIGNALS_DATABASE_URL", f"cannot be used: {error}", mend) from error
        except ArgumentError as error:
            raise ConfigError(
                "SIGNALS_DATABASE_URL", f"cannot be used: {error}", "sqlite:///FILE or postgresql+psycopg://…"
            ) from error
        except ValueError:  # without its text: an unquoted "@" or ":" makes a piece of the password the port
            raise ConfigError(
                "SIGNALS_DATABASE_URL",
                "its port or timeout is not a number",
                "in the password write %40 for @, %3A for :, %2F for /",
            ) from None
        if engine.dialect.name == "sqlite":
            _tune_sqlite(engine)
        else:
            event.listen(engine, "checkin", server.as_found)
        store = cls(engine)
        try:
            store._migrate()
        except Exception:
            store.close()
            raise
        return store

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A transaction that only reads, and sees one moment: it never waits for a writer."""
        with own_errors(self.name), self.engine.connect() as raw:
            conn = raw.execution_options(reads=True)
            if conn.dialect.name == "postgresql":
                conn = conn.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            with conn.begin():
                yield conn

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A transaction: all of it or nothing."""
        with own_errors(self.name), self.engine.begin() as conn:
            if self.fence is not None:
                self.fence(conn)
            yield conn

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()

    def _revision(self) -> str | None:
        with self.read() as conn:
            if not sa.inspect(conn).has_table("alembic_version"):
                return None
            return conn.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()

    def _migrate(self) -> None:
        if self._revision() == HEAD:
            return  # without loading alembic: a command should start quickly
        from alembic import command
        from alembic.config import Config
        from alembic.util.exc import CommandError

        config = Config()
        config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
        try:
            with self.write() as conn:
                server.alone(conn, server.TABLES)  # who comes second waits here, then finds nothing left to do
                server.usable(conn, self.name)
                config.attributes["connection"] = conn
                command.upgrade(config, "head")
        except CommandError as error:
            raise StoreError(
                self.name, f"cannot be brought up to date: {error}", "was it made by a newer version of this code?"
            ) from error


def impatient(url: str, wait_s: float) -> str:
    """The same address (SQLAlchemy's form) for who gives up after so many seconds."""
    made = address(url)
    if made.get_backend_name() == "sqlite":
        shorter = min(wait_s, _busy_ms(made) / 1000)
        return made.update_query_dict({"timeout": str(shorter)}).render_as_string(hide_password=False)
    return server.impatient(made, wait_s).render_as_string(hide_password=False)


def address(url: str) -> sa.URL:
    """The address in SQLAlchemy's parts; PostgreSQL's own form (`postgresql://…`) means our driver for it.

    Raises
    ------
    sqlalchemy.exc.ArgumentError, ValueError : it is none. NoSuchModuleError : of a database that we do not know.
    """
    made = sa.make_url(url)
    if made.drivername in ("postgres", "postgresql"):
        return made.set(drivername="postgresql+psycopg")
    if made.get_backend_name() not in ("sqlite", "postgresql"):
        raise NoSuchModuleError(f"{made.get_backend_name()} is neither SQLite nor PostgreSQL")
    return made


def shown(url: sa.URL) -> str:
    """The address without what is secret in it: to be printed, and to be typed again once the password stands in it."""
    return url.set(query={k: v for k, v in url.query.items() if k not in _SECRET}).render_as_string()


def _options(url: sa.URL) -> dict[str, Any]:
    if url.get_backend_name() == "sqlite":
        return {"connect_args": {"timeout": BUSY_S, "check_same_thread": False}}
    return {"pool_pre_ping": True, "connect_args": server.session(url)}


def _tune_sqlite(engine: sa.Engine) -> None:
    busy_ms = _busy_ms(engine.url)

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, below
        try:
            for pragma in (f"busy_timeout={busy_ms}", "synchronous=FULL", "foreign_keys=ON"):
                connection.execute(f"PRAGMA {pragma}")
            if connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
                _begin_wal(connection)
        except Exception:
            connection.close()  # the pool forgets a connection that was never ready
            raise

    @event.listens_for(engine, "begin")
    def on_begin(conn: sa.Connection) -> None:
        # A writer takes its lock at once: turning a reader into a writer halfway can deadlock.
        conn.exec_driver_sql("BEGIN" if conn.get_execution_options().get("reads") else "BEGIN IMMEDIATE")


def _busy_ms(url: sa.URL) -> int:
    """`BUSY_S`, or what `?timeout=SECONDS` in the URL says."""
    return int(float(str(url.query.get("timeout", BUSY_S))) * 1000)


def _begin_wal(connection: sqlite3.Connection) -> None:
    """Switch a fresh file to WAL, for good.

    SQLite does not wait here: while another process makes the same switch, it refuses at once.
    """
    import stamina  # here, because only the first start needs it

    for attempt in stamina.retry_context(
        on=_is_busy, attempts=None, timeout=BUSY_S, wait_initial=0.01, wait_max=0.2, wait_jitter=0.01
    ):
        with attempt:
            connection.execute("PRAGMA journal_mode=WAL")


def _is_busy(error: Exception) -> bool:
    return isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
