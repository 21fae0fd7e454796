"""Seeded worlds in which the truth is known: prices that nothing foretells, or that follow signals by a set step."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from signals.market.week import day_of, hour_of_week
from tests.research.making import bar_table, signal_table

MINUTE = pd.Timedelta(minutes=1)
HOUR_BP = 12.0
"""Standard deviation of the price over an hour, basis points, averaged over the day."""
_BUSY = np.array([17, 18, 19, 20, 21, 22, 23, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16])
"""New York's hour of each hour of the FX day, from its beginning."""
_PACE = np.interp(
    _BUSY, [0, 3, 6, 8, 10, 12, 15, 17, 19, 21, 23], [0.8, 1.3, 0.9, 1.6, 1.7, 1.0, 0.8, 0.3, 0.8, 1.0, 0.8]
)
"""How lively each of these hours is: Tokyo, London, New York's data, the quiet after its close."""


class World(NamedTuple):
    """Prices and what was said of them."""

    signals: pd.DataFrame
    bars: pd.DataFrame


def world(seed: int, *, days: int, signals: int, edge_bp: float = 0.0, copies: float = 3.0) -> World:
    """Minute bars and signals.

    Prices walk at the pace of the hour, with lively days after lively days and tails of Student's t with 4 degrees of
    freedom. Signals come in stories: `copies` on average, minutes apart, one sign; when they come and what they say
    knows nothing of the prices, except that each moves the price by `edge_bp` its way once it can be acted on.
    """
    chance = np.random.default_rng([seed, 77])
    at = _minutes(days)
    said = _signals(chance, at, signals, copies)
    returns = _returns(chance, at)
    if edge_bp:
        entry = np.searchsorted(at.asi8, (pd.DatetimeIndex(said["known_at"]) + pd.Timedelta(seconds=2)).asi8)
        reached = entry < len(at)
        np.add.at(returns, entry[reached], edge_bp * 1e-4 * said["sign"].to_numpy()[reached])
    close = 150 * np.exp(np.cumsum(returns))
    opened = np.append(150.0, close[:-1])
    wick = np.abs(returns) * chance.random(len(returns)) * 50
    high, low = np.maximum(opened, close) + wick, np.minimum(opened, close) - wick
    return World(said, bar_table(at, np.column_stack([opened, high, low, close]), MINUTE))


def _minutes(days: int) -> pd.DatetimeIndex:
    at = pd.date_range("2025-01-05T22:00Z", periods=(days + 10) * 1440 * 7 // 5, freq="min", unit="us")
    at = at[hour_of_week(at) < 120]
    return at[: days * 1440]


def _returns(chance: np.random.Generator, at: pd.DatetimeIndex) -> np.ndarray:
    day = pd.factorize(day_of(at))[0]
    mood = np.zeros(day[-1] + 1)
    for n in range(1, len(mood)):
        mood[n] = 0.7 * mood[n - 1] + chance.normal(0, 0.25)
    pace = _PACE[hour_of_week(at) % 24] * np.exp(mood)[day]
    return chance.standard_t(4, len(at)) / np.sqrt(2) * pace * HOUR_BP / np.sqrt(60) * 1e-4


def _signals(chance: np.random.Generator, at: pd.DatetimeIndex, count: int, copies: float) -> pd.DataFrame:
    stories = max(1, round(count / copies))
    repeats = chance.geometric(1 / copies, stories) if copies > 1 else np.ones(stories, dtype=int)
    pace = _PACE[hour_of_week(at) % 24]
    begun = chance.choice(len(at) - 90, stories, p=pace[:-90] / pace[:-90].sum())
    story = np.repeat(np.arange(stories), repeats)
    known_us = at.asi8[begun][story] + chance.integers(1, 60_000_000, len(story))
    first = np.append(True, story[1:] != story[:-1])
    known_us = known_us + np.where(first, 0, chance.exponential(6 * 60e6, len(story)).astype(np.int64))
    sign = chance.choice([-1, 1], stories)[story]
    strength = np.round(chance.uniform(0.3, 1.0, len(story)), 3)
    order = np.argsort(known_us, kind="stable")
    known_at = pd.DatetimeIndex(known_us[order].view("datetime64[us]")).tz_localize("UTC")
    return signal_table(known_at, sign=sign[order], strength=strength[order])
