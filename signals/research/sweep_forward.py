"""A sweep walked forward: the point is chosen on past days only, and traded on the next.

The days are cut into one more stretch than there are tests; before each test the choice is made on all days before it
but the purge (`folds`). Costs are no choice: for each costs of the grid the others are chosen and traded by themselves.
What comes of it is the same as `folds.walk_forward` gives, with policies among what is chosen, and the work spread.
"""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from signals.errors import DataError
from signals.market.week import day_of
from signals.research.folds import Fold, Ground, better, forward_folds, purge_days, returns_of, stretch, trained
from signals.research.interval import Interval, interval
from signals.research.rules import Costs
from signals.research.spread import Mapper
from signals.research.sweep import Point, World


class Forward(NamedTuple):
    """What came of the choices under one set of costs, out of sample."""

    costs: Costs
    returns: "pd.Series[float]"
    """Net of each FX day from the first tested to the last, a share of the capital; 0 where nothing was held."""
    gross: "pd.Series[float]"
    """The same before costs and rollover."""
    choices: pd.DataFrame
    """One row a test: `train_from`, `train_to`, `test_from`, `test_to` (FX days), `choice` (position in the grid; -1
    where no point made a trade in training), `train_sharpe` (a year), `train_trades`, `test_trades`."""
    trades: int
    sharpe: Interval
    """A year, of the returns."""
    net_bp: Interval
    """Mean of the trades, by whole days."""


class Tested(NamedTuple):
    """A point on the days of one test."""

    returns: NDArray[np.float64]
    """Of every day of the bars."""
    gross: NDArray[np.float64]
    net_bp: NDArray[np.float64]
    entered: pd.DatetimeIndex
    """FX day of each trade's entry."""


class Plan(NamedTuple):
    """Where is chosen and where traded, the same for all points."""

    folds: tuple[Fold, ...]
    purge: int
    """Days."""


def walk(points: Sequence[Point], world: World, mapper: Mapper, cut: Plan) -> list[Forward]:
    """Choose and trade, for each costs of the grid in its order.

    Parameters
    ----------
    mapper : of `spread`, holding that world, whose `calendar` was asked for before it was handed over.
    cut : of `plan`, for the same points and world.

    Raises
    ------
    ConfigError : `arch` is not installed.
    """
    found = list(mapper(trained_on, [(point, cut) for point in points]))
    groups: dict[Costs, list[int]] = {}
    for number, point in enumerate(points):
        groups.setdefault(point.costs, []).append(number)
    chosen = {costs: list(_chosen(found, among, len(cut.folds))) for costs, among in groups.items()}
    tasks = [
        (points[choice], cut.folds[fold], cut.purge)
        for choices in chosen.values()
        for fold, choice in enumerate(choices)
        if choice >= 0
    ]
    made = iter(list(mapper(_tested, tasks)))
    return [
        _forward(costs, choices, [next(made) if choice >= 0 else None for choice in choices], found, world, cut)
        for costs, choices in chosen.items()
    ]


def plan(points: Sequence[Point], world: World, tests: int) -> Plan:
    """Cut the days.

    Parameters
    ----------
    tests : stretches that are traded.

    Raises
    ------
    DataError : too few days for so many tests. ConfigError : `skfolio` is not installed.
    """
    days = len(world.calendar[0])
    by_signals: dict[int, list[Point]] = {}
    for point in points:
        by_signals.setdefault(id(world.of(point)), []).append(point)
    purge = max(
        purge_days(world.of(alike[0]), world.bars, list(dict.fromkeys(point.rules for point in alike)))
        for alike in by_signals.values()
    )
    test_days = days // (tests + 1)
    train_days = days - tests * test_days - purge
    if test_days < 1 or train_days < 1:
        told = f"{days} for {tests} tests, a training before them and {purge} of purge"
        raise DataError("days", told, "import more history, or --walk-forward fewer")
    return Plan(tuple(forward_folds(days, purge, train_days=train_days, test_days=test_days, expand=True)), purge)


def _ground(world: World, point: Point, purge: int) -> Ground:
    return Ground(world.of(point), world.bars, point.costs, *world.calendar, purge)


def trained_on(world: World, item: tuple[Point, Plan]) -> list[tuple[float, int]]:
    """Sharpe ratio (a year) and trades of a point in the training of each fold; a task of a mapper."""
    point, cut = item
    ground = _ground(world, point, cut.purge)
    return [trained(ground, point.rules, fold) for fold in cut.folds]


def _tested(world: World, item: tuple[Point, Fold, int]) -> Tested:
    point, fold, purge = item
    ground = _ground(world, point, purge)
    made = [stretch(ground, point.rules, run) for run in fold.tests]
    bare = [part._replace(bars=part.bars.assign(net_jpy=part.bars["gross_jpy"])) for part in made]
    net, gross = (np.asarray(returns_of(ground, some), np.float64) for some in (made, bare))
    trades = pd.concat([part.trades[["net_bp", "entry_at"]] for part in made])
    days = pd.DatetimeIndex(day_of(pd.DatetimeIndex(trades["entry_at"])))
    return Tested(net, gross, np.asarray(trades["net_bp"], np.float64), days)


def _chosen(found: Sequence[Sequence[tuple[float, int]]], among: Sequence[int], folds: int) -> Iterator[int]:
    """The best point of each fold's training; of equals the first; -1 where none has a Sharpe ratio."""
    for fold in range(folds):
        best, choice = math.nan, -1
        for number in among:
            ratio = found[number][fold][0]
            if better(ratio, best):
                best, choice = ratio, number
        yield choice


def _forward(
    costs: Costs, choices: Sequence[int], made: Sequence[Tested | None], found: Sequence[Sequence[tuple[float, int]]],
    world: World, cut: Plan,
) -> Forward:  # fmt: skip
    days = world.calendar[0]
    tested = [one for one in made if one is not None]
    since = cut.folds[0].tests[0].start
    returns, gross = (
        pd.Series(sum(some, np.zeros(len(days))), index=days, name="return").iloc[since:]
        for some in ([one.returns for one in tested], [one.gross for one in tested])
    )
    net = np.concatenate([np.empty(0), *(one.net_bp for one in tested)])
    entered = pd.DatetimeIndex(np.concatenate([days[:0], *(one.entered for one in tested)]))
    rows = [
        {
            "train_from": days[fold.train[0].start],
            "train_to": days[fold.train[-1].stop - 1],
            "test_from": days[fold.tests[0].start],
            "test_to": days[fold.tests[-1].stop - 1],
            "choice": choice,
            "train_sharpe": found[choice][number][0] if choice >= 0 else math.nan,
            "train_trades": found[choice][number][1] if choice >= 0 else 0,
            "test_trades": 0 if one is None else len(one.net_bp),
        }
        for number, (fold, choice, one) in enumerate(zip(cut.folds, choices, made, strict=True))
    ]
    sharpe, net_bp = interval(returns, "sharpe"), interval(net, days=entered)
    return Forward(costs, returns, gross, pd.DataFrame(rows), len(net), sharpe, net_bp)
