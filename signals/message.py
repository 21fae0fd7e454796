"""What is published: the `data` of each type of message. The sign is that of `model`.

Fields stand in the order of the contract, and the text under each goes into its schema; a type only grows.
"""

import datetime as dt
from typing import Annotated, Literal

import msgspec

from signals.model import Direction, Effect, Evidence, Record, Share, check_range

Action = Literal["created", "updated", "retracted"]


class Signal(Record, frozen=True, kw_only=True):
    """The `data` of a `signals.headline.v1` message; fields in the order of the contract."""

    signal_id: str
    """Derived from the headline: made again, it is the same."""
    story_id: str
    """The event that the headline tells; shared by all signals of it."""
    revision: int
    """How many headlines of the story had been told, this one included."""
    action: Action
    """`created`; `updated`: it takes the place of `supersedes`; `retracted`: it no longer holds."""
    supersedes: str | None
    """The `signal_id` that this one replaces; null where it replaces none."""

    source_published_at: dt.datetime | None
    """UTC; the publisher's claim. Null where missing or nonsense, never invented."""
    known_at: dt.datetime
    """UTC; when this system first saw the headline: the only time a backtest may use."""
    scored_at: dt.datetime
    """UTC; when the signal was made."""
    valid_until: dt.datetime
    """UTC; from then on it may be shown, but not acted on."""
    backfilled: bool
    """True where `known_at` was reconstructed from an archive rather than witnessed."""

    pair: str
    """The pair that the direction speaks of: `USDJPY`."""
    direction: Direction
    """Of the USD/JPY price (JPY per USD): `up` is a stronger dollar and a weaker yen."""
    p_up: Share
    """Calibrated probability of `up`; the three add up to 1."""
    p_flat: Share
    """Calibrated probability of `flat`."""
    p_down: Share
    """Calibrated probability of `down`."""
    strength: Share
    """Relevance times the distance between `p_up` and `p_down`, 0 to 1; 0 where abstained."""
    usd_effect: Effect
    """On the dollar alone, -1 to 1, + where it strengthens."""
    jpy_effect: Effect
    """On the yen alone, -1 to 1, + where it strengthens, which is `down` for the pair."""
    horizon_s: int
    """How far ahead the direction looks: seconds from `known_at`."""
    abstained: bool
    """True where the model could not judge; that is not `flat`."""
    abstain_reason: str | None
    """Why; an open text. Null where it did not abstain."""

    relevance: Share
    """Probability that the headline bears on USD/JPY at all."""
    topics: tuple[str, ...]
    """What it is about, as `boj.policy`; open texts, the list may grow."""
    novelty: Share
    """1 where nothing like it was told before, less for what repeats."""
    mentions_24h: int
    """Headlines of the story within the 24 hours before, this one included."""
    n_sources: int
    """Different sources that told the story so far."""
    evidence: tuple[Evidence, ...]
    """Reasons for the score."""

    ref_price: float | None
    """JPY per USD: close of the last bar closed by `known_at`. Null where unknown."""
    ref_price_at: dt.datetime | None
    """UTC; when that bar closed."""
    ref_age_s: float | None
    """Seconds from `ref_price_at` to `known_at`."""
    ref_source: str | None
    """Whose price it is; an open text."""
    stale: bool
    """True where the price is too old to trade on, comes from a daily reference, or is missing."""
    market_open: bool
    """Whether the FX week (Sunday 17:00 to Friday 17:00 New York) was on at `known_at`."""
    return_5m_bp: float | None
    """Log return of the price over the 5 minutes up to `known_at`, basis points. Null where unknown."""
    return_60m_bp: float | None
    """The same over 60 minutes."""
    volatility_60m_bp: float | None
    """Square root of the sum of squared one-minute log returns over the 60 minutes before, basis points."""

    title: str
    """Of the headline, as plain text."""
    url: str | None
    """Where it stands; null where its source gave none."""
    source: str
    """Id of the source, as in the list of feeds; an open text."""
    lang: str
    """Language of the headline, ISO 639-1, as its feed says or its script shows."""
    headline_ids: tuple[str, ...]
    """Headlines of the story so far, oldest first."""
    model_id: str
    """Of the model that scored it."""
    policy_id: str
    """Of the rules by which the score became a signal."""
    event_window: str | None = None
    """Name of the decision or release in whose window the headline became known; null outside all."""
    headline_id: str = ""
    """Of `headline_ids` the one that this signal was made of."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range(self, 0, 1, "p_up", "p_flat", "p_down", "strength", "relevance", "novelty")
        check_range(self, -1, 1, "usd_effect", "jpy_effect")


class Retraction(Record, frozen=True, kw_only=True):
    """The `data` of a `signals.retraction.v1` message: a signal that no longer holds, and why."""

    signal_id: str
    """The signal that no longer holds."""
    story_id: str
    """The story it belongs to."""
    headline_id: str
    """The headline whose withdrawal it is, or that says so."""
    known_at: dt.datetime
    """UTC; when this system first knew: all a backtest may use."""
    retracted_at: dt.datetime
    """UTC; when the retraction was made."""
    valid_until: dt.datetime
    """Of the signal: after it there was nothing left to retract."""
    reason: str
    """A `WithdrawalReason`; a text, so that clients read reasons made after them."""


class Index(Record, frozen=True, kw_only=True):
    """The `data` of a `signals.index.v1` message: where the live signals lean, + where USD/JPY should rise."""

    value: Annotated[float, msgspec.Meta(ge=-1, le=1)]
    """Mean of `p_up - p_down`, weighted by relevance, novelty and age (`signals.index`); 0 where none is live."""
    half_life_s: Annotated[float, msgspec.Meta(gt=0)]
    """Seconds in which a signal loses half its weight."""
    n_signals: Annotated[int, msgspec.Meta(ge=0)]
    """Live signals that have a say: abstained ones have none."""
    n_sources: Annotated[int, msgspec.Meta(ge=0)]
    """Different sources that gave them."""
