"""What each source did on each day, UTC: how often it was asked, what it answered, what came of it."""

import datetime as dt
from typing import NamedTuple

import sqlalchemy as sa

from signals.store import schema
from signals.store.insert import insert_new
from signals.store.ordering import plain

_D = schema.source_days
_COUNTS = ("asked", "unchanged", "failed", "seen", "new", "withdrawn")


class Look(NamedTuple):
    """One look at a source."""

    source: str
    unchanged: bool = False
    seen: int = 0
    """Items in its answer."""
    new: int = 0
    withdrawn: int = 0
    failure: str | None = None
    """Reason of a failure (`SourceError.reason`); null where it answered."""


class Day(NamedTuple):
    """A source's day."""

    source: str
    day: dt.date
    asked: int
    unchanged: int
    failed: int
    seen: int
    new: int
    withdrawn: int
    failures: dict[str, int]
    """How often each reason was given."""


def count(conn: sa.Connection, look: Look, now: dt.datetime) -> None:
    """Add one look, at `now` (UTC), to its source's day."""
    key = {"source": look.source, "day": now.date()}
    insert_new(conn, _D, [key | dict.fromkeys(_COUNTS, 0) | {"failures": {}}])
    mine = (_D.c.source == look.source) & (_D.c.day == now.date())
    more = {
        "asked": 1,
        "unchanged": int(look.unchanged),
        "failed": int(look.failure is not None),
        "seen": look.seen,
        "new": look.new,
        "withdrawn": look.withdrawn,
    }
    values: dict[str, object] = {name: _D.c[name] + add for name, add in more.items() if add}
    if look.failure:
        held = sa.select(_D.c.failures).where(mine).with_for_update()  # or who counts beside us would be lost
        so_far: dict[str, int] = conn.execute(held).scalar_one()
        values["failures"] = so_far | {look.failure: so_far.get(look.failure, 0) + 1}
    conn.execute(sa.update(_D).where(mine).values(values))


def of_day(conn: sa.Connection, day: dt.date) -> list[Day]:
    """All sources that were looked at on a day, by name."""
    query = sa.select(*(_D.c[name] for name in Day._fields)).where(_D.c.day == day).order_by(plain(_D.c.source))
    return [Day(*row) for row in conn.execute(query)]


def thin(conn: sa.Connection, before: dt.date) -> int:
    """Drop days before this one; returns how many rows that were."""
    return conn.execute(sa.delete(_D).where(_D.c.day < before)).rowcount
