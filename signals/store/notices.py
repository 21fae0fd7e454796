"""What is to be sent of alerts, by each way: kept until it is sent, and claimed by whoever sends it."""

import datetime as dt
from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

import sqlalchemy as sa

from signals.store import schema
from signals.store.insert import insert_new
from signals.store.ordering import plain

_N = schema.notices


class Notice(NamedTuple):
    """One message by one way. Times UTC."""

    notice_id: str
    way: str
    made_at: dt.datetime
    body: bytes
    next_try_at: dt.datetime
    tries: int = 0
    sent_at: dt.datetime | None = None
    error: str | None = None


class Waiting(NamedTuple):
    """What waits of one way."""

    way: str
    number: int
    oldest_at: dt.datetime
    error: str | None
    """Why the oldest could not be sent when last tried; null where it was not tried yet."""


def add(conn: sa.Connection, made: Iterable[Notice]) -> int:
    """Keep notices, each once; returns how many were new."""
    return insert_new(conn, _N, [one._asdict() for one in made])


def claim(conn: sa.Connection, way: str, now: dt.datetime, until: dt.datetime, oldest: dt.datetime) -> Notice | None:
    """The next notice of a way, for whoever calls alone until that UTC time; null where none is due.

    They go in their order: one that waits for its next try holds up those behind it. What was made before `oldest`
    is too old to be told.
    """
    waits = (_N.c.way == way) & _N.c.sent_at.is_(None) & (_N.c.made_at >= oldest)
    row = conn.execute(sa.select(_N).where(waits).order_by(_N.c.made_at, plain(_N.c.notice_id)).limit(1)).one_or_none()
    if row is None or row.next_try_at > now:
        return None
    mine = (_N.c.notice_id == row.notice_id) & (_N.c.way == way) & (_N.c.next_try_at == row.next_try_at)
    taken = conn.execute(sa.update(_N).where(mine).values(next_try_at=until, tries=row.tries + 1)).rowcount
    return _notice(row)._replace(next_try_at=until, tries=row.tries + 1) if taken else None


def end(conn: sa.Connection, notice: Notice) -> None:
    """Put down how a try ended: sent, or why not and when to try again."""
    one = (_N.c.notice_id == notice.notice_id) & (_N.c.way == notice.way)
    values = {"sent_at": notice.sent_at, "error": notice.error, "next_try_at": notice.next_try_at}
    conn.execute(sa.update(_N).where(one).values(values))


def waiting(conn: sa.Connection, ways: Collection[str], oldest: dt.datetime) -> list[Waiting]:
    """What waits of these ways that is not too old to be told."""
    found = []
    for way in ways:
        query = sa.select(_N).where(_N.c.way == way, _N.c.sent_at.is_(None), _N.c.made_at >= oldest)
        if rows := conn.execute(query.order_by(_N.c.made_at, plain(_N.c.notice_id))).all():
            found.append(Waiting(way, len(rows), rows[0].made_at, rows[0].error))
    return found


def thin(conn: sa.Connection, before: dt.datetime) -> int:
    """Drop notices made before a UTC time, sent or not; returns how many."""
    return conn.execute(sa.delete(_N).where(_N.c.made_at < before)).rowcount


def _notice(row: sa.Row[Any]) -> Notice:
    return Notice(**row._mapping)
