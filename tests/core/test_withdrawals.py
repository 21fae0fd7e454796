"""Signals are withdrawn when their story is, and only then."""

import datetime as dt

import pytest

from signals.message import Retraction, Signal
from signals.model import Headline, Policy, Withdrawal
from signals.pipeline import Step, step, story_index
from signals.stories import StoryIndex

from .conftest import DAY, HOUR, MINUTE, NOW, SECOND, FakeScorer, make_headline

POLICY = Policy()
TITLE = "BOJ to hold emergency meeting tonight"
STORY = make_headline(TITLE, NOW, headline_id="a", item_id="item-a")


def withdrawn(headline_id: str = "a", at: dt.datetime = NOW + MINUTE, reason: str = "withdrawn") -> Withdrawal:
    """The withdrawal of a headline."""
    return Withdrawal(headline_id=headline_id, known_at=at, reason=reason)  # type: ignore[arg-type]


def run(*facts: Headline | Withdrawal, index: StoryIndex | None = None) -> Step:
    """One step over these."""
    return step(
        index or story_index(POLICY),
        [fact for fact in facts if isinstance(fact, Headline)],
        [],
        NOW + DAY,
        scorer=FakeScorer(),
        policy=POLICY,
        withdrawals=[fact for fact in facts if isinstance(fact, Withdrawal)],
    )


def kinds(made: Step) -> list[str]:
    """What was told: `a` for the signal of headline a, `-a` for its retraction."""
    of = {signal.signal_id: signal.headline_id for signal in made.signals}
    return [told.headline_id if isinstance(told, Signal) else f"-{of[told.signal_id]}" for told in made.told]


def test_a_withdrawn_headline_takes_its_signal_with_it() -> None:
    """The retraction names signal, story and reason, and is known when the withdrawal was."""
    signal, retraction = run(STORY, withdrawn()).told
    assert isinstance(signal, Signal)
    assert retraction == Retraction(
        signal_id=signal.signal_id,
        story_id=signal.story_id,
        headline_id="a",
        known_at=NOW + MINUTE,
        retracted_at=NOW + DAY,
        valid_until=signal.valid_until,
        reason="withdrawn",
    )


def test_a_notice_takes_the_story_back_and_makes_no_signal() -> None:
    """`WITHDRAWN-...` is no news about the yen."""
    made = run(STORY, make_headline(f"WITHDRAWN-{TITLE}", NOW + MINUTE, headline_id="b"))
    assert kinds(made) == ["a", "-a"]
    assert [skip.reason for skip in made.skips] == ["withdrawal"]


def test_it_is_taken_back_once() -> None:
    """A notice, a vanished item and a second withdrawal of one story are one retraction."""
    notice = make_headline(f"KILL-{TITLE}", NOW + MINUTE, headline_id="b")
    made = run(STORY, notice, withdrawn(at=NOW + 2 * MINUTE), withdrawn(at=NOW + 3 * MINUTE, reason="vanished"))
    assert kinds(made) == ["a", "-a"]


def test_what_others_tell_too_does_not_fall_with_a_vanished_item() -> None:
    """One site tidied its list: the news stands. Where the source says that it was wrong, it falls."""
    other = make_headline(TITLE, NOW + SECOND, headline_id="b", item_id="item-b", source="blog")
    assert kinds(run(STORY, other, withdrawn(reason="vanished"))) == ["a"]
    assert kinds(run(STORY, other, withdrawn(reason="withdrawn"))) == ["a", "-a"]


def test_a_changed_title_of_the_same_item_is_no_other_telling() -> None:
    """What stands is the last title's signal; it falls when the item goes."""
    changed = make_headline(f"{TITLE}, aide says", NOW + SECOND, headline_id="b", item_id="item-a")
    gone = [withdrawn(name, reason="vanished") for name in ("a", "b")]
    assert kinds(run(STORY, changed, *gone)) == ["a", "b", "-b"]


def test_a_headline_that_made_no_signal_takes_nothing_with_it() -> None:
    """Nor does one that nobody knows, or one so old that its story is closed."""
    repeat = make_headline(TITLE, NOW + SECOND, headline_id="b", source="blog")
    late = NOW + dt.timedelta(seconds=POLICY.story_window_s) + MINUTE
    for fact in (withdrawn("b"), withdrawn("nobody"), withdrawn(at=late)):
        assert kinds(run(STORY, repeat, fact)) == ["a"]


def test_who_tells_a_retracted_story_again_brings_it_back() -> None:
    """As a new signal, though the words are no news."""
    again = make_headline(TITLE, NOW + HOUR, headline_id="b", source="blog")
    made = run(STORY, withdrawn(), again)
    assert kinds(made) == ["a", "-a", "b"]
    assert made.signals[1].action == "created"


@pytest.mark.parametrize("cut", range(1, 5))
def test_steps_of_any_size_tell_the_same(cut: int) -> None:
    """Taken one by one or all at once, but for the time of the step."""
    facts: list[Headline | Withdrawal] = [
        STORY,
        make_headline("Fed cuts rates by 25bp", NOW + SECOND, headline_id="c"),
        withdrawn(),
        make_headline(TITLE, NOW + HOUR, headline_id="b", source="blog"),
        withdrawn("b", NOW + 2 * HOUR),
    ]
    index = story_index(POLICY)
    parts = [run(*part, index=index) for part in (facts[:cut], facts[cut:])]
    assert [told for part in parts for told in part.told] == run(*facts).told
