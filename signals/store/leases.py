"""Who leads among the services of one store: a lease that changes hands, and the services there are.

Every writing transaction of a leader looks at its lease first and keeps that look until its end (`hold`), and who takes
over waits for all such (`take`). So whatever a former leader has written was there before the next one began, and
nothing of it comes after.
"""

import datetime as dt
from typing import NamedTuple

import sqlalchemy as sa

from signals.errors import StoreError
from signals.store import schema
from signals.store.insert import insert_new

_L, _M = schema.leases, schema.members


class Fenced(StoreError):
    """Another service leads by now: nothing of this transaction is kept."""


class Lease(NamedTuple):
    """A lease as it stands."""

    holder: str | None
    token: int
    beats: int


class Member(NamedTuple):
    """A service of this store; fields as in the table."""

    instance: str
    host: str
    home: str
    console: str | None
    leads: bool
    broker_ok: bool
    beats: int
    rings: int
    seen_at: dt.datetime


def read(conn: sa.Connection, name: str) -> Lease:
    """The lease; one that nobody ever had has the token 0."""
    row = conn.execute(sa.select(_L).where(_L.c.name == name)).one_or_none()
    return Lease(None, 0, 0) if row is None else Lease(row.holder, row.token, row.beats)


def take(conn: sa.Connection, name: str, instance: str, *, silent: Lease | None = None, above: int = 0) -> int | None:
    """Take the lease where nobody has it, or we had it already, or it is still as it was when it fell silent.

    Waits for every transaction that holds it.

    Parameters
    ----------
    silent : as it has been for too long; null: it is taken from nobody.
    above : a token that must be exceeded.

    Returns
    -------
    int : the token of who leads now: us; null where another does.
    """
    insert_new(conn, _L, [{"name": name, "holder": None, "token": 0, "beats": 0}])
    row = conn.execute(sa.select(_L).where(_L.c.name == name).with_for_update()).one()
    if row.holder not in (None, instance) and (silent is None or Lease(row.holder, row.token, row.beats) != silent):
        return None
    token = int(max(row.token, above)) + 1
    conn.execute(sa.update(_L).where(_L.c.name == name).values(holder=instance, token=token, beats=_L.c.beats + 1))
    return token


def beat(conn: sa.Connection, name: str, token: int) -> bool:
    """Say that the leader lives; whether it still leads."""
    ours = sa.update(_L).where(_L.c.name == name, _L.c.token == token, _L.c.holder.is_not(None))
    return bool(conn.execute(ours.values(beats=_L.c.beats + 1)).rowcount)


def give_up(conn: sa.Connection, name: str, token: int) -> bool:
    """Leave it to whoever wants it; whether it was ours."""
    ours = sa.update(_L).where(_L.c.name == name, _L.c.token == token)
    return bool(conn.execute(ours.values(holder=None)).rowcount)


def hold(conn: sa.Connection, name: str, token: int) -> None:
    """Make sure that this token leads, until the transaction ends.

    The lock is one that beats do not wait for, but `take` does.

    Raises
    ------
    Fenced : another leads.
    """
    query = sa.select(_L.c.token).where(_L.c.name == name).with_for_update(read=True, key_share=True)
    now = conn.execute(query).scalar()
    if now != token:
        raise Fenced(f"lease {name}", f"token {token} leads no more, {now} does", "")


def say(conn: sa.Connection, one: Member) -> None:
    """Keep how a service stands; how often it rang is left as it is."""
    values = one._asdict()
    rings = values.pop("rings")
    if not conn.execute(sa.update(_M).where(_M.c.instance == one.instance).values(values)).rowcount:
        insert_new(conn, _M, [values | {"rings": rings}])


def ring(conn: sa.Connection, instance: str) -> None:
    """Let the leader know that news was stored."""
    conn.execute(sa.update(_M).where(_M.c.instance == instance).values(rings=_M.c.rings + 1))


def members(conn: sa.Connection) -> list[Member]:
    """The services there are, by name; those that were killed stand here still."""
    return [Member(*row) for row in conn.execute(sa.select(_M).order_by(_M.c.instance))]


def leave(conn: sa.Connection, instance: str) -> None:
    """Forget a service."""
    conn.execute(sa.delete(_M).where(_M.c.instance == instance))


def forget(conn: sa.Connection, before: dt.datetime) -> int:
    """Forget the services not seen since; returns how many."""
    return conn.execute(sa.delete(_M).where(_M.c.seen_at < before)).rowcount


def impatiently(conn: sa.Connection, wait_s: float) -> None:
    """Let no statement of this transaction take longer, where the database can do that."""
    if conn.dialect.name == "postgresql":
        conn.exec_driver_sql(f"SET LOCAL statement_timeout = {int(wait_s * 1000)}")


def end_sessions(conn: sa.Connection, session: str) -> int:
    """End the sessions of this name, which hold what we wait for; returns how many there were.

    One that stands still in the midst of a transaction, or whose line is cut, would hold it for good. SQLite has no
    sessions: there the end of a process lets go of what it held.
    """
    if conn.dialect.name != "postgresql":
        return 0
    end = sa.text(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
        " WHERE application_name = :session AND datname = current_database() AND pid <> pg_backend_pid()"
    )
    return int(conn.execute(end, {"session": session}).scalar_one())
