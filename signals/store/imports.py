"""How far each import of history has come: written with its headlines, so that a kill loses and repeats nothing."""

import datetime as dt
from typing import Any

import msgspec
import sqlalchemy as sa

from signals.model import Record
from signals.store import schema
from signals.store.insert import put

_I = schema.imports


class Import(Record, frozen=True, kw_only=True):
    """One file, or one search, under certain options."""

    import_id: str
    name: str
    """What it reads, for people."""
    position: int = 0
    """Rows that are done; of a search the seconds of its time that are."""
    counts: dict[str, Any]
    started_at: dt.datetime
    updated_at: dt.datetime
    ended_at: dt.datetime | None = None


def find(conn: sa.Connection, import_id: str) -> Import | None:
    """The import of this id; null where it was never begun."""
    row = conn.execute(sa.select(_I).where(_I.c.import_id == import_id)).one_or_none()
    return None if row is None else Import(**row._mapping)


def save(conn: sa.Connection, one: Import) -> None:
    """Remember how far it has come."""
    put(conn, _I, [msgspec.structs.asdict(one)])
