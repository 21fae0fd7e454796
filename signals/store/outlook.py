"""What the store says of now, in one quick look: for whoever judges whether all is well.

Every query walks an index from its newest end, so that the look takes as long with a year of history as with a day.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection
from typing import NamedTuple

import msgspec
import sqlalchemy as sa

from signals.model import JobRun
from signals.store import runs, schema
from signals.store.insert import insert_new

_H, _O, _R, _W = schema.headlines, schema.outbox, schema.job_runs, schema.watches
_GOOD = ("ok", "partial")
_BAD = frozenset({"failed", "missed"})
_LAST = 5
"""How many headlines and messages a lag is taken of."""


class Source(NamedTuple):
    """What is kept of one source's headlines."""

    last_new_at: dt.datetime | None
    """UTC; when its newest headline became known."""
    lag_s: float | None
    """From the publisher's time to ours, of the quickest of its last headlines; null where fewer than five tell."""


class Job(NamedTuple):
    """What is kept of one job's runs."""

    last_run: JobRun | None
    last_ok_at: dt.datetime | None
    """UTC; when the last run started that ended well, in whole or part."""
    recent: str
    """How its last runs ended, twenty at most, newest last: `.` well, `x` badly; of those since a given time."""


class Outbox(NamedTuple):
    """What waits to be sent, and what was sent last."""

    depth: int
    oldest_at: dt.datetime | None
    """UTC; when the oldest message that waits was made."""
    last_signal_at: dt.datetime | None
    """UTC; when the newest signal was made."""
    lag_s: float | None
    """From `known_at` to the channel, of the quickest of the last five signals sent since a given time."""


class _Data(msgspec.Struct):
    known_at: dt.datetime | None = None
    backfilled: bool = False


class _Message(msgspec.Struct):
    """As much of a message as is asked for."""

    time: dt.datetime
    data: _Data


def source(conn: sa.Connection, source_id: str, since: dt.datetime) -> Source:
    """One source; lags are taken of headlines known since then (UTC).

    A publisher's time on the full hour tells a day or an hour, not a moment: no lag is taken of it.
    """
    query = sa.select(_H.c.known_at, _H.c.source_published_at, _H.c.backfilled).where(_H.c.source == source_id)
    rows = conn.execute(query.order_by(_H.c.known_at.desc()).limit(4 * _LAST)).all()
    lags = [
        (row.known_at - at).total_seconds()
        for row in rows
        if (at := row.source_published_at) and row.known_at >= since and not row.backfilled and (at.minute or at.second)
    ]
    return Source(rows[0].known_at if rows else None, min(lags[:_LAST]) if len(lags) >= _LAST else None)


def jobs(conn: sa.Connection, names: Collection[str], since: dt.datetime) -> dict[str, Job]:
    """Each of these jobs; `recent` is of runs since then (UTC)."""
    marks: defaultdict[str, str] = defaultdict(str)
    ended = sa.select(_R.c.job, _R.c.outcome).where(_R.c.started_at >= since, _R.c.outcome.in_((*_GOOD, *_BAD)))
    for row in conn.execute(ended.order_by(_R.c.started_at)):
        marks[row.job] += "x" if row.outcome in _BAD else "."
    return {name: Job(*_newest(conn, name), marks[name][-20:]) for name in names}


def outbox(conn: sa.Connection, epoch: str | None, kind: str, since: dt.datetime) -> Outbox:
    """What waits, and how quick the signals (messages of this type) were that were sent since then (UTC)."""
    mine = sa.select(_O.c.seq).where(_O.c.epoch == epoch, _O.c.published_at.is_not(None))
    last_sent = conn.execute(mine.order_by(_O.c.seq.desc()).limit(1)).scalar() or 0
    waits = (_O.c.epoch == epoch) & (_O.c.seq > last_sent)  # what was passed over before it does not wait
    depth = conn.execute(sa.select(sa.func.count()).select_from(_O).where(waits)).scalar_one()
    oldest = conn.execute(sa.select(_O.c.event).where(waits).order_by(_O.c.seq).limit(1)).scalar() if depth else None
    query = sa.select(_O.c.event, _O.c.published_at).where(_O.c.epoch == epoch, _O.c.type == kind)
    newest = [
        (msgspec.json.decode(row.event, type=_Message), row.published_at)
        for row in conn.execute(query.order_by(_O.c.seq.desc()).limit(_LAST))
    ]
    lags = [
        (sent_at - message.data.known_at).total_seconds()
        for message, sent_at in newest
        if sent_at and sent_at >= since and message.data.known_at and not message.data.backfilled
    ]
    return Outbox(
        depth,
        msgspec.json.decode(oldest, type=_Message).time if oldest else None,
        newest[0][0].time if newest else None,
        min(lags, default=None),
    )


def watched_at(conn: sa.Connection, name: str) -> dt.datetime | None:
    """When this watch last judged, UTC; null where it never did."""
    return conn.execute(sa.select(_W.c.at).where(_W.c.name == name)).scalar()


def watch(conn: sa.Connection, name: str, at: dt.datetime) -> None:
    """Put down that it judges now: a write, so it also tells whether the store can be written."""
    insert_new(conn, _W, [{"name": name, "at": at}])
    conn.execute(sa.update(_W).where(_W.c.name == name, _W.c.at < at).values(at=at))


def _newest(conn: sa.Connection, job: str) -> tuple[JobRun | None, dt.datetime | None]:
    found = runs.recent(conn, job=job, limit=1)
    well = sa.select(_R.c.started_at).where(_R.c.job == job, _R.c.outcome.in_(_GOOD))
    return found[0] if found else None, conn.execute(well.order_by(_R.c.started_at.desc()).limit(1)).scalar()
