"""What a backtest is worth: each figure with its interval, against chance, and against all that was tried before.

Intervals are of whole FX days (`interval`); the placebo panel trades signals that can know nothing (`placebo`); the
deflated Sharpe ratio counts the trials of the ledger (`deflated`, `ledger`).
"""

import math
from typing import NamedTuple

import numpy as np
import pandas as pd

from signals.market.week import day_of
from signals.research.accounting import Summary, daily, summary
from signals.research.backtest import Backtest, backtest
from signals.research.deflated import Deflated, deflated_sharpe
from signals.research.interval import Interval, interval
from signals.research.ledger import Trials
from signals.research.placebo import Placebo, Tell, placebo, untold
from signals.research.rules import Costs, Rules

_GROUPS = ("exit_reason", "side", "topic", "source", "hour")


_CHANCE_MAX, _SURE = 0.05, 0.95
"""Above the one, placebos do as well; below the other, a Sharpe ratio is no more than the best of so many trials."""


class Appraisal(NamedTuple):
    """A backtest with what is to be held against it."""

    backtest: Backtest
    summary: Summary
    daily: "pd.Series[float]"
    """Net return by FX day, a share of the capital."""
    gross_daily: "pd.Series[float]"
    """Before costs and rollover."""
    net_bp: Interval
    """Mean of the trades, net of costs."""
    gross_bp: Interval
    hit_rate: Interval
    sharpe: Interval
    """Annualised, of the net daily returns."""
    deflated: Deflated
    panel: Placebo
    groups: pd.DataFrame
    """As `by_group` makes it."""


def appraise(
    signals: pd.DataFrame,
    bars: pd.DataFrame,
    done: Backtest,
    trials: Trials,
    *,
    placebos: int = 99,
    seed: int = 0,
    tell: Tell = untold,
) -> Appraisal:
    """Hold a backtest against chance and against what was tried before.

    Parameters
    ----------
    signals, bars : what it was run on.
    trials : of the ledger, this one included.
    placebos : how often signals are shuffled.
    tell : told after each placebo how many are done, of how many.
    """
    net = daily(done)
    days = pd.DatetimeIndex(day_of(pd.DatetimeIndex(done.trades["entry_at"])))
    trades = done.trades
    return Appraisal(
        backtest=done,
        summary=summary(done),
        daily=net,
        gross_daily=_gross(done, net),
        net_bp=interval(trades["net_bp"], days=days, seed=seed),
        gross_bp=interval(trades["gross_bp"], days=days, seed=seed),
        hit_rate=interval(trades["net_bp"], "hit_rate", days=days, seed=seed),
        sharpe=interval(net, "sharpe", seed=seed),
        deflated=deflated_sharpe(net, max(with_ratio(trials), 1), trials.variance),
        panel=placebo(
            signals,
            lambda other: mean_net_bp(other, bars, done.rules, done.costs),
            shuffles=placebos,
            seed=seed,
            tell=tell,
        ),
        groups=by_group(signals, done, seed=seed),
    )


def mean_net_bp(signals: pd.DataFrame, bars: pd.DataFrame, rules: Rules, costs: Costs) -> float:
    """The figure of the placebo panel: mean net basis points a trade; NaN where nothing was traded."""
    net = backtest(signals, bars, rules, costs).trades["net_bp"].to_numpy()
    return float(net.mean()) if len(net) else math.nan


def verdict(found: Appraisal) -> str:
    """In a sentence, whether anything was shown; it claims nothing that an interval does not."""
    net, n = found.net_bp, len(found.backtest.trades)
    if not n:
        return "Nothing was traded: nothing is shown."
    if not math.isfinite(net.low):
        return f"{net.value:+.2f} bp a trade net of costs on {net.units} days: too few days to say anything."
    said = f"{net.value:+.2f} bp a trade net of costs ({net.low:+.2f} to {net.high:+.2f}), {n:,} trades"
    if net.low <= 0 <= net.high:
        return f"{said}: no edge is shown, the interval holds zero."
    if net.high < 0:
        return f"{said}: it loses."
    chance = _dealt_anew(found.panel)
    if chance > _CHANCE_MAX:
        return (
            f"{said}: above zero, but so are signs dealt anew within their days (p = {chance:.2f}): no skill is shown."
        )
    deflated = found.deflated
    counted = f"{deflated.trials} trial{'' if deflated.trials == 1 else 's'} counted"
    if math.isfinite(deflated.deflated) and deflated.deflated < _SURE:
        return f"{said}: above zero alone, but not with {counted}."
    return f"{said}: above zero, {counted}."


def _dealt_anew(panel: Placebo) -> float:
    """How often signs dealt anew did as well; NaN where none were."""
    p_value = panel.standing.set_index("kind")["p_value"]
    return float(p_value.get("shuffled", math.nan))


def by_group(signals: pd.DataFrame, done: Backtest, *, seed: int = 0) -> pd.DataFrame:
    """Mean net result of the trades by what they have in common.

    Columns: `by` (of `_GROUPS`), `group`, `trades`, `net_bp`, `low`, `high`, `net_jpy`; a trade with several topics
    counts in each.
    """
    trades = done.trades.merge(signals[["signal_id", "topics", "source"]], on="signal_id", how="left", validate="1:1")
    trades["side"] = np.where(trades["side"] > 0, "long USD", "short USD")
    trades["hour"] = trades["entry_at"].dt.hour.map("{:02d}:00 UTC".format)
    trades["day"] = day_of(pd.DatetimeIndex(trades["entry_at"]))
    topics = trades.assign(topic=trades["topics"].map(lambda held: list(held) or ["none"])).explode("topic")
    rows = []
    for by in _GROUPS:
        for group, part in (topics if by == "topic" else trades).groupby(by, sort=True):
            mean = interval(part["net_bp"], days=pd.DatetimeIndex(part["day"]), seed=seed)
            rows.append((by, str(group), len(part), mean.value, mean.low, mean.high, float(part["net_jpy"].sum())))
    return pd.DataFrame(rows, columns=["by", "group", "trades", "net_bp", "low", "high", "net_jpy"])


def with_ratio(trials: Trials) -> int:
    """Trials that traded on at least two days in different ways: the others had no ratio to be lucky with."""
    return sum(trial.sharpe_day is not None for trial in trials.distinct)


def _gross(done: Backtest, net: "pd.Series[float]") -> "pd.Series[float]":
    bare = done._replace(bars=done.bars.assign(net_jpy=done.bars["gross_jpy"]))
    return daily(bare).reindex(net.index)
