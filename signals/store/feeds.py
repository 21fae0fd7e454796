"""What is remembered of each source between fetches."""

from typing import Any

import msgspec
import sqlalchemy as sa

from signals.model import FeedState
from signals.store import schema
from signals.store.insert import put
from signals.store.ordering import plain

_F = schema.feed_states


def state(conn: sa.Connection, source: str) -> FeedState:
    """The state of a source; a blank one where it was never read."""
    row = conn.execute(sa.select(_F).where(_F.c.source == source)).one_or_none()
    return FeedState(source=source) if row is None else _state(row)


def states(conn: sa.Connection) -> list[FeedState]:
    """All sources ever read, by name."""
    return [_state(row) for row in conn.execute(sa.select(_F).order_by(plain(_F.c.source)))]


def save(conn: sa.Connection, state: FeedState) -> None:
    """Remember this state of its source."""
    put(conn, _F, [msgspec.structs.asdict(state)])


def _state(row: sa.Row[Any]) -> FeedState:
    return FeedState(**row._mapping)
