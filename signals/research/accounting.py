"""The figures of a backtest: daily returns, drawdown, months, a summary. Plain values, no intervals.

Returns are of the rules' capital, which is not compounded: sizes do not grow with what was earned.
"""

import math
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from signals.market.week import day_of
from signals.research.backtest import Backtest
from signals.research.columns import Ints
from signals.research.orders import REFUSALS

DAYS_IN_YEAR = 260
"""FX days: five a week, 52 weeks, since dealers quote on all but a few holidays."""


class Summary(NamedTuple):
    """Plain figures of a backtest; NaN where there is nothing to take them of."""

    signals: int
    trades: int
    hit_rate: float
    """Share of trades with a net gain."""
    mean_gross_pips: float
    mean_net_pips: float
    mean_gross_bp: float
    mean_net_bp: float
    profit_factor: float
    """Net gains over net losses, JPY; inf where nothing was lost."""
    gross_jpy: float
    spread_jpy: float
    slippage_jpy: float
    rollover_jpy: float
    net_jpy: float
    net_percent: float
    """Of the capital."""
    max_drawdown_jpy: float
    """Largest fall of the equity at closes from its highest before, the capital included; 0 or above."""
    max_drawdown_percent: float
    """Of the capital."""
    exposure_share: float
    """Share of bars at whose close a position was open."""
    turnover_usd: float
    """Entries and exits together."""
    days: int
    """FX days from the first bar to the last."""
    sharpe: float
    """Mean over standard deviation (of a sample) of daily returns, times the root of 260; no risk-free rate is taken
    off, since positions are financed by the rollover (Sharpe, The Sharpe Ratio, Journal of Portfolio Management 21(1),
    1994; annualised as if days were independent)."""
    not_traded: dict[str, int]
    """Signals by reason; every reason has its count."""


def daily(backtest: Backtest) -> "pd.Series[float]":
    """Net return of each FX day, a share of the capital; index: the day by the date on which it closes, no zone.

    Every working day from the first bar to the last stands in it, 0 where nothing was held; what came of bars outside
    the FX week counts for the Monday that follows.
    """
    index, day = _days(backtest)
    net = np.bincount(day, weights=backtest.bars["net_jpy"].to_numpy(), minlength=len(index))
    return pd.Series(net / backtest.rules.capital_jpy, index=index, name="return")


def _days(backtest: Backtest) -> tuple[pd.DatetimeIndex, Ints]:
    """Working days of the bars, and the position in them of each bar's."""
    opened = pd.DatetimeIndex(backtest.bars.index)
    ends = day_of(opened[[0, -1]])
    index = pd.date_range(ends[0], ends[1] + pd.offsets.BDay(0), freq="B", unit="us", name="day")
    closes = (index + pd.Timedelta(hours=17)).tz_localize("America/New_York").as_unit("us").asi8
    return index, np.searchsorted(closes, opened.as_unit("us").asi8, side="right")


def drawdown(backtest: Backtest) -> "pd.Series[float]":
    """How far the equity lies below its highest so far at each bar's close, JPY, 0 or below."""
    equity = backtest.bars["equity_jpy"]
    return (equity - equity.cummax().clip(lower=backtest.rules.capital_jpy)).rename("drawdown_jpy")


def monthly(backtest: Backtest) -> pd.DataFrame:
    """By month of the FX day, every month from the first to the last.

    Columns: `trades` (by entry), `gross_jpy`, `cost_jpy`, `rollover_jpy`, `net_jpy`, `return_percent` (of the capital),
    `drawdown_jpy` (the lowest of the month, from the highest equity ever before).
    """
    index, day = _days(backtest)
    months = index.to_period("M")
    month = np.asarray((months - months[0]).map(lambda step: step.n))[day]
    names = pd.period_range(months[0], months[-1], freq="M", name="month")
    table = pd.DataFrame(index=names)
    entries = month[backtest.trades["entry_bar"].to_numpy()]
    table["trades"] = np.bincount(entries, minlength=len(names))
    for column in ("gross_jpy", "cost_jpy", "rollover_jpy", "net_jpy"):
        table[column] = np.bincount(month, weights=backtest.bars[column].to_numpy(), minlength=len(names))
    table["return_percent"] = table["net_jpy"] / backtest.rules.capital_jpy * 100
    table["drawdown_jpy"] = drawdown(backtest).groupby(month).min().reindex(range(len(names)), fill_value=0).to_numpy()
    return table


def sharpe(returns: NDArray[np.floating[Any]]) -> float:
    """Annualised Sharpe ratio of daily returns; NaN where there are fewer than two or they do not vary."""
    spread = float(np.std(returns, ddof=1)) if len(returns) > 1 else 0.0
    return float(np.mean(returns)) / spread * math.sqrt(DAYS_IN_YEAR) if spread > 0 else math.nan


def summary(backtest: Backtest) -> Summary:
    """Plain figures of a backtest."""
    trades, bars, capital = backtest.trades, backtest.bars, backtest.rules.capital_jpy
    net = trades["net_jpy"].to_numpy()
    won, lost = float(net[net > 0].sum()), float(-net[net < 0].sum())
    fall = -float(drawdown(backtest).min())
    returns = daily(backtest).to_numpy()
    reasons = backtest.not_traded["reason"].value_counts()
    total = float(net.sum())
    return Summary(
        signals=len(trades) + len(backtest.not_traded),
        trades=len(trades),
        hit_rate=_mean(net > 0),
        mean_gross_pips=_mean(trades["gross_pips"].to_numpy()),
        mean_net_pips=_mean(trades["net_pips"].to_numpy()),
        mean_gross_bp=_mean(trades["gross_bp"].to_numpy()),
        mean_net_bp=_mean(trades["net_bp"].to_numpy()),
        profit_factor=won / lost if lost else math.inf if won else math.nan,
        gross_jpy=float(trades["gross_jpy"].sum()),
        spread_jpy=float(trades["spread_jpy"].sum()),
        slippage_jpy=float(trades["slippage_jpy"].sum()),
        rollover_jpy=float(trades["rollover_jpy"].sum()),
        net_jpy=total,
        net_percent=total / capital * 100,
        max_drawdown_jpy=fall,
        max_drawdown_percent=fall / capital * 100,
        exposure_share=_mean(bars["position_usd"].to_numpy() != 0),
        turnover_usd=2 * float(trades["units_usd"].sum()),
        days=len(returns),
        sharpe=sharpe(returns),
        not_traded={reason: int(reasons.get(reason, 0)) for reason in REFUSALS},
    )


def _mean(values: NDArray[Any]) -> float:
    return float(np.mean(values)) if len(values) else math.nan
