"""Figures of a backtest: days, months, drawdown and summary, each against its arithmetic."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given

from signals.market import days
from signals.research.accounting import daily, drawdown, monthly, sharpe, summary
from signals.research.backtest import Backtest, backtest
from signals.research.rules import FREE, Costs, Rules
from tests.core.conftest import steady
from tests.research.making import bar_table, signal_table
from tests.research.test_backtest import COSTS, worlds

HOUR = pd.Timedelta(hours=1)


def three_days() -> Backtest:
    """Thursday up 10 pips, Friday down 30, then a Monday of April without a trade: 100,000 dollars, no costs."""
    at = pd.DatetimeIndex([
        "2026-03-26T10:00Z", "2026-03-26T11:00Z", "2026-03-27T10:00Z", "2026-03-27T11:00Z", "2026-04-06T10:00Z",
    ])  # fmt: skip
    flat = [(price, price, price, price) for price in (150.0, 150.1, 150.0, 149.7, 149.7)]
    known_at = (at[[0, 2]] - pd.Timedelta(minutes=1)).as_unit("us")
    return backtest(signal_table(known_at), bar_table(at, flat, HOUR), Rules(capital_jpy=1_000_000), FREE)


def test_days_are_those_of_the_fx_week_with_noughts_between():
    """10,000 and -30,000 yen of a million; the six working days to 6 April earned nothing."""
    returns = daily(three_days())
    expected = pd.Series([0.01, -0.03, 0, 0, 0, 0, 0, 0], index=pd.bdate_range("2026-03-26", "2026-04-06", unit="us"))
    pd.testing.assert_series_equal(returns, expected, check_names=False, check_freq=False, atol=1e-12)


def test_months_add_up_and_a_month_without_a_trade_stands_there():
    """March has both trades, April none; the lowest point of March is 30,000 below its highest."""
    table = monthly(three_days())
    assert [str(month) for month in table.index] == ["2026-03", "2026-04"]
    assert table["trades"].tolist() == [2, 0]
    assert table["net_jpy"].tolist() == pytest.approx([-20_000, 0])
    assert table["return_percent"].tolist() == pytest.approx([-2, 0])
    assert table["drawdown_jpy"].tolist() == pytest.approx([-30_000, -30_000])


def test_drawdown_is_from_the_highest_so_far_the_capital_included():
    """A loss from the first bar on is a drawdown though no gain came before."""
    assert drawdown(three_days()).tolist() == pytest.approx([0, 0, 0, -30_000, -30_000])
    assert drawdown(_lost()).min() == pytest.approx(-50_000)


def _lost() -> Backtest:
    at = pd.date_range("2026-03-26T10:00Z", periods=2, freq="h", unit="us")
    falling = bar_table(at, [(150, 150, 149.5, 149.5), (149.5, 149.5, 149.5, 149.5)], HOUR)
    return backtest(signal_table(at[:1] - pd.Timedelta(minutes=1), horizon_s=7200), falling, Rules(), FREE)


def test_the_summary_is_its_arithmetic():
    """One of two trades gained; 10,000 gained over 30,000 lost; two bars of five end with a position."""
    figures = summary(three_days())
    assert (figures.signals, figures.trades, figures.days) == (2, 2, 8)
    assert figures.hit_rate == 0.5
    assert figures.mean_net_pips == pytest.approx(-10)
    assert figures.mean_gross_bp == pytest.approx((0.1 - 0.3) / 150 / 2 * 1e4)
    assert figures.profit_factor == pytest.approx(1 / 3)
    assert (figures.net_jpy, figures.net_percent) == (pytest.approx(-20_000), pytest.approx(-2))
    assert (figures.max_drawdown_jpy, figures.max_drawdown_percent) == (pytest.approx(30_000), pytest.approx(3))
    assert figures.exposure_share == pytest.approx(2 / 5)
    assert figures.turnover_usd == 400_000
    assert set(figures.not_traded.values()) == {0}
    returns = [0.01, -0.03, 0, 0, 0, 0, 0, 0]
    assert figures.sharpe == pytest.approx(np.mean(returns) / np.std(returns, ddof=1) * math.sqrt(260))


def test_nothing_to_take_a_figure_of_is_nan():
    """No trade: no hit rate, no Sharpe ratio, no profit factor; and nothing was lost is no finite factor."""
    at = pd.date_range("2026-03-26T10:00Z", periods=2, freq="h", unit="us")
    bars = bar_table(at, [(150, 150, 150, 150), (150, 151, 150, 151)], HOUR)
    one = signal_table(at[:1] - pd.Timedelta(minutes=1), horizon_s=7200)
    none = summary(backtest(one.iloc[:0], bars, Rules(), FREE))
    assert all(math.isnan(value) for value in (none.hit_rate, none.mean_net_pips, none.profit_factor, none.sharpe))
    assert none.net_jpy == 0
    assert summary(backtest(one, bars, Rules(), FREE)).profit_factor == math.inf
    assert math.isnan(sharpe(np.array([0.01])))


def test_a_wide_spread_costs_what_its_hour_says():
    """The summary's spread is half of each side's hour: 2 pips at 17:00 New York, 0.5 an hour later."""
    at = pd.DatetimeIndex(["2026-03-25T21:00Z", "2026-03-25T22:00Z"])
    bars = bar_table(at, [(150, 150, 150, 150)] * 2, HOUR)
    costs = Costs(spread_pips=tuple(2.0 if hour % 24 == 0 else 0.5 for hour in range(168)), slippage_pips=0)
    figures = summary(backtest(signal_table((at[:1] - HOUR / 60).as_unit("us")), bars, Rules(), costs))
    assert (figures.spread_jpy, figures.slippage_jpy) == (pytest.approx(1_250), 0)
    assert figures.net_jpy == pytest.approx(-1_250)


@steady
@given(worlds())
def test_days_and_months_add_up_to_the_whole(world: tuple[pd.DataFrame, pd.DataFrame, Rules]):
    """Whatever the world: no yen is lost between bars, days, months and the summary, and each bar lies in its day."""
    made = backtest(*world, COSTS)
    figures, returns, months = summary(made), daily(made), monthly(made)
    scale = max(1.0, made.trades["net_jpy"].abs().sum())
    assert abs(returns.sum() * made.rules.capital_jpy - figures.net_jpy) <= 1e-9 * scale
    assert abs(months["net_jpy"].sum() - figures.net_jpy) <= 1e-9 * scale
    assert months["trades"].sum() == figures.trades == len(made.trades)
    assert figures.signals == len(world[0])
    assert sum(figures.not_traded.values()) == len(made.not_traded)
    named = {days.day_of(at.to_pydatetime()) for at in made.bars.index}
    assert named <= {day.date() for day in returns.index}
