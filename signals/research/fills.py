"""Positions: what each order's would be, from fill to fill; which of them are opened; how large they are."""

from typing import NamedTuple

import numpy as np

from signals.research.columns import Calls, Flags, Floats, Ints, Market
from signals.research.orders import ENDINGS, Orders
from signals.research.paths import first_touch, pyramid
from signals.research.rules import PIP, Rules

EXITS = (*ENDINGS, "stop", "target")
END, _OPPOSITE, _STOP, _TARGET = (EXITS.index(reason) for reason in ("end", "opposite", "stop", "target"))


class Exits(NamedTuple):
    """Where each order's position ends; one row an order."""

    bar: Ints
    exit_us: Ints
    """Microseconds since 1970 UTC: the bar's open; its close where the moment within it is not known."""
    price: Floats
    """JPY per USD, mid."""
    reason: Ints
    """Position in `EXITS`."""
    at_open: Flags
    """Whether the bar's open was the moment: then another position may be opened there."""

    def of(self, rows: Ints) -> "Exits":
        """Those of some orders."""
        return Exits(self.bar[rows], self.exit_us[rows], self.price[rows], self.reason[rows], self.at_open[rows])


def exits(orders: Orders, sign: Ints, market: Market, rules: Rules) -> Exits:
    """Ends of all positions, with stops and targets.

    Of a bar that touches both levels the stop is taken to have come first, unless it opens beyond the target.
    """
    last = len(market.open_us) - 1
    ended = orders.exit_bar > last
    bar = np.minimum(orders.exit_bar, last)
    price = np.where(ended, market.close[bar], market.open[bar])
    reason, at_open = orders.ending, ~ended
    if rules.stop_pips is not None or rules.target_pips is not None:
        stop, target = _levels(market.open[orders.entry_bar], sign, rules)
        long = sign > 0
        floor, ceiling = np.where(long, stop, target), np.where(long, target, stop)
        touched = first_touch(pyramid(market.low, market.high), orders.entry_bar, orders.exit_bar, floor, ceiling)
        at = np.flatnonzero(touched < orders.exit_bar)
        bar, reason, price, at_open = bar.copy(), reason.copy(), price.copy(), at_open.copy()
        bar[at] = touched[at]
        price[at], reason[at], at_open[at] = _fill(market, touched[at], sign[at], stop[at], target[at])
    return Exits(bar, np.where(at_open, market.open_us[bar], market.close_us[bar]), price, reason, at_open)


def _levels(entry: Floats, sign: Ints, rules: Rules) -> tuple[Floats, Floats]:
    """Prices of stop and target; infinitely far where there is none."""
    stop, target = (np.inf if pips is None else pips * PIP for pips in (rules.stop_pips, rules.target_pips))
    return entry - sign * stop, entry + sign * target


def _fill(market: Market, bar: Ints, sign: Ints, stop: Floats, target: Floats) -> tuple[Floats, Ints, Flags]:
    """Price, reason and whether it was at the open, of positions that a level ends in these bars."""
    opened = market.open[bar]
    stopped_at_open, reached_at_open = sign * opened <= sign * stop, sign * opened >= sign * target
    at_open = stopped_at_open | reached_at_open
    stopped = stopped_at_open | (~at_open & (np.where(sign > 0, market.low[bar], -market.high[bar]) <= sign * stop))
    price = np.where(at_open, opened, np.where(stopped, stop, target))
    return price, np.where(stopped, _STOP, _TARGET), at_open


def taken(orders: Orders, ends: Exits, rules: Rules) -> Ints:
    """Which orders (positions, oldest first) open a position under the rules."""
    able = np.flatnonzero(orders.opens)
    if rules.positions == "many" or not able.size:
        return able
    # After each position the next order that may open one: filled once the bar of the exit is free, and where an
    # opposite order closed it, not known before that.
    free_bar = ends.bar[able] + ~ends.at_open[able]
    following = np.searchsorted(orders.entry_bar[able], free_bar)
    following = np.maximum(following, np.arange(1, able.size + 1))
    opposite = ends.reason[able] == _OPPOSITE
    following[opposite] = np.maximum(following, np.searchsorted(able, orders.closer[able]))[opposite]
    return able[_walk(following.tolist())]


def _walk(following: list[int]) -> list[int]:
    """The chain from the first on."""
    chain, at = [], 0
    while at < len(following):
        chain.append(at)
        at = following[at]
    return chain


def units_usd(calls: Calls, row: Ints, rules: Rules) -> Floats:
    """Size of the positions of these signals, USD, above 0."""
    if rules.sizing == "strength":
        return rules.size_usd * calls.strength[row]
    if rules.sizing == "volatility":
        return rules.size_usd * np.minimum(rules.target_volatility_bp / calls.volatility_bp[row], rules.max_leverage)
    return np.full(len(row), rules.size_usd)
