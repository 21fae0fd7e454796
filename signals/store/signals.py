"""Scores, signals and the outbox: what one step made, in one transaction, and what is still to be sent."""

import datetime as dt
from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

import msgspec
import sqlalchemy as sa

from signals.message import Index, Retraction, Signal
from signals.model import Score
from signals.store import schema
from signals.store.insert import insert_new
from signals.store.ordering import plain
from signals.text import stable_id

Told = Signal | Retraction | Index
Encode = Callable[[Told, str, int], tuple[str, bytes]]
"""(what is told, epoch, seq) → (message id, message bytes)."""
TYPES = {Signal: "signals.headline.v1", Retraction: "signals.retraction.v1", Index: "signals.index.v1"}

_H, _O, _S = schema.headlines, schema.outbox, schema.signals
_IN_ONE_QUERY = {"sqlite": 500, "postgresql": 30_000}
"""Values: SQLite allows some thousand; PostgreSQL may read the whole table for each query, so few are better."""


class Stands(NamedTuple):
    """The signal that stands for a story; fields as in `stories.Standing`."""

    signal_id: str
    headline_id: str
    valid_until: dt.datetime


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
        insert_new(conn, schema.channel, [{"name": name, "epoch": epoch, "last_seq": 0, "steps": 0}])
        row = conn.execute(query).one()
    return row.epoch, row.last_seq


def count_step(conn: sa.Connection, name: str) -> int:
    """Count a step of the pipeline; returns its number. The channel must be open in this transaction."""
    counted = sa.update(schema.channel).where(schema.channel.c.name == name).values(steps=schema.channel.c.steps + 1)
    return int(conn.execute(counted.returning(schema.channel.c.steps)).scalar_one())


def add(
    conn: sa.Connection,
    scores: Sequence[Score],
    told: Sequence[Told],
    *,
    channel: str,
    now: dt.datetime,
    encode: Encode,
    index_until: dt.datetime | None = None,
) -> int:
    """Keep scores, signals and the index, and put the message of each that is told into the outbox by the next `seq`.

    A signal that is kept already, or retracted already, changes nothing. What is made of imported history is kept
    and has no message. `index_until` (UTC) is when the index has nothing more to say; null: at once. Returns how many
    messages there were.
    """
    insert_new(conn, schema.scores, [_score_row(score) for score in scores])
    fresh = _fresh(conn, told)
    if not fresh:
        return 0
    insert_new(conn, _S, [_signal_row(one) for one in fresh if isinstance(one, Signal)])
    for one in fresh:
        if isinstance(one, Retraction):
            conn.execute(sa.update(_S).where(_S.c.signal_id == one.signal_id).values(retracted_at=one.retracted_at))
        elif isinstance(one, Index):
            conn.execute(sa.insert(schema.indexes), {"at": now} | msgspec.structs.asdict(one))
    of_history = _of_history(conn, [one for one in fresh if not isinstance(one, Index)])
    put_out = [one for one in fresh if isinstance(one, Index) or one.signal_id not in of_history]
    return _put_out(conn, put_out, channel, now, encode, index_until or now)


def _of_history(conn: sa.Connection, told: Sequence[Signal | Retraction]) -> set[str]:
    """Which of these signals, kept by now, were made of imported headlines."""
    query = sa.select(_S.c.signal_id).join(_H, _H.c.headline_id == _S.c.headline_id)
    named = _S.c.signal_id.in_({one.signal_id for one in told})
    return set(conn.execute(query.where(named, _H.c.imported)).scalars())


def _put_out(
    conn: sa.Connection,
    told: Sequence[Told],
    channel: str,
    now: dt.datetime,
    encode: Encode,
    index_until: dt.datetime,
) -> int:
    if not told:
        return 0
    epoch, last_seq = open_channel(conn, channel, now)
    outgoing = []
    for seq, one in enumerate(told, last_seq + 1):
        message_id, event = encode(one, epoch, seq)
        valid_until = index_until if isinstance(one, Index) else one.valid_until
        outgoing.append(Outgoing(epoch, seq, message_id, TYPES[type(one)], event, valid_until))
    conn.execute(sa.insert(_O), [row._asdict() | {"published_at": None} for row in outgoing])
    conn.execute(sa.update(schema.channel).where(schema.channel.c.name == channel).values(last_seq=outgoing[-1].seq))
    return len(outgoing)


def _fresh(conn: sa.Connection, told: Sequence[Told]) -> list[Told]:
    """What has not been told yet, each once."""
    named = _S.c.signal_id.in_({one.signal_id for one in told if not isinstance(one, Index)})
    query = sa.select(_S.c.signal_id, _S.c.retracted_at).where(named)
    kept = {row.signal_id: row.retracted_at for row in conn.execute(query)}
    fresh: dict[tuple[type, str], Told] = {}
    for one in told:
        if isinstance(one, Index):
            fresh[Index, ""] = one
        elif one.signal_id not in kept if isinstance(one, Signal) else kept.get(one.signal_id) is None:
            fresh[type(one), one.signal_id] = one
    return list(fresh.values())


def live(conn: sa.Connection, at: dt.datetime, stories: Collection[str] | None = None) -> list[Signal]:
    """The signals that stand for their stories and have not expired at a UTC time; none of imported history.

    `stories` : of these alone, which are none of imported history; null: of all.
    """
    if stories is None:
        history = sa.exists().where(_H.c.headline_id == _S.c.headline_id, _H.c.imported)
        query = sa.select(_S.c.story_id).where(_S.c.valid_until > at, ~history).distinct()
        stories = conn.execute(query).scalars().all()
    names = [stands.signal_id for stands in standing(conn, stories).values() if stands and stands.valid_until > at]
    found: list[Signal] = []
    most = _IN_ONE_QUERY[conn.dialect.name]
    for first in range(0, len(names), most):
        # As text, read by msgspec alone: thousands may stand, and who begins reads them all.
        query = sa.select(sa.cast(_S.c.data, sa.Text)).where(_S.c.signal_id.in_(names[first : first + most]))
        found += [msgspec.json.decode(data, type=Signal) for data in conn.execute(query).scalars()]
    return found


def last_index(conn: sa.Connection) -> Index | None:
    """The index as it was last told; null before the first."""
    row = conn.execute(sa.select(schema.indexes).order_by(schema.indexes.c.at.desc()).limit(1)).one_or_none()
    return None if row is None else Index(**{name: getattr(row, name) for name in Index.__struct_fields__})


def standing(conn: sa.Connection, story_ids: Collection[str]) -> dict[str, Stands | None]:
    """What stands for each of these stories: the last signal made of it; null where that was retracted."""
    found: dict[str, Stands | None] = {}
    columns = (_S.c.story_id, _S.c.retracted_at, *(_S.c[name] for name in Stands._fields))
    names, most = sorted(story_ids), _IN_ONE_QUERY[conn.dialect.name]
    for first in range(0, len(names), most):
        query = sa.select(*columns).where(_S.c.story_id.in_(names[first : first + most]))
        for row in conn.execute(query.order_by(_S.c.scored_at, _S.c.known_at, plain(_S.c.headline_id))):
            found[row.story_id] = Stands(*row[2:]) if row.retracted_at is None else None
    return found


def steps(conn: sa.Connection, name: str) -> int:
    """How many steps of the pipeline there were."""
    return conn.execute(sa.select(schema.channel.c.steps).where(schema.channel.c.name == name)).scalar() or 0


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


def unmarked_until(conn: sa.Connection, epoch: str, seq: int) -> list[int]:
    """The `seq` of messages up to this one that are not marked as being in Redis."""
    query = sa.select(_O.c.seq).where(_O.c.published_at.is_(None), _O.c.epoch == epoch, _O.c.seq <= seq)
    return list(conn.execute(query).scalars())


def mark_found(conn: sa.Connection, epoch: str, seqs: Sequence[int], now: dt.datetime) -> None:
    """These messages were found to be in Redis."""
    conn.execute(sa.update(_O).where(_O.c.epoch == epoch, _O.c.seq.in_(seqs)).values(published_at=now))


def recent(conn: sa.Connection, *, limit: int) -> list[Signal]:
    """The newest signals by when they were scored, newest first; those of imported history were not told."""
    history = sa.exists().where(_H.c.headline_id == _S.c.headline_id, _H.c.imported)
    query = (
        sa.select(_S.c.data)
        .where(~history)
        .order_by(_S.c.scored_at.desc(), _S.c.known_at.desc(), plain(_S.c.signal_id).desc())
        .limit(limit)
    )
    return [msgspec.convert(data, Signal) for data in conn.execute(query).scalars()]


def _score_row(score: Score) -> dict[str, object]:
    return msgspec.structs.asdict(score) | {
        "topics": list(score.topics),
        "evidence": [msgspec.to_builtins(item) for item in score.evidence],
    }


def _signal_row(signal: Signal) -> dict[str, object]:
    own = {column.name: getattr(signal, column.name) for column in _S.c if column.name not in ("data", "retracted_at")}
    return own | {"retracted_at": None, "data": msgspec.to_builtins(signal)}
