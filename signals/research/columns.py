"""The frames of signals and bars as plain columns, checked once before a backtest.

Times are int64 microseconds since 1970 UTC; a null time is `NEVER`, later than any other. What a backtest
cannot use is one `DataError` that names the column and the row.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from signals.errors import DataError
from signals.research.frames import PRICES, told_at

SECOND = 1_000_000
"""Microseconds."""
NEVER = int(np.iinfo(np.int64).max)
_NULL = int(np.iinfo(np.int64).min)
SIGNAL_COLUMNS = (
    "signal_id", "known_at", "valid_until", "voided_at", "sign", "strength", "horizon_s", "abstained",
    "volatility_60m_bp",
)  # fmt: skip
"""What a backtest reads of a frame of signals; all else may be left out."""

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


class Market(NamedTuple):
    """Bars, oldest first, none within another."""

    open_us: Ints
    close_us: Ints
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    length_us: int
    """Of the first bar; all are of one length but for days on which the clock was changed."""


class Calls(NamedTuple):
    """Signals, oldest first: what trading needs of them."""

    known_us: Ints
    told_us: Ints
    """When each was there to be acted on (`frames.told_at`); not always in order."""
    valid_until_us: Ints
    voided_us: Ints
    """`NEVER` where they stood to their end."""
    sign: NDArray[np.int8]
    strength: Floats
    horizon_us: Ints
    abstained: Flags
    volatility_bp: Floats
    """NaN where unknown."""


def market(bars: pd.DataFrame) -> Market:
    """Columns of a frame of bars (`frames.bar_frame`); raises DataError where they are not bars in order."""
    _need("bars", bars, (*PRICES, "close_at"))
    if not isinstance(bars.index, pd.DatetimeIndex):
        raise DataError("bars: index", "holds no times", "set open_at as the index")
    if bars.empty:
        raise DataError("bars", "hold no row", "import or fetch prices for the span of the signals")
    open_us, close_us = micros("bars: index", bars.index), micros("bars: close_at", bars["close_at"])
    _refuse("bars: index", "is not later than the row before", _falls(open_us, 1), open_us, "sort it, each once")
    prices = {name: _numbers("bars", bars, name) for name in PRICES}
    beyond = (prices["high"] < np.maximum(prices["open"], prices["close"])) | (
        prices["low"] > np.minimum(prices["open"], prices["close"])
    )
    _refuse("bars", "low <= open, close <= high does not hold", beyond, open_us, "mend or drop the bar")
    _refuse("bars: low", "is no price", prices["low"] <= 0, open_us, "prices are JPY per USD, above 0")
    late = close_us > np.append(open_us[1:], NEVER)
    _refuse("bars: close_at", "lies outside its bar", late | (close_us < open_us), open_us, "choose bars of one length")
    return Market(open_us, close_us, length_us=int(close_us[0] - open_us[0]), **prices)


def calls(signals: pd.DataFrame) -> Calls:
    """Columns of a frame of signals (`frames.signal_frame`); raises DataError where it is none."""
    _need("signals", signals, SIGNAL_COLUMNS)
    known_us = micros("signals: known_at", signals["known_at"])
    _refuse("signals: known_at", "is earlier than the row before", _falls(known_us, 0), known_us, "sort by it")
    _refuse("signals: signal_id", "stands twice", signals["signal_id"].duplicated().to_numpy(), known_us, "drop one")
    sign = _numbers("signals", signals, "sign")
    _refuse(
        "signals: sign", "is not -1, 0 or 1", ~np.isin(sign, (-1, 0, 1)), known_us, "+1 where the price should rise"
    )
    return Calls(
        known_us=known_us,
        told_us=micros("signals: scored_at", told_at(signals)),
        valid_until_us=micros("signals: valid_until", signals["valid_until"]),
        voided_us=micros("signals: voided_at", signals["voided_at"], null=True),
        sign=sign.astype(np.int8),
        strength=_numbers("signals", signals, "strength"),
        horizon_us=(_numbers("signals", signals, "horizon_s") * SECOND).astype(np.int64),
        abstained=signals["abstained"].to_numpy(dtype=np.bool_),
        volatility_bp=signals["volatility_60m_bp"].to_numpy(dtype=np.float64, na_value=np.nan),
    )


def micros(where: str, times: "pd.Series[Any] | pd.DatetimeIndex", *, null: bool = False) -> Ints:
    """Microseconds since 1970 UTC of a column of aware times; `NEVER` where null, which only some may be."""
    if not isinstance(times.dtype, pd.DatetimeTZDtype):
        raise DataError(where, f"is {times.dtype}, not aware times", "localize it: datetime64[us, UTC]")
    found = np.asarray(pd.DatetimeIndex(times).as_unit("us").asi8)
    missing = found == _NULL
    if not missing.any():
        return found
    if not null:
        raise DataError(f"{where}, row {int(missing.argmax())}", "has no time", "drop the row")
    return np.where(missing, NEVER, found)


def times(micros_utc: Ints) -> pd.DatetimeIndex:
    """Microseconds since 1970 as `datetime64[us, UTC]`."""
    return pd.DatetimeIndex(micros_utc.view("datetime64[us]")).tz_localize("UTC")


def _falls(at_us: Ints, least: int) -> Flags:
    """Which times are not at least so much later than the one before."""
    return np.append(False, np.diff(at_us) < least)


def _need(what: str, frame: pd.DataFrame, names: Sequence[str]) -> None:
    missing = [name for name in names if name not in frame.columns]
    if missing:
        raise DataError(what, f"have no column {missing[0]!r}", "research/frames.py says what stands in a frame")


def _numbers(what: str, frame: pd.DataFrame, name: str) -> Floats:
    try:
        found = frame[name].to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise DataError(f"{what}: {name}", f"is {frame[name].dtype}, not numbers", "make it float64") from error
    bad = ~np.isfinite(found)
    if bad.any():
        row = int(bad.argmax())
        raise DataError(f"{what}: {name}, row {row}", f"is {found[row]}, no number", "drop the row")
    return found


def _refuse(where: str, problem: str, bad: Flags, at_us: Ints, mend: str) -> None:
    if bad.any():
        row = int(bad.argmax())
        raise DataError(f"{where}, row {row} ({times(at_us[row : row + 1])[0]})", problem, mend)
