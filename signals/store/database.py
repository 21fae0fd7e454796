"""Opening the database: engine, migrations, transactions, and its errors in our words."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from signals.errors import ConfigError, StoreError

HEAD = "0010"
"""Revision that this code needs; a test holds it equal to the newest migration."""
BUSY_S = 30
"""How long a SQLite writer waits for another before it gives up."""

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
            engine = sa.create_engine(url, **_options(url))
        except (ArgumentError, NoSuchModuleError, ImportError) as error:
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
        store = cls(engine)
        try:
            store._migrate()
        except Exception:
            store.close()
            raise
        return store

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A transaction that only reads: it never waits for a writer."""
        with _own_errors(self.name), self.engine.connect() as raw:
            conn = raw.execution_options(reads=True)
            with conn.begin():
                yield conn

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A transaction: all of it or nothing."""
        with _own_errors(self.name), self.engine.begin() as conn:
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
            with self.write() as conn:  # who comes second waits here, then finds nothing left to do
                config.attributes["connection"] = conn
                command.upgrade(config, "head")
        except CommandError as error:
            raise StoreError(
                self.name, f"cannot be brought up to date: {error}", "was it made by a newer version of this code?"
            ) from error


def impatient(url: str, wait_s: float) -> str:
    """The same address (SQLAlchemy's form) for who gives up after so many seconds."""
    made = sa.make_url(url)
    if made.get_backend_name() == "sqlite":
        shorter = min(wait_s, _busy_ms(made) / 1000)
        return made.update_query_dict({"timeout": str(shorter)}).render_as_string(hide_password=False)
    limits = {"connect_timeout": str(max(2, round(wait_s)))} if "connect_timeout" not in made.query else {}
    return made.update_query_dict(limits).render_as_string(hide_password=False)


def _options(url: str) -> dict[str, Any]:
    if url.startswith("sqlite"):
        return {"connect_args": {"timeout": BUSY_S, "check_same_thread": False}}
    return {"pool_pre_ping": True}


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


@contextmanager
def _own_errors(name: str) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        problem = str(error.orig).strip() or type(error.orig).__name__
        raise StoreError(name, problem.splitlines()[0], _mend(problem)) from error


def _mend(problem: str) -> str:
    table = {
        "locked": "another process holds it: end that one, or wait",
        "full": "free disk space under SIGNALS_HOME",
        "readonly": "may this user write to it and its folder?",
        "unable to open": "does its folder exist, and may this user write there?",
        "not a database": "move the file away: it is not one of ours",
        "malformed": "restore it from a backup, or move it away to begin anew",
        "connection": "is the server up, and the URL right?",
    }
    return next((mend for word, mend in table.items() if word in problem.lower()), "")
