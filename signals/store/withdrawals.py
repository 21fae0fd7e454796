"""Headlines that no longer hold: noted once, waiting for the pipeline until it has taken them."""

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from signals.model import Withdrawal
from signals.store import schema
from signals.store.insert import insert_new
from signals.store.ordering import plain

_H, _W = schema.headlines, schema.withdrawals


class Listed(NamedTuple):
    """A headline that its source's list may still hold; fields as in `sources.vanished.Kept`."""

    headline_id: str
    item_id: str
    source_published_at: dt.datetime
    missing_at: dt.datetime | None


def add(conn: sa.Connection, found: Iterable[Withdrawal]) -> int:
    """Note the withdrawals that are new; returns how many."""
    rows = {w.headline_id: msgspec.structs.asdict(w) | {"taken_at": None} for w in found}
    return insert_new(conn, _W, list(rows.values()))


def waiting(
    conn: sa.Connection, with_headlines: Collection[str] | None = None, *, imported: bool = False
) -> list[Withdrawal]:
    """Withdrawals that the pipeline has not taken, oldest first: of news, or of imported history.

    `with_headlines` are those that a step is about to take: it is given their withdrawals, and none of headlines
    that go on waiting themselves.
    """
    waits = sa.exists().where(_H.c.headline_id == _W.c.headline_id, _H.c.scored_at.is_(None)).label("waits")
    history = sa.exists().where(_H.c.headline_id == _W.c.headline_id, _H.c.imported)
    mine = history if imported else ~history
    query = sa.select(_W, waits).where(_W.c.taken_at.is_(None), mine).order_by(_W.c.known_at, plain(_W.c.headline_id))
    found = conn.execute(query).all()
    if with_headlines is not None:
        found = [row for row in found if not row.waits or row.headline_id in with_headlines]
    return [withdrawal(row) for row in found]


def mark_taken(conn: sa.Connection, taken: Sequence[Withdrawal], at: dt.datetime) -> None:
    """Record when a step took these."""
    if taken:
        names = [w.headline_id for w in taken]
        conn.execute(sa.update(_W).where(_W.c.headline_id.in_(names)).values(taken_at=at))


def stories_since(conn: sa.Connection, at: dt.datetime) -> set[str]:
    """The stories of news that steps after a UTC time took something back of."""
    query = sa.select(_H.c.story_id).join(_W, _W.c.headline_id == _H.c.headline_id)
    mine = query.where(_W.c.taken_at > at, _H.c.story_id.is_not(None), _H.c.imported.is_(False))
    return set(conn.execute(mine).scalars())


def listed(conn: sa.Connection, source: str, since: dt.datetime) -> list[Listed]:
    """Dated headlines seen at a source since then and not withdrawn, the newest published first."""
    withdrawn = sa.exists().where(_W.c.headline_id == _H.c.headline_id)
    query = sa.select(*(_H.c[name] for name in Listed._fields)).where(
        _H.c.source == source,
        _H.c.known_at >= since,
        _H.c.source_published_at.is_not(None),
        _H.c.item_id != "",
        _H.c.imported.is_(False),
        ~withdrawn,
    )
    return [
        Listed(*row) for row in conn.execute(query.order_by(_H.c.source_published_at.desc(), plain(_H.c.headline_id)))
    ]


def of_item(conn: sa.Connection, item_id: str) -> list[str]:
    """The headlines that an item has had."""
    return list(conn.execute(sa.select(_H.c.headline_id).where(_H.c.item_id == item_id)).scalars())


def mark_missing(conn: sa.Connection, headline_ids: Sequence[str], at: dt.datetime | None) -> None:
    """Remember that the list lacked these headlines' items at this time; null: that it holds them again."""
    if headline_ids:
        mine = _H.c.headline_id.in_(headline_ids)
        if conn.dialect.name == "postgresql":  # one after another in a step's order, or each could wait for the other
            conn.execute(sa.select(_H.c.headline_id).where(mine).order_by(plain(_H.c.headline_id)).with_for_update())
        conn.execute(sa.update(_H).where(mine).values(missing_at=at))


def withdrawal(row: sa.Row[Any]) -> Withdrawal:
    """The withdrawal of a row."""
    return Withdrawal(headline_id=row.headline_id, known_at=row.known_at, reason=row.reason)
