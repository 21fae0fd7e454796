"""The console's picture of the price: which bars, how long, and where the index stood at each."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.console.chart import chart
from signals.message import Index
from signals.model import Bar
from signals.store import Store, bars, signals
from tests.core.conftest import DAY, HOUR, MINUTE, NOW, make_bar


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store.open(f"sqlite:///{tmp_path / 'signals.db'}")
    yield made
    made.close()


def drawn(store: Store, name: str, *made: Bar, at: object = NOW) -> dict:
    with store.write() as conn:
        bars.add(conn, list(made))
    with store.read() as conn:
        return chart(conn, name, at, bars.series(conn))


def minutes(count: int, until: object = NOW) -> list[Bar]:
    """One-minute bars that close at 150.00, 150.01, …, the last at a UTC time."""
    prices = [150 + n / 100 for n in range(count)]
    return [make_bar(until - (count - 1 - n) * MINUTE, price) for n, price in enumerate(prices)]


def test_minutes_become_five_and_keep_their_edges(store: Store) -> None:
    """A day is drawn in bars of five minutes: first open, highest, lowest, last close."""
    told = drawn(store, "1d", *minutes(10))
    assert told["length_s"] == 300
    first, second = told["bars"]
    assert first.time == (NOW - 10 * MINUTE).timestamp()
    assert (first.open, first.high, first.low, first.close) == pytest.approx((150.0, 150.04, 150.0, 150.04))
    assert second.close == pytest.approx(150.09)


def test_six_hours_are_drawn_by_the_minute_and_weeks_by_the_hour(store: Store) -> None:
    """Each range takes the longest bars that are no longer than its own."""
    hours = [make_bar(NOW - n * HOUR, 151.0, length_s=3600) for n in range(24 * 8)]
    assert drawn(store, "6h", *minutes(400), *hours)["length_s"] == 60
    told = drawn(store, "1w")
    assert told["length_s"] == 3600
    assert len(told["bars"]) in (24 * 7, 24 * 7 + 1)


def test_a_closed_market_shows_its_last_hours(store: Store) -> None:
    """On a weekend the stretch ends with the last bar, and says when that was."""
    told = drawn(store, "6h", *minutes(60, NOW - 12 * HOUR), at=NOW)
    assert len(told["bars"]) == 60
    assert told["last_close_at"] == NOW - 12 * HOUR


def test_without_a_market_the_daily_fixings_are_moments(store: Store) -> None:
    """They are told as such, over ninety days, since no bar of theirs was traded."""
    fixings = [make_bar(NOW - n * DAY, 149.0, length_s=0, source="ecb") for n in range(100)]
    told = drawn(store, "6h", *fixings)
    assert (told["source"], told["length_s"]) == ("ecb", 0)
    assert len(told["bars"]) == 91
    assert drawn(store, "6h", *minutes(30))["source"] == "yahoo"


def test_the_index_stands_as_it_was_last_told(store: Store) -> None:
    """At each bar it is the value told by its end; before the first it is unknown."""
    with store.write() as conn:
        for ago, value in ((4, 0.5), (2, -0.25)):
            one = Index(value=value, half_life_s=900, n_signals=1, n_sources=1)
            signals.add(
                conn, [], [one], channel="USDJPY", now=NOW - ago * MINUTE, encode=lambda *_, ago=ago: (str(ago), b"{}")
            )
    told = drawn(store, "6h", *minutes(6))
    assert [value for _, value in told["index"]] == [None, 0.5, 0.5, -0.25, -0.25, -0.25]


def test_an_empty_store_has_no_picture(store: Store) -> None:
    """It says so, and invents nothing."""
    told = drawn(store, "1d")
    assert (told["bars"], told["source"], told["last_close_at"]) == ([], None, None)
