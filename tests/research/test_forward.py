"""Prices before and after a moment: the live join's, and those an order gets."""

import datetime as dt
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signals.market.bars import BarTable
from signals.research.forward import as_of, forward, micros, usual_move_bp
from signals.research.frames import bar_frame
from tests.core.conftest import HOUR, NOW, SECOND, climb, make_bar, steady
from tests.research.planted import MINUTE, MONDAY, bars_of


def at(*times: dt.datetime) -> np.ndarray:
    """Microseconds of UTC times."""
    return micros(pd.DatetimeIndex(times))


@given(st.lists(st.integers(-50, 50), min_size=1, max_size=30), st.integers(-4000, 4000))
@steady
def test_the_price_of_a_moment_is_the_live_joins(minutes, seconds):
    """Whatever bars there are, `as_of` gives what a signal's `ref_price` and `ref_age_s` are, while it is fresh."""
    bars = [make_bar(NOW + minute * MINUTE, 150 + minute / 100) for minute in set(minutes)]
    moment = NOW + seconds * SECOND
    live = BarTable(bars).context(moment, 900)
    found = as_of(bar_frame(bars), at(moment))
    if live.ref_price is None or live.stale:
        assert math.isnan(found.price[0])
    else:
        assert (found.price[0], found.age_s[0]) == (live.ref_price, live.ref_age_s)


def test_an_order_gets_the_next_open_and_the_last_close():
    """In at the open after known_at + latency, out at the close that ends the holding time: 1 bp a minute."""
    bars = bar_frame(climb(120))
    found = forward(at(NOW - HOUR - 30 * SECOND), bars, np.array([300, 1800]))
    assert found.entry_at[0] == pd.Timestamp(NOW - HOUR)
    assert found.return_bp[0] == pytest.approx([4, 29])  # a made bar opens where it closes: the first minute is lost
    late = forward(at(NOW - HOUR - 30 * SECOND), bars, np.array([300]), latency_s=31)
    assert late.entry_at[0] == pd.Timestamp(NOW - HOUR + MINUTE)


def test_nothing_is_had_from_across_a_hole():
    """No bar within the longest wait, or none near the end of the holding time: no return, not a later one."""
    bars = bars_of(np.full(600, 150.0)).drop(index=pd.date_range(MONDAY + HOUR, periods=120, freq="min"))
    found = forward(at(MONDAY + HOUR, MONDAY + HOUR - 10 * MINUTE), bars, np.array([300, 3600]))
    assert pd.isna(found.entry_at[0]) and np.isnan(found.return_bp[0]).all()
    assert found.return_bp[1].tolist() == pytest.approx([0, math.nan], nan_ok=True)


def test_a_bar_of_an_hour_may_be_waited_for():
    """The next open of hourly bars is up to an hour away, and is taken."""
    found = forward(at(MONDAY + MINUTE), bars_of(np.arange(150.0, 160.0), HOUR), np.array([3600]))
    assert found.entry_at[0] == pd.Timestamp(MONDAY + HOUR)
    assert found.return_bp[0, 0] == pytest.approx(math.log(152 / 151) * 1e4)


def test_the_usual_move_is_of_the_days_before_alone():
    """Moves of 2 bp a minute make 15.5 bp an hour; bars that close later do not count, and few bars tell nothing."""
    prices = 150 * np.exp(np.where(np.arange(1441) % 2, 2e-4, 0))
    wild = np.concatenate([prices, 150 * np.exp(np.where(np.arange(500) % 2, 9e-3, 0))])
    moments, hour = at(MONDAY + 24 * HOUR, MONDAY + 10 * MINUTE), np.array([3600.0, 3600.0])
    calm = usual_move_bp(bars_of(prices), moments, hour)
    assert calm == pytest.approx([2 * math.sqrt(60), math.nan], nan_ok=True)
    assert usual_move_bp(bars_of(wild), moments, hour) == pytest.approx(calm, nan_ok=True)


def test_without_bars_there_is_no_price():
    """Nothing is made up, and nothing breaks."""
    none = bars_of(np.array([150.0]))
    assert np.isnan(as_of(none, at(MONDAY)).price).all()
    assert np.isnan(forward(at(MONDAY), none, np.array([300])).return_bp).all()
    assert np.isnan(usual_move_bp(none, at(MONDAY), np.array([60.0]))).all()
