"""Intervals for figures of signals: whole FX days are drawn, for the signals of one day are not independent.

Two headlines of one event see the same price move; ten of them are no ten witnesses. So days are resampled with all
their signals (the pairs cluster bootstrap: Cameron, Gelbach & Miller, Review of Economics and Statistics 90, 2008).
Ratios of sums, means among them, get studentised bounds with the clusters' own variance of each draw; medians and rank
correlations those of the percentiles. With fewer than `DAYS_MIN` days there are no bounds (NaN): nothing could be said.
Draws depend on `seed` and on the number of days alone, so the same history gives the same bounds.
"""

import functools
import math
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from signals.market.week import day_of
from signals.research.interval import Interval

RESAMPLES = 999
DAYS_MIN = 10
LEVEL = 0.95
_AT_ONCE = 4_000_000
"""Numbers that are held at once while ranks are drawn."""
_FIT_MIN = 0.9
"""Share of the draws that must give a figure; of fewer no bounds are taken."""

Floats = NDArray[np.float64]


class Days(NamedTuple):
    """Which FX day each row is of: `codes` from 0 to `size` - 1."""

    codes: NDArray[np.int64]
    size: int

    def take(self, rows: NDArray[np.bool_]) -> "Days":
        """Of these rows only; days that none is of are gone."""
        codes, days = pd.factorize(self.codes[rows], sort=True)
        return Days(np.asarray(codes, np.int64), len(days))


class Bands(NamedTuple):
    """A figure for each column of a table: its value, its bounds, rows and days that it rests on."""

    value: Floats
    low: Floats
    high: Floats
    n: NDArray[np.int64]
    days: NDArray[np.int64]

    def one(self) -> Interval:
        """The first column's."""
        return Interval(
            float(self.value[0]), float(self.low[0]), float(self.high[0]), int(self.n[0]), int(self.days[0]), LEVEL
        )


NOTHING = Interval(math.nan, math.nan, math.nan, 0, 0, LEVEL)


def days_of(times: pd.DatetimeIndex) -> Days:
    """The FX days (17:00 to 17:00 New York) of UTC times."""
    codes, days = pd.factorize(day_of(times), sort=True)
    return Days(np.asarray(codes, np.int64), len(days))


def means(values: Floats, days: Days, *, seed: int = 0) -> Bands:
    """Mean of each column over its rows that are no NaN, with bounds. `values` is rows by columns, or one column."""
    table = _columns(values)
    there = np.isfinite(table)
    return ratios(np.where(there, table, 0.0), there.astype(float), days, seed=seed)


def mean(values: Floats, days: Days, *, seed: int = 0) -> Interval:
    """Mean of one column, with bounds."""
    return means(values, days, seed=seed).one()


def ratios(over: Floats, under: Floats, days: Days, *, seed: int = 0, percentile: bool = False) -> Bands:
    """Sum of `over` by sum of `under`, of each column; rows with an `under` of 0 do not count.

    `percentile` : bounds from the percentiles of the draws: for denominators that may come near zero.
    """
    table = _columns(under)
    upper, lower = (_by_day(_columns(part), days) for part in (over, under))
    count = (table != 0).sum(axis=0)
    present = _by_day((table != 0).astype(float), days) > 0
    with np.errstate(invalid="ignore", divide="ignore"):
        value = upper.sum(axis=0) / lower.sum(axis=0)
        drawn = _draws(days.size, seed)
        low, high = (_percentiles if percentile else _studentised)(value, upper, lower, drawn)
    few = present.sum(axis=0) < DAYS_MIN
    low, high = np.where(few, math.nan, low), np.where(few, math.nan, high)
    return Bands(value, low, high, count, present.sum(axis=0))


def medians(values: Floats, days: Days, *, seed: int = 0) -> Bands:
    """Median of each column over its rows that are no NaN.

    The bounds are the values at the shares between which the share below the median lies in the draws (Woodruff's
    inversion, Journal of the American Statistical Association 47, 1952): no column is sorted a thousand times.
    """
    table = _columns(values)
    there = np.isfinite(table)
    ordered, count = np.sort(np.where(there, table, math.inf), axis=0), there.sum(axis=0)
    middle = np.where(count > 0, _at_share(ordered, count, np.full(len(count), 0.5)), math.nan)
    below = np.where(there, (table < middle) + 0.5 * (table == middle), 0.0)
    shares = ratios(below, there.astype(float), days, seed=seed, percentile=True)
    low, high = (_at_share(ordered, count, share) for share in (shares.low, shares.high))
    return Bands(middle, low, high, shares.n, shares.days)


def _columns(values: Floats) -> Floats:
    return values if values.ndim == 2 else values[:, None]


def spearman(x: Floats, y: Floats, days: Days, *, seed: int = 0) -> Interval:
    """Rank correlation of two columns over the rows that have both, with bounds from percentiles.

    Ranks are taken anew in every draw, ties at their middle.
    """
    both = np.isfinite(x) & np.isfinite(y)
    x, y, days = x[both], y[both], days.take(both)
    ones = np.ones((1, len(x)))
    if len(x) < 2:
        return NOTHING._replace(n=len(x), units=days.size)
    value = float(_correlation(x, y, ones)[0])
    if days.size < DAYS_MIN or not math.isfinite(value):
        return Interval(value, math.nan, math.nan, len(x), days.size, LEVEL)
    draws = _draws(days.size, seed)
    at_once = max(1, _AT_ONCE // len(x))
    parts = [
        _correlation(x, y, draws[start : start + at_once][:, days.codes].astype(float))
        for start in range(0, len(draws), at_once)
    ]
    low, high = _bounds(np.concatenate(parts)[:, None])
    return Interval(value, float(low[0]), float(high[0]), len(x), days.size, LEVEL)


@functools.lru_cache(maxsize=8)
def _draws(count: int, seed: int) -> NDArray[np.int64]:
    """How often each day is drawn, one row a draw."""
    if not count:
        return np.zeros((RESAMPLES, 0), np.int64)
    drawn = np.random.default_rng(seed).integers(0, count, (RESAMPLES, count))
    drawn += np.arange(RESAMPLES)[:, None] * count
    return np.bincount(drawn.ravel(), minlength=RESAMPLES * count).reshape(RESAMPLES, count)


def _by_day(table: Floats, days: Days) -> Floats:
    sums = np.zeros((days.size, table.shape[1]))
    np.add.at(sums, days.codes, table)
    return sums


def _studentised(value: Floats, upper: Floats, lower: Floats, draws: NDArray[np.int64]) -> tuple[Floats, Floats]:
    weights = draws.astype(float)
    over, under = weights @ upper, weights @ lower
    drawn = over / under
    spread = weights @ upper**2 - 2 * drawn * (weights @ (upper * lower)) + drawn**2 * (weights @ lower**2)
    error = np.sqrt(np.maximum(spread, 0)) / np.abs(under)
    own = np.sqrt(((upper - value * lower) ** 2).sum(axis=0)) / np.abs(lower.sum(axis=0))
    scaled = np.where(error > 1e-12 * (np.abs(drawn) + own), (drawn - value) / error, math.nan)
    low, high = _bounds(scaled)
    return value - high * own, value - low * own


def _percentiles(_value: Floats, upper: Floats, lower: Floats, draws: NDArray[np.int64]) -> tuple[Floats, Floats]:
    weights = draws.astype(float)
    return _bounds((weights @ upper) / (weights @ lower))


def _bounds(drawn: Floats) -> tuple[Floats, Floats]:
    """The middle `LEVEL` of each column; NaN where too few draws gave a figure."""
    good = np.isfinite(drawn)
    fit = good.mean(axis=0) >= _FIT_MIN
    ordered = np.sort(np.where(good, drawn, math.inf), axis=0)  # numpy's own nanquantile takes column by column
    tail = (1 - LEVEL) / 2
    low, high = (_at_share(ordered, good.sum(axis=0), np.full(drawn.shape[1], share)) for share in (tail, 1 - tail))
    return np.where(fit, low, math.nan), np.where(fit, high, math.nan)


def _at_share(ordered: Floats, count: NDArray[np.int64], share: Floats) -> Floats:
    """The quantile of each column, of whose rows the first `count` are numbers; between two of them in proportion."""
    if not len(ordered):
        return np.full(len(count), math.nan)
    last = np.maximum(count - 1, 0)
    place = np.nan_to_num(share) * last
    below, columns = place.astype(np.int64), np.arange(ordered.shape[1])
    least, most = ordered[below, columns], ordered[np.minimum(below + 1, last), columns]
    with np.errstate(invalid="ignore"):
        found: Floats = np.where(np.isnan(share), math.nan, least + (most - least) * (place - below))
    return found


def _correlation(x: Floats, y: Floats, weights: Floats) -> Floats:
    """Spearman's for each row of weights: Pearson's of the weighted ranks."""
    rank_x, rank_y = _ranks(x, weights), _ranks(y, weights)
    total = weights.sum(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        rank_x = rank_x - (weights * rank_x).sum(axis=1, keepdims=True) / total
        rank_y = rank_y - (weights * rank_y).sum(axis=1, keepdims=True) / total
        both = (weights * rank_x * rank_y).sum(axis=1)
        spread = np.sqrt((weights * rank_x**2).sum(axis=1) * (weights * rank_y**2).sum(axis=1))
        return np.asarray(np.where(spread > 1e-9, both / spread, math.nan))


def _ranks(values: Floats, weights: Floats) -> Floats:
    """Middle ranks where each row of the table counts `weights` times."""
    _, place = np.unique(values, return_inverse=True)
    order = np.argsort(place, kind="stable")
    starts = np.searchsorted(place[order], np.arange(place.max() + 1))
    tied = np.add.reduceat(weights[:, order], starts, axis=1)
    return np.asarray((tied.cumsum(axis=1) - tied / 2)[:, place])
