"""A backtest of signals on bars: what would have been traded, at which prices, for how much.

1. `columns` checks the frames. 2. `orders` says which signals may be traded, when they are filled, and when their
positions end. 3. `fills` finds stops and targets (`paths`) and takes, for one position at a time, those orders that
meet none open. 4. `books` counts the money, trade by trade and bar by bar. Nothing that comes after a bar changes
what was done by its close.
"""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from signals.research.books import Money, Positions, by_bar, money, nights
from signals.research.columns import Calls, Ints, Market, calls, market, times
from signals.research.fills import EXITS, Exits, exits, taken, units_usd
from signals.research.orders import REFUSALS, Orders, orders
from signals.research.rules import PIP, Costs, Rules

_BP = 1e4


class Backtest(NamedTuple):
    """What came of it; money is JPY."""

    trades: pd.DataFrame
    """One row a position, by entry, then `signal_id`: `signal_id`, `side` (+1 long the dollar), `units_usd`,
    `decided_at`, `entry_at`, `entry_price`, `exit_at`, `exit_price` (mid, JPY per USD), `exit_reason` (of
    `fills.EXITS`), `entry_bar`, `exit_bar` (positions in `bars`), `gross_jpy`, `spread_jpy`, `slippage_jpy` (both above
    0), `rollover_jpy` (+ earned), `net_jpy`, `gross_pips`, `net_pips`, `gross_bp`, `net_bp` (of the entry price),
    `strength`, `known_at`. A stop or target within a bar has that bar's close as `exit_at`: when it was known."""
    not_traded: pd.DataFrame
    """The other signals: `signal_id`, `known_at`, `reason` (of `orders.REFUSALS`)."""
    bars: pd.DataFrame
    """Index as the bars: `position_usd` (at the close, + long), `gross_jpy`, `cost_jpy`, `rollover_jpy`, `net_jpy`,
    `equity_jpy`."""
    rules: Rules
    costs: Costs


def backtest(signals: pd.DataFrame, bars: pd.DataFrame, rules: Rules, costs: Costs) -> Backtest:
    """Trade signals on bars; neither frame is changed.

    Parameters
    ----------
    signals, bars : as `research.frames` has them.

    Raises
    ------
    DataError : names the column and row that cannot be used.
    """
    asked, prices = calls(signals), market(bars)
    placed = orders(asked, prices, rules)
    ends = exits(placed, asked.sign[placed.row].astype(np.int64), prices, rules)
    opened = taken(placed, ends, rules)
    held = _positions(asked, placed, ends, opened, prices, rules)
    rolled = nights(prices, costs)
    made = money(held, prices, costs, rolled)
    table = pd.DataFrame(by_bar(held, made, prices, rolled), index=times(prices.open_us).rename("open_at"), copy=False)
    table["equity_jpy"] = rules.capital_jpy + table["net_jpy"].cumsum()
    return Backtest(
        trades=_in_order(_trades(signals, asked, placed, opened, prices, held, made)),
        not_traded=_not_traded(signals, asked, placed, opened),
        bars=table,
        rules=rules,
        costs=costs,
    )


def _positions(asked: Calls, placed: Orders, ends: Exits, opened: Ints, prices: Market, rules: Rules) -> Positions:
    row, entry_bar = placed.row[opened], placed.entry_bar[opened]
    return Positions(
        side=asked.sign[row].astype(np.int64),
        units_usd=units_usd(asked, row, rules),
        entry_bar=entry_bar,
        entry_price=prices.open[entry_bar],
        ends=ends.of(opened),
    )


def _trades(
    signals: pd.DataFrame, asked: Calls, placed: Orders, opened: Ints, prices: Market, held: Positions, made: Money
) -> pd.DataFrame:
    row, ends = placed.row[opened], held.ends
    spread = made.entry_spread + made.exit_spread
    costs = spread + 2 * made.slippage
    net = made.gross - costs + made.rollover
    value = held.units_usd * held.entry_price
    return pd.DataFrame(
        {
            "signal_id": signals["signal_id"].take(row).array,
            "side": held.side.astype(np.int8),
            "units_usd": held.units_usd,
            "decided_at": times(placed.decided_us[opened]),
            "entry_at": times(prices.open_us[held.entry_bar]),
            "entry_price": held.entry_price,
            "exit_at": times(ends.exit_us),
            "exit_price": ends.price,
            "exit_reason": _texts(EXITS, ends.reason),
            "entry_bar": held.entry_bar,
            "exit_bar": ends.bar,
            "gross_jpy": made.gross,
            "spread_jpy": spread,
            "slippage_jpy": 2 * made.slippage,
            "rollover_jpy": made.rollover,
            "net_jpy": net,
            "gross_pips": held.side * (ends.price - held.entry_price) / PIP,
            "net_pips": net / (held.units_usd * PIP),
            "gross_bp": made.gross / value * _BP,
            "net_bp": net / value * _BP,
            "strength": asked.strength[row],
            "known_at": times(asked.known_us[row]),
        },
        copy=False,
    )


def _in_order(trades: pd.DataFrame) -> pd.DataFrame:
    """By entry, as they come, and those of one bar by `signal_id`."""
    together = trades["entry_bar"].duplicated(keep=False).to_numpy()
    if not together.any():
        return trades
    place = np.arange(len(trades))
    place[together] = trades.loc[together, ["entry_bar", "signal_id"]].sort_values(["entry_bar", "signal_id"]).index
    return trades.take(place).reset_index(drop=True)


def _not_traded(signals: pd.DataFrame, asked: Calls, placed: Orders, opened: Ints) -> pd.DataFrame:
    refusal = placed.refusal.copy()
    busy = np.ones(len(placed.row), dtype=np.bool_)
    busy[opened] = False
    refusal[placed.row[busy & placed.opens]] = REFUSALS.index("busy")
    row = np.flatnonzero(refusal >= 0)
    return pd.DataFrame(
        {
            "signal_id": signals["signal_id"].take(row).array,
            "known_at": times(asked.known_us[row]),
            "reason": _texts(REFUSALS, refusal[row]),
        }
    )


def _texts(names: tuple[str, ...], codes: Ints) -> Any:
    return pd.array(list(names), dtype="str").take(codes)
