"""What the database says, read in one go and without changing it."""

import contextlib
import datetime as dt
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import sqlalchemy as sa

from jobs.checks.processes import Holder, range_holder
from jobs.services import ServiceSeen, services
from jobs.settings import Settings
from signals.model import PAIR, FeedState, JobRun, Pause
from signals.store import Store, alerts, asks, bars, feeds, leases, pauses, runs, schema, signals
from signals.store.alerts import Alert
from signals.store.glance import Nature, file_of, glance, nature

_WRITE_BYTE = 120
"""Of the file `-shm`: who holds it is writing (SQLite, wal.c)."""
_RESERVED_BYTE = 0x40000001
"""Of the database file: who holds it has it for itself alone (SQLite, os.h)."""
_ALERTS = 100
SERIES = (("yahoo", 60), ("yahoo", 3600), ("ecb", 0))


class Kept(NamedTuple):
    """What the tables hold."""

    states: Mapping[str, FeedState]
    latest: Mapping[str, JobRun]
    """The newest run of each job."""
    epoch: str | None
    last_seq: int
    waiting: int
    """Messages that are not in Redis yet."""
    waiting_since: dt.datetime | None
    last_headline_at: dt.datetime | None
    closed_at: Mapping[tuple[str, int], dt.datetime | None]
    """When the newest bar of each series closed, by source and length (s)."""
    prices: Mapping[str, FeedState]
    """What is remembered of questions to price sources."""
    alerts: tuple[Alert, ...]
    """Those that are open."""
    pauses: Mapping[str, Pause]
    """The jobs that someone paused."""
    services: tuple[ServiceSeen, ...]
    """The leader first."""


class StoreState(NamedTuple):
    """A database, as it is found."""

    name: str
    """Its address without a password."""
    nature: Nature
    file: Path | None
    kept: Kept | None
    """Null where there is none yet, or its tables are not those of this code."""
    server_time_offset_s: float | None
    """How far the database's clock is ahead of ours, in seconds; null where it has none of its own."""


def store_state(settings: Settings, clock: Callable[[], dt.datetime]) -> StoreState:
    """Read it.

    Raises
    ------
    StoreError : it cannot be read.
    ConfigError : its address cannot be used.
    """
    file = file_of(settings.database_url)
    if file is not None and not file.exists():
        return StoreState(str(file), Nature("no database yet", None), file, None, None)
    with contextlib.closing(glance(settings.database_url)) as store:
        found = nature(store)
        return StoreState(
            store.name if file is None else str(file),
            found,
            file,
            _kept(store, clock) if found.current else None,
            None if file is not None else _offset_s(store, clock),
        )


def writer(file: Path) -> Holder | None:
    """Who holds a SQLite file so that nobody else can write; null where nobody does."""
    shared = file.with_name(f"{file.name}-shm")
    return range_holder(shared, _WRITE_BYTE) or range_holder(file, _RESERVED_BYTE)


def _kept(store: Store, clock: Callable[[], dt.datetime]) -> Kept:
    outbox = schema.outbox.c
    unsent = sa.select(sa.func.count(), sa.func.min(outbox.seq)).where(outbox.published_at.is_(None))
    with store.read() as conn:
        epoch, last_seq = signals.channel_state(conn, PAIR)
        waiting, first = conn.execute(unsent).one()
        states = {state.source: state for state in feeds.states(conn)}
        return Kept(
            states={name: state for name, state in states.items() if not name.startswith(asks.PREFIX)},
            latest=runs.latest(conn),
            epoch=epoch,
            last_seq=last_seq,
            waiting=waiting,
            waiting_since=_made_at(conn, first),
            last_headline_at=conn.execute(sa.select(sa.func.max(schema.headlines.c.known_at))).scalar(),
            closed_at={one: bars.last_close_at(conn, *one) for one in SERIES},
            prices=asks.remembered(conn, asks.PREFIX),
            alerts=tuple(alerts.told(conn, limit=_ALERTS, closed=False)),
            pauses=pauses.standing(conn, clock()),
            services=services(leases.read(conn, PAIR), leases.members(conn), clock()),
        )


def _made_at(conn: sa.Connection, seq: int | None) -> dt.datetime | None:
    """When the signal of the first message that waits was made; null where it is no signal."""
    if seq is None:
        return None
    made = sa.select(schema.signals.c.scored_at).where(schema.signals.c.signal_id == schema.outbox.c.message_id)
    return conn.execute(made.where(schema.outbox.c.seq == seq)).scalar()


def _offset_s(store: Store, clock: Callable[[], dt.datetime]) -> float:
    with store.read() as conn:
        before = clock()
        told: dt.datetime = conn.execute(sa.text("SELECT clock_timestamp()")).scalar_one()
        return (told - (before + (clock() - before) / 2)).total_seconds()
