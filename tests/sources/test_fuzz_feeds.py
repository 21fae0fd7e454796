"""Hostile feeds, some hundreds of each kind; `test_fuzz_items.py` and `test_fuzz_bytes.py` try a hundred thousand."""

from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .hostile.cases import (
    bytes_problem,
    channel_broken,
    channel_problem,
    item_problem,
    lost,
    mutated,
    one_item_broken,
    problems,
    read,
    sound_reading,
)
from .hostile.damage import BIG, ENCODINGS, SNIPPETS, put_in, written
from .hostile.documents import FORMATS, document

FUZZ = settings(
    max_examples=150, deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
CHANCE = st.randoms(use_true_random=False)
FORM, ENCODING = st.sampled_from(list(FORMATS)), st.sampled_from(list(ENCODINGS))


@FUZZ
@given(CHANCE, FORM, st.integers(2, 5), ENCODING)
def test_one_broken_item_costs_no_other(chance: Random, form: str, count: int, encoding: str) -> None:
    """Whatever is put into, or missing from, one item: title, address and time of every other come through."""
    assert not lost(*one_item_broken(chance, form, count, encoding))


@FUZZ
@given(CHANCE, FORM, st.integers(1, 4), ENCODING)
def test_a_broken_channel_costs_no_item(chance: Random, form: str, count: int, encoding: str) -> None:
    """Whatever is wrong before, between or after them, all items come through."""
    assert not lost(*channel_broken(chance, form, count, encoding))


@FUZZ
@given(CHANCE, FORM, st.integers(1, 4))
def test_broken_bytes_end_well(chance: Random, form: str, count: int) -> None:
    """With any of its bytes changed, a feed is read or said to be none, and all titles are plain."""
    assert not sound_reading(mutated(chance, form, count))[1]


@FUZZ
@given(st.binary(max_size=300), st.text(max_size=30))
def test_any_bytes_end_well(raw: bytes, content_type: str) -> None:
    """What is no feed at all never breaks anything, nor does a header."""
    for body in (raw, b"<rss><item><title>" + raw, b"<feed>" + raw + b"<entry/>"):
        assert not sound_reading((body, content_type))[1]


@pytest.mark.parametrize("problem_of", [item_problem, channel_problem, bytes_problem])
def test_the_first_hundreds_of_the_hundred_thousand(problem_of) -> None:
    """The first 300 of each kind's cases hold."""
    assert problems(problem_of, range(300)) == {}


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("where", ["title", "description", "between"])
def test_every_snippet_in_every_place(form: str, where: str) -> None:
    """Each row of the table, put into a title, a teaser and between items, costs no other item."""
    wrong = {}
    for number, snippet in enumerate((*SNIPPETS, *(make() for make in BIG))):
        made = document(Random(number), form, 3)
        first, victim, last = (item.xml for item in made.items)
        edge = {"title": "</title>", "description": "</summary>" if form == "atom" else "</description>"}.get(where)
        broken = victim.replace(edge, snippet + edge) if edge else f"{snippet}{victim}"
        text = "".join((made.head, first, broken, last, made.tail))
        others = [made.items[0], made.items[2]]
        problem = lost(written(Random(0), made, text, "utf-8"), others)
        if problem:
            wrong[snippet[:40]] = problem
    assert wrong == {}


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_encoding_is_told_in_spite_of_its_labels(form: str, encoding: str) -> None:
    """A sound feed written in each way is read whole, whatever declaration and header say."""
    made = document(Random(1), form, 4)
    text = "".join((made.head, *(item.xml for item in made.items), made.tail))
    assert not lost(written(Random(0), made, text, encoding), list(made.items))


@pytest.mark.parametrize("encoding", ["cp932", "euc_jp", "iso2022_jp"])
@pytest.mark.parametrize("label", ["own", "utf-8", "none"])
def test_japanese_encodings_are_told(encoding: str, label: str) -> None:
    """With their own label, with that of UTF-8 or with none; a guess is noted."""
    titles = ["日銀が金利を据え置き、円安が進む", "ドル円が上昇、介入への警戒が続く", "Fed holds rates"]
    own = {"cp932": "Shift_JIS", "euc_jp": "EUC-JP", "iso2022_jp": "ISO-2022-JP"}[encoding]
    declared = {"own": f' encoding="{own}"', "utf-8": ' encoding="utf-8"', "none": ""}[label]
    items = "".join(f"<item><title>{title}</title></item>" for title in titles)
    raw = f'<?xml version="1.0"{declared}?><rss version="2.0"><channel>{items}</channel></rss>'.encode(encoding)
    reading = read(raw, "text/xml")
    assert [headline.title for headline in reading.headlines] == titles
    assert bool(reading.notes) == (label != "own")


def test_a_broken_item_is_noted() -> None:
    """Who looks at the feed's notes sees how many of its items are broken."""
    made = document(Random(2), "rss", 3)
    broken = made.items[1].xml.replace("</title>", "")
    text = "".join((made.head, made.items[0].xml, broken, made.items[2].xml, made.tail))
    notes = read(*written(Random(0), made, text, "utf-8")).notes
    assert "1 of 3 items" in notes[0]


def test_half_a_title_is_no_title() -> None:
    """An item that ends within its title is dropped, and said to be: the other half may be a denial."""
    made = document(Random(3), "rss", 2)
    text = f"{made.head}<item><title>Fed does n{made.items[0].xml}{made.items[1].xml}{made.tail}"
    reading = read(*written(Random(0), made, text, "utf-8"))
    assert [headline.title for headline in reading.headlines] == [item.title for item in made.items]
    assert any("before their title ends" in note for note in reading.notes)


def test_nothing_is_put_in_outside() -> None:
    """The fuzzer's own hand: what it puts in stands in the text, which is else as it was."""
    for seed in range(50):
        assert put_in(Random(seed), "<a>bcd</a>", "\x00").replace("\x00", "") == "<a>bcd</a>"
