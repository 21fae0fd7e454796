"""Alerts: of each key one stands at a time, from when it was first seen until it is closed."""

import datetime as dt
from typing import Any

import msgspec
import sqlalchemy as sa

from signals.model import Record
from signals.store import schema
from signals.store.insert import insert_new
from signals.store.ordering import plain

_A = schema.alerts


class Alert(Record, frozen=True, kw_only=True):
    """Something that is wrong, or was. Times UTC."""

    alert_id: str
    key: str
    """What it is about, as `source:boj`."""
    severity: str
    first_seen_at: dt.datetime
    opened_at: dt.datetime | None = None
    """When it was told; null while it has not held long enough."""
    last_seen_at: dt.datetime
    clear_since: dt.datetime | None = None
    """Since when it is well again; null while it is not."""
    repeated_at: dt.datetime | None = None
    closed_at: dt.datetime | None = None
    text: str
    mend: str


def hold(conn: sa.Connection) -> None:
    """Keep all other judges out until the transaction ends. SQLite does so by itself for whoever writes."""
    if conn.dialect.name == "postgresql":
        conn.exec_driver_sql("SET LOCAL lock_timeout = '2s'")
        conn.exec_driver_sql("LOCK TABLE alerts IN SHARE ROW EXCLUSIVE MODE")


def standing(conn: sa.Connection) -> list[Alert]:
    """All that are not closed, those among them that are not told yet."""
    return [
        _alert(row) for row in conn.execute(sa.select(_A).where(_A.c.closed_at.is_(None)).order_by(plain(_A.c.key)))
    ]


def save(conn: sa.Connection, alert: Alert) -> bool:
    """Keep an alert as it is now; whether that was possible: not where another of its key stands."""
    values = msgspec.structs.asdict(alert)
    if conn.execute(sa.update(_A).where(_A.c.alert_id == alert.alert_id).values(values)).rowcount:
        return True
    return bool(insert_new(conn, _A, [values]))


def drop(conn: sa.Connection, alert_id: str) -> None:
    """Forget one that was never told; one that was, by whomever, stays."""
    conn.execute(sa.delete(_A).where(_A.c.alert_id == alert_id, _A.c.opened_at.is_(None)))


def told(conn: sa.Connection, *, limit: int, closed: bool = True, since: dt.datetime | None = None) -> list[Alert]:
    """Those that were told, the newest first; without `closed` only those that are open.

    since : UTC; only those open then or later.
    """
    query = sa.select(_A).where(_A.c.opened_at.is_not(None))
    if not closed:
        query = query.where(_A.c.closed_at.is_(None))
    if since is not None:
        query = query.where(_A.c.closed_at.is_(None) | (_A.c.closed_at >= since))
    return [_alert(row) for row in conn.execute(query.order_by(_A.c.opened_at.desc(), plain(_A.c.key)).limit(limit))]


def thin(conn: sa.Connection, before: dt.datetime) -> int:
    """Drop alerts that were closed before a UTC time; returns how many."""
    return conn.execute(sa.delete(_A).where(_A.c.closed_at < before)).rowcount


def _alert(row: sa.Row[Any]) -> Alert:
    return Alert(**row._mapping)
