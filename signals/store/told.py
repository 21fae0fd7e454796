"""What was told, read by the million: for research."""

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from signals.message import Retraction
from signals.store import schema
from signals.store.columns import CHUNK
from signals.store.ordering import plain
from signals.store.signals import TYPES, Outgoing, tail

_H, _O, _S, _W = schema.headlines, schema.outbox, schema.signals, schema.withdrawals
_IN_ONE_QUERY = 500
_PAGE = 1000


class _Message(msgspec.Struct):
    """As much of a retraction's message as is asked for."""

    data: Retraction


def texts(conn: sa.Connection, since: dt.datetime, until: dt.datetime) -> Iterator[list[str]]:
    """The `data` of all signals known within [since, until) (UTC), as JSON, oldest first, some thousand at once.

    Those of imported history are among them; those that were retracted, too.
    """
    query = sa.select(sa.cast(_S.c.data, sa.Text)).where(_S.c.known_at >= since, _S.c.known_at < until)
    query = query.order_by(_S.c.known_at, plain(_S.c.signal_id))
    for rows in conn.execute(query, execution_options={"yield_per": CHUNK}).scalars().partitions():
        yield list(rows)


def retractions(conn: sa.Connection) -> dict[str, dt.datetime]:
    """When it became known of each retracted signal that it no longer holds, UTC.

    Of news the message says so. What is made of imported history has no message: there it is the notice, or the
    headline that took its story back, of the step that retracted the signal.
    """
    gone = sa.select(_S.c.signal_id).where(_S.c.retracted_at.is_not(None))
    notices = gone.add_columns(_W.c.known_at).join(
        _W, (_W.c.headline_id == _S.c.headline_id) & (_W.c.taken_at == _S.c.retracted_at)
    )
    takes_back = (_H.c.story_id == _S.c.story_id) & (_H.c.scored_at == _S.c.retracted_at)
    titles = gone.add_columns(_H.c.known_at).join(_H, takes_back & (_H.c.skip_reason == "withdrawal"))
    found: dict[str, dt.datetime] = {}
    for signal_id, known_at in (*conn.execute(notices), *conn.execute(titles)):
        found[signal_id] = min(known_at, found.get(signal_id, known_at))
    messages = sa.select(_O.c.event).where(_O.c.type == TYPES[Retraction])
    for event in conn.execute(messages).scalars():
        data = msgspec.json.decode(event, type=_Message).data
        found[data.signal_id] = data.known_at
    return found


def kept(conn: sa.Connection, signal_ids: Sequence[str]) -> dict[str, tuple[dict[str, Any], dt.datetime | None]]:
    """Of these signals the `data` and when they were retracted (UTC), if ever."""
    found: dict[str, tuple[dict[str, Any], dt.datetime | None]] = {}
    for first in range(0, len(signal_ids), _IN_ONE_QUERY):
        named = _S.c.signal_id.in_(signal_ids[first : first + _IN_ONE_QUERY])
        query = sa.select(_S.c.signal_id, _S.c.data, _S.c.retracted_at).where(named)
        found |= {row.signal_id: (row.data, row.retracted_at) for row in conn.execute(query)}
    return found


def history_kept(conn: sa.Connection) -> int:
    """How many signals of imported history there are."""
    history = sa.exists().where(_H.c.headline_id == _S.c.headline_id, _H.c.imported)
    return int(conn.execute(sa.select(sa.func.count()).select_from(_S).where(history)).scalar_one())


def messages(conn: sa.Connection) -> Iterator[Outgoing]:
    """All messages in order, a page at a time."""
    after = 0
    while rows := tail(conn, after_seq=after, limit=_PAGE):
        yield from rows
        after = rows[-1].seq
