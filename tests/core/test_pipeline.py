"""The pure core as a whole: the same in, the same out; nothing lost; nothing from the future."""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signals.market.events import Event
from signals.model import Bar, Headline, Policy, Score
from signals.pipeline import Step, step
from signals.stories import StoryIndex

from .conftest import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    SECOND,
    FakeScorer,
    climb,
    ids,
    make_bar,
    make_headline,
    news,
    steady,
    version_key,
    versions,
)

DUE = Event(
    name="boj", zone="UTC", time=NOW.time(), before_s=0, after_s=1, dates=frozenset({NOW.date()}), source="a test"
)
"""A decision at NOW."""
GOLDEN = Path(__file__).parent / "golden" / "signal.json"
POLICY = Policy()
LENIENT = Policy(novelty_min=0.0, relevance_min=0.0)
"""Every headline with a usable date makes a signal, so that nothing escapes comparison."""
some_bars = st.lists(versions(), max_size=12, unique_by=version_key)


def run(
    headlines: Sequence[Headline],
    bars: Sequence[Bar] = (),
    *,
    now: dt.datetime = NOW + DAY,
    policy: Policy = POLICY,
    events: Sequence[Event] = (),
) -> Step:
    """One step from nothing."""
    index = StoryIndex(policy.story_window_s)
    return step(index, headlines, bars, now, scorer=FakeScorer(), policy=policy, events=events)


def test_headlines_are_taken_in_the_order_they_became_known() -> None:
    """Whatever order they come in: by `known_at`, ties by id; and all are scored in one batch."""
    scorer = FakeScorer()
    late, early, tied = (
        make_headline(f"boj {name}", at, headline_id=name, url=None)
        for name, at in (("x", NOW), ("b", NOW - HOUR), ("a", NOW - HOUR))
    )
    made = step(StoryIndex(POLICY.story_window_s), [late, early, tied], [], NOW, scorer=scorer, policy=POLICY)
    assert scorer.asked == [["a", "b", "x"]]
    assert [score.headline_id for score in made.scores] == ["a", "b", "x"]
    assert [signal.headline_ids for signal in made.signals] == [("a",), ("b",), ("x",)]


@steady
@given(news(), some_bars, st.randoms(use_true_random=False))
def test_order_of_what_comes_in_does_not_matter(headlines: list[Headline], bars: list[Bar], chance: object) -> None:
    """The same headlines and bars in any order make the same step, byte for byte."""
    made = msgspec.json.encode(run(headlines, bars))
    chance.shuffle(headlines)  # type: ignore[attr-defined]
    chance.shuffle(bars)  # type: ignore[attr-defined]
    assert msgspec.json.encode(run(headlines, bars)) == made


@steady
@given(news(), some_bars, st.integers(0, 96))
def test_no_look_ahead(headlines: list[Headline], bars: list[Bar], hours: int) -> None:
    """Cutting headlines and bars at any moment changes no signal, and no skip, known before it."""
    cut = NOW - hours * HOUR
    whole = run(headlines, bars, policy=LENIENT)
    part = run(
        [headline for headline in headlines if headline.known_at < cut],
        [bar for bar in bars if bar.close_at < cut],
        policy=LENIENT,
    )
    known = {headline.headline_id for headline in headlines if headline.known_at < cut}
    assert part.signals == [signal for signal in whole.signals if signal.known_at < cut]
    assert part.skips == [skip for skip in whole.skips if skip.headline_id in known]


@steady
@given(news(), some_bars, st.integers(0, 96))
def test_steps_can_be_cut_anywhere(headlines: list[Headline], bars: list[Bar], hours: int) -> None:
    """Taken in two steps that carry the stories on, headlines in order make the signals of one."""
    cut = NOW - hours * HOUR
    stories, now = StoryIndex(POLICY.story_window_s), NOW + DAY
    parts = [[h for h in headlines if h.known_at < cut], [h for h in headlines if h.known_at >= cut]]
    made = [step(stories, part, bars, now, scorer=FakeScorer(), policy=LENIENT) for part in parts]
    assert [signal for part in made for signal in part.signals] == run(headlines, bars, policy=LENIENT).signals


@steady
@given(news())
def test_every_headline_is_a_signal_or_a_skip_once(headlines: list[Headline]) -> None:
    """One score, one story and either a signal or a skip with its reason for each headline: none lost, none twice."""
    made = run(headlines)
    assert sorted(score.headline_id for score in made.scores) == sorted(ids(headlines))
    assert sorted(story.headline_ids[-1] for story in made.stories) == sorted(ids(headlines))
    told = [signal.headline_ids[-1] for signal in made.signals] + [skip.headline_id for skip in made.skips]
    assert sorted(told) == sorted(ids(headlines))


@steady
@given(news(), some_bars)
def test_now_is_only_written_down(headlines: list[Headline], bars: list[Bar]) -> None:
    """A step run a day later, the bars known by both, differs in `scored_at` alone."""
    first, second = run(headlines, bars), run(headlines, bars, now=NOW + 2 * DAY)
    assert second.signals == [msgspec.structs.replace(s, scored_at=NOW + 2 * DAY) for s in first.signals]
    assert second.skips == first.skips


def test_the_price_is_that_of_its_own_moment() -> None:
    """Two headlines of one step are each joined to the bar that closed before them."""
    bars = [make_bar(NOW - 2 * MINUTE, 150.0), make_bar(NOW - MINUTE, 151.0)]
    early, late = make_headline("boj one", NOW - MINUTE), make_headline("fed two", NOW)
    assert [signal.ref_price for signal in run([early, late], bars).signals] == [150.0, 151.0]


def test_bars_learned_after_the_step_are_not_seen() -> None:
    """The step's `now` bounds what it knows, however much it is handed."""
    late = make_bar(NOW - MINUTE, 151.0, known_at=NOW + SECOND)
    (signal,) = run([make_headline()], [late], now=NOW).signals
    assert signal.ref_price is None


def test_stories_remember_what_a_step_was_told() -> None:
    """A repeat in a later step is a duplicate: the index carries on."""
    stories = StoryIndex(POLICY.story_window_s)
    for known_at, reasons in ((NOW, []), (NOW + HOUR, ["duplicate"])):
        headline = make_headline(known_at=known_at, headline_id=known_at.isoformat())
        made = step(stories, [headline], [], known_at, scorer=FakeScorer(), policy=POLICY)
        assert [skip.reason for skip in made.skips] == reasons
    assert (made.stories[0].revision, made.stories[0].first_known_at) == (2, NOW)


def test_nothing_in_nothing_out() -> None:
    """A step without headlines makes nothing."""
    assert run([]) == Step([], [], [], [])


def test_a_scorer_that_loses_a_headline_is_found_out() -> None:
    """Fewer scores than headlines is an error, never a silent shift of scores to others."""

    class Lossy(FakeScorer):
        def score(self, headlines: Sequence[Headline]) -> list[Score]:
            return super().score(headlines)[1:]

    with pytest.raises(ValueError, match="shorter"):
        step(StoryIndex(1), [make_headline()], [], NOW, scorer=Lossy(), policy=POLICY)


def test_the_golden_signal() -> None:
    """A signal with every field filled is the one on file, to the byte: what leaves the core is a promise."""
    told = make_headline("BOJ hikes policy rate to 1.0%", NOW - HOUR, headline_id="h1", source="blog")
    again = make_headline("BOJ hikes policy rate to 1.0% - Reuters", NOW, headline_id="h2")
    bars = climb(70, NOW - 3 * SECOND, step_bp=-1.5)
    signal = run([again, told], bars, now=NOW + 5 * SECOND, policy=LENIENT, events=[DUE]).signals[-1]
    assert not [
        name for name in signal.__struct_fields__ if getattr(signal, name) in (None, ()) and name != "abstain_reason"
    ]
    assert msgspec.json.format(msgspec.json.encode(signal)) + b"\n" == GOLDEN.read_bytes()
