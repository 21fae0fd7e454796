"""The price of many headlines at once is the price of each."""

import datetime as dt
import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signals.errors import DataError
from signals.market.bars import BarTable
from signals.model import Bar, PriceContext
from signals.research.frames import DTYPES, bar_frame
from signals.research.join import BAR_COLUMNS, PriceTable, join_prices, stacked
from signals.research.rounding import rounded
from signals.research.windows import window_sums
from tests.core.conftest import HOUR, MINUTE, NOW, SECOND, bars, climb, make_bar, minutes, steady, version_key, versions

STALE_S = 900


def frame_of(known: Sequence[Bar]) -> pd.DataFrame:
    """Bars as the join takes them."""
    columns = {name: [getattr(bar, name) for bar in known] for name in BAR_COLUMNS}
    frame = pd.DataFrame(columns).astype({"source": "str", "close": "float64"})
    return frame.astype(dict.fromkeys(("open_at", "close_at", "known_at"), "datetime64[us, UTC]"))


def one_by_one(known: Sequence[Bar], at: Sequence[dt.datetime], now: dt.datetime | None = None) -> list[PriceContext]:
    """What the live path says of each."""
    table = BarTable(known, now)
    return [table.context(moment, STALE_S) for moment in at]


def at_once(known: Sequence[Bar], at: Sequence[dt.datetime], now: dt.datetime | None = None) -> list[PriceContext]:
    """The same from columns."""
    found = join_prices(pd.DatetimeIndex(at, tz="UTC"), frame_of(known), STALE_S, now)
    rows = found.astype("object").where(found.notna(), None).to_dict("records")
    return [PriceContext(**row) for row in rows]


def same(ours: Sequence[PriceContext], theirs: Sequence[PriceContext]) -> bool:
    """Equal to the last bit: `repr` tells -0.0 from 0.0."""
    return [repr(_plain(one)) for one in ours] == [repr(_plain(one)) for one in theirs]


def _plain(price: PriceContext) -> list[object]:
    values = [getattr(price, name) for name in PriceContext.__struct_fields__]
    return [value.timestamp() if isinstance(value, dt.datetime) else value for value in values]


@steady
@given(
    st.lists(versions(), max_size=25, unique_by=version_key),
    st.lists(bars(), max_size=10),
    st.lists(minutes(-300, 60), min_size=1, max_size=8),
    st.sampled_from([None, NOW, NOW + HOUR]),
)
def test_it_is_the_price_of_each(
    known: list[Bar], more: list[Bar], ago: list[dt.timedelta], now: dt.datetime | None
) -> None:
    """Whatever sources, lengths, versions, ties and holes there are, each row equals `BarTable.context`."""
    at = [NOW + span for span in ago]
    assert same(at_once([*known, *more], at, now), one_by_one([*known, *more], at, now))


def walk(count: int, *, length_s: int, source: str, seed: int, digits: int = 3) -> list[Bar]:
    """Bars over weekends and holes, a tenth of them missing and a long gap in the middle."""
    chance = np.random.default_rng(seed)
    price = np.round(150 * np.exp(np.cumsum(chance.normal(0, 3e-4, count))), digits).tolist()
    kept = (chance.random(count) > 0.02) & ~((np.arange(count) > count * 0.5) & (np.arange(count) < count * 0.55))
    start = NOW - dt.timedelta(days=9)
    return [
        make_bar(start + (place + 1) * dt.timedelta(seconds=length_s), price[place], length_s=length_s, source=source)
        for place in np.flatnonzero(kept).tolist()
    ]


@pytest.fixture(scope="module")
def history() -> list[Bar]:
    """Nine days of minutes, of five minutes from another, of hours, and daily fixings."""
    return [
        *walk(12_000, length_s=60, source="yahoo", seed=1),
        *walk(2_000, length_s=300, source="other", seed=2),
        *walk(220, length_s=3600, source="yahoo", seed=3),
        *walk(9, length_s=86_400, source="ecb", seed=4),
    ]


def test_a_long_history_gives_the_same_figures(history: list[Bar]) -> None:
    """Moves and volatility over days, through holes, weekends and changes of source, to the last bit."""
    chance = np.random.default_rng(5)
    at = [NOW - dt.timedelta(microseconds=int(ago)) for ago in chance.integers(0, 10 * 86_400_000_000, 1500)]
    at += [bar.close_at for bar in history[::97]]
    found = at_once(history, at)
    assert same(found, one_by_one(history, at))
    assert all(any(getattr(row, name) is not None for row in found) for name in PriceContext.__struct_fields__)


TWICE = [*climb(40), *(make_bar(bar.close_at, 149.0, known_at=NOW) for bar in climb(40)[::2])]
EDGES = {
    "fine in reach": ([make_bar(NOW - 2 * HOUR)], NOW),
    "coarse in reach": ([make_bar(NOW - 168 * HOUR, length_s=3600)], NOW),
    "start near enough for 60": ([make_bar(NOW - 67 * MINUTE, 149.0), make_bar(NOW - MINUTE)], NOW),
    "start too early for 60": ([make_bar(NOW - 67 * MINUTE - SECOND, 149.0), make_bar(NOW - MINUTE)], NOW),
    "start near enough for 5": ([make_bar(NOW - 390 * SECOND, 149.0), make_bar(NOW - MINUTE)], NOW),
    "start too early for 5": ([make_bar(NOW - 391 * SECOND, 149.0), make_bar(NOW - MINUTE)], NOW),
    "just fresh": ([make_bar(NOW - STALE_S * SECOND), make_bar(NOW - MINUTE, source="ecb", length_s=86_400)], NOW),
    "just enough minutes": (climb(31), NOW + SECOND),
    "too few minutes": (climb(30), NOW + SECOND),
    "other versions": (
        [*climb(40), *(make_bar(b.close_at, 149.0, known_at=NOW) for b in climb(40)[::2])],
        NOW + SECOND,
    ),
}


@pytest.mark.parametrize("edge", EDGES)
def test_limits_are_those_of_each(edge: str) -> None:
    """At and beyond each limit of age and number, and where bars were learned twice."""
    known, at = EDGES[edge]
    assert same(at_once(known, [at]), one_by_one(known, [at]))


def test_figures_in_the_middle_round_as_python_does() -> None:
    """Of a figure between two roundings the one that `round` gives, not the one that numpy does."""
    values = np.array([2.675, 1.005, -2.675, 0.125, 0.5, -0.001, 1e9 + 0.005, math.nan])
    found = rounded(values, 2, lambda near: [round(value, 2) for value in values[near].tolist()])
    assert [repr(value) for value in found.tolist()] == [repr(round(value, 2)) for value in values.tolist()]
    assert round(2.675, 2) != np.round(2.675, 2)


@given(st.lists(st.floats(0, 1e3), max_size=70), st.data())
@steady
def test_windows_add_up(values: list[float], data: st.DataObject) -> None:
    """Each window's sum is right to 13 digits, whatever stands outside it."""
    low = data.draw(st.lists(st.integers(0, len(values)), min_size=1, max_size=5))
    high = [data.draw(st.integers(start, len(values))) for start in low]
    array = np.array([1e12, *values, 1e12])
    found = window_sums(array, np.array(low) + 1, np.array(high) + 1)
    exact = [math.fsum(values[a:b]) for a, b in zip(low, high, strict=True)]
    assert found == pytest.approx(exact, rel=1e-13)


def test_columns_have_the_types_of_signals() -> None:
    """Also where there is no bar or no row: each column as in a frame of signals."""
    none, some = pd.DatetimeIndex([], tz="UTC"), pd.DatetimeIndex([NOW + SECOND])
    for at, known in ((none, []), (some, []), (none, climb(40)), (some, climb(40))):
        found = join_prices(at, frame_of(known), STALE_S)
        assert found.dtypes.astype(str).to_dict() == {name: DTYPES[name] for name in PriceContext.__struct_fields__}


def test_neither_argument_changes() -> None:
    """The frames that are given stay as they are."""
    known = frame_of([*climb(5), make_bar(NOW, 151.0, length_s=3600)])
    before, at = known.copy(), pd.DatetimeIndex([NOW, NOW - HOUR])
    PriceTable(known).context(at, STALE_S)
    pd.testing.assert_frame_equal(known, before)


def test_frames_of_bars_are_stacked() -> None:
    """Series in the frames of research join as their bars do."""
    fine, coarse = climb(70), [make_bar(NOW - MINUTE * 200, 149.0, length_s=3600, source="other")]
    at = pd.DatetimeIndex([NOW + SECOND, NOW - 2 * HOUR])
    ours = join_prices(at, stacked(bar_frame(fine), bar_frame(coarse)), STALE_S)
    pd.testing.assert_frame_equal(ours, join_prices(at, frame_of([*fine, *coarse]), STALE_S))


def test_a_missing_column_is_named() -> None:
    """Who gives other bars is told what is missing."""
    with pytest.raises(DataError, match="no column known_at"):
        PriceTable(frame_of(climb(3)).drop(columns="known_at"))
