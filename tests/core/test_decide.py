"""The decision: every headline becomes a signal or a skip that says why."""

import datetime as dt
from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signals.decide import decide, policy_id
from signals.message import Signal
from signals.model import Headline, Policy, PriceContext, Score, Skip, SkipReason
from signals.stories import Placement, Standing

from .conftest import DAY, HOUR, MINUTE, NOW, SECOND, make_headline, make_place, make_price, make_score, steady

POLICY = Policy()
LATE = NOW + 5 * MINUTE


def outcome(
    headline: Headline | None = None,
    score: Score | None = None,
    place: Placement | None = None,
    price: PriceContext | None = None,
    policy: Policy = POLICY,
    now: dt.datetime = LATE,
) -> Signal | Skip:
    """What becomes of a sound headline with some of its parts replaced."""
    return decide(
        headline or make_headline(), score or make_score(), place or make_place(), price or make_price(), policy, now
    )


def signal(**parts: object) -> Signal:
    """The signal that comes of it."""
    made = outcome(**parts)  # type: ignore[arg-type]
    assert isinstance(made, Signal)
    return made


OLD = make_headline(source_published_at=NOW - DAY - SECOND)
UNDATED_HISTORY = make_headline(source_published_at=None, backfilled=True)
DULL = make_score(relevance=0.49)
REPEAT = make_place("g", "h")
SKIPS: list[tuple[SkipReason, dict[str, object]]] = [
    ("irrelevant", {"score": DULL}),
    ("duplicate", {"place": REPEAT}),
    ("stale_news", {"headline": OLD}),
    ("undated", {"headline": UNDATED_HISTORY}),
    ("withdrawal", {"place": make_place(withdraws=True)}),
    # Where several hold: first its subject, since stories go by it; then what is wrong with its date; then its story.
    ("irrelevant", {"headline": OLD, "score": DULL, "place": REPEAT}),
    ("irrelevant", {"headline": UNDATED_HISTORY, "score": DULL}),
    ("stale_news", {"headline": OLD, "place": REPEAT}),
    ("undated", {"headline": UNDATED_HISTORY, "place": REPEAT}),
    ("withdrawal", {"headline": OLD, "score": DULL, "place": make_place("g", "h", withdraws=True)}),
]


@pytest.mark.parametrize(("reason", "parts"), SKIPS)
def test_each_reason_to_skip(reason: SkipReason, parts: dict[str, object]) -> None:
    """What is irrelevant, repeated, old or undated history makes no signal, and says so."""
    made = outcome(**parts)  # type: ignore[arg-type]
    assert isinstance(made, Skip)
    assert made == Skip(headline_id=made.headline_id, reason=reason)


def test_every_reason_is_tried() -> None:
    """No reason stands in the type that nothing gives."""
    assert {reason for reason, _ in SKIPS} == set(get_args(SkipReason))


def test_skips_begin_beyond_the_limits_of_the_policy() -> None:
    """At the limit itself relevance, novelty and age still make a signal."""
    made = (
        outcome(score=make_score(relevance=POLICY.relevance_min)),
        outcome(place=make_place("g", "h", novelty=POLICY.novelty_min)),
        outcome(headline=make_headline(source_published_at=NOW - POLICY.max_news_age_s * SECOND)),
    )
    assert [type(one) for one in made] == [Signal, Signal, Signal]


def test_history_is_never_too_old() -> None:
    """What was filled in later is known at its own time: age is no reason to skip it."""
    made = signal(headline=make_headline(source_published_at=NOW - 30 * DAY, backfilled=True))
    assert made.backfilled


def test_a_signal_lives_from_the_earlier_of_two_clocks() -> None:
    """Its hour begins with the publisher's time, or with ours where the publisher's clock is ahead."""
    ttl = POLICY.ttl_s * SECOND
    assert signal().valid_until == NOW - MINUTE + ttl
    assert signal(headline=make_headline(source_published_at=NOW + MINUTE)).valid_until == NOW + ttl
    assert signal(headline=make_headline(source_published_at=None)).valid_until == NOW + ttl


def test_late_news_expires_on_arrival() -> None:
    """News that reaches us two hours after it was published is told, but no one may act on it any more."""
    made = signal(headline=make_headline(source_published_at=NOW - 2 * HOUR))
    assert made.valid_until == NOW - HOUR < made.known_at


def test_undated_live_news_abstains() -> None:
    """Live news without a date is shown without a direction: it could be from any day."""
    made = signal(headline=make_headline(source_published_at=None))
    assert (made.abstained, made.abstain_reason) == (True, "undated")
    assert (made.direction, made.strength) == ("flat", 0.0)
    assert made.p_down == make_score().p_down


def test_what_the_model_abstains_from_has_no_strength() -> None:
    """The model's own reason stands before ours, and nothing is left to trade on."""
    silent = make_score(abstained=True, abstain_reason="language")
    for headline in (make_headline(), make_headline(source_published_at=None)):
        made = signal(headline=headline, score=silent)
        assert (made.abstained, made.abstain_reason) == (True, "language")
        assert (made.direction, made.strength) == ("flat", 0.0)


@steady
@given(st.floats(0.5, 1), st.floats(0, 1), st.booleans(), st.booleans())
def test_strength_is_relevance_times_the_lean(relevance: float, p_up: float, abstained: bool, dated: bool) -> None:
    """Strength lies in [0, 1], grows with relevance and lean, and is nothing where the signal abstains."""
    score = make_score(relevance=relevance, p_up=p_up, p_flat=0.0, p_down=1 - p_up, abstained=abstained)
    made = signal(score=score, headline=make_headline(source_published_at=NOW if dated else None))
    assert made.abstained is (abstained or not dated)
    assert made.strength == (0.0 if made.abstained else round(relevance * abs(2 * p_up - 1), 4))


def stands(made: Signal) -> Standing:
    """This signal as the one that stands for its story."""
    return Standing(made.signal_id, made.headline_id, made.valid_until)


def test_a_first_telling_is_created_and_a_repeat_supersedes_it() -> None:
    """An update names the signal that stood for the story until then."""
    lenient = msgspec.structs.replace(POLICY, novelty_min=0.0)
    first = signal(headline=make_headline(headline_id="a"), place=make_place("a"), policy=lenient)
    repeat = make_place("a", "b", standing=stands(first))
    second = signal(headline=make_headline(headline_id="b"), place=repeat, policy=lenient)
    assert (first.action, first.supersedes, first.revision) == ("created", None, 1)
    assert (second.action, second.supersedes, second.revision) == ("updated", first.signal_id, 2)
    assert second.headline_ids == ("a", "b")


def test_a_repeat_of_what_made_no_signal_is_created() -> None:
    """There is nothing that it could supersede."""
    lenient = msgspec.structs.replace(POLICY, novelty_min=0.0)
    made = signal(place=make_place("skipped", "h"), policy=lenient)
    assert (made.action, made.supersedes) == ("created", None)


def test_a_repeat_of_a_retracted_story_is_told() -> None:
    """Its signal was taken back: whoever tells it again brings it back, as a new signal."""
    made = signal(place=make_place("a", "h", retracted=True))
    assert (made.action, made.supersedes) == ("created", None)


def test_two_headlines_never_share_a_signal() -> None:
    """A telling that comes late takes the same revision as one that was told: both keep their own signal."""
    lenient = msgspec.structs.replace(POLICY, novelty_min=0.0)
    told, late = (
        signal(headline=make_headline(headline_id=h), place=make_place("a", h), policy=lenient) for h in ("c", "b")
    )
    assert told.revision == late.revision == 2
    assert told.signal_id != late.signal_id
    assert told.supersedes == late.supersedes


def test_ids_do_not_depend_on_when_it_ran() -> None:
    """The same headline, later, under another price, score and policy, keeps its signal's id; `scored_at` tells."""
    made = signal()
    again = signal(now=NOW + DAY, price=make_price(stale=True), score=make_score(relevance=0.7))
    assert again.signal_id == made.signal_id == "96a0178235993ab9107c"
    assert (made.scored_at, again.scored_at) == (LATE, NOW + DAY)


def test_now_changes_nothing_but_scored_at() -> None:
    """A step that runs later says the same."""
    assert signal(now=NOW + DAY) == msgspec.structs.replace(signal(), scored_at=NOW + DAY)


CHANGED = {
    "relevance_min": 0.6, "horizon_s": 1800, "ttl_s": 1800, "max_news_age_s": 60, "novelty_min": 0.5,
    "story_window_s": 60, "stale_after_s": 60, "index_half_life_s": 60,
}  # fmt: skip


def test_policy_id_changes_with_every_value() -> None:
    """Each setting of the policy shows in its id, the same settings give the same id."""
    assert set(CHANGED) == set(Policy.__struct_fields__)
    others = {policy_id(msgspec.structs.replace(POLICY, **{name: value})) for name, value in CHANGED.items()}
    assert len(others | {policy_id(POLICY)}) == len(CHANGED) + 1
    assert policy_id(Policy()) == signal().policy_id == "fc21b50802b989cbb464"


def test_a_signal_tells_all_its_parts() -> None:
    """Score, place, price and headline stand in the signal as they were handed in."""
    headline, place, price = make_headline(), make_place("h"), make_price()
    score = make_score(headline_id=headline.headline_id)
    made = signal(headline=headline, score=score, place=place, price=price)
    for part in (headline, score, price):
        shared = set(part.__struct_fields__) & set(made.__struct_fields__) - {"abstained", "abstain_reason"}
        assert len(shared) > 5
        assert all(getattr(made, name) == getattr(part, name) for name in shared)
    shared = set(place._fields) & set(made.__struct_fields__)
    assert shared == {"story_id", "revision", "headline_ids", "novelty", "mentions_24h", "n_sources"}
    assert all(getattr(made, name) == getattr(place, name) for name in shared)
    assert made.horizon_s == POLICY.horizon_s


def test_a_correction_is_told_though_it_is_no_news() -> None:
    """It supersedes the signal of the headline it corrects, not that of the repeat between them."""
    first = signal(headline=make_headline(headline_id="a"), place=make_place("a"))
    place = make_place("a", "b", "c", corrects="a", standing=stands(first))
    made = signal(headline=make_headline(headline_id="c"), place=place)
    assert made.action == "updated"
    assert made.supersedes == first.signal_id
