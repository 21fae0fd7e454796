"""FX days from hours: whole days only, with their true open, high, low and close."""

import datetime as dt

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signals.market.days import HOUR, THIN_DAYS, RefusedDay, day_of, day_span, fx_days
from signals.market.hours import is_open
from signals.model import Bar
from signals.prices import holes

LATER = dt.datetime(2030, 1, 1, tzinfo=dt.UTC)
MONDAY = dt.date(2026, 3, 2)


def hour(at: dt.datetime, open: float = 157.0, close: float = 157.0, wide: float = 0.1, **more: object) -> Bar:
    bar = Bar(
        open_at=at, close_at=at + HOUR, open=open, high=max(open, close) + wide, low=min(open, close) - wide,
        close=close, source="yahoo", known_at=at + HOUR,
    )  # fmt: skip
    return msgspec.structs.replace(bar, **more)


def hours_of(first: dt.date, last: dt.date) -> list[Bar]:
    """Every hour of the FX days from the first to the last, while the market is open."""
    low, high = day_span(first)[0], day_span(last)[1]
    every = [low + n * HOUR for n in range((high - low) // HOUR)]
    return [hour(at) for at in every if is_open(at)]


prices = st.floats(100, 200)


@given(st.lists(st.tuples(prices, prices, st.floats(0, 5)), min_size=24, max_size=24), st.randoms())
def test_a_day_is_what_its_hours_were(given_hours: list[tuple[float, float, float]], random: object) -> None:
    """First open, highest high, lowest low, last close, known with its last hour; in whatever order the hours come."""
    start, end = day_span(MONDAY)
    made = [hour(start + n * HOUR, *prices) for n, prices in enumerate(given_hours)]
    shuffled = list(made)
    random.shuffle(shuffled)
    (day,), refused = fx_days(shuffled, as_of=LATER)
    assert refused == () and (day.day, day.hours) == (MONDAY, 24)
    assert (day.bar.open_at, day.bar.close_at) == (start, end)
    assert (day.bar.open, day.bar.close) == (made[0].open, made[-1].close)
    assert day.bar.high == max(bar.high for bar in made) and day.bar.low == min(bar.low for bar in made)
    assert day.bar.known_at == max(bar.known_at for bar in made)


@given(st.dates(dt.date(2024, 1, 1), dt.date(2027, 12, 31)), st.sets(st.integers(0, 400), max_size=30))
def test_every_working_day_is_built_or_refused(first: dt.date, gone: set[int]) -> None:
    """Whatever hours are missing: each day is told of once, built only if none of its hours is missing."""
    every = hours_of(first, first + dt.timedelta(days=20))
    held = [bar for n, bar in enumerate(every) if n not in gone]
    days, refused = fx_days(held, as_of=LATER)
    told = sorted([day.day for day in days] + [day.day for day in refused])
    assert told == sorted({day for bar in held if (day := day_of(bar.open_at))} | {day.day for day in refused})
    lost = {day_of(every[n].open_at) for n in gone if n < len(every)}
    assert {day.day for day in days} == set(told) - lost
    assert all(day.hours < day.expected == 24 for day in refused)


def test_days_follow_new_yorks_clocks() -> None:
    """A day closes at 22:00 UTC in winter, 21:00 in summer; all have 24 hours but the Sundays of the change."""
    friday, monday = dt.date(2026, 3, 6), dt.date(2026, 3, 9)
    assert day_span(friday)[1] == dt.datetime(2026, 3, 6, 22, tzinfo=dt.UTC)
    assert day_span(monday) == tuple(dt.datetime(2026, 3, n, 21, tzinfo=dt.UTC) for n in (8, 9))
    spring, autumn = day_span(dt.date(2026, 3, 8)), day_span(dt.date(2026, 11, 1))
    assert [(end - start) / HOUR for start, end in (spring, autumn)] == [23, 25]
    days, refused = fx_days(hours_of(friday, monday), as_of=LATER)
    assert [(day.day, day.hours) for day in days] == [(friday, 24), (monday, 24)] and refused == ()


@given(st.datetimes(dt.datetime(2020, 1, 1), dt.datetime(2030, 1, 1)))
def test_a_moment_lies_in_its_day(at: dt.datetime) -> None:
    """Days follow one another without gap or overlap, through every change of clocks."""
    moment = at.replace(tzinfo=dt.UTC)
    start, end = day_span(day_of(moment))
    assert start <= moment < end
    assert day_span(day_of(moment) + dt.timedelta(days=1))[0] == end


def test_an_incomplete_day_is_refused_with_its_hours() -> None:
    """A missing hour, a thin holiday, a day without its close: each by its name and figures."""
    christmas = dt.date(2026, 12, 25)
    every = hours_of(dt.date(2026, 12, 22), dt.date(2026, 12, 28))
    start = day_span(dt.date(2026, 12, 22))[0]
    close = day_span(dt.date(2026, 12, 23))[1]
    held = [
        bar
        for bar in every
        if bar.open_at != start + 5 * HOUR and bar.close_at != close
        and (day_of(bar.open_at) != christmas or bar.open_at < day_span(christmas)[0] + 7 * HOUR)
    ]  # fmt: skip
    days, refused = fx_days(held, as_of=LATER)
    assert [day.day.day for day in days] == [24, 28]
    assert refused == (
        RefusedDay(dt.date(2026, 12, 22), "missing_hours", 23, 24),
        RefusedDay(dt.date(2026, 12, 23), "missing_hours", 23, 24),
        RefusedDay(christmas, "holiday", 7, 24),
    )
    assert str(refused[2]) == "2026-12-25 refused: holiday, 7 of 24 hours"


def test_thinner_days_may_be_asked_for_but_none_without_its_close() -> None:
    """With `least_hours` a day says of how many hours it is; one that lacks the last hour is still refused."""
    every = hours_of(MONDAY, MONDAY + dt.timedelta(days=1))
    held = [bar for n, bar in enumerate(every) if n not in (3, 4, 47)]
    days, refused = fx_days(held, as_of=LATER, least_hours=20)
    assert [(day.day, day.hours) for day in days] == [(MONDAY, 22)]
    assert refused == (RefusedDay(MONDAY + dt.timedelta(days=1), "no_close", 23, 24),)


def test_only_what_was_known_is_used() -> None:
    """A day that has not closed is not told of, a later version of an hour not seen, other bars not mixed in."""
    every = hours_of(MONDAY, MONDAY + dt.timedelta(days=1))
    close = day_span(MONDAY)[1]
    later = [hour(every[4].open_at, 190, 190, known_at=close + HOUR), hour(every[4].open_at, 180, 180, source="other")]
    minute = hour(every[4].open_at, 170, 170)
    minute = msgspec.structs.replace(minute, close_at=minute.open_at + HOUR / 60)
    for order in ([*every, *later, minute], [minute, *reversed(later), *reversed(every)]):
        (day,), refused = fx_days(order, as_of=close)
        assert day.bar.high == 157.1 and refused == ()
        assert fx_days(order, as_of=close + HOUR).days[0].bar.high == 190.1
    assert fx_days(every, as_of=close - HOUR / 2) == ((), ())
    assert fx_days([], as_of=close) == ((), ())


@pytest.mark.parametrize("day", [dt.date(2026, 12, 25), dt.date(2027, 1, 1)])
def test_the_holidays_are_those_of_the_price_job(day: dt.date) -> None:
    """What is refused as a holiday here is what is not asked for again there."""
    assert THIN_DAYS == holes.THIN_DAYS
    low, high = day_span(day)
    assert len(holes.expected(low, high, HOUR)) == 0
