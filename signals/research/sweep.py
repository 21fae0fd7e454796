"""Sweeps: a grid of policies, rules and costs, every point of it backtested alike, wherever it is run.

1. `grid` makes the points. 2. Whoever calls brings the signals of each policy: scores do not depend on the policy,
signals do, so each policy's come of a replay of their own. 3. `sweep` evaluates the points through a mapper
(`spread`): here, on the processes of a machine, or on a cluster; the rows are the same bit for bit. 4. Each point is
a trial, and the best of many is good by luck too: `trial_of` for the ledger, `forward` for what is left out of sample.
"""

import functools
import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from signals.decide import policy_id
from signals.errors import ConfigError
from signals.model import Policy
from signals.research.accounting import daily, summary
from signals.research.backtest import Backtest, backtest
from signals.research.columns import SIGNAL_COLUMNS
from signals.research.deflated import moments
from signals.research.folds import calendar
from signals.research.ledger import Trial
from signals.research.rules import Costs, Rules, rules_id
from signals.research.spread import Mapper
from signals.research.values import with_values

MOST = 10_000
"""Points in a grid that nobody said to be meant."""
SECTIONS = ("policy", "rules", "costs")


class Point(NamedTuple):
    """One way to trade."""

    values: tuple[tuple[str, Any], ...]
    """What is peculiar to it: `rules.strength_min` and so on, in the order of the axes, as they were given."""
    policy: Policy
    rules: Rules
    costs: Costs


class Figures(NamedTuple):
    """What came of a point; NaN where there is nothing to take a figure of."""

    signals: int
    trades: int
    gross_bp: float
    """Mean a trade, before costs; basis points of the entry price."""
    net_bp: float
    net_percent: float
    """Of the capital, in all."""
    sharpe: float
    """A year, of the net daily returns."""
    max_drawdown_percent: float
    hit_rate: float
    """Share of trades with a net gain."""
    sharpe_day: float
    days: int
    """FX days from the first bar to the last."""
    first_day: str
    last_day: str
    """ISO dates."""


class World:
    """What all points are evaluated on; handed over whole to whoever does the work.

    Parameters
    ----------
    signals : by `policy_id`, as `research.frames` has them; columns that no backtest reads are left behind.
    bars : as `research.frames` has them.
    """

    def __init__(self, signals: Mapping[str, pd.DataFrame], bars: pd.DataFrame) -> None:
        self.signals = {name: frame[list(SIGNAL_COLUMNS)] for name, frame in signals.items()}
        self.bars = bars

    def of(self, point: Point) -> pd.DataFrame:
        """The signals of a point's policy."""
        return self.signals[policy_id(point.policy)]

    @functools.cached_property
    def calendar(self) -> tuple[pd.DatetimeIndex, pd.DatetimeIndex]:
        """As `folds.calendar`; travels along once it was asked for."""
        return calendar(self.bars)


def grid(
    axes: Mapping[str, Sequence[Any]], policy: Policy, rules: Rules, costs: Costs, *, most: int | None = MOST
) -> list[Point]:
    """Every combination of the axes' values; the last axis varies first.

    Parameters
    ----------
    axes : values by key, as `rules.strength_min`; None stands for null.
    policy, rules, costs : what an axis does not name.
    most : points that may be made; null: any number.

    Raises
    ------
    ConfigError : no axis, an axis without a value, an unknown key, a value out of range or twice, too many points.
    """
    if not axes:
        raise ConfigError("--grid", "holds no point", "give --grid rules.strength_min=0.2,0.4")
    base = {"policy": policy, "rules": rules, "costs": costs}
    for key, values in axes.items():
        _check(key, values, base)
    count = math.prod(len(values) for values in axes.values())
    if most is not None and count > most:
        raise ConfigError("--grid", f"{count:,} points are more than {most:,}", "take fewer values, or add --yes")
    combined = itertools.product(*([(key, value) for value in values] for key, values in axes.items()))
    return [_point(values, base) for values in combined]


def _check(key: str, values: Sequence[Any], base: Mapping[str, Any]) -> None:
    section, _, name = key.partition(".")
    if section not in SECTIONS or not name:
        raise ConfigError(f"--grid {key}", "there is no such key", "keys begin with policy., rules. or costs.")
    if not values:
        raise ConfigError(f"--grid {key}", "has no value", f"as --grid {key}=A,B")
    found = [getattr(_changed(base[section], section, {name: value}), name) for value in values]
    twice = next((value for n, value in enumerate(found) if value in found[:n]), None)
    if len(found) != len(set(found)):
        raise ConfigError(f"--grid {key}", f"{twice} stands twice", "give each value once")


def _point(values: tuple[tuple[str, Any], ...], base: Mapping[str, Any]) -> Point:
    made = {}
    for section in SECTIONS:
        own = {key.partition(".")[2]: value for key, value in values if key.startswith(f"{section}.")}
        made[section] = _changed(base[section], section, own)
    return Point(values, **made)


def _changed(one: Any, section: str, values: Mapping[str, Any]) -> Any:
    return with_values(f"--grid {section}", one, values) if values else one


def policies(points: Sequence[Point]) -> list[Policy]:
    """Each policy of the points once, in their order."""
    return list(dict.fromkeys(point.policy for point in points))


def evaluate(point: Point, signals: pd.DataFrame, bars: pd.DataFrame) -> Figures:
    """Figures of one point on the signals of its policy; raises DataError as `backtest`."""
    return figures(backtest(signals, bars, point.rules, point.costs))


def figures(done: Backtest) -> Figures:
    """What a sweep keeps of a backtest."""
    plain, returns = summary(done), daily(done)
    seen = moments(returns)
    return Figures(
        plain.signals, plain.trades, plain.mean_gross_bp, plain.mean_net_bp, plain.net_percent, plain.sharpe,
        plain.max_drawdown_percent, plain.hit_rate, seen.sharpe, seen.days,
        f"{returns.index[0]:%Y-%m-%d}", f"{returns.index[-1]:%Y-%m-%d}",
    )  # fmt: skip


def evaluated(world: World, point: Point) -> Figures:
    """`evaluate`, as a task of a mapper."""
    return evaluate(point, world.of(point), world.bars)


def sweep(points: Sequence[Point], mapper: Mapper) -> list[Figures]:
    """Figures of every point, in the order of the points.

    Parameters
    ----------
    mapper : of `spread`, holding the world.
    """
    return list(mapper(evaluated, points))


def table(points: Sequence[Point], found: Sequence[Figures]) -> pd.DataFrame:
    """A row a point in the order of the grid: its values by key, then its figures, then `rank` (1 the best).

    The best has the highest Sharpe ratio; points without one come last, equals in the order of the grid.
    """
    columns = {key: _column([dict(point.values)[key] for point in points]) for key, _ in points[0].values}
    made = pd.DataFrame(columns | {name: [getattr(one, name) for one in found] for name in Figures._fields})
    order = made["sharpe"].sort_values(ascending=False, kind="stable", na_position="last").index
    made["rank"] = pd.Series(range(1, len(made) + 1), index=order)
    return made


def _column(values: Sequence[Any]) -> "pd.Series[Any]":
    """Numbers as numbers, anything else as text; null stays null."""
    if all(isinstance(value, bool | str) or value is None for value in values) or any(
        isinstance(value, list | tuple | dict) for value in values
    ):
        return pd.Series([None if value is None else str(value) for value in values], dtype="str")
    return pd.Series([math.nan if value is None else value for value in values])


def trial_of(
    point: Point, found: Figures, *, run_id: str, at: str, model_id: str, made_by: str, inputs_id: str,
) -> Trial:  # fmt: skip
    """A point as the ledger of trials keeps it; the same as a backtest of the same makes.

    Parameters
    ----------
    made_by : the policies that told the signals, joined by commas.
    """
    return Trial(
        run_id=run_id,
        at=at,
        rules_id=rules_id(point.rules, point.costs),
        policy_id=made_by,
        model_id=model_id,
        inputs_id=inputs_id,
        first_day=found.first_day,
        last_day=found.last_day,
        days=found.days,
        sharpe_day=None if math.isnan(found.sharpe_day) else found.sharpe_day,
    )
