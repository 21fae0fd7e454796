"""The FX week over columns of times says what the scalar rules say."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from signals.market import days, hours, week

TIMES = pd.date_range("2023-12-20", "2025-01-10", freq="53min", tz="UTC").as_unit("us")


def test_open_is_open_by_the_scalar_rule():
    """Through both changes of clocks the columns agree with `hours.is_open`, and the edges too."""
    edges = pd.DatetimeIndex(["2024-03-08T22:00Z", "2024-03-10T21:00Z", "2024-11-01T21:00Z", "2024-11-03T22:00Z"])
    times = TIMES.append(edges.as_unit("us")).append((edges - pd.Timedelta(microseconds=1)).as_unit("us"))
    assert week.is_open(times).tolist() == [hours.is_open(at.to_pydatetime()) for at in times]
    assert week.is_open(edges).tolist() == [False, True, False, True]


def test_the_fx_day_is_the_scalar_one():
    """Each time lies in the day that `days.day_of` names."""
    assert [day.date() for day in week.day_of(TIMES)] == [days.day_of(at.to_pydatetime()) for at in TIMES]


def test_the_week_ends_at_the_next_friday_1700_new_york():
    """In winter 22:00 UTC, in summer 21:00; the closing instant belongs to the next week."""
    times = pd.DatetimeIndex(["2024-03-07T12:00Z", "2024-03-08T22:00Z", "2024-03-10T12:00Z"]).as_unit("us")
    expected = pd.DatetimeIndex(["2024-03-08T22:00Z", "2024-03-15T21:00Z", "2024-03-15T21:00Z"]).as_unit("us")
    pd.testing.assert_index_equal(week.week_end(times), expected)


def test_a_week_carries_seven_nights():
    """Monday to Friday pay 1, 1, 3, 1, 1: seven nights a week, none at the weekend."""
    at, nights = week.rolls(pd.Timestamp("2024-03-03T23:00Z"), pd.Timestamp("2024-03-10T12:00Z"))
    assert nights.tolist() == [1, 1, 3, 1, 1]
    assert at[0] == pd.Timestamp("2024-03-04T22:00Z")
    assert at[-1] == pd.Timestamp("2024-03-08T22:00Z")


@pytest.mark.parametrize("edge", [0, 1])
def test_a_roll_at_the_edge_counts_at_its_end_only(edge: int):
    """(first, last]: a position opened at the roll does not pay it, one closed at it does."""
    roll = pd.Timestamp("2024-03-04T22:00Z")
    span = (roll, roll + dt.timedelta(hours=1)) if edge == 0 else (roll - dt.timedelta(hours=1), roll)
    assert week.rolls(*span)[1].tolist() == [1] * edge


def test_the_first_hour_of_the_week_is_sunday_1700():
    """Hour 0 opens the week, hour 119 is its last, the weekend follows."""
    times = pd.DatetimeIndex(["2024-03-10T21:30Z", "2024-03-08T21:59Z", "2024-03-09T22:00Z"]).as_unit("us")
    assert week.hour_of_week(times).tolist() == [0, 119, 144]
    assert np.unique(week.hour_of_week(TIMES)).size == hours.HOURS_IN_WEEK
