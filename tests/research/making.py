"""Frames for the tests of research, written out or drawn by a seed."""

from typing import Any

import numpy as np
import pandas as pd

from signals.research.frames import UTC

MINUTE_US = 60_000_000


def bar_table(open_at: pd.DatetimeIndex, prices: Any, length: pd.Timedelta) -> pd.DataFrame:
    """Bars of one length; `prices` has a row of open, high, low, close each."""
    frame = pd.DataFrame(
        np.asarray(prices, dtype=np.float64), columns=["open", "high", "low", "close"],
        index=open_at.as_unit("us").rename("open_at"),
    )  # fmt: skip
    frame["close_at"] = (open_at + length).as_unit("us")
    frame.attrs |= {"source": "made", "length_s": length.total_seconds()}
    return frame


def signal_table(known_at: pd.DatetimeIndex, **columns: Any) -> pd.DataFrame:
    """Signals as far as a backtest reads them: up, strong, an hour long, unless told otherwise."""
    frame = pd.DataFrame({"signal_id": [f"s{n:04}" for n in range(len(known_at))], "known_at": known_at.as_unit("us")})
    frame["valid_until"] = frame["known_at"] + pd.Timedelta(hours=1)
    frame["voided_at"] = pd.Series(pd.NaT, index=frame.index, dtype=UTC)
    plain = {"sign": 1, "strength": 0.6, "horizon_s": 3600, "abstained": False, "volatility_60m_bp": np.nan}
    for name, value in (plain | columns).items():
        frame[name] = value
    return frame.astype({"sign": "int8", "horizon_s": "int64", "voided_at": UTC, "valid_until": UTC})


STARTS = ("2026-03-03T20:00Z", "2026-03-04T20:30Z", "2026-03-06T20:00Z", "2026-03-08T19:00Z", "2026-10-30T19:00Z")
"""Before an ordinary roll, a triple one, a weekend with a change of clocks, its Sunday, and the one in autumn."""


def random_bars(chance: np.random.Generator, count: int, minutes: int, start: str) -> pd.DataFrame:
    """A walk in steps of a pip, with holes, and nothing while the market is closed."""
    at = pd.date_range(start, periods=count + 60 * 96 // minutes, freq=f"{minutes}min", tz="UTC", unit="us")
    local = at.tz_convert("America/New_York").tz_localize(None) - pd.Timedelta(hours=17)
    at = at[np.isin(local.day_of_week, (6, 0, 1, 2, 3))]
    kept = chance.random(len(at)) > chance.choice([0.0, 0.05, 0.4])
    at = at[kept][:count]
    close = 150 + np.cumsum(chance.integers(-6, 7, len(at))) / 100
    opened = np.append(150.0, close[:-1]) + chance.choice([0, 0, 0, 0.01, -0.02, 0.3, -0.3], len(at))
    high = np.maximum(opened, close) + chance.integers(0, 5, len(at)) / 100
    low = np.minimum(opened, close) - chance.integers(0, 5, len(at)) / 100
    prices = np.round(np.column_stack([opened, high, low, close]), 2)
    return bar_table(at, prices, pd.Timedelta(minutes=minutes))


def random_signals(chance: np.random.Generator, bars: pd.DataFrame, count: int) -> pd.DataFrame:
    """All kinds at all times, some together, some exactly at an open, some outside of the bars."""
    first, last = (int(at) for at in bars.index.asi8[[0, -1]])
    span = max(last - first, MINUTE_US)
    at = chance.integers(first - span // 10, last + span // 10, count)
    at = np.sort(np.where(chance.random(count) < 0.5, at // MINUTE_US * MINUTE_US, at))
    known_at = pd.DatetimeIndex(at.view("datetime64[us]")).tz_localize("UTC")
    void = pd.Series(known_at + pd.to_timedelta(chance.integers(0, 5400, count), unit="s"))
    abstained = chance.random(count) < 0.1
    return signal_table(
        known_at,
        signal_id=[f"s{n:04}" for n in chance.permutation(count)],
        valid_until=known_at + pd.to_timedelta(chance.integers(0, 7200, count), unit="s"),
        voided_at=void.where(chance.random(count) < 0.3),
        sign=np.where(abstained, 0, chance.integers(-1, 2, count)),
        strength=np.round(chance.random(count), 2),
        horizon_s=chance.choice([60, 600, 3600, 86_400], count),
        abstained=abstained,
        volatility_60m_bp=np.where(chance.random(count) < 0.3, np.nan, chance.integers(0, 30, count)),
    )
