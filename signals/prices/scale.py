"""Whether an answer speaks of the same price as what is held: of yen per dollar, and not of a hundred of them."""

import datetime as dt
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from signals.prices.checks import Mask

JUMP_MAX = 0.15
"""Largest believable distance from one close to the next within `NEAR`; the largest week since 1973 moved 12%."""
JUMP_MAX_FAR = 0.4
"""The same where more time has passed: the largest year moved 33%."""
NEAR = dt.timedelta(days=7)
PERSISTS = 4
"""So many refused bars and no believed one are no bad ticks: the answer as a whole is refused."""


class Kept(NamedTuple):
    """A close that is held: what new bars are compared with."""

    at: dt.datetime
    """When it closed, UTC."""
    close: float
    """JPY per USD."""


def jump_max(apart: dt.timedelta) -> float:
    """Largest believable distance between two closes so far apart, as a share."""
    return JUMP_MAX if abs(apart) <= NEAR else JUMP_MAX_FAR


def same_scale(rows: pd.DataFrame, kept: Kept | None) -> Mask:
    """Which rows follow from what is held, going away from it in both directions, each close by the one before.

    A close that jumps is passed over and the next is compared with the last good one: a jump that comes back
    costs the bars in between, one that stays costs all that follow.

    Parameters
    ----------
    rows : Close (JPY per USD) by UTC time of opening, in order.
    kept : null where nothing is held: the first five rows say where the price is.
    """
    closes = rows["Close"].to_numpy(float)
    times = pd.DatetimeIndex(rows.index).as_unit("s").asi8
    if not len(closes):
        return np.zeros(0, np.bool_)
    start_at, level = (kept.at.timestamp(), kept.close) if kept else (float(times[0]), float(np.median(closes[:5])))
    middle = int(np.searchsorted(times, start_at))
    good = np.zeros(len(closes), np.bool_)
    for order in (range(middle, len(closes)), range(middle - 1, -1, -1)):
        _walk(order, closes, times, good, start_at, level)
    return good


def _walk(
    order: range, closes: npt.NDArray[np.float64], times: npt.NDArray[np.int64], good: Mask, at: float, level: float
) -> None:
    near_s = NEAR.total_seconds()
    for index in order:
        most = JUMP_MAX if abs(times[index] - at) <= near_s else JUMP_MAX_FAR  # `jump_max`, in a quick loop
        if abs(closes[index] / level - 1) <= most:
            good[index], at, level = True, float(times[index]), float(closes[index])


def other_scale(refused: pd.DataFrame, kept: Kept) -> str:
    """What is wrong with these rows if their usual close is at another scale than the kept one; else empty."""
    usual = float(refused["Close"].median())
    if abs(usual / kept.close - 1) <= JUMP_MAX:
        return ""
    return (
        f"{len(refused)} bars from {refused.index[0]:%Y-%m-%dT%H:%MZ} close at about {usual:g}, "
        f"the last kept close is {kept.close:g} at {kept.at:%Y-%m-%dT%H:%MZ}"
    )


def jump_note(jumped: pd.DataFrame, believed: pd.DataFrame, kept: Kept | None) -> list[str]:
    """One line for all rows that jumped away from the others, with both figures; none where none did."""
    if jumped.empty:
        return []
    before = believed["Close"][believed.index < jumped.index[0]]
    last = f"{before.iloc[-1]:g}" if len(before) else f"{kept.close:g}" if kept else "none"
    return [
        f"{jumped.index[0]:%Y-%m-%dT%H:%M:%SZ} dropped, with {len(jumped) - 1} after it: at another scale "
        f"(close {jumped['Close'].iloc[0]:g}, the last kept close is {last})"
    ]
