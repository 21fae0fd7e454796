"""Score, story and price become a signal, or a skip that says why."""

import datetime as dt
import functools

import msgspec
from msgspec.structs import asdict

from signals.message import Signal
from signals.model import PAIR, Headline, Policy, PriceContext, Score, Skip, SkipReason
from signals.stories import Placement
from signals.text import stable_id


@functools.lru_cache(maxsize=64)
def policy_id(policy: Policy) -> str:
    """Identity of the rules: derived from their values, so that a change shows in every signal."""
    return stable_id("policy", msgspec.json.encode(policy).decode())


def decide(
    headline: Headline,
    score: Score,
    place: Placement,
    price: PriceContext,
    policy: Policy,
    now: dt.datetime,
    *,
    event_window: str | None = None,
) -> Signal | Skip:
    """One headline's signal.

    `now` (UTC) is when the step runs: it becomes `scored_at` and changes nothing else.
    `event_window` names the decision or release that was due when the headline became known.
    """
    return skip(headline, score, place, policy) or signal(
        headline, score, place, price, policy, now, event_window=event_window
    )


def skip(headline: Headline, score: Score, place: Placement, policy: Policy) -> Skip | None:
    """Why a headline makes no signal; null where it makes one. The price has no say in it."""
    reason = "withdrawal" if place.withdraws else _skip_reason(headline, score, place, policy)
    return None if reason is None else Skip(headline_id=headline.headline_id, reason=reason)


def signal(
    headline: Headline,
    score: Score,
    place: Placement,
    price: PriceContext,
    policy: Policy,
    now: dt.datetime,
    *,
    event_window: str | None = None,
) -> Signal:
    """The signal of a headline that is not skipped; parameters as of `decide`."""
    undated = headline.source_published_at is None
    abstained = score.abstained or undated
    return Signal(
        signal_id=_signal_id(headline.headline_id),
        story_id=place.story_id,
        revision=place.revision,
        action="updated" if place.standing else "created",
        supersedes=place.standing.signal_id if place.standing else None,
        source_published_at=headline.source_published_at,
        known_at=headline.known_at,
        scored_at=now,
        valid_until=_valid_until(headline, policy),
        backfilled=headline.backfilled,
        pair=PAIR,
        direction="flat" if abstained else score.direction,
        p_up=score.p_up,
        p_flat=score.p_flat,
        p_down=score.p_down,
        strength=0.0 if abstained else _strength(score),
        usd_effect=score.usd_effect,
        jpy_effect=score.jpy_effect,
        horizon_s=policy.horizon_s,
        abstained=abstained,
        abstain_reason=score.abstain_reason or ("undated" if undated else None),
        relevance=score.relevance,
        topics=score.topics,
        novelty=place.novelty,
        mentions_24h=place.mentions_24h,
        n_sources=place.n_sources,
        evidence=score.evidence,
        **asdict(price),  # all of it, under the same names
        title=headline.title,
        url=headline.url,
        source=headline.source,
        lang=headline.lang,
        headline_ids=place.headline_ids,
        model_id=score.model_id,
        policy_id=policy_id(policy),
        event_window=event_window,
        headline_id=headline.headline_id,
    )


def _signal_id(headline_id: str) -> str:
    """A headline makes one signal at most, so its identity is enough (a revision can come twice: by late arrivals)."""
    return stable_id("signal", headline_id)


def _skip_reason(headline: Headline, score: Score, place: Placement, policy: Policy) -> SkipReason | None:
    if score.relevance < policy.relevance_min:
        return "irrelevant"  # before all else: stories remember it by that
    published = headline.source_published_at
    if headline.backfilled and published is None:
        return "undated"  # history without a date could be from any year
    if not headline.backfilled and published is not None:
        age_s = (headline.known_at - published).total_seconds()
        if age_s > policy.max_news_age_s:
            return "stale_news"
    if place.novelty < policy.novelty_min and place.corrects is None and not place.retracted:
        return "duplicate"
    return None


def _valid_until(headline: Headline, policy: Policy) -> dt.datetime:
    """The clock starts with the publisher's time where it is earlier than ours: late news expires on arrival."""
    start = min(headline.known_at, headline.source_published_at or headline.known_at)
    return start + dt.timedelta(seconds=policy.ttl_s)


def _strength(score: Score) -> float:
    """Relevance times the distance between the two directions' probabilities."""
    return round(score.relevance * abs(score.p_up - score.p_down), 4)
