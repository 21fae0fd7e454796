"""Which signals may be traded, when each is filled, and when its position ends if no price ends it before.

1. An order goes out `latency_s` after the signal was told (`frames.told_at`: `known_at`, or the later step that took
   it) and is filled at the open of the first bar that opens from then on.
2. Until it is filled it can be called off: the first of `REFUSALS` that applies says why a signal is not traded.
3. A position ends at the open of the first bar at or after the earliest of the moments in `ENDINGS`; of those
   that fall on one bar the first in that order is the reason.
4. An opposite signal is one of the other sign that may itself be acted on. Where both are filled at one open
   the first is opened and closed at once, and pays its costs: a bot that sends at once would have.

All over whole columns. Positions are counted in bars; the number of bars stands for the end of the data.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from signals.market.week import week_end
from signals.research.columns import NEVER, SECOND, Calls, Flags, Ints, Market, times
from signals.research.rules import Rules

REFUSALS = (
    "abstained",
    "flat",
    "weak",
    "stale_on_arrival",
    "after_end",
    "no_bar",
    "void",
    "weekend",
    "no_volatility",
    "busy",
)
"""Why a signal is not traded. `stale_on_arrival`: it had run out when the order could be sent (or be filled, where
positions end with it); `after_end`: no bar opens any more; `no_bar`: the next one opens too late; `void`: it ceased
to hold before the fill; `weekend`: it would be filled when positions are already being closed for the weekend;
`busy`: a position was open."""
ENDINGS = ("void", "opposite", "weekend", "expiry", "horizon", "end")
"""Why a position ends, but for a stop or a target: what is learned goes before the market's calendar, and that before
the clock of the trade; `end`: the data do."""
_CALLED_OFF = ("weekend", "no_volatility")
"""Signals refused for these may still close the position of another: that needs neither size nor time."""


class Orders(NamedTuple):
    """Signals that may be acted on, first told first; all columns but `refusal` are of these."""

    row: Ints
    """Position in the frame of signals."""
    decided_us: Ints
    entry_bar: Ints
    exit_bar: Ints
    """The bar at whose open the position ends; the number of bars: it lasts to the end of the data."""
    ending: Ints
    """Position in `ENDINGS`."""
    closer: Ints
    """Which order (position in these columns) closes it by being opposite; their number where none does."""
    opens: Flags
    """Whether it opens a position, too; otherwise it only closes those of others."""
    refusal: Ints
    """Of every signal: position in `REFUSALS`, -1 where it may be traded."""


def orders(calls: Calls, market: Market, rules: Rules) -> Orders:
    """What may be traded under these rules, before it is known which positions a stop or target ends early."""
    decided_us = calls.told_us + rules.latency_s * SECOND
    entry_bar = np.searchsorted(market.open_us, decided_us).astype(np.int64)
    refusal = _refusals(calls, market, rules, decided_us, entry_bar)
    acts = (refusal < 0) | np.isin(refusal, [REFUSALS.index(reason) for reason in _CALLED_OFF])
    row = np.flatnonzero(acts).astype(np.int64)
    row = row[np.argsort(decided_us[row], kind="stable")]
    entry_bar = entry_bar[row]
    closer = _closers(calls.sign[row])
    exit_bar, ending = _endings(calls, market, rules, row, entry_bar, closer)
    return Orders(row, decided_us[row], entry_bar, exit_bar, ending, closer, refusal[row] < 0, refusal)


def _refusals(calls: Calls, market: Market, rules: Rules, decided_us: Ints, entry_bar: Ints) -> Ints:
    """The first reason that applies to each signal, -1 for none."""
    beyond = entry_bar == len(market.open_us)
    fill_us = np.where(beyond, decided_us, market.open_us[np.minimum(entry_bar, len(market.open_us) - 1)])
    wait_us = max(rules.max_wait_s * SECOND, market.length_us)
    by_reason = {
        "abstained": calls.abstained,
        "flat": calls.sign == 0,
        "weak": calls.strength < rules.strength_min,
        "stale_on_arrival": calls.valid_until_us <= (fill_us if rules.exit_on_expiry else decided_us),
        "after_end": beyond,
        "no_bar": fill_us - decided_us > wait_us,
        "void": _void_us(calls.voided_us, rules) <= fill_us,
    }
    if not rules.hold_weekends:
        by_reason["weekend"] = fill_us >= _leave_us(fill_us, market, rules)
    if rules.sizing == "volatility":
        by_reason["no_volatility"] = ~(calls.volatility_bp > 0)
    if rules.sizing == "strength":
        by_reason["weak"] |= calls.strength <= 0
    codes = [REFUSALS.index(reason) for reason in by_reason]
    return np.select(list(by_reason.values()), codes, default=-1).astype(np.int64)


def _closers(sign: NDArray[np.int8]) -> Ints:
    """For each order the next one of the other sign; their number where none follows."""
    closer = np.full(len(sign), len(sign), dtype=np.int64)
    for side in (1, -1):
        own, others = np.flatnonzero(sign == side), np.flatnonzero(sign == -side)
        closer[own] = np.append(others, len(sign))[np.searchsorted(others, own)]
    return closer


def _endings(calls: Calls, market: Market, rules: Rules, row: Ints, entry_bar: Ints, closer: Ints) -> tuple[Ints, Ints]:
    """Of each order the bar at which its position ends, and why (position in `ENDINGS`)."""
    last = len(market.open_us)
    entry_us = market.open_us[entry_bar]
    horizon_us = calls.horizon_us[row] if rules.horizon_s is None else rules.horizon_s * SECOND
    ends_us = {"horizon": entry_us + horizon_us}
    if rules.exit_on_void:
        ends_us["void"] = _void_us(calls.voided_us[row], rules)
    if rules.exit_on_expiry:
        ends_us["expiry"] = calls.valid_until_us[row]
    if not rules.hold_weekends:
        ends_us["weekend"] = _leave_us(entry_us, market, rules)
    bars = {reason: np.searchsorted(market.open_us, at) for reason, at in ends_us.items()}
    if rules.exit_on_opposite:
        bars["opposite"] = np.append(entry_bar, last)[closer]
    exit_bar = np.full(len(row), last, dtype=np.int64)
    ending = np.full(len(row), ENDINGS.index("end"), dtype=np.int64)
    for code, reason in enumerate(ENDINGS):
        if reason in bars:
            earlier = bars[reason] < exit_bar  # of equals the first in the order stays
            exit_bar = np.where(earlier, bars[reason], exit_bar)
            ending = np.where(earlier, code, ending)
    return exit_bar, ending


def _void_us(voided_us: Ints, rules: Rules) -> Ints:
    """From when on it can be acted on that a signal ceased to hold; `NEVER` where it did not."""
    latency_us = rules.latency_s * SECOND
    return np.minimum(voided_us, NEVER - latency_us) + latency_us


def _leave_us(at_us: Ints, market: Market, rules: Rules) -> Ints:
    """From when on positions are closed for the weekend that follows."""
    margin_us = max(rules.weekend_margin_s * SECOND, market.length_us)
    return np.asarray(week_end(times(at_us)).asi8) - margin_us
