"""Every type of the house but the messages made of them (`message`), and the sign convention.

The sign, stated once
---------------------
`+1` and `up` mean that the USD/JPY **price** (JPY per USD) is expected to rise: dollar stronger,
yen weaker. `usd_effect` and `jpy_effect` in [-1, 1] are the effects on each currency alone, + where
that currency strengthens; the pair follows from them: `usd_effect - jpy_effect`. A hawkish Bank of
Japan is therefore `down`, a hawkish Federal Reserve `up`.

All types are frozen and keyword-only. Every `*_at` is an aware UTC datetime and is checked when the
object is made. Units stand in the names: `_s` seconds, `_bp` basis points (1/100 of a percent).
"""

import datetime as dt
import functools
import math
from typing import Annotated, Literal

import msgspec

PAIR = "USDJPY"

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Effect = Annotated[float, msgspec.Meta(ge=-1, le=1)]
Seconds = Annotated[int, msgspec.Meta(ge=1)]

Direction = Literal["up", "flat", "down"]
DIRECTIONS: tuple[Direction, ...] = ("up", "flat", "down")
FLAT_BAND = 0.1
"""Legs whose difference is within this band cancel: the pair is flat (labels move in steps of 0.2)."""


def pair_direction(usd_effect: float, jpy_effect: float) -> Direction:
    """Direction of USD/JPY from the two legs; flat within `FLAT_BAND`.

    >>> pair_direction(0.0, 0.8)  # a hawkish Bank of Japan
    'down'
    """
    net = usd_effect - jpy_effect
    return "up" if net > FLAT_BAND else "down" if net < -FLAT_BAND else "flat"


@functools.cache
def _times_of(kind: type[msgspec.Struct]) -> tuple[str, ...]:
    return tuple(name for name in kind.__struct_fields__ if name.endswith(("_at", "_until")))


def _check_times(obj: msgspec.Struct) -> None:
    for name in _times_of(type(obj)):
        value = getattr(obj, name)
        if value is not None and value.tzinfo is not dt.UTC and value.utcoffset() != dt.timedelta(0):
            raise ValueError(f"{type(obj).__name__}.{name} must be an aware UTC time, got {value!r}")


def check_range(obj: msgspec.Struct, low: float, high: float, *names: str) -> None:
    """Hold these fields between two bounds, both included. Raises ValueError."""
    for name in names:
        value = getattr(obj, name)
        if not (math.isfinite(value) and low <= value <= high):
            raise ValueError(f"{type(obj).__name__}.{name} must lie in [{low}, {high}], got {value!r}")


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all types: frozen, keyword-only, its times checked to be aware UTC."""

    def __post_init__(self) -> None:
        _check_times(self)


class Headline(Record, frozen=True, kw_only=True):
    """A headline or article as first seen. `title` is plain text, never markup."""

    headline_id: str
    source: str
    item_id: str = ""
    """Identity at its source, whatever title it bears (`text.item_id`); empty where the source gives none."""
    url: str | None
    title: str
    summary: str = ""
    body: str = ""
    lang: str
    source_published_at: dt.datetime | None
    """The publisher's claim; null where missing or nonsense, never invented."""
    known_at: dt.datetime
    """When this system first saw it (an archive: its own time plus a stated delay): all a backtest may use."""
    backfilled: bool = False
    """True where `known_at` was reconstructed rather than witnessed."""


WithdrawalReason = Literal["vanished", "withdrawn"]


class Withdrawal(Record, frozen=True, kw_only=True):
    """A headline that its source no longer stands by."""

    headline_id: str
    known_at: dt.datetime
    """When this system first knew."""
    reason: WithdrawalReason
    """`withdrawn`: its source said so; `vanished`: it left its source's list while older items stayed."""


class Story(Record, frozen=True, kw_only=True):
    """Headlines that tell the same event, oldest first."""

    story_id: str
    first_known_at: dt.datetime
    headline_ids: tuple[str, ...]
    revision: int = 1


class Evidence(Record, frozen=True, kw_only=True):
    """One reason for a score: the span of the text and its weight in log-odds of up against down."""

    span: tuple[int, int] | None
    """Start and end in Unicode characters of the title (end excluded); null for what lies outside it."""
    text: str
    """The words themselves."""
    feature: str
    """What the model made of them, as `boj.tighten`; a text that may change with each model."""
    weight: float
    """Log-odds, + where it speaks for `up`."""


class Score(Record, frozen=True, kw_only=True):
    """What a model says of one text. `p_up + p_flat + p_down = 1`, calibrated."""

    headline_id: str
    model_id: str
    relevance: float
    relevant: bool
    direction: Direction
    p_up: float
    p_flat: float
    p_down: float
    usd_effect: float
    jpy_effect: float
    topics: tuple[str, ...]
    lang: str
    evidence: tuple[Evidence, ...] = ()
    intercept: float = 0.0
    """With the weights of the evidence it adds up to log(p_up / p_down) before rounding."""
    abstained: bool = False
    abstain_reason: str | None = None

    def __post_init__(self) -> None:
        check_range(self, 0, 1, "relevance", "p_up", "p_flat", "p_down")
        check_range(self, -1, 1, "usd_effect", "jpy_effect")
        if abs(self.p_up + self.p_flat + self.p_down - 1) > 1e-4:
            raise ValueError("Score.p_up + p_flat + p_down must be 1")


class Bar(Record, frozen=True, kw_only=True):
    """Prices in JPY per USD over [`open_at`, `close_at`); only closed bars are ever made."""

    pair: str = PAIR
    open_at: dt.datetime
    close_at: dt.datetime
    open: float
    high: float
    low: float
    close: float
    source: str
    known_at: dt.datetime

    def __post_init__(self) -> None:
        _check_times(self)
        if not self.open_at <= self.close_at <= self.known_at:
            raise ValueError(f"Bar {self.open_at}: open_at <= close_at <= known_at does not hold")
        prices = (self.low, self.open, self.close, self.high)
        if not all(math.isfinite(p) and p > 0 for p in prices) or min(prices) < self.low or max(prices) > self.high:
            raise ValueError(f"Bar {self.open_at}: prices are not low <= open, close <= high")


class PriceContext(Record, frozen=True, kw_only=True):
    """Where the price stood when a headline became known: from bars closed by then, null where unknown."""

    ref_price: float | None
    """JPY per USD: close of the last bar closed by `known_at`."""
    ref_price_at: dt.datetime | None
    ref_age_s: float | None
    ref_source: str | None
    stale: bool
    """True where the price is too old to trade on, comes from a daily reference, or is missing."""
    market_open: bool
    """Whether the FX week (Sunday 17:00 to Friday 17:00 New York) was on at `known_at`."""
    return_5m_bp: float | None
    return_60m_bp: float | None
    volatility_60m_bp: float | None
    """Square root of the sum of squared one-minute log returns over the last 60 minutes."""


class Policy(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The rules by which a score becomes a signal. Its `policy_id` is derived from its values."""

    relevance_min: Share = 0.5
    horizon_s: Seconds = 3600
    """How far ahead the direction looks, from `known_at`."""
    ttl_s: Seconds = 3600
    """How long a signal may be acted on, from the publisher's time or `known_at`, whichever is earlier."""
    max_news_age_s: Seconds = 86400
    """Live news older than this when first seen is skipped as `stale_news`."""
    novelty_min: Share = 0.6
    """Less novel headlines are repeats: skipped as `duplicate`."""
    story_window_s: Seconds = 172800
    """How long after its first headline a story takes others in."""
    index_half_life_s: Seconds = 900
    """In what time a signal loses half its weight in the index."""
    stale_after_s: Seconds = 900
    """From what age the price joined to a headline counts as too old to trade on."""


SkipReason = Literal["irrelevant", "duplicate", "stale_news", "undated", "withdrawal"]


class Skip(Record, frozen=True, kw_only=True):
    """A headline that makes no signal, and why."""

    headline_id: str
    reason: SkipReason


Settled = Literal["settled", "no_entry", "no_exit"]


class ForwardReturn(Record, frozen=True, kw_only=True):
    """What the price did after a signal, as far as one could have traded it; prices in JPY per USD."""

    signal_id: str
    horizon_s: int
    outcome: Settled
    """`no_entry`: no bar opened between the signal and its expiry; `no_exit`: none after its horizon."""
    entry_at: dt.datetime | None = None
    """Open of the first bar after the signal was known and its latency had passed; null where there is none."""
    entry_price: float | None = None
    exit_at: dt.datetime | None = None
    """Open of the first bar `horizon_s` after the entry or later."""
    exit_price: float | None = None
    return_bp: float | None = None
    """Log return of the price from entry to exit, whatever the signal said; null unless settled."""
    cost_bp: float | None = None
    """Spread and slippage of a round trip at those hours."""
    source: str | None = None
    """Whose bars these are."""
    settled_at: dt.datetime
    """When this was reckoned."""


class FeedState(Record, frozen=True, kw_only=True):
    """What is remembered of a source between fetches."""

    source: str
    etag: str | None = None
    last_modified: str | None = None
    last_attempt_at: dt.datetime | None = None
    last_success_at: dt.datetime | None = None
    last_error: str | None = None
    failures: int = 0
    """Failed attempts since the last success."""
    next_attempt_at: dt.datetime | None = None
    """Not to be asked before, as its server wishes or after failures; null: as its row says."""
    recent: str = ""
    """How its last answers ended, twenty at most, newest last: `.` well, `x` badly."""


Outcome = Literal["running", "ok", "partial", "failed", "missed", "skipped"]


class JobRun(Record, frozen=True, kw_only=True):
    """One run of one job, on record whatever became of it."""

    run_id: str
    job: str
    trigger: Literal["schedule", "manual", "chain", "cycle"]
    scheduled_at: dt.datetime | None
    started_at: dt.datetime
    ended_at: dt.datetime | None = None
    outcome: Outcome = "running"
    counts: dict[str, int] = {}
    error: str | None = None
    notes: tuple[str, ...] = ()
    """One line for each part that failed or was degraded: a source, a price feed."""
    attempt: int = 1
    """Which try this was: those of one run share `job`, `trigger` and `scheduled_at`."""

    @property
    def duration_s(self) -> float | None:
        """Seconds from start to end; null while running."""
        return None if self.ended_at is None else (self.ended_at - self.started_at).total_seconds()

    @property
    def drift_s(self) -> float | None:
        """Seconds from when it was due to its start; null where it was not on the schedule."""
        return None if self.scheduled_at is None else (self.started_at - self.scheduled_at).total_seconds()


class Pause(Record, frozen=True, kw_only=True):
    """A job that someone paused: its schedule and what it follows do not run it; by hand it can be run."""

    job: str
    paused_at: dt.datetime
    until: dt.datetime | None = None
    """When it goes on by itself; null: when someone says so."""
    why: str = ""
