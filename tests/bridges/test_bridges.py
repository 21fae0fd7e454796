"""Other backtesters, given the same signals, come to the same trades and the same money.

These run in an environment of their own: `make bridges`.
"""

import warnings

import numpy as np
import pandas as pd
import pytest

from signals.errors import DataError
from signals.research.backtest import backtest
from signals.research.bridges import to_backtesting, to_vectorbt
from signals.research.rules import FREE, Costs, Rules
from tests.research.making import STARTS, bar_table, random_bars, random_signals, signal_table

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # theirs, while they load
    import vectorbt as vbt
    from backtesting import Backtest

pytestmark = [pytest.mark.filterwarnings("ignore:::vectorbt"), pytest.mark.filterwarnings("ignore:::backtesting")]

RELATIVE = 1e-9
"""Of what was gained and lost: they add up floats in another order."""
COSTS = Costs(spread_pips=(0.8,), slippage_pips=0.1, markup_percent=0.0)
RULES = {
    "plain": Rules(strength_min=0.0),
    "held over weekends, to its own end": Rules(strength_min=0.0, hold_weekends=True, exit_on_opposite=False),
    "stop and target": Rules(strength_min=0.3, stop_pips=40.0, target_pips=60.0),
    "by strength": Rules(strength_min=0.2, sizing="strength"),
}


def market(seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Signals of all kinds on a walk with holes, gaps and weekends."""
    chance = np.random.default_rng(seed)
    bars = random_bars(chance, 1500, 1, STARTS[seed % len(STARTS)])
    return random_signals(chance, bars, 150), bars


CASES = [pytest.param(seed, rules, id=f"{name} {seed}") for name, rules in RULES.items() for seed in range(3)]


@pytest.mark.parametrize(("seed", "rules"), CASES)
def test_vectorbt_counts_the_same_money(seed: int, rules: Rules) -> None:
    """Every trade's profit after spread and slippage, one by one, stops within a bar too."""
    signals, bars = market(seed)
    ours = backtest(signals, bars, rules, COSTS).trades
    bridge = to_vectorbt(signals, bars, rules, COSTS)
    theirs = vbt.Portfolio.from_orders(**bridge.orders).trades.records_readable
    assert len(theirs) == len(ours) - bridge.left_out > 1
    mine = ours[ours["entry_at"] != ours["exit_at"]]
    net = (mine["gross_jpy"] - mine["spread_jpy"] - mine["slippage_jpy"]).to_numpy()
    assert theirs["PnL"].to_numpy() == pytest.approx(net, rel=RELATIVE, abs=1e-6)


@pytest.mark.parametrize(("seed", "rules"), CASES)
def test_backtesting_comes_to_the_same_trades(seed: int, rules: Rules) -> None:
    """The same number of trades with the same profit before costs; units are rounded to whole dollars."""
    signals, bars = market(seed)
    ours = backtest(signals, bars, rules, FREE).trades
    bridge = to_backtesting(signals, bars, rules)
    theirs = (
        Backtest(bridge.frame, bridge.strategy(), cash=rules.capital_jpy * 100, margin=0.02, finalize_trades=True)
        .run()["_trades"]
        .sort_values("EntryBar", kind="stable")
    )
    mine = ours[ours["entry_at"] != ours["exit_at"]]
    assert len(theirs) == len(mine) == len(ours) - bridge.left_out > 1
    gross = (mine["gross_jpy"] / mine["units_usd"] * mine["units_usd"].round()).to_numpy()
    assert theirs["PnL"].to_numpy() == pytest.approx(gross, rel=RELATIVE, abs=1e-4)


def test_a_stop_that_the_price_jumps_over_is_set_after_the_fill() -> None:
    """backtesting.py refuses a stop on the wrong side of the last close: it follows, and ends the trade the same."""
    at = pd.date_range("2026-03-04T12:00Z", periods=8, freq="min", unit="us")
    closes = [150.0, 150.0, 150.0, 151.0, 151.0, 150.7, 150.7, 150.7]
    opens = [150.0, 150.0, 150.0, 151.0, 151.0, 151.0, 150.7, 150.7]
    prices = [(o, max(o, c), min(o, c), c) for o, c in zip(opens, closes, strict=True)]
    bars = bar_table(at, prices, pd.Timedelta(minutes=1))
    signals = signal_table(at[2:3] + pd.Timedelta(seconds=30), sign=-1)
    rules = Rules(target_pips=20.0, stop_pips=50.0)
    ours = backtest(signals, bars, rules, FREE).trades
    bridge = to_backtesting(signals, bars, rules)
    theirs = Backtest(bridge.frame, bridge.strategy(), cash=1e9).run()["_trades"]
    assert ours["exit_reason"].tolist() == ["target"]
    assert theirs["PnL"].to_numpy() == pytest.approx(ours["gross_jpy"].to_numpy())


def test_several_positions_at_once_are_refused() -> None:
    """Both net what is held: their trades would be others."""
    signals, bars = market(0)
    for bridge in (to_vectorbt, to_backtesting):
        with pytest.raises(DataError, match="one position at a time"):
            bridge(signals, bars, Rules(positions="many"))


def test_neither_frame_changes() -> None:
    """The frames that are given stay as they are."""
    signals, bars = market(1)
    before = signals.copy(), bars.copy()
    to_vectorbt(signals, bars, Rules())
    to_backtesting(signals, bars, Rules())
    pd.testing.assert_frame_equal(signals, before[0])
    pd.testing.assert_frame_equal(bars, before[1])
