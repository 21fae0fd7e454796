"""What is remembered of questions to price sources: rows of `feed_states` whose names no feed can have."""

from collections.abc import Iterable

import msgspec
import sqlalchemy as sa

from signals.model import FeedState
from signals.store import schema
from signals.store.insert import put

_F = schema.feed_states
PREFIX = "prices:"
"""What the names of price sources begin with where states of sources are kept; no feed's id can."""


def remembered(conn: sa.Connection, prefix: str) -> dict[str, FeedState]:
    """The states whose `source` begins with `prefix`, by what follows it."""
    query = sa.select(_F).where(_F.c.source.startswith(prefix, autoescape=True))
    return {row.source.removeprefix(prefix): FeedState(**row._mapping) for row in conn.execute(query)}


def replace(conn: sa.Connection, forget: Iterable[str], save: Iterable[FeedState]) -> None:
    """Forget the states of these sources, and remember these."""
    gone = list(forget)
    if gone:
        conn.execute(sa.delete(_F).where(_F.c.source.in_(gone)))
    put(conn, _F, [msgspec.structs.asdict(state) for state in save])
