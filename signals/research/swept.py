"""What is to be said of a sweep: first what was traded out of sample, then the best of what was tried, and its luck."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import pandas as pd

from signals.research.accounting import daily
from signals.research.appraisal import with_ratio
from signals.research.backtest import backtest
from signals.research.backtest_page import told
from signals.research.deflated import Deflated, deflated_sharpe
from signals.research.ledger import Trials
from signals.research.sweep import Figures, Point, World, table
from signals.research.sweep_forward import Forward

COLUMNS = {
    "trades": ("trades", ",d", 1),
    "gross_bp": ("gross bp", "+.2f", 1),
    "net_bp": ("net bp", "+.2f", 1),
    "net_percent": ("net %", "+.2f", 1),
    "sharpe": ("Sharpe", "+.2f", 1),
    "max_drawdown_percent": ("drawdown %", ".2f", 1),
    "hit_rate": ("hit %", ".0f", 100),
}
"""Figures that people are shown: heading, format, and what they are multiplied by."""


class Swept(NamedTuple):
    """A sweep with what is to be held against it."""

    points: Sequence[Point]
    figures: Sequence[Figures]
    table: pd.DataFrame
    """As `sweep.table`."""
    forward: Sequence[Forward]
    """Empty where it was not walked forward."""
    best: int
    """Position in the grid; -1 where no point has a Sharpe ratio."""
    deflated: Deflated | None
    """Of the best, all trials of the ledger counted."""


def conclude(
    points: Sequence[Point], figures: Sequence[Figures], world: World, forward: Sequence[Forward], trials: Trials
) -> Swept:
    """Rank the points and hold the best against all that was tried.

    Parameters
    ----------
    trials : of the ledger, these points included.
    """
    made = table(points, figures)
    best = int(made["rank"].argmin())
    if math.isnan(figures[best].sharpe):
        return Swept(points, figures, made, forward, -1, None)
    point = points[best]
    returns = daily(backtest(world.of(point), world.bars, point.rules, point.costs))
    deflated = deflated_sharpe(returns, max(with_ratio(trials), 1), trials.variance)
    return Swept(points, figures, made, forward, best, deflated)


def lines(found: Swept) -> list[str]:
    """The answer, the most honest figure first."""
    said = [_out_of_sample(one, found) for one in found.forward]
    if found.deflated is None:
        return [*said, f"None of {len(found.points):,} points tried made trades enough for a Sharpe ratio."]
    best = found.figures[found.best]
    said.append(
        f"The best of {len(found.points):,} tried: {named(found.points[found.best])}: "
        f"Sharpe ratio {best.sharpe:+.2f} a year in sample, {best.net_bp:+.2f} bp a trade net of costs, "
        f"{best.trades:,} trades."
    )
    chances = [_chance(found.deflated.probability), _chance(found.deflated.deflated)]
    said.append(
        f"Chance that its true Sharpe ratio is above 0, had it been the only trial: {chances[0]}; "
        f"above what luck brings, {found.deflated.trials:,} trials of the ledger counted (deflated): {chances[1]}."
    )
    return said


def cautions(found: Swept) -> list[str]:
    """What a reader of the table must know."""
    said = []
    if len({point.costs for point in found.points}) > 1:
        said.append("costs are in the grid: the best is one of the cheapest, and nobody can choose what trading costs")
    if not found.forward:
        said.append("chosen and measured on the same days: --walk-forward 5 trades on days that had no say")
    for one in found.forward:
        idle = int((one.choices["choice"] < 0).sum())
        said += [f"{idle} of {len(one.choices)} stretches were not traded: no point traded before"] if idle else []
    return said


def named(point: Point) -> str:
    """`rules.strength_min=0.2, rules.horizon_s=900`."""
    return ", ".join(f"{key}={shown(value)}" for key, value in point.values)


def shown(value: Any) -> str:
    """A value of the grid as it is written there."""
    return "none" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def rows(found: Swept, most: int | None = None) -> list[list[str]]:
    """Rank, values and figures as texts, the best first."""
    order = found.table["rank"].sort_values().index[:most]
    return [[str(place), *_row(found, int(number))] for place, number in enumerate(order, 1)]


def header(found: Swept) -> list[str]:
    """Of `rows`."""
    return ["rank", *(key for key, _ in found.points[0].values), *(name for name, _, _ in COLUMNS.values())]


def objects(found: Swept) -> list[dict[str, Any]]:
    """The points in the order of the grid, for programs."""
    ranks = found.table["rank"].tolist()
    pairs = zip(found.points, found.figures, ranks, strict=True)
    return [{"values": dict(point.values)} | one._asdict() | {"rank": rank} for point, one, rank in pairs]


def _row(found: Swept, number: int) -> list[str]:
    values = [shown(value) for _, value in found.points[number].values]
    return values + [
        _figure(getattr(found.figures[number], name) * scale, form) for name, (_, form, scale) in COLUMNS.items()
    ]


def _figure(value: float, form: str) -> str:
    return "-" if math.isnan(value) else format(value + 0, form)  # no -0.00


def _out_of_sample(one: Forward, found: Swept) -> str:
    costs = under(one, found)
    return (
        f"Out of sample{f' ({costs})' if costs else ''}, chosen on past days only: "
        f"{told(one.net_bp, unit=' bp')} a trade net of costs, Sharpe ratio a year {told(one.sharpe)}, "
        f"{one.trades:,} trades on {len(one.returns):,} days in {len(one.choices)} stretches: {_shown_by(one)}."
    )


def _shown_by(one: Forward) -> str:
    """What the interval of the Sharpe ratio allows to be said, and no more."""
    if not one.trades:
        return "nothing was traded, nothing is shown"
    if not math.isfinite(one.sharpe.low):
        return "too few days to say anything"
    if one.sharpe.low > 0:
        return "above zero"
    return "it loses" if one.sharpe.high < 0 else "no edge is shown, the interval holds zero"


def under(one: Forward, found: Swept) -> str:
    """Whose costs a walk forward bore, where the grid has several."""
    if len(found.forward) == 1:
        return ""
    point = next(point for point in found.points if point.costs == one.costs)
    return ", ".join(f"{key}={shown(value)}" for key, value in point.values if key.startswith("costs."))


def _chance(value: float) -> str:
    return "unknown" if math.isnan(value) else f"{value:.0%}"
