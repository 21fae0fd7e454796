"""Event study: what the price did around the moment we knew.

For each signal the log return of the price, in basis points, from the price as of `known_at` (what the live join
gives) to the price as of each offset, before and after. Signed: times the sign of the call, so that + means that the
price went where we said. Of bars of an hour the price of a moment is up to an hour old, and so is what a path shows.
"""

import itertools
import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from signals.errors import DataError
from signals.research import clusters
from signals.research.clusters import Bands, Days
from signals.research.forward import Floats, as_of, forward, length_s, micros
from signals.research.frames import told_at

BEFORE_S, AFTER_S = 3600, 14_400
AROUND_S = 3600
"""What had moved before we knew is looked for in so long before and after, in whole bars."""
STRENGTHS = (0.0, 0.3, 0.6, 1.0)
NOVELTIES = (0.0, 0.8, 1.0)
_US = 1_000_000
_BP = 1e4
_WHOLE = "all"
_TRADED = ("traded_n", "traded_days", "traded_bp", "traded_low", "traded_high")


class Paths(NamedTuple):
    """One row a signal in the order of the signals, one column an offset."""

    signals: pd.DataFrame
    offsets_s: NDArray[np.int64]
    """From `known_at`; 0 is among them."""
    moved_bp: Floats
    """From the price as of `known_at`, + where USD/JPY rose; NaN where there was no price, or only across a hole."""
    length_s: float
    """Of the bars."""

    @property
    def signed_bp(self) -> Floats:
        """+ where the price went as called; NaN where nothing was called."""
        sign = self.signals["sign"].to_numpy(float)
        return self.moved_bp * np.where(sign == 0, math.nan, sign)[:, None]


class Group(NamedTuple):
    """Some of the signals."""

    by: str
    name: str
    rows: NDArray[np.bool_]


def event_paths(
    signals: pd.DataFrame,
    bars: pd.DataFrame,
    *,
    before_s: int = BEFORE_S,
    after_s: int = AFTER_S,
    max_age_s: float | None = None,
) -> Paths:
    """The path of the price around each signal, on a grid as fine as the bars.

    Parameters
    ----------
    signals, bars : frames as in `frames`.
    before_s, after_s : how far the paths reach, from `known_at`.
    max_age_s : an older price is none; null: 15 minutes, or the length of a bar if that is longer.

    Raises
    ------
    DataError : the bars are longer than the paths.
    """
    step = int(length_s(bars))
    before_s = max(before_s, step)
    if not 0 < step <= after_s:
        raise DataError("bars", f"of {step} s cannot show paths of {after_s} s", "take shorter ones")
    offsets = np.arange(-(before_s // step), after_s // step + 1, dtype=np.int64) * step
    known_at = micros(signals["known_at"])
    prices = as_of(bars, known_at[:, None] + offsets * _US, max_age_s).price
    zero = int(np.flatnonzero(offsets == 0)[0])
    there = np.isfinite(prices)
    # Outwards from the moment: what lies beyond a hole is no part of the path.
    there[:, zero:] = np.logical_and.accumulate(there[:, zero:], axis=1)
    there[:, : zero + 1] = np.logical_and.accumulate(there[:, zero::-1], axis=1)[:, ::-1]
    moved = np.log(np.where(there, prices, math.nan) / prices[:, [zero]]) * _BP
    return Paths(signals, offsets, moved, float(step))


def groups(signals: pd.DataFrame) -> Iterator[Group]:
    """All signals; then by direction, strength, novelty, window of an event, source and topic.

    A signal of two topics stands in both.
    """
    count = len(signals)
    yield Group(_WHOLE, _WHOLE, np.ones(count, np.bool_))
    called = np.where(signals["abstained"], "abstained", signals["direction"])
    for by, names in (
        ("direction", called),
        ("strength", _bucket(signals["strength"], STRENGTHS)),
        ("novelty", _bucket(signals["novelty"], NOVELTIES)),
        ("event window", signals["event_window"].fillna("none").to_numpy(object)),
        ("source", signals["source"].to_numpy(object)),
    ):
        yield from (Group(by, str(name), np.asarray(names == name)) for name in sorted(set(names)))
    topics = signals["topics"].tolist()
    for name in sorted({topic for row in topics for topic in row}):
        yield Group("topic", name, np.array([name in row for row in topics], np.bool_))


def path_table(paths: Paths) -> pd.DataFrame:
    """Mean and median path of each group, signed and not, with the bounds of each.

    Columns: by, group, offset_s, signed, n, days, mean_bp, mean_low, mean_high, median_bp, median_low, median_high.
    """
    days = clusters.days_of(pd.DatetimeIndex(paths.signals["known_at"]))
    parts = []
    for group in groups(paths.signals):
        own = days.take(group.rows)
        for signed, table in ((False, paths.moved_bp), (True, paths.signed_bp)):
            mean, median = (figure(table[group.rows], own) for figure in (clusters.means, clusters.medians))
            parts.append(_path_rows(group, paths.offsets_s, signed, mean, median))
    return pd.concat(parts, ignore_index=True)


def moved_before(paths: Paths, around_s: int | None = None) -> pd.DataFrame:
    """How much of the move had come before we knew, by group: of the signed move from so long before to so long after.

    Columns: by, group, n, days; before_bp, after_bp and total_bp with their bounds (`_low`, `_high`); share (of the
    total that came before) with bounds. `around_s`: null: `AROUND_S` in whole bars. The share is
    NaN where the total is not clear of 0. Only signals with
    a price at all three moments count.
    """
    ends = _ends(paths, around_s or whole_bars(AROUND_S, paths.length_s))
    places = [int(np.flatnonzero(paths.offsets_s == at)[0]) for at in ends]
    first, last = (paths.signed_bp[:, place] for place in places)
    whole = np.isfinite(first) & np.isfinite(last)
    days = clusters.days_of(pd.DatetimeIndex(paths.signals["known_at"]))
    found = []
    for group in groups(paths.signals):
        rows = group.rows & whole
        found.append({"by": group.by, "group": group.name} | _before(-first[rows], last[rows], days.take(rows)))
    return pd.DataFrame(found)


def traded(signals: pd.DataFrame, bars: pd.DataFrame, *, horizon_s: int, latency_s: float = 2) -> pd.DataFrame:
    """What one could get, by group: the move as called over `horizon_s` from the next open, before costs.

    Columns: by, group, traded_n, traded_days, traded_bp, traded_low, traded_high.
    """
    moved = forward(micros(told_at(signals)), bars, np.array([horizon_s], np.int64), latency_s=latency_s).return_bp
    sign = signals["sign"].to_numpy(float)
    signed = moved[:, 0] * np.where(sign == 0, math.nan, sign)
    days = clusters.days_of(pd.DatetimeIndex(signals["known_at"]))
    found = []
    for group in groups(signals):
        mean = clusters.mean(signed[group.rows], days.take(group.rows))
        found.append((group.by, group.name, mean.n, mean.units, mean.value, mean.low, mean.high))
    return pd.DataFrame(found, columns=["by", "group", *_TRADED])


def whole_bars(span_s: float, bar_s: float) -> int:
    """The span in whole bars, at least one."""
    return int(max(1, span_s // bar_s) * bar_s)


def _ends(paths: Paths, around_s: int) -> tuple[int, int]:
    if not {-around_s, around_s} <= set(paths.offsets_s.tolist()):
        raise DataError("paths", f"do not reach {around_s} s on both sides", "take longer paths or shorter bars")
    return -around_s, around_s


def _before(before: Floats, after: Floats, days: Days) -> dict[str, float | int]:
    means = clusters.means(np.column_stack([before, after, before + after]), days)
    told: dict[str, float | int] = {"n": len(before), "days": days.size}
    for place, name in enumerate(("before", "after", "total")):
        told |= {f"{name}_bp": means.value[place], f"{name}_low": means.low[place], f"{name}_high": means.high[place]}
    share = clusters.ratios(before, before + after, days, percentile=True)
    determined = means.low[2] > 0 or means.high[2] < 0
    for name, value in (("share", share.value), ("share_low", share.low), ("share_high", share.high)):
        told[name] = float(value[0]) if determined else math.nan
    return told


def _path_rows(group: Group, offsets: NDArray[np.int64], signed: bool, mean: Bands, median: Bands) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "by": group.by, "group": group.name, "offset_s": offsets, "signed": signed, "n": mean.n, "days": mean.days,
            "mean_bp": mean.value, "mean_low": mean.low, "mean_high": mean.high,
            "median_bp": median.value, "median_low": median.low, "median_high": median.high,
        }
    )  # fmt: skip


def _bucket(values: "pd.Series[float]", edges: tuple[float, ...]) -> NDArray[np.object_]:
    """`0.3 to 0.6`: from the lower edge on, up to the upper one, which only the last bucket includes."""
    names = [f"{low:g} to {high:g}" for low, high in itertools.pairwise(edges)]
    place = np.searchsorted(edges[1:-1], values.to_numpy(float), side="right")
    return np.array(names, object)[place]
