"""Intervals: they cover what is true as often as they say, and say nothing where there is too little."""

import math

import numpy as np
import pytest

from signals.errors import ConfigError, DataError
from signals.research.interval import _FIGURES, UNITS_MIN, interval


def trades(seed: int, *, days: int, edge: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Returns of trades (bp) that come in stories of one sign, on lively and on quiet days; and their days."""
    chance = np.random.default_rng([seed, days])
    day = np.repeat(np.arange(days), 1 + chance.poisson(7, days))
    story = day * 3 + chance.integers(0, 3, len(day))
    common = chance.standard_t(5, days * 3)[story] * 0.8
    lively = np.exp(chance.normal(0, 0.4, days))[day]
    return edge + 9 * lively * (common + chance.normal(0, 0.6, len(day))), day


def covered(found, truth: float) -> bool:
    return found.low <= truth <= found.high


@pytest.mark.slow
def test_on_noise_the_intervals_cover_zero_as_often_as_they_say():
    """Of the mean a trade, whole days resampled, and of the daily Sharpe ratio: 95 in 100, give or take their chance.

    Resampling single trades, as if copies of one piece of news were witnesses, covers it far more seldom. The bench
    `noise` asks the same of 200 backtests.
    """
    mean, sharpe, single = [], [], []
    for seed in range(100):
        values, day = trades(seed, days=120)
        mean.append(covered(interval(values, days=day, seed=seed), 0))
        sharpe.append(covered(interval(np.bincount(day, values), "sharpe", seed=seed), 0))
        if seed < 40:
            single.append(covered(interval(values, block=1, seed=seed), 0))
    assert 0.90 <= np.mean(mean) <= 0.99
    assert 0.90 <= np.mean(sharpe) <= 0.99
    assert np.mean(single) < 0.85


def test_a_planted_edge_is_found_with_its_size():
    """2 bp a trade over some 4,000 trades: seen in each run, covered in nearly all, right on average within 0.1 bp."""
    found = []
    for seed in range(40):
        values, day = trades(seed, days=500, edge=2.0)
        found.append(interval(values, days=day, seed=seed))
    assert all(one.low > 0 for one in found)
    assert sum(covered(one, 2.0) for one in found) >= 35
    means = [trades(seed, days=500, edge=2.0)[0].mean() for seed in range(200)]
    assert np.mean(means) == pytest.approx(2.0, abs=0.1)


def test_days_that_hang_together_are_kept_together():
    """Returns that carry over from day to day have a wider interval than the same returns in any order."""
    chance = np.random.default_rng(8)
    noise = chance.normal(0, 1, 600)
    carried = np.convolve(noise, np.ones(6), "valid")
    width = [found.high - found.low for found in (interval(carried), interval(chance.permutation(carried)))]
    assert width[0] > 1.5 * width[1]
    assert interval(carried, block=1) == pytest.approx(interval(carried, block=0.5))


@pytest.mark.parametrize("statistic", list(_FIGURES))
def test_the_same_seed_gives_the_same_interval(statistic):
    """And another seed hardly another; the figure lies where the bounds say, drawdowns apart."""
    values = np.random.default_rng(9).normal(0.1, 1, 300)
    first, again, other = (interval(values, statistic, seed=seed) for seed in (1, 1, 2))
    assert first == again != other
    assert first.low < first.value < first.high
    assert abs(other.low - first.low) < 0.25 * (first.high - first.low)


def test_figures_are_what_their_names_say():
    """By hand: 3 gains and 1 loss, one day idle; the idle day is no miss."""
    values = [2.0, -4.0, 0.0, 3.0, 1.0]
    assert interval(values, "mean").value == pytest.approx(0.4)
    assert interval(values, "sum").value == pytest.approx(2.0)
    assert interval(values, "hit_rate").value == pytest.approx(0.75)
    assert interval(values, "profit_factor").value == pytest.approx(6 / 4)
    assert interval(values, "sharpe").value == pytest.approx(np.mean(values) / np.std(values, ddof=1) * math.sqrt(260))
    assert interval(values, "max_drawdown").value == pytest.approx(4.0)
    assert interval([-1.0, -1.0, 3.0], "max_drawdown").value == pytest.approx(2.0)
    assert interval([1.0, 2.0], "profit_factor").value == math.inf
    by_day = interval(values, "mean", days=[1, 1, 2, 2, 2])
    assert (by_day.value, by_day.n, by_day.units) == (pytest.approx(0.4), 5, 2)


def test_too_little_has_no_bounds():
    """Fewer days than it takes, idle ones not counted, or none that differ: NaN, and the figure itself stays."""
    chance = np.random.default_rng(10)
    few = chance.normal(0, 1, UNITS_MIN - 1)
    for values in (few, np.append(few, np.zeros(200)), np.full(100, 0.5), np.abs(few).repeat(5)):
        found = interval(values, "hit_rate")
        assert math.isnan(found.low)
        assert math.isnan(found.high)
    assert interval(few).value == pytest.approx(few.mean())
    assert math.isnan(interval(few.repeat(9), days=np.arange(UNITS_MIN - 1).repeat(9)).low)
    assert not math.isnan(interval(np.append(few, 1.0)).low)
    assert math.isnan(interval([]).value)
    assert math.isnan(interval([0.3], "sharpe").value)


def test_a_wider_level_is_wider():
    """99% lies around 80%."""
    values = np.random.default_rng(11).normal(0, 1, 200)
    wide, narrow = interval(values, "sharpe", level=0.99), interval(values, "sharpe", level=0.8)
    assert wide.low < narrow.low < narrow.high < wide.high


@pytest.mark.parametrize(
    ("asked", "error", "told"),
    [
        ({"values": [1.0, math.nan]}, DataError, "1 are no number"),
        ({"values": [1.0, 2.0], "days": [1]}, DataError, "1 for 2 values"),
        ({"values": [1.0, 2.0], "days": [1, 2], "statistic": "sharpe"}, DataError, "of daily returns"),
        ({"values": [1.0], "statistic": "mode"}, ConfigError, "no 'mode'"),
        ({"values": [1.0], "level": 95}, ConfigError, "no share"),
    ],
)
def test_what_cannot_be_told_is_refused(asked, error, told):
    """One line that names what is wrong."""
    with pytest.raises(error, match=told):
        interval(**asked)
