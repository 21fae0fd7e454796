"""What the pipeline and the publisher did since one last looked: rows after a mark, for whoever counts them.

A step's `scored_at` is later than that of the step before, and messages are sent in the order of `seq`; so what
follows a mark is new, whatever happened meanwhile.
"""

import datetime as dt
from typing import NamedTuple

import sqlalchemy as sa

from signals.store import schema

_H, _O, _S, _D = schema.headlines, schema.outbox, schema.scores, schema.source_days


class Taken(NamedTuple):
    """A headline that a step took; times UTC."""

    source: str
    source_published_at: dt.datetime | None
    known_at: dt.datetime
    scored_at: dt.datetime
    skip_reason: str | None
    backfilled: bool
    imported: bool


class Sent(NamedTuple):
    """A message that Redis has."""

    seq: int
    type: str
    event: bytes
    published_at: dt.datetime


class SourceCount(NamedTuple):
    """A source's counts of one UTC day."""

    source: str
    day: dt.date
    asked: int
    failed: int
    seen: int
    new: int
    withdrawn: int


def last_scored_at(conn: sa.Connection) -> dt.datetime | None:
    """When a step last took a headline, UTC; null where none did."""
    return conn.execute(sa.select(sa.func.max(_H.c.scored_at))).scalar()


def last_sent_seq(conn: sa.Connection, epoch: str | None) -> int:
    """The last message of an epoch that was sent; 0 where none was."""
    query = sa.select(sa.func.max(_O.c.seq)).where(_O.c.epoch == epoch, _O.c.published_at.is_not(None))
    return conn.execute(query).scalar() or 0


def taken(conn: sa.Connection, after: dt.datetime, limit: int) -> list[Taken]:
    """Headlines taken by steps after this one (UTC), whole steps only: `limit` rows and the rest of the last step."""
    later = _H.c.scored_at > after
    edge = sa.select(_H.c.scored_at).where(later).order_by(_H.c.scored_at).limit(1).offset(limit).scalar_subquery()
    upto = sa.func.coalesce(edge, sa.literal(dt.datetime.max.replace(tzinfo=dt.UTC), _H.c.scored_at.type))
    query = sa.select(*(_H.c[name] for name in Taken._fields)).where(later, _H.c.scored_at <= upto)
    return [Taken(*row) for row in conn.execute(query.order_by(_H.c.scored_at))]


def directions(conn: sa.Connection, after: dt.datetime, upto: dt.datetime) -> dict[str, int]:
    """How often each direction was scored by the steps in (after, upto], UTC; abstentions are `abstained`."""
    said = sa.case((_S.c.abstained, "abstained"), else_=_S.c.direction)
    joined = sa.select(said, sa.func.count()).join(_H, _H.c.headline_id == _S.c.headline_id)
    query = joined.where(_H.c.scored_at > after, _H.c.scored_at <= upto).group_by(said)
    return {row[0]: row[1] for row in conn.execute(query)}


def sent(conn: sa.Connection, epoch: str | None, after_seq: int, limit: int) -> list[Sent]:
    """Messages of an epoch that were sent after this one, in order."""
    mine = (_O.c.epoch == epoch) & (_O.c.seq > after_seq) & _O.c.published_at.is_not(None)
    query = sa.select(*(_O.c[name] for name in Sent._fields)).where(mine).order_by(_O.c.seq).limit(limit)
    return [Sent(*row) for row in conn.execute(query)]


def of_sources(conn: sa.Connection, since: dt.date) -> list[SourceCount]:
    """The counts of each source on each day (UTC) from this one on."""
    query = sa.select(*(_D.c[name] for name in SourceCount._fields)).where(_D.c.day >= since)
    return [SourceCount(*row) for row in conn.execute(query)]


def open_alerts(conn: sa.Connection) -> dict[str, int]:
    """How many alerts of each severity are open."""
    standing = schema.alerts.c.opened_at.is_not(None) & schema.alerts.c.closed_at.is_(None)
    query = sa.select(schema.alerts.c.severity, sa.func.count()).where(standing).group_by(schema.alerts.c.severity)
    return {row[0]: row[1] for row in conn.execute(query)}
