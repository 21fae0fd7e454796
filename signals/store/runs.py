"""The history of job runs."""

import datetime as dt
from collections.abc import Collection
from typing import Any

import msgspec
import sqlalchemy as sa

from signals.model import JobRun
from signals.store import schema
from signals.store.ordering import plain

_R = schema.job_runs


def begin(conn: sa.Connection, run: JobRun) -> None:
    """Put a run on record."""
    conn.execute(sa.insert(_R), _row(run))


def finish(conn: sa.Connection, run: JobRun) -> None:
    """Put a run's end on record, also where its beginning could not be."""
    if not conn.execute(sa.update(_R).where(_R.c.run_id == run.run_id).values(_row(run))).rowcount:
        begin(conn, run)


def close_interrupted(conn: sa.Connection, jobs: list[str], now: dt.datetime, *, older_than_s: float = 0) -> int:
    """Mark runs that a killed process left open; returns how many there were."""
    before = now - dt.timedelta(seconds=older_than_s)
    stale = sa.update(_R).where(_R.c.outcome == "running", _R.c.job.in_(jobs), _R.c.started_at <= before)
    values = {"outcome": "failed", "ended_at": now, "error": "interrupted: the process ended before the run did"}
    return conn.execute(stale.values(values)).rowcount


def close_left(conn: sa.Connection, triggers: Collection[str], now: dt.datetime, why: str) -> int:
    """Mark the runs of these triggers that are open, by whomever; returns how many there were."""
    left = sa.update(_R).where(_R.c.outcome == "running", _R.c.trigger.in_(triggers))
    return conn.execute(left.values(outcome="failed", ended_at=now, error=f"interrupted: {why}")).rowcount


def running(conn: sa.Connection, triggers: Collection[str] | None = None) -> list[JobRun]:
    """The runs that are under way, or were left open; oldest first; of these triggers or of all."""
    query = sa.select(_R).where(_R.c.outcome == "running").order_by(_R.c.started_at, plain(_R.c.run_id))
    return [_run(row) for row in conn.execute(query if triggers is None else query.where(_R.c.trigger.in_(triggers)))]


def recent(
    conn: sa.Connection,
    *,
    job: str | None = None,
    outcome: str | None = None,
    since: dt.datetime | None = None,
    without: Collection[str] = (),
    limit: int = 50,
) -> list[JobRun]:
    """Newest runs first, of one job, outcome and from a start on; good runs of the jobs in `without` are left out."""
    query = sa.select(_R).order_by(_R.c.started_at.desc(), plain(_R.c.run_id).desc()).limit(limit)
    if job is not None:
        query = query.where(_R.c.job == job)
    if outcome is not None:
        query = query.where(_R.c.outcome == outcome)
    if since is not None:
        query = query.where(_R.c.started_at >= since)
    return [_run(row) for row in conn.execute(query.where(_R.c.job.not_in(without) | (_R.c.outcome != "ok")))]


def find(conn: sa.Connection, run_id: str) -> JobRun | None:
    """The run whose id begins with `run_id`; null where none or several do."""
    rows = conn.execute(sa.select(_R).where(_R.c.run_id.startswith(run_id, autoescape=True)).limit(2)).all()
    return _run(rows[0]) if len(rows) == 1 else None


def thin(conn: sa.Connection, before: dt.datetime, *, jobs: Collection[str] | None = None) -> int:
    """Drop runs that ended before, of these jobs or of all; returns how many."""
    statement = sa.delete(_R).where(_R.c.ended_at < before)
    return conn.execute(statement if jobs is None else statement.where(_R.c.job.in_(jobs))).rowcount


def latest(conn: sa.Connection) -> dict[str, JobRun]:
    """The newest run of each job."""
    newest = sa.select(_R.c.job, sa.func.max(_R.c.started_at).label("at")).group_by(_R.c.job).subquery()
    query = sa.select(_R).join(newest, (_R.c.job == newest.c.job) & (_R.c.started_at == newest.c.at))
    return {row.job: _run(row) for row in conn.execute(query.order_by(plain(_R.c.run_id)))}


def _row(run: JobRun) -> dict[str, object]:
    return msgspec.structs.asdict(run) | {"notes": list(run.notes)}


def _run(row: sa.Row[Any]) -> JobRun:
    return JobRun(**dict(row._mapping) | {"notes": tuple(row.notes)})
