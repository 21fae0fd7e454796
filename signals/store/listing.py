"""Signals, the index and runs as a page lists them: newest first, filtered, a page at a time."""

import datetime as dt
from collections.abc import Collection
from typing import Any, NamedTuple

import sqlalchemy as sa

from signals.model import ForwardReturn, JobRun
from signals.store import schema
from signals.store.ordering import plain
from signals.store.runs import _run

_F, _H, _S, _R, _I = schema.forward_returns, schema.headlines, schema.signals, schema.job_runs, schema.indexes
_HISTORY = sa.exists().where(_H.c.headline_id == _S.c.headline_id, _H.c.imported)


class Before(NamedTuple):
    """A place in the list: what follows it is older, or as old with a smaller id."""

    known_at: dt.datetime
    signal_id: str


class Filter(NamedTuple):
    """Which signals are listed; null and empty: all of them, but none of imported history, which was never told."""

    direction: str | None = None
    """`up`, `flat`, `down`, or `unknown` for what abstained."""
    topic: str | None = None
    source: str | None = None
    strength_min: float = 0.0
    text: str = ""
    """Stands in the title, whatever its case."""
    since: dt.datetime | None = None
    """UTC; known then or later."""


class Listed(NamedTuple):
    """A signal's `data` as it was told, when it was retracted (UTC, or null), and its return (null: not settled)."""

    data: dict[str, Any]
    retracted_at: dt.datetime | None
    return_bp: float | None


class Point(NamedTuple):
    """The index as it was told by the step at a UTC time."""

    at: dt.datetime
    value: float


def signals(conn: sa.Connection, wanted: Filter, *, limit: int, before: Before | None = None) -> list[Listed]:
    """The newest signals by when they became known, newest first."""
    query = sa.select(_S.c.data, _S.c.retracted_at, _F.c.return_bp)
    query = query.outerjoin(_F, _F.c.signal_id == _S.c.signal_id).where(*_conditions(wanted))
    if before is not None:
        older = _S.c.known_at < before.known_at
        as_old = (_S.c.known_at == before.known_at) & (plain(_S.c.signal_id) < before.signal_id)
        query = query.where(_S.c.known_at <= before.known_at, older | as_old)
    query = query.order_by(_S.c.known_at.desc(), plain(_S.c.signal_id).desc()).limit(limit)
    return [Listed(*row) for row in conn.execute(query)]


def count(conn: sa.Connection, wanted: Filter, *, most: int) -> int:
    """How many signals these are; counts no further than `most`."""
    few = sa.select(_S.c.signal_id).where(*_conditions(wanted)).limit(most).subquery()
    return int(conn.execute(sa.select(sa.func.count()).select_from(few)).scalar_one())


def signal(conn: sa.Connection, signal_id: str) -> tuple[Listed, ForwardReturn | None] | None:
    """One signal and what came of it; null where there is none of this id."""
    query = sa.select(_S.c.data, _S.c.retracted_at, *_F.c).outerjoin(_F, _F.c.signal_id == _S.c.signal_id)
    row = conn.execute(query.where(_S.c.signal_id == signal_id)).one_or_none()
    if row is None:
        return None
    fields = {name: getattr(row, name) for name in ForwardReturn.__struct_fields__}
    return Listed(row.data, row.retracted_at, row.return_bp), ForwardReturn(**fields) if row.outcome else None


def index(conn: sa.Connection, since: dt.datetime, *, limit: int) -> list[Point]:
    """The index as told from a UTC time on, oldest first, with the last before it; of more than `limit` the newest."""
    before = sa.select(_I.c.at, _I.c.value).where(_I.c.at < since).order_by(_I.c.at.desc()).limit(1)
    query = sa.select(_I.c.at, _I.c.value).where(_I.c.at >= since).order_by(_I.c.at.desc()).limit(limit)
    found = [*conn.execute(query), *conn.execute(before)]
    return [Point(*row) for row in reversed(found)]


def runs_since(conn: sa.Connection, since: dt.datetime, *, without: Collection[str], limit: int) -> list[JobRun]:
    """Runs that started at a UTC time or later, newest first; good runs of the jobs in `without` are left out."""
    query = sa.select(_R).where(_R.c.started_at >= since, _R.c.job.not_in(without) | (_R.c.outcome != "ok"))
    return [
        _run(row)
        for row in conn.execute(query.order_by(_R.c.started_at.desc(), plain(_R.c.run_id).desc()).limit(limit))
    ]


def _conditions(wanted: Filter) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = [~_HISTORY]
    abstained = _S.c.data["abstained"].as_boolean()
    if wanted.direction == "unknown":
        conditions.append(abstained)
    elif wanted.direction:
        conditions += [_S.c.direction == wanted.direction, ~abstained]
    if wanted.topic:
        conditions.append(_S.c.data["topics"].as_string().contains(f'"{wanted.topic}"', autoescape=True))
    if wanted.source:
        conditions.append(_S.c.source == wanted.source)
    if wanted.strength_min > 0:
        conditions.append(_S.c.strength >= wanted.strength_min)
    if wanted.text:
        conditions.append(_S.c.title.icontains(wanted.text, autoescape=True))
    if wanted.since is not None:
        conditions.append(_S.c.known_at >= wanted.since)
    return conditions
