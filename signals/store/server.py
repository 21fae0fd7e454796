"""What every session on a database server is opened with: a name, a zone, and limits, so that nobody waits for ever."""

import os
import socket
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from signals.errors import StoreError

LOCK_S = 30
"""How long a session waits for what another holds, as long as on SQLite (`database.BUSY_S`)."""
IDLE_S = 300
"""A session that says nothing for so long within a transaction has stood still: the server ends it, and its locks."""
SERVICE_IDLE_S = 60
"""The same of a service's session."""
OLDEST = (14,)
"""Of PostgreSQL: before it, `extract` gave times as floating-point numbers."""
_LINE = {
    "connect_timeout": "10",
    # A line that has gone dead is noticed within half a minute, by whoever reads and whoever writes.
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",
}
"""Of libpq, in seconds; the last one in milliseconds."""
_SESSION = {
    "timezone": "UTC",
    "datestyle": "ISO",
    "lock_timeout": f"{LOCK_S}s",
    "idle_in_transaction_session_timeout": f"{IDLE_S}s",
}
_NAME_BYTES = 63


def session_name() -> str:
    """What this process' sessions are called on the server: `signals HOST PID`."""
    host, end = socket.gethostname().encode("ascii", "replace").decode(), f" {os.getpid()}"
    return f"signals {host}"[: _NAME_BYTES - len(end)] + end


def session_of(instance: str) -> str:
    """What the sessions of a service are called; the server cuts names of more than 63 bytes."""
    return f"signals {instance}"[:63]


def named(url: str, session: str) -> str:
    """The same address (SQLAlchemy's form) for sessions of this name, which do not outlive their service for long.

    A service is stricter with itself than a command: another waits to take over from it.
    """
    made = sa.make_url(url)
    if made.get_backend_name() != "postgresql":
        return url
    wanted = {
        "connect_timeout": "5",
        "tcp_user_timeout": "5000",
        "options": f"-c idle_in_transaction_session_timeout={SERVICE_IDLE_S}s",
    }
    missing = {name: value for name, value in wanted.items() if name not in made.query}
    return made.update_query_dict(missing | {"application_name": session}).render_as_string(hide_password=False)


def session(url: sa.URL) -> dict[str, str]:
    """What libpq is to be told besides the URL; what stands in the URL is not touched, and goes first."""
    ours = _LINE | {"application_name": session_name()}
    named = {name: value for name, value in ours.items() if name not in url.query}
    return named | {"options": _options(url, _SESSION)}


def impatient(url: sa.URL, wait_s: float) -> sa.URL:
    """The same address for who gives up after so many seconds (at least two), whoever holds a lock."""
    options = _options(url, {"lock_timeout": f"{max(1, round(wait_s * 1000))}ms"})
    waits = {} if "connect_timeout" in url.query else {"connect_timeout": str(max(2, round(wait_s)))}
    return url.update_query_dict(waits | {"options": options})


def _options(url: sa.URL, ours: Mapping[str, str]) -> str:
    """Settings of a session, with those that the URL has after them: the later ones count."""
    own = url.query.get("options", ())
    return " ".join(
        [*(f"-c {name}={value}" for name, value in ours.items()), *([own] if isinstance(own, str) else own)]
    )


def as_found(connection: Any, _record: object) -> None:
    """Let a session's next transaction be what the server wishes: one that reads has left "read write" behind."""
    if connection is not None and not connection.closed:
        connection.read_only = None


def alone(conn: sa.Connection, key: int) -> None:
    """Wait until nobody else holds this key, and hold it until the transaction ends; SQLite's writers are alone anyway.

    What is read afterwards is what the one before left: a statement sees all that was committed before it.
    """
    if conn.dialect.name == "postgresql":
        conn.execute(sa.text("SELECT pg_advisory_xact_lock(:room, :key)"), {"room": _ROOM, "key": key})


_ROOM = 0x51617
"""Ours among the advisory locks of a database that we may share with others."""
TABLES, FACTS = 1, 2
"""Keys: bringing the tables up to date; putting facts in, which are never stamped before one that is there."""


def usable(conn: sa.Connection, name: str) -> None:
    """See that tables can be made here. Raises StoreError for a server that is too old, or keeps no Japanese."""
    if conn.dialect.name != "postgresql":
        return
    version = conn.dialect.server_version_info or OLDEST
    if version < OLDEST:
        problem = f"is PostgreSQL {'.'.join(map(str, version))}, and {OLDEST[0]} is the oldest that serves"
        raise StoreError(name, problem, "take a newer server")
    encoding = conn.exec_driver_sql("SHOW server_encoding").scalar_one()
    if encoding != "UTF8":
        mend = "make the database anew: CREATE DATABASE … TEMPLATE template0 ENCODING 'UTF8'"
        raise StoreError(name, f"keeps texts as {encoding}, which has no Japanese", mend)
