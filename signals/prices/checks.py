"""What of Yahoo's rows can be believed."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

PLAUSIBLE = (50.0, 500.0)
"""JPY per USD: since the yen floats (1973) the rate has stayed between 75 and 310."""
BAD_TICK = 0.05
"""Largest believable distance from the neighbours; interventions have moved less than 4% in an hour."""
NEIGHBOURS = 5
"""Bars on each side that judge a bar."""

PRICES = ["Open", "High", "Low", "Close"]

Mask = npt.NDArray[np.bool_]


def ny_days(at: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """The FX day of each of these times (aware), 17:00 to 17:00 in New York, by the date on which it ends."""
    # Seven hours ahead of New York an FX day runs from midnight to midnight.
    return (at.tz_convert("America/New_York").tz_localize(None) + pd.Timedelta(hours=7)).normalize()


def in_fx_week(at: pd.DatetimeIndex) -> Mask:
    """Which of these times (aware) lie in the FX week, Sunday 17:00 to Friday 17:00 in New York."""
    return np.asarray(ny_days(at).day_of_week < 5)


class Believed(NamedTuple):
    """Rows that can be bars; notes that name those that cannot and say why; the wrong prices among them."""

    rows: pd.DataFrame
    notes: list[str]
    wrong: pd.DataFrame


def believable(rows: pd.DataFrame, step: pd.Timedelta, report_from: pd.Timestamp) -> Believed:
    """Drop the rows that cannot be bars.

    Parameters
    ----------
    rows : Open, High, Low, Close (JPY per USD) by UTC time of opening, in order.
    step : length of a bar.
    report_from : rows before it only help to judge their neighbours: they get no note and do not count as wrong.
    """
    notes: list[str] = []
    wrong = [rows[:0]]
    for check in _CHECKS:
        bad = check.finds(rows, step)
        told = rows[bad & np.asarray(rows.index >= report_from)]
        notes.extend(check.told(told))
        if not check.ordinary:
            wrong.append(told)
        rows = rows[~bad]
    return Believed(rows, notes, pd.concat(wrong).sort_index())


def first_fault(rows: pd.DataFrame, step: pd.Timedelta) -> npt.NDArray[np.object_]:
    """Of each row the first reason why it cannot be a bar; empty where it can be one. Parameters as of `believable`."""
    faults = np.full(len(rows), "", object)
    for check in _CHECKS:
        left = np.flatnonzero(faults == "")
        faults[left[check.finds(rows.iloc[left], step)]] = check.reason
    return faults


class _Check(NamedTuple):
    reason: str
    finds: Callable[[pd.DataFrame, pd.Timedelta], Mask]
    ordinary: bool
    """Yahoo's answers always hold some: one line for all of them."""

    def told(self, bad: pd.DataFrame) -> list[str]:
        if bad.empty:
            return []
        if self.ordinary:
            first = "" if len(bad) == 1 else f"{len(bad)} bars dropped, the first "
            return [f"{first}{_utc(bad.index[0])}{'' if first else ' dropped'}: {self.reason}"]
        return [
            f"{_utc(at)} dropped: {self.reason} (open {row[0]:g}, high {row[1]:g}, low {row[2]:g}, close {row[3]:g})"
            for at, row in zip(bad.index, bad[PRICES].to_numpy(), strict=True)
        ]


def _utc(at: pd.Timestamp) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def _off_grid(rows: pd.DataFrame, step: pd.Timedelta) -> Mask:
    index = pd.DatetimeIndex(rows.index)
    return np.asarray(index != index.floor(step))


def _closed_market(rows: pd.DataFrame, _step: pd.Timedelta) -> Mask:
    return ~in_fx_week(pd.DatetimeIndex(rows.index))


def _no_price(rows: pd.DataFrame, _step: pd.Timedelta) -> Mask:
    return np.asarray(~np.isfinite(rows[PRICES].to_numpy(float)).all(axis=1))


def _scaled(rows: pd.DataFrame, _step: pd.Timedelta) -> Mask:
    prices = rows[PRICES].to_numpy(float)
    return np.asarray((_plausible(prices * 100) | _plausible(prices / 100)).any(axis=1))


def _impossible(rows: pd.DataFrame, _step: pd.Timedelta) -> Mask:
    prices = rows[PRICES].to_numpy(float)
    crossed = (prices.max(axis=1) > rows["High"]) | (prices.min(axis=1) < rows["Low"])
    return np.asarray(~_plausible(prices).all(axis=1) | crossed)


def _bad_tick(rows: pd.DataFrame, _step: pd.Timedelta) -> Mask:
    usual = rows["Close"].rolling(2 * NEIGHBOURS + 1, center=True, min_periods=1).median()
    return np.asarray((rows[PRICES].div(usual, axis=0) - 1).abs().gt(BAD_TICK).any(axis=1))


def _plausible(prices: npt.NDArray[np.float64]) -> Mask:
    low, high = PLAUSIBLE
    return np.asarray((low <= prices) & (prices <= high))


_CHECKS = (
    _Check("not on the grid of bars (a live quote)", _off_grid, ordinary=True),
    _Check("outside the FX week", _closed_market, ordinary=True),
    _Check("no price", _no_price, ordinary=True),
    _Check("100 times off", _scaled, ordinary=False),
    _Check("impossible prices", _impossible, ordinary=False),
    _Check(f"more than {BAD_TICK:.0%} from its neighbours", _bad_tick, ordinary=False),
)
"""In this order: a bar is judged by its neighbours only once they are known to be prices."""
