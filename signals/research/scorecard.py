"""What came of a signal: entry, exit and cost as a subscriber could have had them, reckoned at its horizon.

A signal is entered at the open of the first bar that opens after it was told (the step that took it, where that is
later than `known_at`) plus the latency and before it expires, and left at the open of the first bar `horizon_s` later:
the two fills of `research.backtest` without its rules. The shortest bars that give both count.
"""

import bisect
import datetime as dt
import math
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import pandas as pd

from signals.market.week import hour_of_week
from signals.message import Signal
from signals.model import ForwardReturn, Settled
from signals.research.rules import PIP, Costs

NO_ENTRY_AFTER = dt.timedelta(days=1)
"""How long after its expiry a signal waits for bars that arrive late."""
NO_EXIT_AFTER = dt.timedelta(days=5)
"""How long after its horizon: past a weekend and a holiday."""

_BP = 1e4


class Opens(Protocol):
    """Opens of one series of bars, oldest first; as `store.bars.Opens`."""

    @property
    def source(self) -> str:
        """Whose they are."""

    @property
    def at(self) -> Sequence[dt.datetime]:
        """UTC."""

    @property
    def price(self) -> Sequence[float]:
        """JPY per USD."""


class _Fill(NamedTuple):
    at: dt.datetime
    price: float


def settle(
    signal: Signal, series: Sequence[Opens], now: dt.datetime, *, costs: Costs, latency_s: int
) -> ForwardReturn | None:
    """What came of a signal, or null while that is not known.

    Parameters
    ----------
    series : opens from `known_at` on, shortest bars first.
    now : UTC; how long bars have been waited for.
    """
    told_at = signal.known_at if signal.backfilled else max(signal.known_at, signal.scored_at)
    decided_at = told_at + dt.timedelta(seconds=latency_s)
    entered = False
    for opens in series:
        entry = _first(opens, decided_at)
        if entry is None or entry.at >= signal.valid_until:
            continue
        entered = True
        leave = _first(opens, entry.at + dt.timedelta(seconds=signal.horizon_s))
        if leave is not None:
            return _settled(signal, entry, leave, opens.source, costs, now)
    if entered:
        end = decided_at + dt.timedelta(seconds=signal.horizon_s)
        return _unsettled(signal, "no_exit", now) if now > end + NO_EXIT_AFTER else None
    return _unsettled(signal, "no_entry", now) if now > signal.valid_until + NO_ENTRY_AFTER else None


def _first(opens: Opens, at: dt.datetime) -> _Fill | None:
    place = bisect.bisect_left(opens.at, at)
    return _Fill(opens.at[place], opens.price[place]) if place < len(opens.at) else None


def _settled(signal: Signal, entry: _Fill, leave: _Fill, source: str, costs: Costs, now: dt.datetime) -> ForwardReturn:
    return ForwardReturn(
        signal_id=signal.signal_id,
        horizon_s=signal.horizon_s,
        outcome="settled",
        entry_at=entry.at,
        entry_price=entry.price,
        exit_at=leave.at,
        exit_price=leave.price,
        return_bp=round(math.log(leave.price / entry.price) * _BP, 4),
        cost_bp=round(_round_trip_pips(costs, entry.at, leave.at) * PIP / entry.price * _BP, 4),
        source=source,
        settled_at=now,
    )


def _unsettled(signal: Signal, outcome: Settled, now: dt.datetime) -> ForwardReturn:
    return ForwardReturn(signal_id=signal.signal_id, horizon_s=signal.horizon_s, outcome=outcome, settled_at=now)


def _round_trip_pips(costs: Costs, *fills: dt.datetime) -> float:
    """Half the spread of its hour and the slippage at each fill."""
    spreads = costs.spread_pips
    hours = hour_of_week(pd.DatetimeIndex(fills)) % len(spreads)
    return float(sum(spreads[hour] / 2 + costs.slippage_pips for hour in hours))
