"""What our calls said of the price: information coefficients by horizon, and whether the outcome was as called.

Every return is taken from the next open after the signal was told (`frames.told_at`) + latency: what somebody could
have had, before costs.
Abstained signals are no calls and are left out everywhere; `flat` ones are calls.
"""

import math
from statistics import NormalDist
from typing import Annotated, Literal, NamedTuple

import numpy as np
import pandas as pd
from msgspec import Meta
from numpy.typing import NDArray

from signals.model import Record
from signals.research import clusters
from signals.research.clusters import LEVEL
from signals.research.forward import Floats, as_of, forward, length_s, micros, usual_move_bp
from signals.research.frames import told_at
from signals.research.interval import Interval

HORIZONS_S = (300, 900, 1800, 3600, 7200, 14_400, 28_800, 86_400)
MONTH_MIN = 10
"""Rows of a month that a coefficient is taken of."""
BINS = 10
Measure = Literal["strength", "probability"]
Entry = Literal["next open", "as of"]
ENTRIES: tuple[Entry, ...] = ("next open", "as of")
MEASURES: dict[Measure, str] = {"strength": "sign * strength", "probability": "p_up - p_down"}


class Band(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From what move on the price counts as having gone up or down: the larger of the two."""

    least_bp: Annotated[float, Meta(ge=0)] = 0.3
    """Half a spread of 0.9 pips at 150 JPY per USD."""
    of_usual: Annotated[float, Meta(ge=0)] = 0.25
    """Of the usual move in such a time over the 20 days before: a quiet week's half a pip is a move, a wild one's not.
    Of normally distributed moves a fifth are then flat."""


class Calls(NamedTuple):
    """How outcomes compare with calls. Bounds of `Interval` are by whole days; `wilson` takes calls as independent."""

    called: int
    """Calls up or down whose outcome is known."""
    flat: int
    """Of these, outcomes within the band: neither right nor wrong."""
    hits: int
    hit_rate: Interval
    """Of the calls whose outcome was up or down."""
    wilson: tuple[float, float]
    brier: Interval
    """Sum over up, flat, down of (probability - outcome) squared: 0 best, 2 worst. Of all calls, flat ones too."""
    brier_of_base_rates: float
    """The same for who always says how often each outcome came in these very rows: he knew the answer."""
    skill: Interval
    """1 - brier / brier_of_base_rates: above 0 the probabilities say more of the price than its own base rates do."""


def information_coefficient(
    signals: pd.DataFrame,
    bars: pd.DataFrame,
    *,
    horizons_s: tuple[int, ...] = HORIZONS_S,
    latency_s: float = 2,
    entry: Entry = "next open",
) -> pd.DataFrame:
    """Rank correlation of what was called with what the price did, by horizon; only whole bars are held.

    `entry` : `next open`, what an order could get; `as of` takes the price of the live join instead, at which nobody
    could deal any more: it shows whether the call was right, not whether it paid.

    Columns: entry, measure, horizon_s, n, days, ic, low, high, mean_bp, mean_low, mean_high; mean_bp is the mean
    return of directional calls, + where the price went as called.
    """
    horizons = fitting(bars, horizons_s)
    rows = _judged(signals)
    returns = _returns(rows, bars, np.array(horizons, np.int64), latency_s, entry)
    days = clusters.days_of(pd.DatetimeIndex(rows["known_at"]))
    sign = rows["sign"].to_numpy(float)
    earned = clusters.means(returns * np.where(sign == 0, math.nan, sign)[:, None], days)
    found = []
    for measure in MEASURES:
        said = measured(rows, measure)
        for place, horizon_s in enumerate(horizons):
            ic = clusters.spearman(said, returns[:, place], days)
            found.append(
                {
                    "entry": entry, "measure": measure, "horizon_s": horizon_s, "n": ic.n,
                    "days": ic.units,
                    "ic": ic.value, "low": ic.low, "high": ic.high, "mean_bp": earned.value[place],
                    "mean_low": earned.low[place], "mean_high": earned.high[place],
                }
            )  # fmt: skip
    return pd.DataFrame(found, columns=_IC_COLUMNS)


_IC_COLUMNS = ["entry", "measure", "horizon_s", "n", "days", "ic", "low", "high", "mean_bp", "mean_low", "mean_high"]


def _returns(
    rows: pd.DataFrame, bars: pd.DataFrame, horizons_s: NDArray[np.int64], latency_s: float, entry: Entry
) -> Floats:
    if entry == "next open":
        return forward(micros(told_at(rows)), bars, horizons_s, latency_s=latency_s).return_bp
    moments = micros(rows["known_at"])[:, None] + np.concatenate([[0], horizons_s]) * 1_000_000
    logs: Floats = np.log(as_of(bars, moments).price) * 1e4
    moved: Floats = logs[:, 1:] - logs[:, :1]
    return moved


def monthly(signals: pd.DataFrame, bars: pd.DataFrame, *, horizon_s: int, latency_s: float = 2) -> pd.DataFrame:
    """The coefficient of signed strength in each month (UTC): month, n, ic; NaN in months of few rows."""
    rows = _judged(signals)
    returns = forward(micros(told_at(rows)), bars, np.array([horizon_s], np.int64), latency_s=latency_s).return_bp
    frame = pd.DataFrame({"said": measured(rows, "strength"), "moved": returns[:, 0]})
    months = rows["known_at"].dt.strftime("%Y-%m")
    found = []
    for month, part in frame.dropna().groupby(months, sort=True):
        varied = len(part) >= MONTH_MIN and part["said"].nunique() > 1 and part["moved"].nunique() > 1
        ic = part["said"].corr(part["moved"], method="spearman") if varied else math.nan
        found.append({"month": month, "n": len(part), "ic": ic})
    return pd.DataFrame(found, columns=["month", "n", "ic"])


def measured(signals: pd.DataFrame, measure: Measure) -> Floats:
    """What was called, as a number: + where USD/JPY should rise."""
    if measure == "strength":
        called: Floats = signals["sign"].to_numpy(float) * signals["strength"].to_numpy(float)
        return called
    apart: Floats = signals["p_up"].to_numpy(float) - signals["p_down"].to_numpy(float)
    return apart


def fitting(bars: pd.DataFrame, horizons_s: tuple[int, ...]) -> list[int]:
    """The horizons that these bars can show: whole bars."""
    step = length_s(bars)
    return [horizon_s for horizon_s in horizons_s if step > 0 and horizon_s >= step and horizon_s % step == 0]


def outcomes(
    signals: pd.DataFrame,
    bars: pd.DataFrame,
    horizon_s: int | None = None,
    flat_band_bp: float | None = None,
    *,
    band: Band = Band(),  # noqa: B008 - frozen
    latency_s: float = 2,
) -> pd.DataFrame:
    """What the price did after each signal that did not abstain.

    Parameters
    ----------
    horizon_s : null: each signal's own, made as long as a bar where it is shorter.
    flat_band_bp : the price is flat within it; null: as `band` says, from what was known before.

    Returns
    -------
    signal_id, known_at, sign, strength, p_up, p_flat, p_down, entry_at, horizon_s, return_bp, band_bp, and outcome:
    1 up, 0 flat, -1 down; null where there was no price to trade at, or no band.
    """
    rows = _judged(signals)
    known_at = micros(rows["known_at"])
    asked = rows["horizon_s"].to_numpy(np.int64) if horizon_s is None else np.full(len(rows), horizon_s, np.int64)
    horizons = np.maximum(asked, int(length_s(bars)))
    moved = forward(micros(told_at(rows)), bars, horizons[:, None], latency_s=latency_s)
    usual = usual_move_bp(bars, known_at, horizons.astype(float))
    bands = (
        np.maximum(band.least_bp, band.of_usual * usual) if flat_band_bp is None else np.full(len(rows), flat_band_bp)
    )
    returns = moved.return_bp[:, 0]
    kept = rows[["signal_id", "known_at", "sign", "strength", "p_up", "p_flat", "p_down"]]
    outcome = pd.Series(np.where(np.abs(returns) <= bands, 0, np.sign(returns)), index=rows.index)
    unknown = np.isnan(returns) | np.isnan(bands)
    return kept.assign(
        entry_at=moved.entry_at, horizon_s=horizons, return_bp=returns, band_bp=bands,
        outcome=outcome.mask(unknown, 0).astype("Int8").mask(unknown),
    )  # fmt: skip


def judge(found: pd.DataFrame) -> Calls:
    """Calls against outcomes, of a frame of `outcomes`."""
    known = found[found["outcome"].notna()]
    came = known["outcome"].to_numpy(int)
    days = clusters.days_of(pd.DatetimeIndex(known["known_at"]))
    sign = known["sign"].to_numpy(int)
    decided = (sign != 0) & (came != 0)
    hit = (sign == came)[decided]
    shares = np.column_stack([came == 1, came == 0, came == -1]).astype(float)
    said = known[["p_up", "p_flat", "p_down"]].to_numpy(float)
    ours = ((said - shares) ** 2).sum(axis=1)
    base = ((shares.mean(axis=0) - shares) ** 2).sum(axis=1) if len(known) else ours
    worse = clusters.ratios(ours, base, days, percentile=True).one()
    return Calls(
        int((sign != 0).sum()), int(((sign != 0) & (came == 0)).sum()), int(hit.sum()),
        clusters.mean(hit.astype(float), days.take(decided)), wilson(int(hit.sum()), len(hit)),
        clusters.mean(ours, days), float(base.mean()) if len(known) else math.nan,
        worse._replace(value=1 - worse.value, low=1 - worse.high, high=1 - worse.low),
    )  # fmt: skip


def reliability(found: pd.DataFrame, bins: int = BINS) -> pd.DataFrame:
    """How often the price went up (down) where we gave so much for it: of a frame of `outcomes`.

    Columns: side, low, high (of the bin), n, said (mean probability), came (share of outcomes), came_low, came_high
    (Wilson, as if calls were independent). Empty bins are left out.
    """
    known = found[found["outcome"].notna()]
    edges = np.linspace(0, 1, bins + 1)
    rows = []
    for side, outcome in (("up", 1), ("down", -1)):
        said, came = known[f"p_{side}"].to_numpy(float), known["outcome"].to_numpy(int) == outcome
        place = np.minimum((said * bins).astype(int), bins - 1)
        for one in np.unique(place):
            mine = place == one
            low, high = wilson(int(came[mine].sum()), int(mine.sum()))
            rows.append(
                (side, edges[one], edges[one + 1], int(mine.sum()), said[mine].mean(), came[mine].mean(), low, high)
            )
    return pd.DataFrame(rows, columns=["side", "low", "high", "n", "said", "came", "came_low", "came_high"])


def wilson(hits: int, count: int) -> tuple[float, float]:
    """Wilson's score bounds of a share (JASA 22, 1927, page 209); NaN of nothing."""
    if not count:
        return math.nan, math.nan
    z = NormalDist().inv_cdf((1 + LEVEL) / 2)
    middle, wide = hits / count + z * z / (2 * count), z * z / count
    reach = z * math.sqrt(hits / count * (1 - hits / count) / count + wide / (4 * count))
    return max(0.0, (middle - reach) / (1 + wide)), min(1.0, (middle + reach) / (1 + wide))


def _judged(signals: pd.DataFrame) -> pd.DataFrame:
    return signals[~signals["abstained"]].reset_index(drop=True)
