"""The forest that strikes out leaves, against trees walked one by one; and the hints before the spellings."""

import itertools
import math
import random

import msgspec
import pytest

from signals.scoring import likeness, telling
from signals.scoring.corpus import read_corpus
from signals.scoring.forest import Forest, Tree
from tests.conftest import ROOT


def walked(tree: Tree, features: tuple[float, ...]) -> float:
    """Down one tree, question by question."""
    node = 0
    while tree.feature[node] >= 0:
        left = features[tree.feature[node]] <= tree.threshold[node]
        node = (tree.left if left else tree.right)[node]
    return tree.value[node]


def grown(chance: random.Random, leaves: int) -> Tree:
    """A tree of so many leaves, whatever its shape."""
    rows: list[list[float]] = []

    def below(count: int) -> int:
        place = len(rows)
        rows.append([-1, 0.0, -1, -1, chance.random()])
        if count > 1:
            left = chance.randrange(1, count)
            rows[place] = [chance.randrange(4), chance.choice([0.25, 0.5, 0.75]), below(left), below(count - left), 0.0]
        return place

    below(leaves)
    columns = list(zip(*rows, strict=True))
    return Tree(
        *(tuple(map(kind, column)) for kind, column in zip((int, float, int, int, float), columns, strict=True))
    )


@pytest.mark.parametrize("most", [1, 2, 8, 9, 33, 64])
def test_striking_out_leaves_is_walking_down(most: int) -> None:
    """The same sum, to the last bit, for trees of any shape and size, thresholds met exactly, and no number at all."""
    chance = random.Random(most)
    trees = [grown(chance, chance.randint(1, most)) for _ in range(20)] + [grown(chance, most)]
    seen = [tuple(chance.choice([0.0, 0.25, 0.5, 0.75, 1.0]) for _ in range(4)) for _ in range(30)]
    seen.append((math.nan,) * 4)
    wanted = [math.fsum(walked(tree, one) for tree in trees) for one in seen]
    assert Forest(trees).grow(seen) == wanted
    assert [Forest(trees).grow([one])[0] for one in seen] == wanted


def test_the_shipped_trees_are_walked_so() -> None:
    """On features of real pairs."""
    table = msgspec.json.decode(likeness.TABLE.read_bytes(), type=likeness.Table)
    language = likeness.load()
    titles = [row.text for row in read_corpus(ROOT / "seeds" / "headlines")][:400:7]
    reads = [language.read(title) for title in titles]
    seen = [likeness.features(one, other) for one, other in itertools.pairwise(reads)]
    assert Forest(table.trees).grow(seen) == [math.fsum(walked(tree, one) for tree in table.trees) for one in seen]


def test_no_spelling_is_passed_over_for_want_of_a_hint() -> None:
    """Whatever a pattern changes holds one of its hints: of made-up texts and of the whole corpus."""
    texts = [telling.fold(row.text) for row in read_corpus(ROOT / "seeds" / "headlines")[::9]]
    texts += [
        "u.s. first-quarter 1st quarter jan-mar january-march second-quarter 2nd quarter apr-jun april-june",
        "third quarter 3rd-quarter july-september jul-sept fourth quarter oct-dec october-december",
        "first half second half year-on-year yoy ten-year 10-year 1,000 +5 ‘a’ “b” „c” – —",
        "¥5 trillion ￥3 1.5 trln 2 tn 3 bln 4 bn 5 mln 6 per cent 7 percent 8 pct 9 %",
        "quarter-point quarter percentage point quarter of a point quarter of a percentage point half-point",
        "half percentage point 25bps 25 bp 50-basis-point 50 basis points 5-basis point",
    ]
    met = set()
    for hints, pattern, said in telling._SPELLINGS:
        for text in texts:
            if pattern.sub(said, text) != text:
                assert any(hint in text for hint in hints), (pattern.pattern, text)
                met.add(pattern)
    assert len(met) == len(telling._SPELLINGS)
