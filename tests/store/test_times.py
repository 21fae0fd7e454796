"""Times in the store: aware UTC in, aware UTC out, nothing else."""

import datetime as dt

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import StatementError

from signals.store import Store, bars, headlines, schema

from .conftest import HOUR, NOW, make_bar, make_headline

TOKYO = dt.timezone(dt.timedelta(hours=9))
NAIVE = NOW.replace(tzinfo=None)


def test_every_time_of_every_table_is_of_the_type_that_checks() -> None:
    """No column takes a time past the check."""
    times = [
        column
        for table in schema.metadata.tables.values()
        for column in table.c
        if column.name.endswith(("_at", "_until"))
    ]
    assert len(times) > 15
    assert all(isinstance(column.type, schema.Utc) for column in times)


def test_times_come_back_aware_utc(store: Store) -> None:
    """What is read knows its zone, to the microsecond."""
    with store.write() as conn:
        headlines.add(conn, [make_headline()])
        bars.add(conn, [make_bar()])
    with store.read() as conn:
        (headline,) = headlines.waiting(conn, limit=1)
        last = bars.last_close_at(conn, "yahoo", 60)
    for at in (headline.known_at, headline.source_published_at, last):
        assert at is not None
        assert at.tzinfo is dt.UTC
    assert headline.known_at == last == NOW


def test_times_of_other_zones_are_the_same_instant(store: Store) -> None:
    """A question in Tokyo's time is about that instant; a row written in it comes back in UTC."""
    with store.write() as conn:
        bars.add(conn, [make_bar()])
        tokyo = NOW.astimezone(TOKYO)
        assert bars.closed_within(conn, [(tokyo, tokyo)]) == [make_bar()]
        conn.execute(sa.update(schema.bars).values(known_at=(NOW + HOUR).astimezone(TOKYO)))
        (bar,) = bars.closed_within(conn, [(NOW, NOW)])
    assert bar.known_at == NOW + HOUR
    assert bar.known_at.tzinfo is dt.UTC


def test_naive_times_are_refused(store: Store) -> None:
    """A time without a zone is neither written nor asked for: it would be read back as another instant."""
    with pytest.raises(StatementError, match="a naive time cannot be stored"), store.write() as conn:
        conn.execute(sa.insert(schema.feed_states), {"source": "boj", "last_attempt_at": NAIVE, "failures": 0})
    with pytest.raises(StatementError, match="a naive time cannot be stored"), store.read() as conn:
        bars.closed_within(conn, [(NAIVE, NAIVE)])
    with store.read() as conn:
        assert conn.execute(sa.select(schema.feed_states)).all() == []
