"""What each source did on each day."""

import datetime as dt

from signals.model import Withdrawal
from signals.store import Store, facts, headlines, source_days, withdrawals
from signals.store.source_days import Day, Look

from .conftest import DAY, HOUR, MINUTE, NOW, make_headline


def test_looks_add_up_by_source_and_day(store: Store) -> None:
    """Counts are sums, failures are counted by reason, and days are UTC's."""
    with store.write() as conn:
        source_days.count(conn, Look("wire", seen=20, new=3), NOW)
        source_days.count(conn, Look("wire", unchanged=True), NOW + MINUTE)
        for reason in ("timeout", "http_500", "timeout"):
            source_days.count(conn, Look("wire", failure=reason), NOW + HOUR)
        source_days.count(conn, Look("blog", seen=5, new=5, withdrawn=1), NOW)
        source_days.count(conn, Look("blog", seen=1, new=1), NOW + DAY)
        assert source_days.of_day(conn, NOW.date()) == [
            Day("blog", NOW.date(), 1, 0, 0, 5, 5, 1, {}),
            Day("wire", NOW.date(), 5, 1, 3, 20, 3, 0, {"timeout": 2, "http_500": 1}),
        ]
        assert [day.new for day in source_days.of_day(conn, (NOW + DAY).date())] == [1]


def test_old_days_are_dropped(store: Store) -> None:
    """Those before a date, and no other."""
    with store.write() as conn:
        for ago in range(4):
            source_days.count(conn, Look("wire"), NOW - ago * DAY)
        assert source_days.thin(conn, (NOW - DAY).date()) == 2
        assert [bool(source_days.of_day(conn, (NOW - ago * DAY).date())) for ago in range(4)] == [
            True,
            True,
            False,
            False,
        ]


def test_the_newest_fact_is_a_headline_or_a_withdrawal(store: Store) -> None:
    """Null where nothing is kept."""
    with store.write() as conn:
        assert facts.last_known_at(conn) is None
        assert facts.last_step_at(conn) is None
        headlines.add(conn, [make_headline(1, NOW), make_headline(2, NOW - HOUR)])
        assert facts.last_known_at(conn) == NOW
        withdrawals.add(conn, [Withdrawal(headline_id="h1", known_at=NOW + HOUR, reason="withdrawn")])
        assert facts.last_known_at(conn) == NOW + HOUR
        withdrawals.mark_taken(conn, withdrawals.waiting(conn), NOW + dt.timedelta(hours=2))
        assert facts.last_step_at(conn) == NOW + dt.timedelta(hours=2)
