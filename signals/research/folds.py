"""Rules chosen on one stretch of days and traded on another, with nothing of the other in the choice.

Days are cut into folds by `skfolio`, whose sizes count rows: here a row is an FX day with bars (no holiday, no
weekend), and the label of a signal is its trade. A day's last signal may be held for `hold_s` more, so the
`purge_days` that follow a stretch, ceil(hold_s / 24 h), belong to no stretch of the other kind: FX days begin at least
24 h apart, hence no trade of a training day ends after the first instant of a test day, or the reverse. Positions may
end in those days, signals of them are not traded. Each stretch is traded by itself, on bars cut at the end of its
purge: it starts flat and cannot see further. `embargo_days` are left out of the training after each test besides,
since news goes on being digested (López de Prado, Advances in Financial Machine Learning, 2018, chapters 7 and 12).
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from signals.errors import ConfigError, DataError
from signals.market.week import NEW_YORK, day_of, is_open
from signals.research.accounting import daily, sharpe
from signals.research.backtest import Backtest, backtest
from signals.research.frames import told_at
from signals.research.rules import Costs, Rules, rules_id

_DAY_S = 86_400
_OPENS = pd.Timedelta(hours=7)
"""How long before the midnight that begins its date an FX day does, on New York's clock."""


class Run(NamedTuple):
    """A stretch of days in a row, positions in the days, `stop` not included."""

    start: int
    stop: int


class Fold(NamedTuple):
    """Where rules are chosen, and where they are traded then."""

    train: tuple[Run, ...]
    tests: tuple[Run, ...]


class Traded(NamedTuple):
    """What came of the choices."""

    returns: pd.DataFrame
    """Net daily returns out of sample, a share of the capital; index: FX days, from the first tested to the last, 0
    where nothing was held; one column a path (a walk forward has one). What was held beyond the end of a test counts
    on the days it was held."""
    choices: pd.DataFrame
    """One row a fold: `train_from`, `train_to`, `test_from`, `test_to` (FX days; the first and last of several
    stretches), `train_days`, `choice` (position in the grid; -1 where no rules made a trade in training, and nothing is
    traded), `rules_id`, `train_sharpe`, `test_sharpe` (annualised, NaN where there is none), `train_trades`,
    `test_trades`."""
    purge_days: int
    embargo_days: int


class Ground(NamedTuple):
    """What is cut into folds."""

    signals: pd.DataFrame
    bars: pd.DataFrame
    costs: Costs
    days: pd.DatetimeIndex
    starts: pd.DatetimeIndex
    """UTC; when each day begins."""
    purge: int
    """Days."""


def walk_forward(
    signals: pd.DataFrame, bars: pd.DataFrame, grid: Sequence[Rules], costs: Costs, *,
    train_days: int = 120, test_days: int = 20, expand: bool = False,
) -> Traded:  # fmt: skip
    """Choose the rules with the best net Sharpe ratio on past days, trade the next ones with them, go on.

    Parameters
    ----------
    signals, bars : as `research.frames` has them.
    grid : rules to choose among; of equals the first.
    train_days, test_days : FX days; the last test may be shorter. `expand`: train on all days before instead.

    Raises
    ------
    DataError : fewer days than a training, a purge and a day of test. ConfigError : no rules, or no `skfolio`.
    """
    ground = _ground(signals, bars, grid, costs)
    folds = forward_folds(len(ground.days), ground.purge, train_days=train_days, test_days=test_days, expand=expand)
    return _trade(ground, grid, folds, [[0]] * len(folds), embargo=0)


def forward_folds(days: int, purge: int, *, train_days: int, test_days: int, expand: bool) -> list[Fold]:
    """The folds of a walk forward over so many days; raises as it does."""
    if days <= train_days + purge:
        told = f"{days} for {train_days} of training, {purge} of purge and a test"
        raise DataError("days", told, "import more history, or train on less")
    cut = _skfolio().WalkForward(
        test_size=test_days, train_size=train_days, purged_size=purge, expand_train=expand, reduce_test=True
    )
    return [Fold(_runs(train), _runs(test)) for train, test in cut.split(np.zeros((days, 1)))]


def combinatorial(
    signals: pd.DataFrame, bars: pd.DataFrame, grid: Sequence[Rules], costs: Costs, *,
    folds: int = 6, test_folds: int = 2, embargo_days: int = 1,
) -> Traded:  # fmt: skip
    """As `walk_forward`, but each set of `test_folds` among `folds` is the test once: several paths through all days.

    Training days lie on both sides of a test, purged and embargoed; how the paths differ shows what is chance.
    Raises as `walk_forward`, DataError where a fold is not longer than its purge and embargo.
    """
    ground = _ground(signals, bars, grid, costs)
    if len(ground.days) // folds <= ground.purge + embargo_days + 1:
        told = f"{len(ground.days)} in {folds} folds, with {ground.purge} of purge and {embargo_days} of embargo"
        raise DataError("days", told, "import more history, or cut it into fewer folds")
    cut = _skfolio().CombinatorialPurgedCV(folds, test_folds, purged_size=ground.purge, embargo_size=embargo_days)
    parts = [
        Fold(_runs(train), tuple(run for test in tests for run in _runs(test)))
        for train, tests in cut.split(np.zeros((len(ground.days), 1)))
    ]
    return _trade(ground, grid, parts, cut.get_path_ids().tolist(), embargo=embargo_days)


def _skfolio() -> Any:
    """Its splitters; loaded when first needed, since that takes seconds."""
    try:
        import skfolio.model_selection as splitters  # type: ignore[import-untyped]
    except ImportError as error:
        raise ConfigError("folds", "skfolio is not installed", "pip install -e .[research]") from error
    return splitters


def hold_s(signals: pd.DataFrame, bars: pd.DataFrame, grid: Sequence[Rules]) -> int:
    """Seconds from `known_at` within which a trade has ended under any of the rules, if bars go on: a due exit is
    filled at the next open, so a bar's length is added, twice where a bar is longer than the wait for the entry.
    """
    bar_s = math.ceil(float((bars["close_at"] - bars.index).max().total_seconds()))
    own = int(signals["horizon_s"].max()) if len(signals) else 0
    late = math.ceil((told_at(signals) - signals["known_at"]).max().total_seconds()) if len(signals) else 0
    return max(
        late + rules.latency_s + max(rules.max_wait_s, bar_s) + (rules.horizon_s or own) + bar_s for rules in grid
    )  # fmt: skip


def overlapping(trades: pd.DataFrame, start: pd.Timestamp, end: pd.Timestamp) -> pd.DataFrame:
    """Trades whose time from `known_at` to `exit_at` meets the span from `start` to `end`, their edges apart."""
    return trades[(trades["known_at"] < end) & (trades["exit_at"] > start)]


def _ground(signals: pd.DataFrame, bars: pd.DataFrame, grid: Sequence[Rules], costs: Costs) -> Ground:
    if not grid:
        raise ConfigError("grid", "holds no rules", "give at least one to choose")
    return Ground(signals, bars, costs, *calendar(bars), purge_days(signals, bars, grid))


def calendar(bars: pd.DataFrame) -> tuple[pd.DatetimeIndex, pd.DatetimeIndex]:
    """FX days with bars, and when each begins (UTC)."""
    opened = pd.DatetimeIndex(bars.index)
    days = pd.DatetimeIndex(day_of(opened[is_open(opened)]).unique())
    return days, (days - _OPENS).tz_localize(NEW_YORK).tz_convert("UTC").as_unit("us")


def purge_days(signals: pd.DataFrame, bars: pd.DataFrame, grid: Sequence[Rules]) -> int:
    """Days between training and test, so that no trade of the one reaches into the other under any of the rules."""
    return math.ceil(hold_s(signals, bars, grid) / _DAY_S) if len(bars) else 0


def _runs(days: NDArray[np.int64]) -> tuple[Run, ...]:
    if not len(days):
        return ()
    cuts = np.flatnonzero(np.diff(days) > 1) + 1
    return tuple(Run(int(part[0]), int(part[-1]) + 1) for part in np.split(days, cuts))


def stretch(ground: Ground, rules: Rules, run: Run) -> Backtest:
    """The signals of a run's days, on bars from its first day to the end of its purge."""
    known_at = ground.signals["known_at"]
    first, last = ground.starts[run.start], _start(ground, run.stop)
    end = _start(ground, run.stop + ground.purge)
    bars = ground.bars[(ground.bars.index >= first) & (ground.bars.index < end)]
    said = ground.signals[(known_at >= first) & (known_at < last)].reset_index(drop=True)
    return backtest(said, bars, rules, ground.costs)


def _start(ground: Ground, day: int) -> pd.Timestamp:
    beyond = ground.bars["close_at"].iloc[-1] + pd.Timedelta(days=7)  # the signals of the last day's weekend
    return ground.starts[day] if day < len(ground.starts) else beyond


def returns_of(ground: Ground, made: Sequence[Backtest]) -> "pd.Series[float]":
    """Of several stretches, on all days; 0 where none was traded."""
    total = pd.Series(0.0, index=ground.days, name="return")
    for part in made:
        total = total.add(daily(part).reindex(ground.days, fill_value=0.0))
    return total


def _within(returns: "pd.Series[float]", runs: Sequence[Run]) -> NDArray[np.float64]:
    return np.concatenate([returns.to_numpy()[run.start : run.stop] for run in runs])


def _check(ground: Ground, fold: Fold, made: Sequence[Backtest]) -> None:
    """A training trade that lives within a test is an error of the purge; raises DataError."""
    for run in fold.tests:
        for part in made:
            met = overlapping(part.trades, ground.starts[run.start], _start(ground, run.stop))
            if len(met):
                told = f"{len(met)} trades of the training reach into the test of {ground.days[run.start].date()}"
                raise DataError("folds", told, "purge more days between them")


def _choose(ground: Ground, grid: Sequence[Rules], fold: Fold) -> tuple[int, float, int]:
    """Position of the best rules, their Sharpe ratio and trades in training; -1 where none made a trade."""
    best = (-1, math.nan, 0)
    for position, rules in enumerate(grid):
        ratio, trades = trained(ground, rules, fold)
        if better(ratio, best[1]):
            best = (position, ratio, trades)
    return best


def better(ratio: float, best: float) -> bool:
    """Whether a Sharpe ratio goes before the best so far; NaN, where there is none, before nothing."""
    return not math.isnan(ratio) and not ratio <= best


def trained(ground: Ground, rules: Rules, fold: Fold) -> tuple[float, int]:
    """Annualised Sharpe ratio (NaN where there is none) and number of trades on a fold's days of training."""
    made = [stretch(ground, rules, run) for run in fold.train]
    _check(ground, fold, made)
    return sharpe(_within(returns_of(ground, made), fold.train)), sum(len(part.trades) for part in made)


def _trade(
    ground: Ground, grid: Sequence[Rules], folds: Sequence[Fold], paths: Sequence[Sequence[int]], embargo: int
) -> Traded:
    returns = pd.DataFrame(0.0, index=ground.days, columns=range(1 + max(max(path) for path in paths)))
    rows = []
    for fold, path in zip(folds, paths, strict=True):
        choice, ratio, trained = _choose(ground, grid, fold)
        made = [stretch(ground, grid[choice], run) for run in fold.tests] if choice >= 0 else []
        for part, column in zip(made, path, strict=True) if made else ():
            returns[column] += returns_of(ground, [part])
        rows.append(
            {
                "train_from": ground.days[fold.train[0].start],
                "train_to": ground.days[fold.train[-1].stop - 1],
                "test_from": ground.days[fold.tests[0].start],
                "test_to": ground.days[fold.tests[-1].stop - 1],
                "train_days": sum(run.stop - run.start for run in fold.train),
                "choice": choice,
                "rules_id": rules_id(grid[choice], ground.costs) if choice >= 0 else "",
                "train_sharpe": ratio,
                "test_sharpe": sharpe(_within(returns_of(ground, made), fold.tests)),
                "train_trades": trained,
                "test_trades": sum(len(part.trades) for part in made),
            }
        )
    tested = slice(min(run.start for fold in folds for run in fold.tests), None)
    return Traded(returns.iloc[tested], pd.DataFrame(rows), ground.purge, embargo)
