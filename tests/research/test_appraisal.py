"""What a backtest is said to have shown: no more than its intervals, its placebos and the trials before it allow."""

import numpy as np
import pandas as pd

from signals.research.appraisal import Appraisal, appraise, verdict
from signals.research.backtest import backtest
from signals.research.ledger import Trials
from signals.research.rules import Costs, Rules
from tests.research.making import bar_table, signal_table

DAYS = 60
CHEAP = Costs(spread_pips=(0.1,), slippage_pips=0.0)
RULES = Rules(horizon_s=3600)
NONE = Trials([], 0, ())


def appraised(signs: list[int], moves: list[int], trials: Trials = NONE) -> Appraisal:
    """Two calls a day, each followed by a move of about ten basis points that way within the hour."""
    days = pd.bdate_range("2026-01-05", periods=DAYS, tz="UTC", unit="us")
    chance = np.random.default_rng(3)
    opens = pd.DatetimeIndex([day + pd.Timedelta(hours=hour) for day in days for hour in range(8, 20)])
    steps = chance.normal(0, 2, (DAYS, 12))
    steps[:, 2] += 10 * moves[0]
    steps[:, 7] += 10 * moves[1]
    close = 150 * np.exp(steps.ravel().cumsum() / 1e4)
    opened = np.append(150.0, close[:-1])
    prices = np.column_stack([opened, np.maximum(opened, close), np.minimum(opened, close), close])
    bars = bar_table(opens, prices, pd.Timedelta(hours=1))
    known = pd.DatetimeIndex([day + pd.Timedelta(hours=hour, minutes=-5) for day in days for hour in (10, 15)])
    signals = signal_table(known, sign=signs * DAYS).assign(source="wire", topics=[("boj.policy",)] * len(known))
    return appraise(signals, bars, backtest(signals, bars, RULES, CHEAP), trials, placebos=20)


def test_who_is_always_long_in_a_rising_market_has_shown_no_skill():
    """The result is above zero, its interval too; but signs dealt anew do as well, and the verdict says so."""
    found = appraised([1, 1], [1, 1])
    assert found.net_bp.low > 0
    assert verdict(found).endswith("signs dealt anew within their days (p = 1.00): no skill is shown.")


def test_who_calls_both_ways_rightly_is_told_so():
    """Above zero, better than its signs dealt anew, with the one trial that there was."""
    assert verdict(appraised([1, -1], [1, -1])).endswith(": above zero, 1 trial counted.")


def test_who_calls_wrongly_loses_and_who_knows_nothing_shows_nothing():
    """A loss and an interval around zero are called by their names, whatever placebos do."""
    assert verdict(appraised([-1, 1], [1, -1])).endswith(": it loses.")
    assert verdict(appraised([1, -1], [0, 0])).endswith(("the interval holds zero.", "it loses."))
