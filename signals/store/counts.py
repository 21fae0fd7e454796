"""How much there was since a time: for the digest."""

import datetime as dt

import sqlalchemy as sa

from signals.store import schema

_H, _S = schema.headlines, schema.signals


def headlines_since(conn: sa.Connection, since: dt.datetime) -> int:
    """Headlines that became known since a UTC time; nothing of imported history or an archive."""
    live = (_H.c.known_at >= since) & ~_H.c.imported & ~_H.c.backfilled
    return conn.execute(sa.select(sa.func.count()).select_from(_H).where(live)).scalar_one()


def signals_since(conn: sa.Connection, since: dt.datetime) -> dict[str, int]:
    """Signals that became known since a UTC time, by direction; nothing of imported history or an archive."""
    live = (_S.c.known_at >= since) & ~_H.c.imported & ~_H.c.backfilled
    query = sa.select(_S.c.direction, sa.func.count()).join(_H, _H.c.headline_id == _S.c.headline_id).where(live)
    return {row[0]: row[1] for row in conn.execute(query.group_by(_S.c.direction))}
