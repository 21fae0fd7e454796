"""Prices before and after a moment: as a step would have seen them, and as an order could have got them.

As of a moment: the close of the last bar that closed before it, as the live join takes it. For an order: the open of
the first bar that opens from the moment on that the order could be sent; out again at the close of the last bar that
closed by the end of the holding time. Prices are mid prices in JPY per USD; nothing is taken from across a hole.
"""

import math
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Times = NDArray[np.int64]
"""Microseconds since 1970, UTC."""

FRESH_S = 900
"""A price this old, or one bar's length if that is longer, still counts as the price of the moment."""
LATE = 0.1
"""A holding time may end this share of itself before its due, where the last bars are missing; no earlier."""
TREMBLE_DAYS = 20
"""Days over which the usual size of a move is taken."""
_US = 1_000_000
_DAY_US = 86_400 * _US
_BP = 1e4


class AsOf(NamedTuple):
    """Prices as of moments: NaN where none is fresh enough."""

    price: Floats
    age_s: Floats


class Forward(NamedTuple):
    """What an order could have got, one row a signal, one column a holding time; NaN where it could not."""

    entry_at: pd.DatetimeIndex
    """`NaT` where no bar opened soon enough: then nothing was traded."""
    entry_price: Floats
    return_bp: Floats
    """Log return from the entry, + where the price of USD/JPY rose, before any cost."""


def micros(times: "pd.Series[pd.Timestamp] | pd.DatetimeIndex") -> Times:
    """Microseconds since 1970."""
    return pd.DatetimeIndex(times).as_unit("us").asi8


def length_s(bars: pd.DataFrame) -> float:
    """How long a bar of this frame is."""
    return float(bars.attrs["length_s"])


def as_of(bars: pd.DataFrame, times: Times, max_age_s: float | None = None) -> AsOf:
    """The close of the last bar that closed before each of these times (any shape).

    `max_age_s` : an older one is no price; null: `FRESH_S`, or the bars' length if that is longer.
    """
    closes, prices = micros(bars["close_at"]), bars["close"].to_numpy(float)
    limit = max(FRESH_S, length_s(bars)) if max_age_s is None else max_age_s
    last = np.searchsorted(closes, times, side="left") - 1
    if not len(closes):
        return AsOf(np.full(times.shape, math.nan), np.full(times.shape, math.nan))
    age_s = np.where(last >= 0, (times - closes[last]) / _US, math.nan)
    fresh = age_s <= limit
    return AsOf(np.where(fresh, prices[last], math.nan), age_s)


def forward(
    told_at: Times, bars: pd.DataFrame, horizons_s: NDArray[np.int64], *, latency_s: float = 2, max_wait_s: float = 900
) -> Forward:
    """Returns from the next open after `told_at` + latency.

    Parameters
    ----------
    told_at : when each signal was there to be acted on (`frames.told_at`).
    horizons_s : holding times from the entry: of each column, or a column of one for each row.
    max_wait_s : how much later that bar may open; at least one bar's length.
    """
    horizons = horizons_s[None, :] if horizons_s.ndim == 1 else horizons_s
    opens, closes = micros(bars.index), micros(bars["close_at"])  # type: ignore[arg-type]
    decided = told_at + round(latency_s * _US)
    entry = np.searchsorted(opens, decided, side="left")
    if not len(opens):
        nothing = np.full((len(told_at), horizons.shape[1]), math.nan)
        return Forward(pd.DatetimeIndex([pd.NaT] * len(told_at), tz="UTC"), nothing[:, 0], nothing)
    place = np.minimum(entry, len(opens) - 1)
    there = (entry < len(opens)) & (opens[place] - decided <= max(max_wait_s, length_s(bars)) * _US)
    due = opens[place][:, None] + horizons * _US
    last = np.searchsorted(closes, due, side="right") - 1
    whole = (last >= place[:, None]) & (due - closes[last] <= horizons * _US * LATE) & there[:, None]
    price = np.where(there, bars["open"].to_numpy(float)[place], math.nan)
    with np.errstate(invalid="ignore"):
        moved = np.log(bars["close"].to_numpy(float)[last] / price[:, None]) * _BP
    entry_at = pd.DatetimeIndex(np.where(there, opens[place], np.iinfo(np.int64).min).view("M8[us]"), tz="UTC")
    return Forward(entry_at, price, np.where(whole, moved, math.nan))


def usual_move_bp(bars: pd.DataFrame, times: Times, horizon_s: NDArray[np.float64]) -> Floats:
    """How far the price usually moved in such a time, root mean square, over the `TREMBLE_DAYS` days before.

    From the closes of neighbouring bars that closed before each of the times; NaN where there are fewer than 20.
    """
    closes, prices = micros(bars["close_at"]), bars["close"].to_numpy(float)
    if len(closes) < 2:
        return np.full(len(times), math.nan)
    neighbours = np.diff(closes) <= 1.5 * length_s(bars) * _US
    squares = np.where(neighbours, np.diff(np.log(prices)) ** 2, 0.0)
    total, count = (np.concatenate([[0.0], part.cumsum()]) for part in (squares, neighbours.astype(float)))
    high = np.maximum(np.searchsorted(closes, times, side="left") - 1, 0)
    low = np.minimum(np.searchsorted(closes, times - TREMBLE_DAYS * _DAY_US, side="left"), high)
    n = count[high] - count[low]
    with np.errstate(invalid="ignore", divide="ignore"):
        each = (total[high] - total[low]) / n
    return np.where(n >= 20, np.sqrt(np.maximum(each, 0) * horizon_s / length_s(bars)) * _BP, math.nan)
