"""What the price did after each signal that was told live."""

import datetime as dt
from collections.abc import Iterable
from typing import NamedTuple

import msgspec
import sqlalchemy as sa

from signals.message import Signal
from signals.model import ForwardReturn
from signals.store import schema
from signals.store.insert import insert_new
from signals.store.ordering import plain

_F, _H, _S = schema.forward_returns, schema.headlines, schema.signals


class Settled(NamedTuple):
    """A signal, when it was retracted (UTC; null: never), and what came of it (null: not known yet)."""

    signal: Signal
    retracted_at: dt.datetime | None
    outcome: ForwardReturn | None


def unsettled(conn: sa.Connection, before: dt.datetime, limit: int) -> list[Signal]:
    """Witnessed signals known before a UTC time that have no outcome, oldest first; nothing made of an archive."""
    query = (
        sa.select(_S.c.data)
        .join(_H, _H.c.headline_id == _S.c.headline_id)
        .outerjoin(_F, _F.c.signal_id == _S.c.signal_id)
        .where(_F.c.signal_id.is_(None), ~_H.c.backfilled, _S.c.known_at < before)
        .order_by(_S.c.known_at, plain(_S.c.signal_id))
        .limit(limit)
    )
    return [msgspec.convert(data, Signal) for data in conn.execute(query).scalars()]


def add(conn: sa.Connection, outcomes: Iterable[ForwardReturn]) -> int:
    """Keep outcomes, each signal's once; returns how many were new."""
    return insert_new(conn, _F, [msgspec.structs.asdict(outcome) for outcome in outcomes])


def since(conn: sa.Connection, start: dt.datetime) -> list[Settled]:
    """Witnessed signals known at a UTC time or later with what came of them, oldest first."""
    query = (
        sa.select(_S.c.data, _S.c.retracted_at, *_F.c)
        .join(_H, _H.c.headline_id == _S.c.headline_id)
        .outerjoin(_F, _F.c.signal_id == _S.c.signal_id)
        .where(~_H.c.backfilled, _S.c.known_at >= start)
        .order_by(_S.c.known_at, plain(_S.c.signal_id))
    )
    found = []
    for row in conn.execute(query):
        fields = {name: getattr(row, name) for name in ForwardReturn.__struct_fields__}
        outcome = ForwardReturn(**fields) if fields["signal_id"] else None
        found.append(Settled(msgspec.convert(row.data, Signal), row.retracted_at, outcome))
    return found
