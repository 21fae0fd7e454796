"""Scores, signals and the outbox: what one step made, in one transaction, and what is still to be sent."""

import datetime as dt
from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec
import sqlalchemy as sa

from signals.model import Score, Signal
from signals.store import schema
from signals.store.insert import insert_new
from signals.text import stable_id

Encode = Callable[[Signal, str, int], tuple[str, bytes]]
"""(signal, epoch, seq) → (message id, message bytes)."""

_O = schema.outbox


class Outgoing(NamedTuple):
    """A message as it stands in the outbox; fields as in `publisher.OutboxRow`."""

    epoch: str
    seq: int
    message_id: str
    type: str
    event: bytes
    valid_until: dt.datetime


def open_channel(conn: sa.Connection, name: str, now: dt.datetime) -> tuple[str, int]:
    """The channel's epoch and last `seq`; begins an epoch where there is none. Locks it for this transaction."""
    query = sa.select(schema.channel).where(schema.channel.c.name == name).with_for_update()
    row = conn.execute(query).one_or_none()
    if row is None:
        epoch = stable_id("epoch", name, now.isoformat())
        insert_new(conn, schema.channel, [{"name": name, "epoch": epoch, "last_seq": 0}])
        row = conn.execute(query).one()
    return row.epoch, row.last_seq


def add(
    conn: sa.Connection,
    scores: Sequence[Score],
    signals: Sequence[Signal],
    *,
    channel: str,
    now: dt.datetime,
    encode: Encode,
) -> int:
    """Keep scores and signals and put each new signal's message into the outbox under the next `seq`; returns how many.

    A signal that is kept already changes nothing.
    """
    insert_new(conn, schema.scores, [_score_row(score) for score in scores])
    known = set(
        conn.execute(
            sa.select(schema.signals.c.signal_id).where(schema.signals.c.signal_id.in_([s.signal_id for s in signals]))
        ).scalars()
    )
    fresh = list({signal.signal_id: signal for signal in signals if signal.signal_id not in known}.values())
    if not fresh:
        return 0
    epoch, last_seq = open_channel(conn, channel, now)
    outgoing = []
    for seq, signal in enumerate(fresh, last_seq + 1):
        message_id, event = encode(signal, epoch, seq)
        outgoing.append(Outgoing(epoch, seq, message_id, "signals.headline.v1", event, signal.valid_until))
    conn.execute(sa.insert(schema.signals), [_signal_row(signal) for signal in fresh])
    conn.execute(sa.insert(_O), [row._asdict() | {"published_at": None} for row in outgoing])
    conn.execute(sa.update(schema.channel).where(schema.channel.c.name == channel).values(last_seq=outgoing[-1].seq))
    return len(fresh)


def channel_state(conn: sa.Connection, name: str) -> tuple[str | None, int]:
    """The channel's epoch and last `seq`; (null, 0) before its first message."""
    row = conn.execute(sa.select(schema.channel).where(schema.channel.c.name == name)).one_or_none()
    return (None, 0) if row is None else (row.epoch, row.last_seq)


def first_live_seq(conn: sa.Connection, now: dt.datetime) -> int | None:
    """The first message that has not expired; null where all have."""
    return conn.execute(sa.select(sa.func.min(_O.c.seq)).where(_O.c.valid_until > now)).scalar()


def tail(conn: sa.Connection, *, after_seq: int, limit: int) -> list[Outgoing]:
    """Messages after `after_seq`, in order."""
    query = sa.select(*(_O.c[name] for name in Outgoing._fields)).where(_O.c.seq > after_seq)
    return [Outgoing(*row) for row in conn.execute(query.order_by(_O.c.seq).limit(limit))]


def mark_published(conn: sa.Connection, rows: Sequence[Outgoing], now: dt.datetime) -> None:
    """These messages are in Redis."""
    if rows:
        seqs = [row.seq for row in rows]
        conn.execute(sa.update(_O).where(_O.c.seq.between(min(seqs), max(seqs))).values(published_at=now))


def recent(conn: sa.Connection, *, limit: int) -> list[Signal]:
    """The newest signals by when they were scored, newest first."""
    table = schema.signals
    query = sa.select(table.c.data).order_by(table.c.scored_at.desc(), table.c.known_at.desc()).limit(limit)
    return [msgspec.convert(data, Signal) for data in conn.execute(query).scalars()]


def _score_row(score: Score) -> dict[str, object]:
    return msgspec.structs.asdict(score) | {
        "topics": list(score.topics),
        "evidence": [msgspec.to_builtins(item) for item in score.evidence],
    }


def _signal_row(signal: Signal) -> dict[str, object]:
    own = {column.name: getattr(signal, column.name) for column in schema.signals.c if column.name != "data"}
    return own | {"data": msgspec.to_builtins(signal)}
