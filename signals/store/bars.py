"""Bars: versions are added, never overwritten, so that every as-of question keeps its answer."""

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from signals.model import PAIR, Bar
from signals.store import schema
from signals.store.columns import columns
from signals.store.insert import insert_new
from signals.store.ordering import plain

_B = schema.bars
_FIELDS = tuple(_B.c[name] for name in Bar.__struct_fields__)
_KEY = ("pair", "source", "open_at", "close_at")
_PRICES = ("open", "high", "low", "close")


class Series(NamedTuple):
    """Bars of one source and one length, and how many versions of them are kept."""

    source: str
    length_s: int
    first_open_at: dt.datetime
    last_close_at: dt.datetime
    versions: int


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


def last_close(conn: sa.Connection, sources: Collection[str], before: dt.datetime) -> tuple[dt.datetime, float] | None:
    """Close (UTC, JPY per USD) of the newest kept bar of these sources that closed by then, as last learned."""
    query = sa.select(_B.c.close_at, _B.c.close).where(_B.c.source.in_(sources), _B.c.close_at <= before)
    row = conn.execute(
        query.order_by(_B.c.close_at.desc(), _B.c.known_at.desc(), plain(_B.c.source)).limit(1)
    ).one_or_none()
    return None if row is None else (row.close_at, row.close)


def opened_within(
    conn: sa.Connection, source: str, length_s: float, low: dt.datetime, high: dt.datetime
) -> list[dt.datetime]:
    """When the kept bars of this source and length opened, each once, that closed within [low, high]; in order."""
    kept = (_B.c.source == source, _B.c.length_s == length_s, _B.c.close_at.between(low, high))
    return list(conn.execute(sa.select(_B.c.open_at).where(*kept).distinct().order_by(_B.c.open_at)).scalars())


class Opens(NamedTuple):
    """Opens of one series of bars, oldest first; of several versions the one last learned."""

    source: str
    length_s: int
    at: list[dt.datetime]
    price: list[float]


def opens_within(
    conn: sa.Connection, low: dt.datetime, high: dt.datetime, *, max_length_s: int, without: Collection[str] = ()
) -> list[Opens]:
    """Opens (UTC, JPY per USD) of every series of bars up to a length that opened within [low, high], shortest first.

    `without` names sources whose prices are no market's.
    """
    wanted = (_B.c.open_at.between(low, high), _B.c.length_s <= max_length_s, _B.c.source.not_in(without))
    order = (_B.c.length_s, plain(_B.c.source), _B.c.open_at, _B.c.known_at)
    found: dict[tuple[int, str], dict[dt.datetime, float]] = {}
    columns = sa.select(_B.c.length_s, _B.c.source, _B.c.open_at, _B.c.open)
    for row in conn.execute(columns.where(*wanted).order_by(*order)):
        found.setdefault((row.length_s, row.source), {})[row.open_at] = row.open
    return [Opens(source, length_s, list(opens), list(opens.values())) for (length_s, source), opens in found.items()]


def series(conn: sa.Connection) -> list[Series]:
    """What bars are kept: a row for each source and length, the shortest bars first."""
    query = sa.select(
        _B.c.source, _B.c.length_s, sa.func.min(_B.c.open_at), sa.func.max(_B.c.close_at), sa.func.count()
    ).where(_B.c.pair == PAIR)
    return [
        Series(*row)
        for row in conn.execute(query.group_by(_B.c.source, _B.c.length_s).order_by(_B.c.length_s, plain(_B.c.source)))
    ]


def frame_columns(
    conn: sa.Connection, source: str, length_s: int, low: dt.datetime, high: dt.datetime
) -> dict[str, NDArray[Any]]:
    """Bars of one series within [low, high] (UTC) as columns, oldest first, each as it was learned last.

    Returns `open_at`, `close_at` (`datetime64[us]`, UTC without a zone), `open`, `high`, `low`, `close`
    (JPY per USD, `float64`).
    """
    wanted = (_B.c.open_at, _B.c.close_at, *(_B.c[name] for name in _PRICES))

    def narrow(query: sa.Select[Any]) -> sa.Select[Any]:
        mine = (_B.c.pair == PAIR, _B.c.source == source, _B.c.length_s == length_s)
        span = (_B.c.open_at >= low, _B.c.close_at <= high)
        return query.where(*mine, *span).order_by(_B.c.open_at, _B.c.close_at, _B.c.known_at)

    found = columns(conn, wanted, narrow)
    opened = found["open_at"]
    last = np.append(opened[1:] != opened[:-1], True)[: len(opened)]
    return {name: values[last] for name, values in found.items()}


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
