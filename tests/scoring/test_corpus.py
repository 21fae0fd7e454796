"""The corpus: large, varied, consistent, and read with errors that name the line."""

import re
from collections import Counter, defaultdict

import pytest

from signals.errors import ConfigError
from signals.scoring.corpus import read_corpus, read_rows
from signals.text import fold
from tests.conftest import ROOT

FOLDER = ROOT / "seeds" / "headlines"
NUMBER = re.compile(r"[\d.,/%]+")


@pytest.fixture(scope="module")
def rows():
    return read_corpus(FOLDER)


def test_there_are_enough_and_they_differ(rows):
    """At least 6,000 headlines, 4,000 of which differ once numbers are masked; at least 800 in Japanese."""
    assert len(rows) >= 6000
    assert len({NUMBER.sub("0", fold(row.text)) for row in rows}) >= 4000
    assert sum(row.lang == "ja" for row in rows) >= 800


def test_no_headline_stands_twice(rows):
    """Each text has one label."""
    counts = Counter(fold(row.text) for row in rows)
    assert [text for text, count in counts.items() if count > 1] == []


def test_every_topic_of_the_readme_is_used_and_no_other(rows):
    """The table of topics is the table of topics."""
    readme = (FOLDER / "README.md").read_text(encoding="utf-8").partition("## Topics")[2]
    named = set(re.findall(r"`([a-z.]+)`", readme.partition("## The gate set")[0]))
    assert {row.topic for row in rows} == named


def test_every_kind_of_event_pushes_both_ways(rows):
    """Each topic that moves the pair is seen moving it up and down, so that no word of it becomes a sign."""
    seen = defaultdict(set)
    for row in rows:
        if row.relevant:
            seen[row.topic].add(row.label)
    assert [topic for topic, labels in seen.items() if not {"up", "down"} <= labels] == []


def test_the_gate_set_is_apart(rows):
    """No headline of the gate set stands in the corpus."""
    gate = read_corpus(FOLDER / "gate")
    assert len(gate) >= 500
    assert {fold(row.text) for row in gate} & {fold(row.text) for row in rows} == set()


@pytest.mark.parametrize(
    ("lines", "names"),
    [
        ("text\tlabels\nYen up\tdown\n", "line 1"),
        ("text\tlabel\nYen up\tsideways\n", "line 2"),
        ("text\tlabel\trelevant\nYen up\tdown\tmaybe\n", "line 2"),
        ("", "line 1"),
    ],
)
def test_a_bad_row_is_named_with_file_and_line(tmp_path, lines, names):
    """Whoever writes rows is told which one is wrong."""
    path = tmp_path / "rows.tsv"
    path.write_text(lines, encoding="utf-8")
    with pytest.raises(ConfigError) as told:
        read_rows(path)
    assert "rows.tsv" in str(told.value)
    assert names in str(told.value)
