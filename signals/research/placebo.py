"""Placebos: the same backtest on signals that cannot know anything, to see what the real ones stand out from.

Kinds, each with its own question:

- `shuffled`: the signs of an FX day are dealt anew among that day's signals that have one; neighbours that agree are
  dealt one sign together, for they may tell of one event. When and how often a day is traded stays; only who said what
  is lost. A day of one sign stays as it is: `changed` says how much did not. (Dealt one by one, stories of three
  headlines would be torn apart: the real figure then varies more than its placebos, and of worlds in which nothing is
  known 23 in 100 had p <= 0.05, measured over 500; with runs 7.)
- `later`, `earlier`: every signal comes so much later or earlier, around the FX week: what passes Friday's close comes
  back at that week's beginning, with its `valid_until` and `voided_at` at the same distance as ever. Signals of the
  closed weekend stay where they are. Prices a signal brought along (`volatility_60m_bp`) are still of its own time.
- `flipped`: every sign turned around. Before costs its figure is the real one's mirror; if both lose, costs do.

A shift is no trading rule. A signal that comes *earlier* than it was known acts on what nobody could know: where that
earns much more, the price had moved before the news, and what is traded is an echo. Also a *later* shift brings those
signals forward that came round the week's end. `early` is the share of signals that act before they were known;
the figure of such a run is evidence about the signals, never a return that could have been had. Where signals know
nothing of prices, no shift matters, and the real figure ranks anywhere among them: that is what the p-value tests.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from signals.errors import DataError
from signals.market.week import day_of, week_end

HOUR_S, DAY_S = 3600, 86_400
SHIFTS_S = tuple(step * unit for unit in (HOUR_S, DAY_S) for step in (1, 2, 3, 4))
"""Seconds; each is tried later and earlier. A fifth day would be a week's round."""
SHUFFLES = 99
WEEK = pd.Timedelta(hours=5 * 24)
"""From Sunday 17:00 New York to Friday 17:00; clocks change outside of it."""
_TURNED = {"up": "down", "down": "up"}
_MOVED = ("known_at", "scored_at", "valid_until", "voided_at")

Tell = Callable[[int, int], object]
"""Told how many are done, of how many."""
Figure = Callable[[pd.DataFrame], float]
"""From a frame of signals to the figure to be judged, larger is better: a backtest and what is read off it."""


class Placebo(NamedTuple):
    """Where the real signals stand."""

    real: float
    runs: pd.DataFrame
    """One row a placebo: `kind`, `seed` (of a shuffle, else -1), `shift_s` (+ later, 0 where none), `figure`, `changed`
    (share of the signals with a sign that differ from the real ones), `early` (share that act before they were known).
    """
    standing: pd.DataFrame
    """One row a kind: `kind`, `n` (placebos that have a figure), `undefined` (those that have none), `at_least` (those
    with the real figure or more), `p_value`: (1 + at_least) / (n + 1), NaN where `n` or the real figure is missing
    (Phipson & Smyth, Statistical Applications in Genetics and Molecular Biology 9(1), 2010: never 0)."""


class _Run(NamedTuple):
    kind: str
    seed: int
    shift_s: int
    signals: pd.DataFrame


def untold(_done: int, _total: int) -> None:
    """For whom nobody waits."""


def placebo(
    signals: pd.DataFrame,
    figure: Figure,
    *,
    shuffles: int = SHUFFLES,
    shifts_s: Sequence[int] = SHIFTS_S,
    seed: int = 0,
    tell: Tell = untold,
) -> Placebo:
    """Run the placebos through the same figure as the real signals; the same for the same seed.

    Parameters
    ----------
    signals : as `research.frames` has them; not changed.
    figure : called once for the real ones and once a placebo, always with a frame of signals in order.
    shuffles : how many; the smallest p-value is 1 / (shuffles + 1).
    shifts_s : seconds, each above 0 and below the five days of the FX week; else DataError.
    tell : told after each placebo how many are done, of how many.
    """
    wrong = [shift for shift in shifts_s if not 0 < shift < WEEK.total_seconds()]
    if wrong:
        raise DataError("placebo", f"a shift of {wrong[0]} s", "give seconds above 0 and below five days")
    real = figure(signals)
    rows, total = [], shuffles + 2 * len(shifts_s) + 1
    for done, run in enumerate(_placebos(signals, shuffles, shifts_s, seed), start=1):
        value = float(figure(run.signals))
        rows.append((run.kind, run.seed, run.shift_s, value, *_differences(signals, run.signals)))
        tell(done, total)
    runs = pd.DataFrame(
        rows,
        columns=["kind", "seed", "shift_s", "figure", "changed", "early"],
    )
    return Placebo(real, runs, _standing(real, runs))


def _placebos(signals: pd.DataFrame, shuffles: int, shifts_s: Sequence[int], seed: int) -> Iterator[_Run]:
    for number in range(seed, seed + shuffles):
        yield _Run("shuffled", number, 0, shuffled(signals, number))
    for kind, way in (("later", 1), ("earlier", -1)):
        for shift in shifts_s:
            yield _Run(kind, -1, way * shift, shifted(signals, way * shift))
    yield _Run("flipped", -1, 0, flipped(signals))


def shuffled(signals: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Signs dealt anew among the runs of one sign of each FX day; flat and abstained signals stay, and part no run."""
    sign = signals["sign"].to_numpy()
    has = np.flatnonzero(sign)
    day = pd.factorize(day_of(pd.DatetimeIndex(signals["known_at"]))[has])[0]
    begins = np.append(True, (np.diff(day) != 0) | (np.diff(sign[has]) != 0))[: len(has)]
    drawn = np.random.default_rng(seed).random(int(begins.sum()))
    own = sign[has][begins]
    own[np.argsort(day[begins], kind="stable")] = own[np.lexsort((drawn, day[begins]))]
    dealt = sign.copy()
    dealt[has] = own[np.cumsum(begins) - 1]
    return _with_signs(signals, dealt)


def flipped(signals: pd.DataFrame) -> pd.DataFrame:
    """Every sign turned around."""
    return _with_signs(signals, -signals["sign"].to_numpy())


def _with_signs(signals: pd.DataFrame, sign: "np.ndarray[tuple[int], np.dtype[np.int8]]") -> pd.DataFrame:
    """The frame with other signs, and with whatever else says the direction turned along."""
    made = signals.copy()
    turned = signals["sign"].to_numpy() != sign
    made["sign"] = sign
    if "direction" in made:
        made["direction"] = made["direction"].mask(turned, made["direction"].map(_TURNED))
    if {"p_up", "p_down"} <= set(made):
        up, down = made["p_up"], made["p_down"]
        made["p_up"], made["p_down"] = up.mask(turned, down), down.mask(turned, up)
    for effect in ("usd_effect", "jpy_effect"):
        if effect in made:
            made[effect] = made[effect].mask(turned, -made[effect])
    return made


def shifted(signals: pd.DataFrame, shift_s: int) -> pd.DataFrame:
    """Every signal so many seconds later (+) or earlier (-), around its FX week; ordered anew."""
    known_at = pd.DatetimeIndex(signals["known_at"])
    begin = week_end(known_at) - WEEK
    since = known_at - begin
    around = pd.to_timedelta((since.asi8 + shift_s * 1_000_000) % (WEEK // pd.Timedelta(microseconds=1)), unit="us")
    moved = (around - since).where(since >= pd.Timedelta(0), pd.Timedelta(0))  # the closed weekend stays
    made = signals.copy()
    for name in _MOVED:
        if name not in made:  # `scored_at`: not every frame has it
            continue
        made[name] = (made[name] + pd.Series(moved, index=made.index)).astype(signals[name].dtype)
    return made.sort_values(["known_at", "signal_id"], kind="stable", ignore_index=True)


def _differences(real: pd.DataFrame, made: pd.DataFrame) -> tuple[float, float]:
    """Shares of the signals with a sign that differ in it or in their time, and of those that act before their time."""
    before, after = (frame.set_index("signal_id")[["sign", "known_at"]] for frame in (real, made))
    before = before[before["sign"] != 0]
    after = after.reindex(before.index)
    early = after["known_at"] < before["known_at"]
    changed = (after["sign"] != before["sign"]) | (after["known_at"] != before["known_at"])
    return (float(changed.mean()), float(early.mean())) if len(before) else (0.0, 0.0)


def _standing(real: float, runs: pd.DataFrame) -> pd.DataFrame:
    by_kind = runs.groupby("kind", sort=False)["figure"]
    table = pd.DataFrame({"n": by_kind.count(), "undefined": by_kind.size() - by_kind.count()})
    table["at_least"] = (runs["figure"] >= real).groupby(runs["kind"]).sum().reindex(table.index)
    p_value = (1 + table["at_least"]) / (table["n"] + 1)
    table["p_value"] = p_value.where((table["n"] > 0) & ~np.isnan(real))
    return table.reset_index()
