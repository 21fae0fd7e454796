"""Folds: chosen on the one side, traded on the other, nothing of the other in the choice."""

import numpy as np
import pandas as pd
import pytest

from signals.errors import ConfigError, DataError
from signals.market.week import day_of
from signals.research import folds
from signals.research.folds import Fold, Run, combinatorial, hold_s, overlapping, walk_forward
from signals.research.rules import FREE, Rules
from tests.research.worlds import World, world

GRID = [Rules(strength_min=least, positions="many", exit_on_opposite=False) for least in (0.3, 0.65)]
DAY = pd.Timedelta(days=1)


@pytest.fixture(scope="module")
def strong() -> World:
    """30 days on which strong signals move the price and weak ones are wrong as often as right."""
    made = world(3, days=30, signals=900, edge_bp=6.0, copies=1)
    said = made.signals.copy()
    weak = said["strength"] < 0.65
    said["sign"] = np.where(weak, np.random.default_rng(4).choice([-1, 1], len(said)), said["sign"]).astype("int8")
    return World(said, made.bars)


@pytest.fixture
def seen(monkeypatch):
    """Every backtest that is run, with the signals and bars it was given; run as ever."""
    made = []

    def recorded(signals, bars, rules, costs):
        made.append((signals, bars, folds_backtest(signals, bars, rules, costs)))
        return made[-1][2]

    folds_backtest = folds.backtest
    monkeypatch.setattr(folds, "backtest", recorded)
    return made


def test_the_better_rules_are_chosen_and_earn_out_of_sample(strong):
    """Where only strong signals know, every fold learns to trade these, and the days tested earn."""
    made = walk_forward(strong.signals, strong.bars, GRID, FREE, train_days=12, test_days=6)
    assert made.choices["choice"].tolist() == [1, 1, 1]
    assert (made.choices["test_sharpe"] > 0).all()
    assert made.returns[0].mean() > 0


def test_returns_are_those_of_the_tests(strong, seen):
    """Nothing lost between the folds: daily returns add up to the net of every test's trades."""
    made = walk_forward(strong.signals, strong.bars, GRID[:1], FREE, train_days=12, test_days=6)
    tests = [part for _, _, part in seen[1::2]]
    assert made.choices["test_trades"].tolist() == [len(part.trades) for part in tests]
    net = sum(part.trades["net_jpy"].sum() for part in tests)
    assert made.returns[0].sum() * GRID[0].capital_jpy == pytest.approx(net)
    assert made.returns.index[0] == made.choices["test_from"][0]
    assert made.choices["test_to"].iloc[-1] == made.returns.index[-1]


@pytest.mark.parametrize("horizon_s", [3600, 86_400, 3 * 86_400])
def test_no_training_trade_reaches_its_test(strong, seen, horizon_s):
    """Whatever is held how long, the purge is longer, and training sees no bar of the test."""
    grid = [Rules(horizon_s=horizon_s, positions="many", hold_weekends=True, exit_on_opposite=False)]
    made = walk_forward(strong.signals, strong.bars, grid, FREE, train_days=10, test_days=5)
    assert made.purge_days == horizon_s // 86_400 + 1
    for (_, bars, train), (said, _, test) in zip(seen[0::2], seen[1::2], strict=True):
        start, end = said["known_at"].min(), test.trades["exit_at"].max()
        assert len(train.trades) > 20
        assert overlapping(train.trades, start, end).empty
        assert bars["close_at"].max() <= start
        assert (train.trades["exit_reason"] != "end").all()  # none had to be cut off to keep out of the test


def test_a_purge_that_is_too_short_is_caught(strong):
    """Were training days followed by the test at once, labels would overlap: an error, never a figure."""
    grid = [Rules(horizon_s=86_400, positions="many", exit_on_opposite=False)]
    ground = folds._ground(strong.signals, strong.bars, grid, FREE)
    with pytest.raises(DataError, match="reach into the test"):
        folds._choose(ground, grid, Fold((Run(0, 8),), (Run(8, 13),)))
    assert folds._choose(ground, grid, Fold((Run(0, 6),), (Run(8, 13),)))[0] == 0


def test_a_choice_knows_nothing_of_what_comes(strong):
    """Other prices from a test's first day on leave the choices up to it as they were."""
    made = walk_forward(strong.signals, strong.bars, GRID, FREE, train_days=12, test_days=6)
    cut = (made.choices["test_from"][1] - folds._OPENS).tz_localize(folds.NEW_YORK)
    other = strong.bars.copy()
    later = other.index >= cut
    other.loc[later, ["open", "high", "low", "close"]] *= np.linspace(1, 1.2, later.sum())[:, None]
    again = walk_forward(strong.signals, other, GRID, FREE, train_days=12, test_days=6)
    kept = ["train_to", "choice", "train_sharpe", "train_trades"]
    pd.testing.assert_frame_equal(again.choices.loc[:1, kept], made.choices.loc[:1, kept])
    assert again.choices["train_sharpe"][2] != made.choices["train_sharpe"][2]


def test_every_path_goes_through_every_day_and_keeps_its_distance(strong, seen):
    """Training keeps the purge before, the purge and the embargo after each test; paths are whole and differ."""
    made = combinatorial(strong.signals, strong.bars, GRID[:1], FREE, folds=5, test_folds=2, embargo_days=2)
    days = pd.DatetimeIndex(day_of(pd.DatetimeIndex(strong.bars.index)).unique())
    assert made.returns.shape == (len(days), 4)
    assert made.returns.index.equals(days)
    assert len(made.choices) == 10
    place = {day: position for position, day in enumerate(days)}
    first = made.choices.iloc[0]  # tests on folds 0 and 1: days 0 to 11, trained on what follows
    assert place[first["test_to"]] == 11
    assert place[first["train_from"]] == 12 + made.purge_days + 2
    last = made.choices.iloc[-1]  # tests on folds 3 and 4
    assert place[last["train_to"]] == 17 - made.purge_days
    assert all(len(part.trades) for _, _, part in seen)


def test_where_nothing_is_traded_nothing_is_chosen(strong):
    """Rules that trade no signal have no ratio: the fold says -1 and earns 0."""
    grid = [Rules(strength_min=1.0)]
    weak = strong.signals.assign(strength=0.5)
    made = walk_forward(weak, strong.bars, grid, FREE, train_days=12, test_days=6)
    assert set(made.choices["choice"]) == {-1}
    assert set(made.choices["rules_id"]) == {""}
    assert (made.returns[0] == 0).all()


def test_the_time_a_trade_may_take_is_counted_whole(strong):
    """Latency, wait and the exit's bar beside the horizon, the longest of the rules."""
    assert hold_s(strong.signals, strong.bars, [Rules()]) == 2 + 900 + 3600 + 60
    assert hold_s(strong.signals, strong.bars, [Rules(), Rules(horizon_s=9000, max_wait_s=0)]) == 2 + 60 + 9000 + 60


def test_too_little_history_is_refused(strong):
    """One line that says how many days there are; no rules are refused too."""
    with pytest.raises(DataError, match="30 for 40 of training"):
        walk_forward(strong.signals, strong.bars, GRID, FREE, train_days=40)
    with pytest.raises(DataError, match="30 in 10 folds"):
        combinatorial(strong.signals, strong.bars, GRID, FREE, folds=10)
    with pytest.raises(ConfigError, match="no rules"):
        walk_forward(strong.signals, strong.bars, [], FREE)
