"""The FX week: Sunday to Friday, 17:00 in New York, whatever the clocks there do."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signals.market.hours import NEW_YORK, is_open, is_quoted, open_time

from .conftest import HOUR, SECOND, steady

EDGES = [
    # what begins at this UTC time, and whether the market is open from then on
    ("2026-01-09T22:00", False, "a Friday in winter"),
    ("2026-01-11T22:00", True, "a Sunday in winter"),
    ("2026-07-10T21:00", False, "a Friday in summer"),
    ("2026-07-12T21:00", True, "a Sunday in summer"),
    ("2026-03-06T22:00", False, "the Friday before New York's clocks go forward"),
    ("2026-03-08T21:00", True, "the Sunday on which they do"),
    ("2026-10-30T21:00", False, "the Friday before they go back"),
    ("2026-11-01T22:00", True, "the Sunday on which they do"),
    ("2026-03-27T21:00", False, "a Friday on which Europe's clocks differ from the usual"),
]


@pytest.mark.parametrize(("edge", "opens", "when"), EDGES, ids=[row[2] for row in EDGES])
def test_the_week_begins_and_ends_at_17_in_new_york(edge: str, opens: bool, when: str) -> None:
    """The opening instant is open, the closing one closed, the second before each is not yet."""
    at = dt.datetime.fromisoformat(edge).replace(tzinfo=dt.UTC)
    assert is_open(at) is opens
    assert is_open(at - SECOND) is not opens


@pytest.mark.parametrize(
    ("friday", "sunday", "hours"),
    [("2026-01-09T22:00", "2026-01-11T22:00", 48), ("2026-03-06T22:00", "2026-03-08T21:00", 47),
     ("2026-10-30T21:00", "2026-11-01T22:00", 49)],
)  # fmt: skip
def test_a_weekend_follows_the_clocks(friday: str, sunday: str, hours: int) -> None:
    """A weekend is closed throughout: an hour shorter in spring, an hour longer in autumn."""
    begin, end = (dt.datetime.fromisoformat(at).replace(tzinfo=dt.UTC) for at in (friday, sunday))
    assert end - begin == hours * HOUR
    assert not any(is_open(begin + hour * HOUR) for hour in range(hours))
    assert all(is_open(end + hour * HOUR) for hour in range(118))


@steady
@given(st.datetimes(dt.datetime(2000, 1, 1), dt.datetime(2037, 1, 1), timezones=st.just(dt.UTC)))
def test_open_on_workdays_that_begin_at_17_the_day_before(at: dt.datetime) -> None:
    """Put New York's wall clock seven hours forward and the FX week is Monday to Friday."""
    wall = at.astimezone(NEW_YORK).replace(tzinfo=None) + 7 * HOUR
    assert is_open(at) is (wall.weekday() < 5)


@pytest.mark.parametrize(
    ("since", "until", "hours"),
    [
        ("2026-03-04T10:20", "2026-03-04T12:50", 2.5),
        ("2026-02-27T21:30", "2026-03-01T22:15", 0.75),  # half an hour before the close, a quarter after the opening
        ("2026-02-28T01:00", "2026-03-01T20:00", 0),
        ("2026-03-04T12:00", "2026-03-04T11:00", 0),
        ("2026-03-06T21:00", "2026-03-08T22:00", 2),  # the clocks of New York change: it opens at 21:00 UTC
        ("2026-01-01T00:00", "2026-03-01T00:00", 59 * 24),  # longer than a month: all of it
    ],
)
def test_open_time_leaves_out_the_weekend(since: str, until: str, hours: float) -> None:
    """What passed between two times while dealers quoted, through daylight saving."""
    begin, end = (dt.datetime.fromisoformat(at).replace(tzinfo=dt.UTC) for at in (since, until))
    assert open_time(begin, end) == dt.timedelta(hours=hours)


@pytest.mark.parametrize(
    ("day", "holiday"),
    [("2025-12-25", True), ("2026-01-01", True), ("2025-12-26", False), ("2025-12-24", False), ("2025-12-31", False)],
)
def test_nobody_quotes_on_the_two_holidays(day: str, holiday: bool) -> None:
    """From 17:00 in New York the day before to 17:00; and the week, of which signals tell, knows nothing of them."""
    end = dt.datetime.fromisoformat(f"{day}T22:00").replace(tzinfo=dt.UTC)
    hours = [end - hour * HOUR for hour in range(1, 25)]
    assert [is_quoted(at) for at in (*hours, end - SECOND, end - 24 * HOUR)] == [not holiday] * 26
    assert not holiday or (is_quoted(end) and is_quoted(end - 24 * HOUR - SECOND))
    assert all(is_open(at) for at in hours)


def test_a_holiday_at_the_weekend_is_not_moved() -> None:
    """Christmas of 2022 is a Sunday: Monday is quoted from its opening on, as every Monday."""
    opening = dt.datetime(2022, 12, 25, 22, 0, tzinfo=dt.UTC)
    assert is_quoted(opening)
    assert open_time(opening - 40 * HOUR, opening + 24 * HOUR) == 24 * HOUR
