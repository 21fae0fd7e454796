"""Holes in what is held: which there are, and when they are asked for. The FX week decides what should be there."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signals.market.hours import is_open
from signals.prices.holes import (
    LEAST,
    SETTLE,
    TRIES,
    WAITS,
    Asked,
    Hole,
    after_asking,
    due_holes,
    expected,
    holes,
    is_due,
    look_until,
    newest_close,
)  # fmt: skip

MINUTE = dt.timedelta(minutes=1)
HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)
WEDNESDAY = dt.datetime(2026, 3, 4, 12, 0, tzinfo=dt.UTC)
FRIDAY_CLOSE = dt.datetime(2026, 3, 6, 22, 0, tzinfo=dt.UTC)
SUNDAY_OPEN = dt.datetime(2026, 3, 8, 21, 0, tzinfo=dt.UTC)
"""New York changes its clocks on that very day."""


def opens(low: dt.datetime, high: dt.datetime, step: dt.timedelta) -> list[dt.datetime]:
    return expected(low, high, step).to_pydatetime().tolist()


def test_a_whole_week_has_no_hole() -> None:
    """Neither the weekend, nor the change of clocks, nor the minute that Yahoo never has is one."""
    for step in (MINUTE, HOUR):
        low, high = WEDNESDAY, WEDNESDAY + 7 * DAY
        held = [low + n * step for n in range((high - low) // step) if is_open(low + n * step)]
        held = [at for at in held if step == HOUR or (at.hour, at.minute) != (23, 59)]
        assert holes(held, low, high, step) == []
        assert opens(low, high, step) == held


def test_missing_steps_are_one_hole_each_run() -> None:
    """Two runs without bars are two holes with their ends and counts; a run across the weekend is one."""
    every = opens(WEDNESDAY, WEDNESDAY + 7 * DAY, HOUR)
    held = [at for at in every if not (at < WEDNESDAY + 2 * HOUR or FRIDAY_CLOSE - HOUR <= at <= SUNDAY_OPEN)]
    assert holes(held, WEDNESDAY, WEDNESDAY + 7 * DAY, HOUR) == [
        Hole(WEDNESDAY, WEDNESDAY + 2 * HOUR, 2),
        Hole(FRIDAY_CLOSE - HOUR, SUNDAY_OPEN + HOUR, 2),
    ]


def test_a_quiet_minute_is_no_hole() -> None:
    """Minutes without a quote are Yahoo's way; three in a row are a hole, and a single missing hour is."""
    every = opens(WEDNESDAY, WEDNESDAY + DAY, MINUTE)
    least = LEAST[MINUTE]
    assert holes(every[:100] + every[100 + least - 1 :], WEDNESDAY, WEDNESDAY + DAY, MINUTE) == []
    assert [h.missing for h in holes(every[:100] + every[100 + least :], WEDNESDAY, WEDNESDAY + DAY, MINUTE)] == [least]
    hours = opens(WEDNESDAY, WEDNESDAY + DAY, HOUR)
    assert [h.missing for h in holes(hours[:5] + hours[6:], WEDNESDAY, WEDNESDAY + DAY, HOUR)] == [1]


@pytest.mark.parametrize(("year", "month", "day"), [(2025, 12, 25), (2026, 1, 1), (2026, 12, 25), (2027, 1, 1)])
def test_holidays_are_thin(year: int, month: int, day: int) -> None:
    """On the FX day of Christmas and New Year nothing is missed; the hours before and after are."""
    low, high = (dt.datetime(year, month, day, 22, tzinfo=dt.UTC) - n * DAY for n in (1, 0))
    assert opens(low, high, HOUR) == []
    assert opens(low - HOUR, high + HOUR, HOUR)[0] == low - HOUR
    assert holes([], low, high, MINUTE) == []
    after = [at for at in opens(low, high + 3 * DAY, HOUR) if at >= high]
    assert after and after[0] >= high


@given(st.sets(st.integers(0, 167)), st.datetimes(dt.datetime(2025, 1, 1), dt.datetime(2027, 1, 1)))
def test_holes_and_what_is_held_make_the_whole(gone: set[int], start: dt.datetime) -> None:
    """Any hours missing from any week lie in exactly one hole; their counts add up; no held hour lies in one."""
    low = start.replace(tzinfo=dt.UTC)
    every = opens(low, low + 7 * DAY, HOUR)
    held = [at for n, at in enumerate(every) if n not in gone]
    found = holes(held, low, low + 7 * DAY, HOUR)
    inside = [sum(hole.start_at <= at < hole.end_at for hole in found) for at in every]
    assert inside == [int(n in gone) for n in range(len(every))]
    assert sum(hole.missing for hole in found) == sum(inside)
    assert found == sorted(found)


def test_new_bars_are_asked_for_as_they_close() -> None:
    """Hours: as one has closed and is not held, and once more when it has settled; between them never."""
    last, asked_at = WEDNESDAY - HOUR, WEDNESDAY - 40 * MINUTE
    assert not is_due(WEDNESDAY - MINUTE, HOUR, last, asked_at)
    assert is_due(WEDNESDAY, HOUR, last, asked_at)
    assert not is_due(WEDNESDAY + MINUTE, HOUR, WEDNESDAY, WEDNESDAY)
    assert is_due(WEDNESDAY + SETTLE, HOUR, WEDNESDAY, WEDNESDAY)
    assert not is_due(WEDNESDAY + 2 * SETTLE, HOUR, WEDNESDAY, WEDNESDAY + SETTLE)
    assert not is_due(WEDNESDAY + 2 * SETTLE, HOUR, last, WEDNESDAY + SETTLE)  # it never came: a hole, if anything
    assert is_due(WEDNESDAY, HOUR, None, None) and is_due(WEDNESDAY, HOUR, None, asked_at)


def test_minutes_are_asked_for_each_minute_but_at_the_weekend() -> None:
    """All week long; after the close once more when its last bars have settled, then not until the week opens."""
    assert is_due(WEDNESDAY, MINUTE, WEDNESDAY - MINUTE, WEDNESDAY - MINUTE)
    assert is_due(FRIDAY_CLOSE + SETTLE, MINUTE, FRIDAY_CLOSE, FRIDAY_CLOSE + MINUTE)
    for last in (FRIDAY_CLOSE, FRIDAY_CLOSE - 2 * MINUTE):
        assert not is_due(FRIDAY_CLOSE + DAY, MINUTE, last, FRIDAY_CLOSE + SETTLE)
    assert not is_due(SUNDAY_OPEN, MINUTE, FRIDAY_CLOSE, FRIDAY_CLOSE + SETTLE)
    assert is_due(SUNDAY_OPEN + MINUTE, MINUTE, FRIDAY_CLOSE, FRIDAY_CLOSE + SETTLE)


def test_the_newest_close_is_the_markets() -> None:
    """On the step in the week, at its end at the weekend, through the change of clocks."""
    assert newest_close(WEDNESDAY + 30 * dt.timedelta(seconds=1), MINUTE) == WEDNESDAY
    assert newest_close(WEDNESDAY + 59 * MINUTE, HOUR) == WEDNESDAY
    for at in (FRIDAY_CLOSE, FRIDAY_CLOSE + DAY, SUNDAY_OPEN):
        assert newest_close(at, HOUR) == newest_close(at, MINUTE) == FRIDAY_CLOSE
    assert newest_close(SUNDAY_OPEN + HOUR, HOUR) == SUNDAY_OPEN + HOUR


def test_the_end_of_the_week_is_looked_at_once_it_has_settled() -> None:
    """While the market is open what is late is no hole; after the close what is missing at the end is."""
    late = FRIDAY_CLOSE - 5 * MINUTE
    assert look_until(FRIDAY_CLOSE - MINUTE, MINUTE, late) == late
    assert look_until(FRIDAY_CLOSE + MINUTE, MINUTE, late) == late
    assert look_until(FRIDAY_CLOSE + SETTLE, MINUTE, late) == FRIDAY_CLOSE


def test_a_hole_is_asked_for_so_many_times_and_no_more() -> None:
    """At once, then after each wait; the last try leaves nothing to wait for."""
    hole = Hole(WEDNESDAY, WEDNESDAY + HOUR, 60)
    now, asked, tries = WEDNESDAY + DAY, dict[dt.datetime, Asked](), 0
    for _ in range(7 * 24 * 60):
        if due_holes([hole], asked, now):
            tries += 1
            asked[hole.end_at] = after_asking(tries, now)
        now += MINUTE
    assert tries == TRIES == len(WAITS) + 1
    assert asked[hole.end_at].next_at is None
