"""What an export reads: each table's rows of a span of time, in order, a batch at a time.

Batches are columns of plain values by the names of the fields of `model`; times are aware UTC.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from signals.message import Index, Signal
from signals.model import Bar, ForwardReturn, Headline, JobRun, Score
from signals.store import schema
from signals.store.ordering import plain

Columns = Mapping[str, Sequence[Any]]

_B, _H, _I, _R, _S, _W = (
    schema.bars, schema.headlines, schema.indexes, schema.job_runs, schema.signals, schema.withdrawals,
)  # fmt: skip
_NOTICE = schema.headlines.alias("notice")


def _fields(table: sa.FromClause, kind: type, *more: str) -> list[sa.ColumnElement[Any]]:
    return [table.c[name] for name in (*kind.__struct_fields__, *more)]  # type: ignore[attr-defined]


def _signals(rows: Sequence[sa.Row[Any]]) -> Columns:
    """As the type has them today: what was kept before a field was there has its default."""
    signals = [msgspec.convert(row.data, Signal) for row in rows]
    made = {name: [getattr(signal, name) for signal in signals] for name in Signal.__struct_fields__}
    return made | {"evidence": [msgspec.to_builtins(evidence) for evidence in made["evidence"]]}


def _as_they_are(rows: Sequence[sa.Row[Any]]) -> Columns:
    return dict(zip(rows[0]._fields, zip(*rows, strict=True), strict=True))


def _series(conn: sa.Connection) -> sa.ColumnElement[bool]:
    """Name every pair and source: bars are kept in the order of these, then of their time."""
    return _B.c.pair.in_(_different(conn, _B.c.pair)) & _B.c.source.in_(_different(conn, _B.c.source))


def _different(conn: sa.Connection, column: sa.Column[str]) -> list[str]:
    """All values of a column, from one to the next by its index: a `DISTINCT` would read every row."""
    found: list[str] = []
    query = sa.select(sa.func.min(column))
    value = conn.execute(query).scalar()
    while value is not None:
        found.append(value)
        value = conn.execute(query.where(column > value)).scalar()
    return found


class _Read(NamedTuple):
    """How a table is read."""

    query: sa.Select[Any]
    at: sa.ColumnElement[dt.datetime]
    """The time that says to which day a row belongs."""
    key: tuple[sa.ColumnElement[Any], ...]
    """The order of rows of one time."""
    columns: Callable[[Sequence[sa.Row[Any]]], Columns] = _as_they_are
    narrowed: Callable[[sa.Connection], sa.ColumnElement[bool] | None] = lambda conn: None
    """A condition that changes no answer and lets the database find the rows by an index."""


def _retractions() -> sa.Select[Any]:
    """What took signals back: the withdrawal of their headline, or a headline of their story that says so.

    Of both in one step the one known first, since the other found nothing left to take back.
    """
    own = sa.and_(_W.c.headline_id == _S.c.headline_id, _W.c.taken_at == _S.c.retracted_at)
    told = sa.and_(
        _NOTICE.c.story_id == _S.c.story_id,
        _NOTICE.c.skip_reason == "withdrawal",
        _NOTICE.c.scored_at == _S.c.retracted_at,
    )
    columns = [_S.c.signal_id, _S.c.story_id, _S.c.retracted_at, _S.c.valid_until]
    by_own = sa.select(*columns, _W.c.headline_id, _W.c.known_at, _W.c.reason).where(own)
    by_own = by_own.where(~sa.exists().where(told, _NOTICE.c.known_at < _W.c.known_at))
    notice = (_NOTICE.c.headline_id, _NOTICE.c.known_at, sa.literal("withdrawn").label("reason"))
    by_notice = sa.select(*columns, *notice).where(told)
    by_notice = by_notice.where(~sa.exists().where(own, _W.c.known_at <= _NOTICE.c.known_at))
    both = sa.union_all(by_own, by_notice).subquery()
    return sa.select(both)


def _reads() -> dict[str, _Read]:
    score = schema.scores
    scores = sa.select(*_fields(score, Score), _H.c.known_at).join(_H, _H.c.headline_id == score.c.headline_id)
    retractions = _retractions()
    back = retractions.selected_columns
    made = ("scored_at", "story_id", "skip_reason", "imported")
    return {
        "headlines": _Read(sa.select(*_fields(_H, Headline, *made)), _H.c.known_at, (plain(_H.c.headline_id),)),
        "scores": _Read(scores, _H.c.known_at, (plain(score.c.headline_id), plain(score.c.model_id))),
        "signals": _Read(sa.select(_S.c.data), _S.c.known_at, (plain(_S.c.signal_id),), _signals),
        "retractions": _Read(retractions, back.known_at, (plain(back.signal_id),)),
        "withdrawals": _Read(sa.select(_W), _W.c.known_at, (plain(_W.c.headline_id),)),
        "indexes": _Read(sa.select(*_fields(_I, Index, "at")), _I.c.at, ()),
        "bars": _Read(
            sa.select(*_fields(_B, Bar)),
            _B.c.open_at,
            (plain(_B.c.source), _B.c.close_at, _B.c.known_at),
            narrowed=_series,
        ),
        "forward_returns": _Read(
            sa.select(*_fields(schema.forward_returns, ForwardReturn)),
            schema.forward_returns.c.settled_at,
            (plain(schema.forward_returns.c.signal_id),),
        ),
        "job_runs": _Read(sa.select(*_fields(_R, JobRun)), _R.c.started_at, (plain(_R.c.run_id),)),
    }


_READS = _reads()
NAMES = tuple(_READS)


def span(conn: sa.Connection, name: str) -> tuple[dt.datetime, dt.datetime] | None:
    """The first and the last time of a table's rows; null where it has none."""
    read = _READS[name]
    first, last = (
        conn.execute(read.query.with_only_columns(how(read.at))).scalar() for how in (sa.func.min, sa.func.max)
    )
    return None if first is None or last is None else (first, last)


def batches(conn: sa.Connection, name: str, low: dt.datetime, high: dt.datetime, *, size: int) -> Iterator[Columns]:
    """A table's rows of [`low`, `high`) by time, at most `size` at once; no more than that is held."""
    read = _READS[name]
    query = read.query.where(read.at >= low, read.at < high).order_by(read.at, *read.key)
    narrowed = read.narrowed(conn)
    if narrowed is not None:
        query = query.where(narrowed)
    for rows in conn.execute(query.execution_options(yield_per=size)).partitions():
        yield read.columns(rows)
