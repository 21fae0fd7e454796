"""The first bar that touches a level is the one that looking at each bar finds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signals.research import paths
from signals.research.paths import first_touch, pyramid
from tests.core.conftest import steady


@steady
@given(st.integers(0, 2**32), st.integers(1, 300), st.integers(1, 50))
def test_the_first_touch_is_the_first(seed: int, bars: int, searches: int):
    """For any start, end and levels, of walks of any length, also levels met exactly and none at all."""
    chance = np.random.default_rng(seed)
    middle = np.cumsum(chance.integers(-2, 3, bars)).astype(float)
    low, high = middle - chance.integers(0, 2, bars), middle + chance.integers(0, 2, bars)
    start = chance.integers(0, bars, searches)
    end = np.minimum(start + chance.integers(0, bars + 1, searches), bars)
    floor = np.where(chance.random(searches) < 0.2, -np.inf, middle[start] - chance.integers(0, 20, searches))
    ceiling = np.where(chance.random(searches) < 0.2, np.inf, middle[start] + chance.integers(0, 20, searches))
    found = first_touch(pyramid(low, high), start, end, floor, ceiling)
    for n in range(searches):
        touching = [i for i in range(start[n], end[n]) if low[i] <= floor[n] or high[i] >= ceiling[n]]
        assert found[n] == (touching[0] if touching else end[n])


def test_searches_taken_in_parts_are_the_same(monkeypatch: pytest.MonkeyPatch):
    """Where the parts are cut makes no difference."""
    chance = np.random.default_rng(1)
    middle = np.cumsum(chance.normal(size=500))
    bars = pyramid(middle - 0.1, middle + 0.1)
    start = chance.integers(0, 500, 100)
    asked = (start, np.full(100, 500), middle[start] - 3, middle[start] + 3)
    whole = first_touch(bars, *asked)
    monkeypatch.setattr(paths, "_TOGETHER", 7)
    assert first_touch(bars, *asked).tolist() == whole.tolist()
    assert (whole < 500).any()
