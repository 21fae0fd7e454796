"""The whole study in one: every table, what was found, and what was not."""

import math
from typing import NamedTuple

import numpy as np
import pandas as pd

from signals.research import clusters, ic, study, surprises
from signals.research.forward import length_s
from signals.research.interval import Interval

_FINE_S = 300
_TABLES = ("paths", "moved_before", "ic", "ic_months", "outcomes", "reliability", "releases", "surprises")


class Asked(NamedTuple):
    """What was asked for."""

    latency_s: float = 2
    horizon_s: int | None = None
    """Of outcomes; null: each signal's own."""
    flat_band_bp: float | None = None
    """Null: as `ic.Band` says."""


class Studied(NamedTuple):
    """Tables as the functions that make them describe; `moved_before` with what `study.traded` adds."""

    paths: pd.DataFrame
    moved_before: pd.DataFrame
    ic: pd.DataFrame
    ic_months: pd.DataFrame
    outcomes: pd.DataFrame
    reliability: pd.DataFrame
    releases: pd.DataFrame
    surprises: pd.DataFrame
    calls: ic.Calls
    length_s: float
    around_s: int
    n: int
    days: int

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """Those that are written, by name."""
        return {name: getattr(self, name) for name in _TABLES}


def run(signals: pd.DataFrame, bars: pd.DataFrame, asked: Asked = Asked()) -> Studied:  # noqa: B008 - frozen
    """Study signals and bars (frames as in `frames`). Raises DataError where the bars are too long for it."""
    step = length_s(bars)
    around_s = study.whole_bars(study.AROUND_S, step)
    paths = study.event_paths(signals, bars)
    coefficients = [
        ic.information_coefficient(signals, bars, latency_s=asked.latency_s, entry=entry) for entry in ic.ENTRIES
    ]
    found = ic.outcomes(signals, bars, asked.horizon_s, asked.flat_band_bp, latency_s=asked.latency_s)
    moved = surprises.moves(surprises.releases(signals), bars, horizon_s=around_s, latency_s=asked.latency_s)
    before = study.moved_before(paths)
    got = study.traded(signals, bars, horizon_s=around_s, latency_s=asked.latency_s)
    return Studied(
        study.path_table(paths), before.merge(got, on=["by", "group"], validate="1:1"),
        pd.concat(coefficients, ignore_index=True),
        ic.monthly(signals, bars, horizon_s=around_s, latency_s=asked.latency_s), found, ic.reliability(found), moved,
        surprises.surprise_table(moved), ic.judge(found), step, around_s, len(signals),
        clusters.days_of(pd.DatetimeIndex(signals["known_at"])).size,
    )  # fmt: skip


def resolution(bar_s: float) -> str:
    """What bars of this length can show, and what not."""
    if bar_s <= _FINE_S:
        return f"Bars of {span(bar_s)}: the price at known_at is up to {span(bar_s)} old."
    return (
        f"Bars of {span(bar_s)}: nothing finer is seen. The price at known_at is up to {span(bar_s)} old, so a path to "
        f"+{span(bar_s)} holds what moved before we knew as well; the next open is up to {span(bar_s)} later, and what "
        "came in between nobody could get."
    )


def findings(found: Studied) -> list[str]:
    """What was found and what was not, a line each, every figure with its bounds and what it rests on."""
    return [*_around(found), *_traded(found), *_calls(found), *_surprises(found)]


def told(one: Interval, digits: int = 1, scale: float = 1.0, unit: str = "") -> str:
    """`+1.2 [0.3, 2.1]`; bounds that could not be taken are said to be missing."""
    if not math.isfinite(one.value):
        return "unknown"
    value = f"{one.value * scale:+.{digits}f}{unit}"
    if not math.isfinite(one.low):
        return f"{value} [no bounds, days: {one.units}]"
    return f"{value} [{one.low * scale:+.{digits}f}, {one.high * scale:+.{digits}f}]"


def from_row(row: "pd.Series[float]", value: str, low: str, high: str) -> Interval:
    """A figure of a table with its bounds."""
    return Interval(float(row[value]), float(row[low]), float(row[high]), int(row["n"]), units=int(row["days"]))


def span(seconds: float) -> str:
    """`1 h`, `5 min`, `90 s`."""
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:g} s"


def verdict(one: Interval) -> str:
    """Whether a figure is more than chance gives."""
    if not math.isfinite(one.low):
        return "too few days to say"
    return "clear of 0" if one.low > 0 or one.high < 0 else "not clear of 0: nothing is shown"


def _around(found: Studied) -> list[str]:
    row = found.moved_before.iloc[0]
    if not row["n"]:
        return [
            "No call up or down has a price before, at and after its time: nothing can be said of the move around it."
        ]
    after, total = (
        from_row(row, "after_bp", "after_low", "after_high"),
        from_row(row, "total_bp", "total_low", "total_high"),
    )
    share = from_row(row, "share", "share_low", "share_high")
    around = span(found.around_s)
    lines = [
        f"Within {around} of known_at the price moved {told(after)} bp as called "
        f"({after.n} calls on {after.units} days): {verdict(after)}."
    ]
    if math.isfinite(share.value):
        lines.append(f"Of the move from {around} before to {around} after, {told(share, 0, 100, '%')} had come before.")
    else:
        lines.append(f"How much had come before we knew cannot be said: the whole move is {told(total)} bp.")
    return lines


def _traded(found: Studied) -> list[str]:
    rows = found.ic[(found.ic["entry"] == "next open") & (found.ic["measure"] == "strength")]
    if rows.empty:
        return ["No holding time fits these bars: nothing can be said of entries."]
    lines = []
    for _, row in rows.iterrows():
        mean, rank = from_row(row, "mean_bp", "mean_low", "mean_high"), from_row(row, "ic", "low", "high")
        lines.append((row["horizon_s"], mean, rank))
    first = lines[0]
    good = [span(at) for at, mean, _ in lines if mean.low > 0]
    bad = [span(at) for at, mean, _ in lines if mean.high < 0]
    return [
        f"From the next open it moved {told(first[1])} bp as called in {span(first[0])}, before costs: "
        f"{verdict(first[1])}.",
        f"Rank correlation of signed strength with that move: {told(first[2], 3)}: {verdict(first[2])}.",
        f"Holding times whose mean move is clear of 0: as called {', '.join(good) or 'none'}, against us "
        f"{', '.join(bad) or 'none'}, of {len(lines)} looked at.",
    ]


def _calls(found: Studied) -> list[str]:
    calls = found.calls
    if not calls.called:
        return ["No call up or down has an outcome."]
    low, high = calls.wilson
    rate = calls.hit_rate
    bounds = (
        f"[{rate.low:.0%}, {rate.high:.0%}] by days" if math.isfinite(rate.low) else f"no bounds, days: {rate.units}"
    )
    skill = calls.skill
    says = (
        "worse than always giving the base rates: they tell what a headline says, and are no odds of the price"
        if skill.high < 0
        else "better than the base rates"
        if skill.low > 0
        else "not clear of the base rates"
    )
    return [
        f"Of {rate.n} calls whose price left the flat band {rate.value:.1%} went as called ({bounds}, "
        f"[{low:.0%}, {high:.0%}] if all were independent); {calls.flat} more stayed within it.",
        f"Brier score of the probabilities against the price {calls.brier.value:.3f}, of the base rates "
        f"{calls.brier_of_base_rates:.3f}: skill {told(skill, 2)}: {says}.",
    ]


def _surprises(found: Studied) -> list[str]:
    table = found.surprises
    if table.empty:
        return ["No headline tells a figure and what was expected of it."]
    lines = []
    for _, row in table[table["event"] == "all"].iterrows():
        around, traded = (from_row(row, f"{move}_mean", f"{move}_low", f"{move}_high") for move in ("around", "traded"))
        agreed = f"{row['around_agreed']:.0%} of {row['around_agreed_n']:.0f}" if row["around_agreed_n"] else "none"
        lines.append(
            f"Surprises, {row['size']} ({row['n']:.0f} on {row['days']:.0f} days): {told(around)} bp with the surprise "
            f"within {span(found.around_s)}, {agreed} moves as called; from the next open {told(traded)} bp."
        )
    return lines


def shown(value: float, digits: int = 1) -> str:
    """A figure of a table; a dash where there is none."""
    return "-" if not np.isfinite(value) else f"{value:.{digits}f}"
