"""Bars: versions are added, never overwritten, so that every as-of question keeps its answer."""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from signals.model import Bar
from signals.store import schema
from signals.store.insert import insert_new

_B = schema.bars
_FIELDS = tuple(_B.c[name] for name in Bar.__struct_fields__)
_KEY = ("pair", "source", "open_at", "close_at")
_PRICES = ("open", "high", "low", "close")


def add(conn: sa.Connection, bars: Sequence[Bar]) -> int:
    """Keep bars that are new, or whose prices differ from the version last learned; returns how many."""
    if not bars:
        return 0
    known = _latest(conn, {b.source for b in bars}, min(b.open_at for b in bars), max(b.open_at for b in bars))
    fresh = [b for b in bars if known.get(_of(b, _KEY)) != _of(b, _PRICES)]
    return insert_new(conn, _B, [_row(bar) for bar in fresh])


def closed_within(
    conn: sa.Connection,
    spans: Iterable[tuple[dt.datetime, dt.datetime]],
    *,
    min_length_s: float = -1,
    max_length_s: float = 1e9,
) -> list[Bar]:
    """All versions of bars that closed within any of the spans and are longer than `min`, at most `max` seconds."""
    query = sa.select(*_FIELDS).where(_B.c.length_s > min_length_s, _B.c.length_s <= max_length_s)
    found = {
        tuple(row): Bar(**row._mapping)
        for low, high in spans
        for row in conn.execute(query.where(_B.c.close_at.between(low, high)))
    }
    return list(found.values())


def last_close_at(conn: sa.Connection, source: str, length_s: float) -> dt.datetime | None:
    """When the newest kept bar of this source and length closed; null where there is none."""
    query = sa.select(_B.c.close_at).where(_B.c.source == source, _B.c.length_s == length_s)
    return conn.execute(query.order_by(_B.c.close_at.desc()).limit(1)).scalar()


def _row(bar: Bar) -> dict[str, Any]:
    return msgspec.structs.asdict(bar) | {"length_s": int((bar.close_at - bar.open_at).total_seconds())}


def _latest(
    conn: sa.Connection, sources: set[str], low: dt.datetime, high: dt.datetime
) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    query = sa.select(_B).where(_B.c.source.in_(sources), _B.c.open_at.between(low, high)).order_by(_B.c.known_at)
    return {
        tuple(getattr(row, name) for name in _KEY): tuple(getattr(row, name) for name in _PRICES)
        for row in conn.execute(query)
    }


def _of(bar: Bar, names: Sequence[str]) -> tuple[Any, ...]:
    return tuple(getattr(bar, name) for name in names)
