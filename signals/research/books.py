"""What positions earn and cost, trade by trade and bar by bar: the two add up to the same.

In yen. Bar by bar, with N the position at the bar's close (USD, + long) and C its close:

    gross(t) = N(t-1) * (C(t) - C(t-1)) + sum over entries u * (C(t) - entry) - sum over exits u * (C(t) - exit)

where u is the signed size. Costs are booked to the bars of the entry and of the exit. A position carried over 17:00
New York earns or pays the difference of the two overnight rates, actual/360, on its value at the last close by then:
long u * price * (usd - jpy - markup) * nights / 360, short -u * price * (usd - jpy + markup) * nights / 360; booked to
the first bar that closes after the roll. It is carried if opened before 17:00 and not closed before it.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from signals.market.week import NEW_YORK, hour_of_week, rolls
from signals.research.columns import Floats, Ints, Market, times
from signals.research.fills import END, Exits
from signals.research.rules import PIP, Costs

_DAYS_IN_YEAR = 360
"""Actual/360, the money market's count for both currencies (ISDA 2006 Definitions, section 4.16(e))."""


class Positions(NamedTuple):
    """Positions that were opened; one row each, any order."""

    side: Ints
    """+1 long the dollar, -1 short."""
    units_usd: Floats
    entry_bar: Ints
    entry_price: Floats
    ends: Exits


class Money(NamedTuple):
    """JPY, a figure a position; costs are above 0 where paid, rollover where earned."""

    gross: Floats
    entry_spread: Floats
    exit_spread: Floats
    slippage: Floats
    """On each of the two sides."""
    rollover: Floats


class Nights(NamedTuple):
    """Rolls within the bars, oldest first, and what one USD carried over each earns, JPY."""

    at_us: Ints
    bar: Ints
    long: Floats
    short: Floats


def nights(market: Market, costs: Costs) -> Nights:
    """All rolls from the first bar's open to the last one's close."""
    first, last = times(np.array([market.open_us[0], market.close_us[-1]]))
    at, count = rolls(first, last)
    at_us = np.asarray(at.asi8)
    # No bar has closed by a roll within the first: its open is the only price.
    closed = np.searchsorted(market.close_us, at_us, side="right") - 1
    price = np.where(closed < 0, market.open[0], market.close[closed])
    bar = np.minimum(closed + 1, len(market.open_us) - 1).astype(np.int64)
    difference, markup = _difference_percent(at, costs), costs.markup_percent
    per_percent = price * count / (100 * _DAYS_IN_YEAR)
    return Nights(at_us, bar, per_percent * (difference - markup), -per_percent * (difference + markup))


def _difference_percent(at: pd.DatetimeIndex, costs: Costs) -> Floats:
    """USD less JPY rate in force at each roll; 0 where no rates are given."""
    if not costs.rates:
        return np.zeros(len(at))
    since = pd.DatetimeIndex([rate.since for rate in costs.rates]).as_unit("us").asi8
    today = at.tz_convert(NEW_YORK).tz_localize(None).normalize().as_unit("us").asi8
    row = np.maximum(np.searchsorted(since, today, side="right") - 1, 0)
    return np.array([rate.usd - rate.jpy for rate in costs.rates])[row]


def money(positions: Positions, market: Market, costs: Costs, rolled: Nights) -> Money:
    """What each position earned and cost."""
    held, ends = positions, positions.ends
    first, after = _carried(held, market, rolled)
    earned = [np.append(0.0, np.cumsum(side)) for side in (rolled.long, rolled.short)]
    per_usd = np.where(held.side > 0, earned[0][after] - earned[0][first], earned[1][after] - earned[1][first])
    half = held.units_usd * PIP / 2
    return Money(
        gross=held.side * held.units_usd * (ends.price - held.entry_price),
        entry_spread=half * _spread_pips(held.entry_bar, market, costs),
        exit_spread=half * _spread_pips(ends.bar, market, costs),
        slippage=held.units_usd * PIP * costs.slippage_pips,
        rollover=held.units_usd * per_usd,
    )


def _carried(held: Positions, market: Market, rolled: Nights) -> tuple[Ints, Ints]:
    """First roll that each position is carried over, and the one after its last (positions in `rolled`)."""
    first = np.searchsorted(rolled.at_us, market.open_us[held.entry_bar], side="right")
    by_then = np.searchsorted(rolled.at_us, held.ends.exit_us, side="right")
    before = np.searchsorted(rolled.at_us, held.ends.exit_us, side="left")
    # A stop or target within a bar came before that bar's close, and so before a roll at it.
    within = ~held.ends.at_open & (held.ends.reason != END)
    return first, np.maximum(np.where(within, before, by_then), first)


def _spread_pips(bar: Ints, market: Market, costs: Costs) -> Floats:
    """Bid to ask in the hours in which these bars open."""
    spread = np.array(costs.spread_pips)
    return spread[hour_of_week(times(market.open_us[bar]))] if len(spread) > 1 else np.full(len(bar), spread[0])


def by_bar(positions: Positions, made: Money, market: Market, rolled: Nights) -> dict[str, Floats]:
    """The same bar by bar: `position_usd` at the close, `gross_jpy`, `cost_jpy`, `rollover_jpy`, `net_jpy`."""
    held, ends = positions, positions.ends
    signed = held.side * held.units_usd
    position = _position(held, signed, len(market.open_us))
    gross = np.empty_like(position)
    gross[0] = 0.0
    np.multiply(position[:-1], np.diff(market.close), out=gross[1:])
    gross += _sum(held.entry_bar, signed * (market.close[held.entry_bar] - held.entry_price), len(position))
    gross -= _sum(ends.bar, signed * (market.close[ends.bar] - ends.price), len(position))
    cost = _sum(held.entry_bar, made.entry_spread + made.slippage, len(position))
    cost += _sum(ends.bar, made.exit_spread + made.slippage, len(position))
    rollover = _rollover(held, market, rolled, len(position))
    return {
        "position_usd": position,
        "gross_jpy": gross,
        "cost_jpy": cost,
        "rollover_jpy": rollover,
        "net_jpy": gross - cost + rollover,
    }


def _sum(bar: Ints, values: Floats, bars: int) -> Floats:
    return np.asarray(np.bincount(bar, weights=values, minlength=bars), dtype=np.float64)


def _position(held: Positions, signed: Floats, bars: int) -> Floats:
    """Open positions at each bar's close; exactly 0 where none is, whatever the additions left over."""
    change = _sum(held.entry_bar, signed, bars)
    change -= _sum(held.ends.bar, signed, bars)
    count = np.bincount(held.entry_bar, minlength=bars) - np.bincount(held.ends.bar, minlength=bars)
    position = np.cumsum(change)
    position[np.cumsum(count) == 0] = 0.0
    return position


def _rollover(held: Positions, market: Market, rolled: Nights, bars: int) -> Floats:
    first, after = _carried(held, market, rolled)
    earned = np.zeros(len(rolled.at_us))
    for side, per_usd in ((1, rolled.long), (-1, rolled.short)):
        own = np.where(held.side == side, held.units_usd, 0.0)
        change = _sum(first, own, len(earned) + 1) - _sum(after, own, len(earned) + 1)
        earned += np.cumsum(change)[:-1] * per_usd
    return _sum(rolled.bar, earned, bars)
