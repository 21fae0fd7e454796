"""Event windows: local clocks, both ends, overlaps, and the shipped dates."""

import datetime as dt

import pytest

from jobs.settings import load
from signals.market.events import Event, window_at
from tests.conftest import ROOT

EVENTS = load(ROOT / "config" / "signals.toml", {}).events


def utc(text: str) -> dt.datetime:
    """An ISO time in UTC."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("at", "name"),
    [
        ("2026-03-18T18:00:00", "fomc"),  # 14:00 in summer time
        ("2026-01-28T19:00:00", "fomc"),  # 14:00 in winter time
        ("2026-01-28T18:00:00", "fomc"),
        ("2026-01-28T17:59:59", None),
        ("2026-01-28T20:59:59", "fomc"),
        ("2026-01-28T21:00:00", None),
        ("2026-01-29T19:00:00", None),
        ("2027-12-08T19:00:00", "fomc"),
        ("2026-12-18T03:00:00", "boj"),  # noon in Tokyo
        ("2026-12-18T01:30:00", "boj"),
        ("2026-12-18T07:29:59", "boj"),
        ("2026-12-18T07:30:00", None),
        ("2027-01-22T03:00:00", "boj"),
        ("2026-02-11T13:30:00", "us_payrolls"),  # moved from the first Friday
        ("2026-02-06T13:30:00", None),
        ("2026-02-13T13:30:00", "us_cpi"),
        ("2026-12-13T23:50:00", "boj_tankan"),  # 08:50 in Tokyo is the evening before
        ("2026-02-12T13:30:00", "us_claims"),  # every Thursday
    ],
)
def test_the_shipped_windows(at: str, name: str | None) -> None:
    """Each on its own place's clock, the first second in, the last out."""
    assert window_at(EVENTS, utc(at)) == name


def test_a_day_has_eight_decisions_a_year() -> None:
    """Both banks meet eight times a year; the dates are weekdays."""
    dates = {event.name: event.dates for event in EVENTS}
    for name, year in (("fomc", 2026), ("fomc", 2027), ("boj", 2026), ("boj", 2027)):
        of_year = [day for day in dates[name] if day.year == year]
        assert len(of_year) == 8
        assert all(day.weekday() < 5 for day in of_year)


def event(name: str, hour: int, **changes: object) -> Event:
    """An event of 4 March 2026, New York time, an hour each way."""
    values = {"zone": "America/New_York", "before_s": 3600, "after_s": 3600, "source": "a test"} | changes
    return Event(name=name, time=dt.time(hour), dates=frozenset({dt.date(2026, 3, 4)}), **values)  # type: ignore[arg-type]


def test_of_overlapping_windows_the_nearer_event_gives_its_name() -> None:
    """At equal distance the one that stands first in the file."""
    first, second = event("first", 9), event("second", 10)
    assert window_at([first, second], utc("2026-03-04T14:29:00")) == "first"
    assert window_at([first, second], utc("2026-03-04T14:31:00")) == "second"
    assert window_at([first, second], utc("2026-03-04T14:30:00")) == "first"
    assert window_at([second, first], utc("2026-03-04T14:30:00")) == "second"


def test_a_window_reaches_over_midnight() -> None:
    """Both ways, in local days."""
    late = event("late", 23, after_s=7200)
    assert window_at([late], utc("2026-03-05T05:30:00")) == "late"  # half past midnight in New York
    early = event("early", 0)
    assert window_at([early], utc("2026-03-04T04:30:00")) == "early"  # half past eleven the evening before
