"""The jobs that someone paused."""

import datetime as dt

import msgspec
import sqlalchemy as sa

from signals.model import Pause
from signals.store import insert, schema
from signals.store.ordering import plain

_P = schema.job_pauses


def put(conn: sa.Connection, pause: Pause) -> None:
    """Pause a job, or change for how long and why."""
    insert.put(conn, _P, [msgspec.structs.asdict(pause)])


def lift(conn: sa.Connection, job: str) -> bool:
    """Let a job go on; whether it was paused."""
    return bool(conn.execute(sa.delete(_P).where(_P.c.job == job)).rowcount)


def standing(conn: sa.Connection, now: dt.datetime) -> dict[str, Pause]:
    """The pauses that hold at a UTC time, by job."""
    query = sa.select(_P).where(_P.c.until.is_(None) | (_P.c.until > now)).order_by(plain(_P.c.job))
    return {row.job: Pause(**dict(row._mapping)) for row in conn.execute(query)}


def thin(conn: sa.Connection, now: dt.datetime) -> int:
    """Drop the pauses that are over; returns how many."""
    return conn.execute(sa.delete(_P).where(_P.c.until <= now)).rowcount
