"""Bounds by whole days: what they hold, what widens them, and when there are none."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from signals.research import clusters
from signals.research.clusters import DAYS_MIN, Days


def each(count: int, size: int = 1) -> Days:
    """So many days of `size` rows."""
    return Days(np.repeat(np.arange(count), size), count)


def test_copies_within_a_day_tell_nothing_new():
    """Each row five times on its day: the same bounds; taken as days of their own they would be narrower."""
    values = np.random.default_rng(1).normal(size=60)
    once, copied = clusters.mean(values, each(60)), clusters.mean(np.repeat(values, 5), each(60, 5))
    naive = clusters.mean(np.repeat(values, 5), each(300))
    assert copied[:3] == pytest.approx(once[:3])
    assert (copied.high - copied.low) > 2 * (naive.high - naive.low)
    assert (copied.n, copied.units) == (300, 60)


def test_the_truth_lies_within_as_often_as_said():
    """Of 300 histories whose rows hang together by day, about 95% of the bounds hold the true mean of 0."""
    held = 0
    for seed in range(300):
        chance = np.random.default_rng(seed)
        values = np.repeat(chance.normal(size=20), 4) + chance.normal(size=80) * 0.3
        found = clusters.mean(values, each(20, 4), seed=seed)
        held += found.low <= 0 <= found.high
    assert 0.91 <= held / 300 <= 0.985


@pytest.mark.parametrize("figure", [clusters.means, clusters.medians])
def test_each_column_is_taken_over_what_it_has(figure):
    """NaN is no row: value, count and days of a column are those of its own numbers."""
    table = np.random.default_rng(2).normal(5, 1, size=(40, 2))
    table[20:, 1] = math.nan
    found = figure(table, each(40))
    plain = np.mean if figure is clusters.means else np.median
    assert found.value == pytest.approx([plain(table[:, 0]), plain(table[:20, 1])])
    assert found.n.tolist() == found.days.tolist() == [40, 20]
    assert (found.low < found.value).all() and (found.value < found.high).all()
    assert (found.low > 4).all() and (found.high < 6).all()


@pytest.mark.parametrize("count", [0, 1, DAYS_MIN - 1])
def test_of_too_few_days_nothing_is_claimed(count):
    """There is a figure where there is a row, and there are no bounds."""
    values = np.arange(count, dtype=float)
    found = clusters.mean(values, each(count))
    assert math.isnan(found.low) and math.isnan(found.high)
    assert found.value == pytest.approx(values.mean()) if count else math.isnan(found.value)
    rank = clusters.spearman(values, values, each(count))
    assert math.isnan(rank.low) and (math.isnan(rank.value) if count < 2 else rank.value == pytest.approx(1))


def test_rank_correlation_is_spearmans_ties_and_all():
    """The value is scipy's; a row that is drawn thrice counts as three rows."""
    chance = np.random.default_rng(3)
    x = chance.normal(size=80).round(0)
    y = (x + chance.normal(size=80)).round(1)
    found = clusters.spearman(x, y, each(40, 2))
    assert found.value == pytest.approx(spearmanr(x, y)[0])
    assert found.low < found.value < found.high
    often = chance.integers(0, 4, 80)
    drawn = clusters._correlation(x, y, often[None, :].astype(float))[0]
    assert drawn == pytest.approx(spearmanr(np.repeat(x, often), np.repeat(y, often))[0])


def test_what_never_varies_has_no_correlation():
    """A constant call is no evidence: NaN, not 0."""
    assert math.isnan(clusters.spearman(np.ones(30), np.arange(30.0), each(30)).value)


def test_the_same_history_gives_the_same_bounds():
    """Chance is seeded, and another seed draws otherwise."""
    values = np.random.default_rng(4).normal(size=30)
    assert clusters.mean(values, each(30)) == clusters.mean(values, each(30))
    assert clusters.mean(values, each(30)) != clusters.mean(values, each(30), seed=1)


def test_a_day_ends_at_five_in_new_york():
    """22:01 UTC in winter lies in the next FX day."""
    times = pd.DatetimeIndex(["2026-02-02 12:00", "2026-02-02 21:59", "2026-02-02 22:01"], tz="UTC").as_unit("us")
    assert clusters.days_of(times).codes.tolist() == [0, 0, 1]
