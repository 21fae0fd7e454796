"""Placebos: what is kept, what is lost, and who stands out."""

import math

import numpy as np
import pandas as pd
import pytest

from signals.errors import DataError
from signals.market.week import day_of, is_open, week_end
from signals.research.backtest import backtest
from signals.research.frames import signal_frame
from signals.research.placebo import DAY_S, HOUR_S, flipped, placebo, shifted, shuffled
from signals.research.rules import FREE, Rules
from tests.core.conftest import make_signal
from tests.research.making import random_bars, random_signals, signal_table
from tests.research.worlds import world


@pytest.fixture(scope="module")
def some() -> pd.DataFrame:
    """Signals of all kinds over weeks with a change of clocks."""
    chance = np.random.default_rng(5)
    return random_signals(chance, random_bars(chance, 6000, 15, "2026-02-20T12:00Z"), 800)


def runs_of(frame: pd.DataFrame) -> pd.DataFrame:
    """Signals with a sign: their FX day, and the number of the run of equal neighbours that each is of."""
    has = frame[frame["sign"] != 0].reset_index(drop=True)
    has["day"] = day_of(pd.DatetimeIndex(has["known_at"]))
    has["run"] = (has[["day", "sign"]] != has[["day", "sign"]].shift()).any(axis=1).cumsum()
    return has


def test_a_shuffle_keeps_each_day_and_loses_who_said_what(some):
    """Runs keep together and their signs within the day, flat ones stay, nothing but signs changes, seeds differ."""
    made = shuffled(some, 1)
    real = runs_of(some).assign(dealt=made.loc[made["sign"] != 0, "sign"].to_numpy())
    assert (real.groupby("run")["dealt"].nunique() == 1).all()
    first = real.groupby("run").first()
    pd.testing.assert_series_equal(*(first.groupby("day")[name].sum() for name in ("sign", "dealt")), check_names=False)
    assert ((made["sign"] == 0) == (some["sign"] == 0)).all()
    pd.testing.assert_frame_equal(made.drop(columns="sign"), some.drop(columns="sign"))
    assert (made["sign"] != some["sign"]).mean() > 0.1
    assert not made["sign"].equals(shuffled(some, 2)["sign"])
    assert made["sign"].equals(shuffled(some, 1)["sign"])


@pytest.mark.parametrize("shift_s", [HOUR_S, -HOUR_S, 2 * DAY_S, -4 * DAY_S])
def test_a_shift_goes_around_its_week(some, shift_s):
    """Each stays in its FX week, while the market is open, with its span; the way back is the way back."""
    before = some.set_index("signal_id")
    after = shifted(some, shift_s).set_index("signal_id").loc[before.index]
    known, moved = pd.DatetimeIndex(before["known_at"]), pd.DatetimeIndex(after["known_at"])
    opened = is_open(known)
    assert (week_end(known) == week_end(moved)).all()
    assert is_open(moved)[opened].all()
    assert (moved[~opened] == known[~opened]).all()
    assert set((moved - known)[opened].total_seconds()) <= {shift_s, shift_s - math.copysign(5 * DAY_S, shift_s)}
    for name in ("valid_until", "voided_at"):
        pd.testing.assert_series_equal(after[name] - after["known_at"], before[name] - before["known_at"])
    back = shifted(shifted(some, shift_s), -shift_s)
    pd.testing.assert_frame_equal(back, some.sort_values(["known_at", "signal_id"], ignore_index=True))


def test_a_shift_takes_along_when_a_signal_was_told():
    """A signal told ten minutes late is so after a shift too: none is told when it is over, or before it is known."""
    at = pd.date_range("2026-03-03T12:00Z", periods=3, freq="h", unit="us")
    some = signal_table(at, scored_at=at + pd.Timedelta(minutes=10), backfilled=False)
    for shift_s in (-3600, 3600):
        moved = shifted(some, shift_s)
        assert (moved["scored_at"] - moved["known_at"] == pd.Timedelta(minutes=10)).all()


def test_what_says_the_direction_turns_along():
    """A flipped signal is one that the other news would have made."""
    rows = [make_signal(signal_id="a"), make_signal(signal_id="b", direction="flat"), make_signal(abstained=True)]
    frame = signal_frame(rows)
    made = flipped(frame)
    pd.testing.assert_frame_equal(flipped(made), frame)
    one, was = made.set_index("signal_id").loc["a"], frame.set_index("signal_id").loc["a"]
    assert (one["p_up"], one["p_down"], one["usd_effect"]) == (was["p_down"], was["p_up"], -was["usd_effect"])
    assert {one["direction"], was["direction"]} == {"up", "down"}
    assert made.dtypes.equals(frame.dtypes)


def figure_on(bars: pd.DataFrame):
    def figure(signals: pd.DataFrame) -> float:
        return float(
            backtest(signals, bars, Rules(positions="many", exit_on_opposite=False), FREE).trades["gross_bp"].mean()
        )

    return figure


def test_signals_that_know_stand_out_and_their_mirror_is_below():
    """A planted edge is above every shuffle and every shift; turned around it loses what it earned."""
    made = world(1, days=10, signals=300, edge_bp=8.0, copies=1)
    held = placebo(made.signals, figure_on(made.bars), shuffles=19)
    standing = held.standing.set_index("kind")
    assert standing.loc["shuffled", "p_value"] == pytest.approx(1 / 20)
    assert standing.loc[["later", "earlier"], "at_least"].tolist() == [0, 0]
    mirror = held.runs.loc[held.runs["kind"] == "flipped", "figure"].item()
    assert mirror == pytest.approx(-held.real)


def test_signals_that_know_nothing_stand_anywhere():
    """Over worlds of noise the p-values of shuffles are spread over (0, 1]: about as often below 1/2 as above."""
    p_values = []
    made = world(1, days=10, signals=150, copies=1)
    for seed in range(24):
        moved = np.random.default_rng(seed).normal(0, 12, len(made.signals))
        held = placebo(made.signals, lambda frame, moved=moved: frame["sign"] @ moved, shuffles=9, shifts_s=())
        p_values.append(held.standing.set_index("kind").loc["shuffled", "p_value"])
    assert 0.3 < np.mean(p_values) < 0.7
    assert min(p_values) > 0


def test_three_headlines_of_one_story_are_no_three_witnesses():
    """Where stories come in copies of one sign, p-values of noise reach the ends as seldom as chance has it."""
    said = world(1, days=10, signals=120, copies=3).signals[["known_at", "sign"]]
    dealt = np.stack([shuffled(said, seed)["sign"] for seed in range(99)]).astype(float)
    minute = ((said["known_at"] - said["known_at"].iloc[0]) // pd.Timedelta(minutes=1)).to_numpy()
    extreme = []
    for seed in range(200):
        walk = np.random.default_rng(seed).normal(0, 1, minute[-1] + 61).cumsum()
        moved = walk[minute + 60] - walk[minute]
        rank = (dealt @ moved >= said["sign"].to_numpy() @ moved).sum()
        extreme.append(rank < 5 or rank > 94)
    assert np.mean(extreme) <= 0.2, "a tenth is expected; dealt one by one it is nearly half"


def test_what_acts_before_it_was_known_is_said(some):
    """None of a shuffle, all open-market ones of a shift to earlier, only the turned-round of a shift to later."""
    runs = placebo(some, lambda frame: 1.0, shuffles=1, shifts_s=[HOUR_S]).runs.set_index("kind")
    has = some[some["sign"] != 0]
    known, hour = pd.DatetimeIndex(has["known_at"]), pd.Timedelta(hours=1)
    assert runs.loc["shuffled", "early"] == 0
    assert runs.loc["later", "early"] == (is_open(known) & ~is_open(known + hour)).mean() > 0
    assert runs.loc["earlier", "early"] == (is_open(known) & is_open(known - hour)).mean() > 0.5
    assert runs.loc["flipped", "changed"] == 1


def test_ties_and_missing_figures_are_on_the_strict_side(some):
    """A placebo equal to the real one counts against it; one without a figure counts for nothing and is said."""
    answers = iter([1.0, 1.0, math.nan, 0.5, 2.0])
    held = placebo(some, lambda frame: next(answers), shuffles=3, shifts_s=())
    row = held.standing.set_index("kind").loc["shuffled"]
    assert (row["n"], row["undefined"], row["at_least"]) == (2, 1, 1)
    assert row["p_value"] == pytest.approx(2 / 3)
    nothing = placebo(some, lambda frame: math.nan, shuffles=2, shifts_s=())
    assert nothing.standing["p_value"].isna().all()


def test_no_signals_have_no_standing():
    """An empty history runs through, without a share or a figure made up."""
    empty = signal_table(pd.DatetimeIndex([], tz="UTC"))
    held = placebo(empty, lambda frame: math.nan, shuffles=1, shifts_s=[HOUR_S])
    assert held.standing["n"].sum() == 0


@pytest.mark.parametrize("shift_s", [0, -60, 5 * DAY_S])
def test_a_shift_that_is_none_is_refused(some, shift_s):
    """A week's round or nothing at all would compare the signals with themselves."""
    with pytest.raises(DataError, match="shift"):
        placebo(some, lambda frame: 1.0, shifts_s=[shift_s])


def test_who_waits_is_told_of_each_placebo(some):
    """After every one of them how many are done, of how many: a minute of silence looks like a hang."""
    heard: list[tuple[int, int]] = []
    placebo(some, lambda _signals: 0.0, shuffles=3, shifts_s=(HOUR_S,), tell=lambda *told: heard.append(told))
    assert heard == [(number, 6) for number in range(1, 7)]
