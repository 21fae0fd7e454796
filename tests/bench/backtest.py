"""A backtest of a million signals on ten years of minutes; its books beside vectorbt's portfolio of the same orders.

vectorbt has the Commons Clause and is no part of this project: it is timed where its environment is there.

What makes the comparison fair: both are given the same fills (bar, signed size, price, cost in yen), as arrays of the
shape each wants, and both have to say what the account is worth at each close. vectorbt gets what ours nets to per
bar, since it takes one order a bar; ours also counts the money of each trade. vectorbt is run once before, so that
what numba compiles is not counted, and on bare arrays: with an index of aware times nearly all its time goes into
turning them into objects. Where the orders of a bar cancel out, nothing is traded for vectorbt, and their cost is put
on its next order; so at each close both are compared with costs booked in that way.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from signals.market.week import is_open
from signals.research.backtest import Backtest, backtest
from signals.research.books import Positions, by_bar, money, nights
from signals.research.columns import Floats, market
from signals.research.fills import EXITS, Exits
from signals.research.rules import Costs, Rate, Rules
from tests.bench.timing import Row, paired
from tests.conftest import ROOT
from tests.research.making import bar_table, signal_table

SIGNALS = 1_000_000
FIRST, LAST = "2016-01-03T22:00Z", "2025-12-31T22:00Z"
RULES = {
    "one position": Rules(),
    "one position, stop and target": Rules(stop_pips=20, target_pips=30),
    "many positions": Rules(positions="many"),
    "many positions, stop and target": Rules(positions="many", stop_pips=20, target_pips=30, sizing="strength"),
}
COSTS = Costs(
    spread_pips=tuple(2.0 if hour % 24 == 0 else 0.4 for hour in range(168)),
    rates=(Rate(since="2016-01-01", usd=0.4, jpy=-0.1), Rate(since="2022-06-16", usd=1.6, jpy=-0.1)),
)
CASH_JPY = 1e10
"""Enough for vectorbt to fill every order."""


def bench() -> Iterator[Row]:
    """The rows."""
    command = [sys.executable, "-c", "from tests.bench.backtest import timed; timed()"]
    done = subprocess.run(command, check=True, cwd=ROOT, capture_output=True, text=True)
    *rows, bars, peak_mb = (line.rsplit(" ", 1) for line in done.stdout.splitlines())
    yield Row(f"{SIGNALS:,} signals on minute bars", float(bars[1]), "bars")
    for what, seconds in rows:
        yield Row(f"  {what}", float(seconds), "s of a core", "wanted: at most 10")
    yield Row("peak memory of that process, frames included", float(peak_mb[1]), "MB", "wanted: below 3,000")
    if find_spec("vectorbt") is None:
        print("  vectorbt is not installed: make bench-research")
    else:
        yield from _beside_vectorbt()


def timed() -> None:
    """In a process of its own: seconds by rules, the number of bars, the peak memory in MB."""
    signals, bars = world()
    backtest(signals.iloc[:1000], bars.iloc[:1000], Rules(), COSTS)  # what is loaded late is loaded now
    for what, rules in RULES.items():
        start = time.process_time()
        backtest(signals, bars, rules, COSTS)
        print(what, time.process_time() - start)
    print("bars", len(bars))
    lines = Path("/proc/self/status").read_text().splitlines()  # getrusage would tell of the parent
    status = dict(line.split(":", 1) for line in lines)
    print("peak", int(status["VmHWM"].split()[0]) / 1024)


def world(seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Signals at any time but the last day, and every minute of ten years in which dealers quote: a walk."""
    chance = np.random.default_rng(seed)
    at = pd.date_range(FIRST, LAST, freq="min", inclusive="left", unit="us")
    at = at[is_open(at)]
    close = 120 * np.exp(np.cumsum(chance.normal(0, 8e-5, len(at))))
    opened = np.append(120.0, close[:-1])
    reach = chance.exponential(0.005, (2, len(at)))
    high, low = np.maximum(opened, close) + reach[0], np.minimum(opened, close) - reach[1]
    bars = bar_table(at, np.column_stack([opened, high, low, close]), pd.Timedelta(minutes=1))
    known_us = np.sort(chance.integers(at.asi8[0], at.asi8[-1440], SIGNALS))
    known_at = pd.DatetimeIndex(known_us.view("datetime64[us]")).tz_localize("UTC")
    void = pd.Series(known_at + pd.Timedelta(minutes=20)).where(chance.random(SIGNALS) < 0.05)
    signals = signal_table(
        known_at, sign=chance.integers(-1, 2, SIGNALS), strength=chance.random(SIGNALS), voided_at=void,
    )  # fmt: skip
    return signals, bars


def _beside_vectorbt() -> Iterator[Row]:
    import vectorbt

    signals, bars = world()
    costs = Costs(spread_pips=COSTS.spread_pips, markup_percent=0)  # no interest, which vectorbt does not know
    made = backtest(signals, bars, Rules(positions="many"), costs)
    del signals
    prices, held = market(bars), _positions(made)
    size, price, fees = _orders(held, made)
    found: dict[str, Any] = {}

    def ours() -> None:
        rolled = nights(prices, costs)
        table = by_bar(held, money(held, prices, costs, rolled), prices, rolled)
        found["ours"], found["gross"] = np.cumsum(table["net_jpy"]), table["gross_jpy"]

    def theirs() -> None:
        portfolio = vectorbt.Portfolio.from_orders(
            prices.close, size, price=price, fixed_fees=fees, init_cash=CASH_JPY, freq="1min"
        )
        found["theirs"] = portfolio.value().to_numpy() - CASH_JPY

    theirs()
    ours_s, theirs_s = paired(ours, theirs, rounds=3)
    apart = float(np.abs(np.cumsum(found["gross"] - fees) - found["theirs"]).max())
    total = found["theirs"][-1]
    yield Row(f"books of {len(made.trades):,} trades", ours_s * 1e3, "ms", f"{ours_s / theirs_s:.2f} x vectorbt")
    yield Row("  vectorbt's portfolio of the same orders", theirs_s * 1e3, "ms", "wanted: ours at most 1.5 x as long")
    yield Row("  result, vectorbt's", total, "JPY", f"ours {found['ours'][-1]:,.1f}")
    yield Row("  furthest apart at any close", apart, "JPY", f"{apart / abs(total):.0e} of the result")


def _positions(made: Backtest) -> Positions:
    trades = made.trades
    reason = trades["exit_reason"].map({name: code for code, name in enumerate(EXITS)}).to_numpy(dtype=np.int64)
    ends = Exits(
        bar=trades["exit_bar"].to_numpy(),
        exit_us=pd.DatetimeIndex(trades["exit_at"]).asi8,
        price=trades["exit_price"].to_numpy(),
        reason=reason,
        at_open=np.ones(len(trades), dtype=np.bool_),
    )
    return Positions(
        trades["side"].to_numpy(dtype=np.int64), trades["units_usd"].to_numpy(), trades["entry_bar"].to_numpy(),
        trades["entry_price"].to_numpy(), ends,
    )  # fmt: skip


def _orders(held: Positions, made: Backtest) -> tuple[Floats, Floats, Floats]:
    """Signed size (NaN for none), price and cost in yen of the order of each bar; all fill at its open."""
    bars, signed = len(made.bars), held.side * held.units_usd
    size = np.bincount(held.entry_bar, signed, bars) - np.bincount(held.ends.bar, signed, bars)
    price = np.full(bars, np.nan)
    price[held.entry_bar], price[held.ends.bar] = held.entry_price, held.ends.price
    paid = np.cumsum(made.bars["cost_jpy"].to_numpy())
    ordered = np.flatnonzero(size)
    fees = np.zeros(bars)
    fees[ordered] = np.diff(paid[ordered], prepend=0.0)
    return np.where(size == 0, np.nan, size), price, fees
