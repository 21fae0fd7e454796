"""The backtest against a plain one, its two sets of books against one another, and no look ahead."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signals.errors import DataError
from signals.research.backtest import Backtest, backtest
from signals.research.rules import FREE, Costs, Rate, Rules
from tests.core.conftest import steady
from tests.research.making import STARTS, bar_table, random_bars, random_signals, signal_table
from tests.research.plain import Plain

COSTS = Costs(
    spread_pips=tuple(0.2 + hour % 24 / 10 for hour in range(168)),
    slippage_pips=0.15,
    rates=(
        Rate(since="2026-01-01", usd=3.6, jpy=0.7),
        Rate(since="2026-03-04", usd=3.4, jpy=0.7),
        Rate(since="2026-10-30", usd=3.1, jpy=1.0),
    ),
)
SAME = ("units_usd", "entry_price", "exit_price", "gross_jpy", "spread_jpy", "slippage_jpy", "rollover_jpy", "net_jpy",
        "net_pips")  # fmt: skip

pips = st.sampled_from((None, None, 2.0, 5.0, 12.0, 30.0))
some_rules = st.builds(
    Rules,
    strength_min=st.sampled_from((0.0, 0.3)),
    latency_s=st.sampled_from((0, 2, 90)),
    max_wait_s=st.sampled_from((0, 900, 7200)),
    horizon_s=st.sampled_from((None, None, 300, 3600)),
    exit_on_opposite=st.booleans(),
    exit_on_expiry=st.booleans(),
    exit_on_void=st.booleans(),
    stop_pips=pips,
    target_pips=pips,
    hold_weekends=st.booleans(),
    weekend_margin_s=st.sampled_from((0, 900)),
    positions=st.sampled_from(("one", "many")),
    sizing=st.sampled_from(("fixed", "strength", "volatility")),
)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[pd.DataFrame, pd.DataFrame, Rules]:
    """Signals, bars and rules."""
    chance = np.random.default_rng(draw(st.integers(0, 2**32)))
    minutes = draw(st.sampled_from((1, 5, 15, 60)))
    bars = random_bars(chance, draw(st.integers(1, 150)), minutes, draw(st.sampled_from(STARTS)))
    return random_signals(chance, bars, draw(st.integers(0, 40))), bars, draw(some_rules)


@steady
@given(worlds())
def test_it_is_what_one_would_have_done_by_hand(world: tuple[pd.DataFrame, pd.DataFrame, Rules]):
    """The same trades, reasons and sums as a plain loop over signals, bars and nights, and its equity at each close."""
    made, plain = backtest(*world, COSTS), Plain(*world, COSTS)
    told = made.trades[["signal_id", "side", "entry_bar", "exit_bar", "exit_reason", "entry_at", "exit_at"]]
    assert told.to_dict("records") == [{name: trade[name] for name in told} for trade in plain.trades]
    for name in SAME:
        np.testing.assert_allclose(
            made.trades[name], np.array([trade[name] for trade in plain.trades], dtype=np.float64), rtol=1e-9, atol=1e-6
        )
    assert made.not_traded.set_index("signal_id")["reason"].to_dict() == plain.refused
    np.testing.assert_allclose(made.bars["gross_jpy"].cumsum(), plain.equity(), rtol=1e-9, atol=1e-5)


@steady
@given(worlds())
def test_trades_and_bars_add_up_to_the_same(world: tuple[pd.DataFrame, pd.DataFrame, Rules]):
    """To a billionth of what was moved, whatever the rules, holes and weekends; and nothing is held after the end."""
    made = backtest(*world, COSTS)
    trades, bars = made.trades, made.bars
    pairs = (
        (trades["gross_jpy"], bars["gross_jpy"]), (trades["spread_jpy"] + trades["slippage_jpy"], bars["cost_jpy"]),
        (trades["rollover_jpy"], bars["rollover_jpy"]), (trades["net_jpy"], bars["net_jpy"]),
    )  # fmt: skip
    for by_trade, by_bar in pairs:
        assert abs(by_trade.sum() - by_bar.sum()) <= 1e-9 * max(1.0, by_trade.abs().sum())
    assert bars["position_usd"].iloc[-1] == 0
    assert made.bars["equity_jpy"].iloc[-1] == pytest.approx(15_000_000 + trades["net_jpy"].sum())


@steady
@given(worlds())
def test_every_signal_is_traded_or_said_why_not(world: tuple[pd.DataFrame, pd.DataFrame, Rules]):
    """Each stands in exactly one of the two, and the frames given are as they were."""
    signals, bars, rules = world
    before = signals.copy(deep=True), bars.copy(deep=True)
    made = backtest(signals, bars, rules, COSTS)
    told = [*made.trades["signal_id"], *made.not_traded["signal_id"]]
    assert sorted(told) == sorted(signals["signal_id"])
    pd.testing.assert_frame_equal(signals, before[0])
    pd.testing.assert_frame_equal(bars, before[1])


@steady
@given(worlds(), st.floats(0, 1))
def test_what_comes_later_changes_nothing(world: tuple[pd.DataFrame, pd.DataFrame, Rules], share: float):
    """Cut off after some bar, what had ended by its close, and what had been refused by then, is the same."""
    signals, bars, rules = world
    whole = backtest(signals, bars, rules, COSTS)
    kept = bars.iloc[: 1 + int(share * (len(bars) - 1))]
    now = kept["close_at"].iloc[-1]
    known = signals[signals["known_at"] <= now].copy()
    known["voided_at"] = known["voided_at"].where(known["voided_at"] <= now)
    cut = backtest(known, kept, rules, COSTS)
    ended = whole.trades["exit_bar"] < len(kept)
    over = cut.trades["exit_reason"] != "end"
    last = len(bars) == len(kept)
    same = whole.trades[ended & ((whole.trades["exit_reason"] != "end") | last)].reset_index(drop=True)
    pd.testing.assert_frame_equal(same, cut.trades[over | last].reset_index(drop=True))
    pd.testing.assert_frame_equal(_refused(whole, kept, known), _refused(cut, kept, known))


def _refused(made: Backtest, kept: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """Refusals of the signals whose next bar had opened."""
    latest = kept.index[-1] - pd.Timedelta(seconds=made.rules.latency_s)
    table = made.not_traded
    return table[table["signal_id"].isin(known["signal_id"]) & (table["known_at"] <= latest)].reset_index(drop=True)


def minute_bars(*prices: tuple[float, float, float, float]) -> pd.DataFrame:
    at = pd.date_range("2026-03-03T10:00Z", periods=len(prices), freq="min", unit="us")
    return bar_table(at, prices, pd.Timedelta(minutes=1))


def test_two_opposite_signals_filled_at_one_open_cost_both():
    """The first is opened and closed at once and pays its costs; one in between is busy."""
    bars = minute_bars((150, 150, 150, 150), (150, 150.5, 150, 150.5))
    at = pd.DatetimeIndex(["2026-03-03T09:59:10Z", "2026-03-03T09:59:20Z", "2026-03-03T09:59:30Z"]).as_unit("us")
    made = backtest(signal_table(at, sign=[1, 1, -1]), bars, Rules(), COSTS)
    assert made.trades["exit_reason"].tolist() == ["opposite", "end"]
    assert made.trades["gross_jpy"].tolist() == [0.0, -50_000.0]
    assert (made.trades["spread_jpy"] > 0).all()
    assert made.not_traded["reason"].tolist() == ["busy"]


def test_a_stop_blocks_its_bar():
    """Where within the bar it was is not known, so the next position waits for the next bar."""
    bars = minute_bars((150, 150, 149.9, 149.9), (149.9, 149.9, 149.9, 149.9))
    at = pd.DatetimeIndex(["2026-03-03T09:59:10Z", "2026-03-03T09:59:20Z", "2026-03-03T10:00:30Z"]).as_unit("us")
    made = backtest(signal_table(at), bars, Rules(stop_pips=5), FREE)
    assert made.trades["entry_bar"].tolist() == [0, 1]
    assert made.trades["exit_at"].iloc[0] == bars["close_at"].iloc[0]


def test_no_signal_is_no_trade_and_types_hold():
    """An empty history trades nothing; its frames have the columns and types of a full one."""
    bars = minute_bars((150, 150, 150, 150), (150, 150, 150, 150))
    at = pd.DatetimeIndex(["2026-03-03T09:59:10Z"]).as_unit("us")
    full = backtest(signal_table(at), bars, Rules(), COSTS)
    empty = backtest(signal_table(at).iloc[:0], bars, Rules(), COSTS)
    assert empty.trades.dtypes.to_dict() == full.trades.dtypes.to_dict()
    assert empty.not_traded.dtypes.to_dict() == full.not_traded.dtypes.to_dict()
    assert (empty.bars["equity_jpy"] == 15_000_000).all()


def _set(frame: pd.DataFrame, column: str, row: int, value: Any) -> pd.DataFrame:
    changed = frame.copy()
    changed.iloc[row, changed.columns.get_loc(column)] = value
    return changed


BARS = minute_bars((150, 150.1, 149.9, 150), (150, 150.1, 149.9, 150), (150, 150.1, 149.9, 150))
SIGNALS = signal_table(pd.date_range("2026-03-03T10:00Z", periods=3, freq="min", unit="us"))


@pytest.mark.parametrize(
    ("signals", "bars", "said"),
    [
        (SIGNALS, BARS.iloc[::-1], "bars: index, row 1 (2026-03-03 10:01:00+00:00): is not later than the row before"),
        (SIGNALS, BARS.iloc[[0, 1, 1]], "bars: index, row 2 (2026-03-03 10:01:00+00:00): is not later"),
        (SIGNALS, BARS.drop(columns="low"), "bars: have no column 'low'"),
        (SIGNALS, _set(BARS, "close", 1, np.nan), "bars: close, row 1: is nan, no number"),
        (SIGNALS, _set(BARS, "high", 2, 1.0), "bars, row 2 (2026-03-03 10:02:00+00:00): low <= open, close <= high"),
        (SIGNALS, _set(BARS, "low", 2, -1.0), "bars: low, row 2 (2026-03-03 10:02:00+00:00): is no price"),
        (SIGNALS, _set(BARS, "close_at", 0, BARS["close_at"].iloc[2]), "bars: close_at, row 0"),
        (SIGNALS, BARS.tz_localize(None), "bars: index: is datetime64[us], not aware times"),
        (SIGNALS, BARS.reset_index(drop=True), "bars: index: holds no times"),
        (SIGNALS, BARS.iloc[:0], "bars: hold no row"),
        (SIGNALS, BARS.astype({"open": str}).assign(open="x"), "bars: open: is str, not numbers"),
        (SIGNALS.iloc[::-1], BARS, "signals: known_at, row 1 (2026-03-03 10:01:00+00:00): is earlier"),
        (SIGNALS.drop(columns="sign"), BARS, "signals: have no column 'sign'"),
        (SIGNALS.assign(signal_id="a"), BARS, "signals: signal_id, row 1"),
        (SIGNALS.assign(sign=2), BARS, "signals: sign, row 0"),
        (_set(SIGNALS, "strength", 1, np.nan), BARS, "signals: strength, row 1: is nan, no number"),
        (_set(SIGNALS, "known_at", 1, pd.NaT), BARS, "signals: known_at, row 1: has no time"),
        (SIGNALS.assign(valid_until=SIGNALS["valid_until"].dt.tz_localize(None)), BARS, "signals: valid_until: is"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_named_in_one_line(signals: pd.DataFrame, bars: pd.DataFrame, said: str):
    """Column, row, what is wrong, the mend; nothing is traded on what is half there."""
    with pytest.raises(DataError) as caught:
        backtest(signals, bars, Rules(), COSTS)
    line = str(caught.value)
    assert line.startswith(said)
    assert "\n" not in line
    assert " - " in line


def test_other_units_and_zones_of_aware_times_are_read():
    """Nanoseconds or Tokyo's clock say the same moments."""
    bars = BARS.set_axis(BARS.index.tz_convert("Asia/Tokyo").as_unit("ns").rename("open_at"))
    signals = SIGNALS.assign(known_at=SIGNALS["known_at"].dt.tz_convert("Asia/Tokyo"))
    made, plain = (backtest(*pair, Rules(positions="many"), COSTS) for pair in ((signals, bars), (SIGNALS, BARS)))
    pd.testing.assert_frame_equal(made.trades, plain.trades)
    assert len(plain.trades) == 2


def _told(known: list[str], scored: list[str], **columns: Any) -> pd.DataFrame:
    known_at, scored_at = (pd.to_datetime(texts, utc=True).as_unit("us") for texts in (known, scored))
    return signal_table(known_at, scored_at=scored_at, **columns)


def test_nobody_trades_before_a_signal_was_told():
    """A headline that waited half an hour for its step is traded after the step; imported history at its own time."""
    at = pd.date_range("2026-03-03T12:00Z", periods=240, freq="min", unit="us")
    bars = bar_table(at, np.full((240, 4), 150.0), pd.Timedelta(minutes=1))
    signals = _told(
        ["2026-03-03T12:10Z"] * 2, ["2026-03-03T12:40Z"] * 2, backfilled=[False, True], valid_until=at[[-1, -1]]
    )
    rules = Rules(latency_s=2, positions="many")
    trades = backtest(signals, bars, rules, FREE).trades.set_index("signal_id")
    assert trades.loc["s0000", "entry_at"] == pd.Timestamp("2026-03-03T12:41Z")
    assert trades.loc["s0000", "decided_at"] == pd.Timestamp("2026-03-03T12:40:02Z")
    assert trades.loc["s0001", "entry_at"] == pd.Timestamp("2026-03-03T12:11Z")


def test_what_was_told_first_is_traded_first():
    """An earlier headline that a later step took neither blocks the one told before it nor is closed by it."""
    at = pd.date_range("2026-03-03T12:00Z", periods=240, freq="min", unit="us")
    bars = bar_table(at, np.full((240, 4), 150.0), pd.Timedelta(minutes=1))
    signals = _told(
        ["2026-03-03T12:10Z", "2026-03-03T12:20Z"], ["2026-03-03T12:40Z", "2026-03-03T12:20Z"],
        backfilled=False, sign=[1, -1], valid_until=at[[-1, -1]],
    )  # fmt: skip
    trades = backtest(signals, bars, Rules(), FREE).trades
    assert trades["signal_id"].tolist() == ["s0001", "s0000"]
    assert trades["exit_reason"].tolist() == ["opposite", "horizon"]
    assert trades["exit_at"].iloc[0] == trades["entry_at"].iloc[1] == pd.Timestamp("2026-03-03T12:41Z")
