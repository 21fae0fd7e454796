"""Gists: two newsrooms' words for one event are one story; another figure, name, month or direction is not."""

import csv
from pathlib import Path

import pytest

from signals.model import Headline, Policy
from signals.pipeline import story_index
from tests.scoring.conftest import AT

with Path(__file__).with_name("pairs.tsv").open(encoding="utf-8") as lines:
    PAIRS = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))


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


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair["first"])
def test_one_event_is_one_story_and_another_is_not(pair):
    """Whichever of the two came first. A merger would swallow news: the second would count as a repeat."""
    revision = 2 if pair["same"] == "1" else 1
    assert place(pair["first"], pair["second"])[1].revision == revision
    assert place(pair["second"], pair["first"])[1].revision == revision


def test_a_correction_names_what_it_corrects():
    """Though it is at odds with it: that is what it is for."""
    earlier, correction = place("US CPI rises 0.4% in January", "CORRECTED-US CPI rises 0.3% (not 0.4%) in January")
    assert correction.story_id == earlier.story_id
    assert correction.corrects == "0"
    assert earlier.corrects is None


@pytest.mark.parametrize("tag", ["WITHDRAWN-", "KILL: ", "RETRACTION - ", "【取り消し】 ", "(撤回)"])
def test_a_notice_of_withdrawal_belongs_to_what_it_withdraws(tag):
    """It tells nothing itself, in whatever words newsrooms say so."""
    title = "BOJ to hold emergency meeting tonight"
    earlier, notice = place(title, tag + title)
    assert notice.story_id == earlier.story_id
    assert (earlier.withdraws, notice.withdraws) == (False, True)


def test_a_page_whose_title_was_changed_stays_in_its_story():
    """Even if it now says the opposite; another item under an address that a feed uses for all does not."""
    page = "https://example.org/boj"
    changed = place("BOJ raises rates to 1.0%", "BOJ keeps rates at 0.75%", source="wire", item_id=page)
    assert changed[1].corrects == "0"
    other = place("BOJ raises rates to 1.0%", "Nikkei slides as chip makers sink", source="wire", item_id=page)
    assert other[1].corrects is None
    assert other[1].revision == 1
