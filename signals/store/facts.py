"""When the newest fact became known: time in the store never goes back, whatever the machine's clock does."""

import datetime as dt

import sqlalchemy as sa

from signals.store import schema, server

_H, _W = schema.headlines, schema.withdrawals


def hold(conn: sa.Connection) -> None:
    """Let nobody else put facts in until the transaction ends: what is read now as the newest then stays so."""
    server.alone(conn, server.FACTS)


def last_known_at(conn: sa.Connection) -> dt.datetime | None:
    """When the newest headline or withdrawal became known, UTC; null where there is none."""
    return _latest(conn, _H.c.known_at, _W.c.known_at)


def last_step_at(conn: sa.Connection) -> dt.datetime | None:
    """When the pipeline last took or told anything, UTC; null where it never did."""
    return _latest(conn, _H.c.scored_at, _W.c.taken_at, schema.indexes.c.at)


def _latest(conn: sa.Connection, *columns: sa.Column[dt.datetime]) -> dt.datetime | None:
    newest = (sa.select(sa.func.max(column)).scalar_subquery() for column in columns)  # each the end of an index
    found = conn.execute(sa.select(*newest)).one()
    return max((at for at in found if at is not None), default=None)
