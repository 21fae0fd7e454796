"""How signals are traded in a backtest, and what that costs. All of it stands in the report."""

import datetime as dt
from itertools import pairwise
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from signals.market.hours import HOURS_IN_WEEK
from signals.model import Record, Share
from signals.text import stable_id

Pips = Annotated[float, Meta(gt=0)]
Usd = Annotated[float, Meta(gt=0)]
PIP = 0.01
"""JPY per USD."""


class Rules(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a position is opened and closed, and how large it is."""

    strength_min: Share = 0.3
    """Weaker signals are not traded."""
    latency_s: Annotated[int, Meta(ge=0)] = 2
    """From when a signal was told (`frames.told_at`) until an order can be sent; it is filled at the open of the
    first bar that opens from then on."""
    max_wait_s: Annotated[int, Meta(ge=0)] = 900
    """How much later that bar may open (at least one bar's length is always allowed): over a weekend or a hole the
    signal is not traded. A signal that is retracted or superseded before the fill is not traded either."""
    horizon_s: Annotated[int, Meta(ge=1)] | None = None
    """How long a position is held; null: each signal's own horizon. Counted from the entry."""
    exit_on_opposite: bool = True
    """Close when a signal of the other sign, strong enough to be traded, can be acted on."""
    exit_on_expiry: bool = False
    """Close when the signal's `valid_until` is reached; one that runs out before the fill is not traded."""
    exit_on_void: bool = True
    """Close when the signal is retracted or superseded (plus the latency)."""
    stop_pips: Pips | None = None
    target_pips: Pips | None = None
    """From the entry price. Where one bar touches both, the stop is taken to have come first; a bar that opens beyond
    either fills at its open."""
    hold_weekends: bool = False
    weekend_margin_s: Annotated[int, Meta(ge=0)] = 900
    """Positions that may not be held over the weekend are closed at the first open within this time (at least one bar's
    length) before its beginning (Friday 17:00 New York), and none is opened there; one that meets no bar there is
    closed at the next open, gap and all."""
    positions: Literal["one", "many"] = "one"
    """`one`: signals that come while a position is open are not traded (an opposite one closes it and is traded);
    `many`: every signal has a position of its own."""
    sizing: Literal["fixed", "strength", "volatility"] = "fixed"
    """`strength`: the size times the signal's strength; `volatility`: times `target_volatility_bp` over the signal's
    `volatility_60m_bp`, at most `max_leverage`; not traded where that is unknown or nought."""
    size_usd: Usd = 100_000.0
    target_volatility_bp: Annotated[float, Meta(gt=0)] = 10.0
    max_leverage: Annotated[float, Meta(gt=0)] = 3.0
    capital_jpy: Annotated[float, Meta(gt=0)] = 15_000_000.0
    """What returns are measured against. Accounts are kept in yen, the currency in which USD/JPY settles exactly."""


class Rate(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Overnight rates in force from a date on, percent a year."""

    since: Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    """A date in New York: 17:00 of that day is the first roll at them."""
    usd: float
    jpy: float


class Costs(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What trading costs. Prices of bars are taken as mid prices."""

    spread_pips: Annotated[tuple[Annotated[float, Meta(ge=0)], ...], Meta(min_length=1, max_length=HOURS_IN_WEEK)]
    """Bid to ask, by hour of the FX week (`market.week.hour_of_week`), or one figure for all hours; half of it is paid
    at the entry and half at the exit, by the hours in which those bars open."""
    slippage_pips: Annotated[float, Meta(ge=0)] = 0.1
    """On each side, beyond the spread."""
    rates: tuple[Rate, ...] = ()
    """Oldest first; a position carried over 17:00 New York earns or pays their difference for the nights it spans
    (actual/360, the dollar market's count). Before the first, the first; with none the two rates are taken as equal."""
    markup_percent: Annotated[float, Meta(ge=0)] = 0.5
    """Of a year's rate, what the broker keeps on either side."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.spread_pips) not in (1, HOURS_IN_WEEK):
            raise ValueError(f"spread_pips must hold 1 or {HOURS_IN_WEEK} figures, got {len(self.spread_pips)}")
        days = [dt.date.fromisoformat(rate.since) for rate in self.rates]
        late = next((b for a, b in pairwise(days) if b <= a), None)
        if late is not None:
            raise ValueError(f"rates must stand oldest first, each day once: {late} is not later than the one before")


FREE = Costs(spread_pips=(0.0,), slippage_pips=0.0, markup_percent=0.0)
"""No cost at all: for the bare effect, never for a claim."""


def rules_id(rules: Rules, costs: Costs) -> str:
    """Identity of rules and costs: derived from their values."""
    return stable_id("rules", msgspec.json.encode((rules, costs)).decode())
