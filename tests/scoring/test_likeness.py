"""One event is one story, whoever tells it; another figure, name, month or direction is another event."""

from collections import Counter

import pytest

from signals.model import Headline, Policy
from signals.pipeline import story_index
from signals.scoring import likeness
from signals.scoring.pairing import Pair, read_pairs
from tests.conftest import ROOT
from tests.scoring.conftest import AT

STORIES = ROOT / "seeds" / "stories"
GATE = read_pairs(STORIES / "gate.tsv")
"""Written by someone who saw neither the code nor the pairs it was fitted to."""
MUST = read_pairs(ROOT / "tests" / "scoring" / "pairs.tsv")
"""What no change may lose."""
PRECISION, RECALL = 0.97, 0.48
"""Floors over the whole gate; `python -m tests.scoring.pairs` shows the figures by kind."""


def told_as_one(pair: Pair) -> bool:
    """Whether the fitted trees call a pair one event."""
    language = likeness.load()
    return language.likeness(language.read(pair.first), [language.read(pair.second)])[0] >= language.same_from


def place(first, second, *, source="blog", item_id=""):
    stories = story_index(Policy())
    made = [
        Headline(
            headline_id=str(number),
            source=who,
            item_id=item_id,
            url=None,
            title=title,
            lang="en",
            source_published_at=AT,
            known_at=AT,
        )
        for number, (title, who) in enumerate([(first, "wire"), (second, source)])
    ]
    return [stories.place(headline) for headline in made]


def test_the_gate_is_what_was_asked() -> None:
    """At least 500 pairs, of each answer about half, hard kinds among them."""
    assert len(GATE) >= 500
    assert 0.4 < sum(pair.same for pair in GATE) / len(GATE) < 0.6
    kinds = Counter(pair.kind for pair in GATE)
    assert kinds["reworded"] >= 50  # the same event in other words
    assert kinds["othermonth"] >= 50  # the same words of another month
    assert len({(pair.first, pair.second) for pair in GATE}) == len(GATE)


def test_the_gate_holds() -> None:
    """Few events are swallowed by another's story, and most repeats are known as such."""
    called = [pair for pair in GATE if told_as_one(pair)]
    right = sum(pair.same for pair in called)
    assert right / len(called) >= PRECISION
    assert right / sum(pair.same for pair in GATE) >= RECALL


def test_the_gate_was_not_learned() -> None:
    """No pair of it stands among those that were fitted to, and hardly a title."""
    fitted = [pair for path in STORIES.glob("*.tsv") if path.stem != "gate" for pair in read_pairs(path)]
    assert not {(pair.first, pair.second) for pair in GATE} & {(pair.first, pair.second) for pair in fitted}
    titles = {title for pair in fitted for title in (pair.first, pair.second)}
    shared = [title for pair in GATE for title in (pair.first, pair.second) if title in titles]
    assert len(shared) <= 0.1 * 2 * len(GATE)  # plain ones that two people write alike


@pytest.mark.parametrize("pair", MUST, ids=lambda pair: pair.first)
def test_what_no_change_may_lose(pair: Pair) -> None:
    """Whichever of the two came first. A merger would swallow news: the second would count as a repeat."""
    revision = 2 if pair.same else 1
    assert place(pair.first, pair.second)[1].revision == revision
    assert place(pair.second, pair.first)[1].revision == revision


@pytest.mark.parametrize("pair", GATE[::7], ids=lambda pair: pair.first)
def test_likeness_does_not_depend_on_which_came_first(pair: Pair) -> None:
    """To the last bit."""
    language = likeness.load()
    one, other = language.read(pair.first), language.read(pair.second)
    assert language.likeness(one, [other]) == language.likeness(other, [one])


def test_a_correction_names_what_it_corrects() -> None:
    """Though it is at odds with it: that is what it is for."""
    earlier, correction = place("US CPI rises 0.4% in January", "CORRECTED-US CPI rises 0.3% (not 0.4%) in January")
    assert correction.story_id == earlier.story_id
    assert correction.corrects == "0"
    assert earlier.corrects is None


@pytest.mark.parametrize("tag", ["WITHDRAWN-", "KILL: ", "RETRACTION - ", "【取り消し】 ", "(撤回)"])
def test_a_notice_of_withdrawal_belongs_to_what_it_withdraws(tag: str) -> None:
    """It tells nothing itself, in whatever words newsrooms say so."""
    title = "BOJ to hold emergency meeting tonight"
    earlier, notice = place(title, tag + title)
    assert notice.story_id == earlier.story_id
    assert (earlier.withdraws, notice.withdraws) == (False, True)


def test_a_page_whose_title_was_changed_stays_in_its_story() -> None:
    """Even if it now says the opposite; another item under an address that a feed uses for all does not."""
    page = "https://example.org/boj"
    changed = place("BOJ raises rates to 1.0%", "BOJ keeps rates at 0.75%", source="wire", item_id=page)
    assert changed[1].corrects == "0"
    other = place("BOJ raises rates to 1.0%", "Nikkei slides as chip makers sink", source="wire", item_id=page)
    assert other[1].corrects is None
    assert other[1].revision == 1
