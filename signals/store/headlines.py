"""Headlines: kept once, waiting for the pipeline until it has taken them."""

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from signals.model import Headline, Skip, Story
from signals.store import schema
from signals.store.insert import insert_new
from signals.store.ordering import plain

_H = schema.headlines
_FIELDS = tuple(_H.c[name] for name in Headline.__struct_fields__)


class Told(NamedTuple):
    """What the grouping of later headlines needs to know of an earlier one; fields as in `stories.Member`."""

    known_at: dt.datetime
    headline_id: str
    story_id: str
    source: str
    title: str
    item_id: str
    near: bool
    """It bears on the pair."""


def add(conn: sa.Connection, headlines: Iterable[Headline], *, imported: bool = False) -> int:
    """Keep the headlines not yet known; returns how many were new. `imported`: history that someone brought."""
    rows = {h.headline_id: msgspec.structs.asdict(h) | {"imported": imported} for h in headlines}
    return insert_new(conn, _H, list(rows.values()))


def waiting(conn: sa.Connection, *, limit: int, imported: bool = False) -> list[Headline]:
    """Headlines that the pipeline has not taken: news before archives, each oldest first.

    `imported` asks for imported history instead: it is taken in batches of its own, so that no news waits for it.
    """
    query = sa.select(*_FIELDS).where(_H.c.scored_at.is_(None), _H.c.imported.is_(imported))
    query = query.order_by(_H.c.backfilled, _H.c.known_at, plain(_H.c.headline_id))
    return [headline(row) for row in conn.execute(query.limit(limit))]


def history_waiting(conn: sa.Connection) -> int:
    """How many headlines of imported history the pipeline has not taken."""
    query = sa.select(sa.func.count()).select_from(_H).where(_H.c.scored_at.is_(None), _H.c.imported.is_(True))
    return int(conn.execute(query).scalar_one())


def told(
    conn: sa.Connection, spans: Iterable[tuple[dt.datetime, dt.datetime]], *, imported: bool = False
) -> list[Told]:
    """Headlines already in stories that were known within any of the spans, both ends included.

    News and imported history have stories of their own: who repeats what was never sent tells something new.
    """
    mine = _H.c.story_id.is_not(None) & _H.c.imported.is_(imported)
    columns: list[Any] = [_H.c[name] for name in Told._fields[:-1]]
    query = sa.select(*columns, _H.c.skip_reason.is_distinct_from("irrelevant")).where(mine)
    found = {
        Told._make(row) for low, high in spans for row in conn.execute(query.where(_H.c.known_at.between(low, high)))
    }
    return sorted(found, key=lambda told: (told.known_at, told.headline_id))


def told_since(conn: sa.Connection, at: dt.datetime) -> list[Told]:
    """News that steps after a UTC time put into stories, in order."""
    columns: list[Any] = [_H.c[name] for name in Told._fields[:-1]]
    query = sa.select(*columns, _H.c.skip_reason.is_distinct_from("irrelevant"))
    mine = query.where(_H.c.scored_at > at, _H.c.story_id.is_not(None), _H.c.imported.is_(False))
    return sorted((Told._make(row) for row in conn.execute(mine)), key=lambda told: (told.known_at, told.headline_id))


def mark_taken(
    conn: sa.Connection, headlines: Sequence[Headline], stories: Sequence[Story], skips: Sequence[Skip], at: dt.datetime
) -> None:
    """Record what a step made of its headlines: when it took them, their story, why any was skipped."""
    reasons = {skip.headline_id: skip.reason for skip in skips}
    story_of = {headline_id: story.story_id for story in stories for headline_id in story.headline_ids}
    rows: list[dict[str, Any]] = [
        {"id": h.headline_id, "at": at, "story": story_of[h.headline_id], "reason": reasons.get(h.headline_id)}
        for h in sorted(headlines, key=_by_id)  # rows are locked in one order, whoever does it
    ]
    if not rows:
        return
    values = {
        "scored_at": sa.bindparam("at", type_=schema.Utc),
        "story_id": sa.bindparam("story"),
        "skip_reason": sa.bindparam("reason"),
    }
    conn.execute(sa.update(_H).where(_H.c.headline_id == sa.bindparam("id")).values(values), rows)
    _tell(conn, sorted(set(story_of.values())))


def _tell(conn: sa.Connection, story_ids: Sequence[str]) -> None:
    """Write these stories anew from their headlines: one that came late stands where it was known."""
    query = sa.select(_H.c.story_id, _H.c.known_at, _H.c.headline_id).where(_H.c.story_id.in_(story_ids))
    members: dict[str, list[tuple[dt.datetime, str]]] = {}
    for story_id, known_at, headline_id in conn.execute(query.order_by(_H.c.known_at, plain(_H.c.headline_id))):
        members.setdefault(story_id, []).append((known_at, headline_id))
    conn.execute(sa.delete(schema.stories).where(schema.stories.c.story_id.in_(story_ids)))
    stories = [
        Story(
            story_id=story_id,
            first_known_at=told[0][0],
            headline_ids=tuple(headline_id for _, headline_id in told),
            revision=len(told),
        )
        for story_id, told in members.items()
    ]
    conn.execute(
        sa.insert(schema.stories), [msgspec.structs.asdict(s) | {"headline_ids": list(s.headline_ids)} for s in stories]
    )


def count(conn: sa.Connection, sources: Collection[str] | None = None) -> int:
    """How many headlines are kept, of these sources or of all."""
    query = sa.select(sa.func.count()).select_from(_H)
    if sources is not None:
        query = query.where(_H.c.source.in_(sources))
    return int(conn.execute(query).scalar_one())


def _by_id(one: Headline) -> str:
    return one.headline_id


def headline(row: sa.Row[Any]) -> Headline:
    """The headline of a row that has all its columns."""
    return Headline(**{name: getattr(row, name) for name in Headline.__struct_fields__})
