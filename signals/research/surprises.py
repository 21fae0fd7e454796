"""Figures that came otherwise than expected, as a case: did the price go where the surprise said, and where we said?

A release is a signal whose headline names an indicator, its figure and what was expected (`scoring.surprise`). Its size
is the surprise in units of the spread of that same event's earlier surprises, and of those alone: what counts as large
is never told by what came later.
"""

import math
import re

import numpy as np
import pandas as pd

from signals.market.week import day_of
from signals.research import clusters
from signals.research.forward import AsOf, Floats, as_of, forward, length_s, micros
from signals.research.frames import told_at
from signals.research.ic import wilson
from signals.scoring import surprise
from signals.text import fold

EARLIER_MIN = 8
"""Earlier releases of an event from which its spread is taken; before, its size is unknown."""
SIZES = {"in line": (0.0, 0.0), "small": (0.0, 0.5), "usual": (0.5, 1.5), "large": (1.5, math.inf)}
"""In spreads of earlier surprises; the upper bound is included."""
UNKNOWN = "unknown"
_NORMAL = 1.4826
"""Standard deviation of a normal by its median size."""
_VARIANTS = (
    ("core", r"\bcore\b|コア"), ("adp", r"\badp\b"), ("flash", r"\bflash\b|速報"),
    ("manufacturing", r"\bmanufacturing\b"),
    ("services", r"\b(?:non-?manufacturing|services)\b"), ("ppi", r"\bppi\b|producer prices"), ("pce", r"\bpce\b"),
    ("empire", r"\b(?:empire|ny fed)\b"), ("michigan", r"\b(?:uom|umich|michigan)\b"), ("m/m", r"\bm/?o?/?m\b|前月比"),
    ("q/q", r"\bq/?o?/?q\b|前期比"), ("y/y", r"\by/?o?/?y\b|前年比"),
)  # fmt: skip
"""What tells series of one indicator apart: their surprises are of different sizes."""
_PATTERNS = tuple((name, re.compile(pattern)) for name, pattern in _VARIANTS)
_US = 1_000_000
COLUMNS = ("signal_id", "known_at", "event", "country", "gap", "expected", "called", "told_at", "spread", "z", "size")
MOVES = ("before_bp", "around_bp", "traded_bp")


def releases(signals: pd.DataFrame) -> pd.DataFrame:
    """The releases among signals, oldest first; of several signals of one event on one FX day the first.

    Columns
    -------
    event : indicator and variant, as `US cpi core m/m`.
    gap : figure minus forecast (or prior), in the table's usual misses, + where it strengthens its currency.
    expected : +1 where USD/JPY should rise by it, -1, 0 in line; called : the signal's own sign; told_at : as `frames`.
    spread : of the event's earlier gaps: 1.4826 times their median size, a normal's standard deviation, which one
        month of 2020 does not make large for years. NaN while there are fewer than `EARLIER_MIN`, or most were in line.
    z, size : |gap| in spreads, and its bucket.
    """
    found = []
    columns = (signals["signal_id"], signals["known_at"], signals["title"], signals["sign"], told_at(signals))
    for row in zip(*columns, strict=True):
        text = fold(row[2])
        one = surprise.find(text)
        if one is None or one.against != "forecast":
            continue
        toward = int(np.sign(one.gap)) * (1 if one.country == "US" else -1)
        found.append((row[0], row[1], _event(one, text), one.country, one.gap, toward, int(row[3]), row[4]))
    frame = pd.DataFrame(found, columns=list(COLUMNS[:8]))
    for name in ("known_at", "told_at"):
        frame[name] = pd.to_datetime(frame[name], utc=True).astype("datetime64[us, UTC]")
    day = pd.Series(day_of(pd.DatetimeIndex(frame["known_at"])), index=frame.index)
    frame = frame[~pd.DataFrame({"event": frame["event"], "day": day}).duplicated()].reset_index(drop=True)
    frame["gap"] = frame["gap"].astype("float64")
    sizes = frame.assign(size=frame["gap"].abs()).groupby("event", sort=False)["size"]
    # The median of the event's rows up to this one, moved on by one: of those before it alone.
    earlier = sizes.transform(lambda size: size.expanding(EARLIER_MIN).median().shift(1))
    frame["spread"] = earlier.astype("float64") * _NORMAL
    with np.errstate(invalid="ignore", divide="ignore"):
        frame["z"] = frame["gap"].abs() / frame["spread"].where(frame["spread"] > 0)
    frame["size"] = _sizes(frame)
    return frame


def moves(found: pd.DataFrame, bars: pd.DataFrame, *, horizon_s: int = 3600, latency_s: float = 2) -> pd.DataFrame:
    """Releases with what the price did, in basis points, + where USD/JPY rose.

    before_bp : from `horizon_s` before `known_at` to it, as of each; around_bp : from it to as long after;
    traded_bp : as long from the next open after `told_at` + latency. With bars of an hour a price as of a moment is up
    to an hour old, so `around_bp` holds some of what came before, and `traded_bp` misses what came at once.
    """
    horizon_s = max(horizon_s, int(length_s(bars)))
    known_at = micros(found["known_at"])
    priced: list[AsOf] = [as_of(bars, known_at + offset * horizon_s * _US) for offset in (-1, 0, 1)]
    logs = [np.log(one.price) * 1e4 for one in priced]
    traded = forward(micros(found["told_at"]), bars, np.array([horizon_s], np.int64), latency_s=latency_s).return_bp[
        :, 0
    ]
    return found.assign(before_bp=logs[1] - logs[0], around_bp=logs[2] - logs[1], traded_bp=traded)


def surprise_table(moved: pd.DataFrame) -> pd.DataFrame:
    """Of each event and size, and of all: mean moves in the direction of the surprise, and who agreed with the price.

    Columns: event, size, n, days; `<move>_mean` with `_low`, `_high` (+ where the price went as the surprise said), by
    whole days; `<move>_agreed` and `_n`, `_agreed_low`, `_agreed_high`: the share of the moves that went as WE called,
    with Wilson's bounds. Releases in line have no direction: their means are NaN.
    """
    everything = np.ones(len(moved), np.bool_)
    parts = [("all", "all", everything)]
    parts += [("all", size, (moved["size"] == size).to_numpy(bool)) for size in (*SIZES, UNKNOWN)]
    for event in sorted(moved["event"].unique()):
        mine = (moved["event"] == event).to_numpy(bool)
        parts.append((event, "all", mine))
        parts += [(event, size, mine & (moved["size"] == size).to_numpy(bool)) for size in (*SIZES, UNKNOWN)]
    rows = [{"event": event, "size": size} | _figures(moved[kept]) for event, size, kept in parts if kept.any()]
    return pd.DataFrame(rows)


def _figures(moved: pd.DataFrame) -> dict[str, float | int]:
    days = clusters.days_of(pd.DatetimeIndex(moved["known_at"]))
    told: dict[str, float | int] = {"n": len(moved), "days": days.size}
    toward, called = (moved[name].to_numpy(float) for name in ("expected", "called"))
    for name in MOVES:
        move = moved[name].to_numpy(float)
        mean = clusters.mean(move * _signed(toward), days)
        agreed = np.sign(move * _signed(called))
        agreed = agreed[np.isfinite(agreed) & (agreed != 0)]
        hits = int((agreed > 0).sum())
        low, high = wilson(hits, len(agreed))
        stem = name.removesuffix("_bp")
        told |= {f"{stem}_mean": mean.value, f"{stem}_low": mean.low, f"{stem}_high": mean.high}
        told |= {f"{stem}_agreed": hits / len(agreed) if len(agreed) else math.nan, f"{stem}_agreed_n": len(agreed)}
        told |= {f"{stem}_agreed_low": low, f"{stem}_agreed_high": high}
    return told


def _signed(sign: Floats) -> Floats:
    return np.where(sign == 0, math.nan, sign)


def _event(one: surprise.Surprise, text: str) -> str:
    said = [name for name, pattern in _PATTERNS if pattern.search(text) and name != one.indicator]
    return " ".join([one.country, one.indicator, *said])


def _sizes(frame: pd.DataFrame) -> "pd.Series[str]":
    z, known = frame["z"], frame["z"].notna()
    names = pd.Series(UNKNOWN, index=frame.index, dtype="str")
    for name, (low, high) in SIZES.items():
        names = names.mask(known & (z > low) & (z <= high), name)
    return names.mask(frame["gap"] == 0, "in line")
