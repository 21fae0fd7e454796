"""The behaviour table: what a dealer would insist on, row by row (Ribeiro et al., CheckList, ACL 2020).

`python -m tests.scoring.behaviour` prints each row that does not hold, and the share that does by kind.
"""

import csv
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from signals.model import DIRECTIONS
from signals.scoring.evaluation import RELEVANT
from signals.scoring.model import ScoringModel

TABLE = Path(__file__).with_name("behaviour.tsv")
MISSES = Path(__file__).with_name("behaviour_misses.txt")


class Case(NamedTuple):
    """A row: MFT judges `text`, INV and DIR compare `text` with `other`."""

    id: str
    kind: str
    capability: str
    text: str
    other: str
    expect: str


class Answer(NamedTuple):
    """What the model says of one text."""

    relevant: bool
    call: str
    net: float


def cases() -> list[Case]:
    """The table."""
    with TABLE.open(encoding="utf-8", newline="") as lines:
        return [Case(**row) for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)]


EXPECTATIONS: dict[str, Callable[[Answer, Answer], bool]] = {
    "up": lambda a, _: a.relevant and a.call == "up",
    "down": lambda a, _: a.relevant and a.call == "down",
    "flat": lambda a, _: a.relevant and a.call == "flat",
    "irrelevant": lambda a, _: not a.relevant,
    "relevant": lambda a, _: a.relevant,
    "not_up": lambda a, _: a.call != "up",
    "not_down": lambda a, _: a.call != "down",
    "same": lambda a, b: a.call == b.call and a.relevant == b.relevant,
    "flips": lambda a, b: {a.call, b.call} == {"up", "down"},
    "flatter": lambda a, b: abs(b.net) < abs(a.net),
    "higher": lambda a, b: b.net > a.net,
    "lower": lambda a, b: b.net < a.net,
}


def misses(model: ScoringModel, table: list[Case]) -> list[Case]:
    """The rows that do not hold."""
    first = _answers(model, [case.text for case in table])
    second = _answers(model, [case.other or case.text for case in table])
    return [case for case, a, b in zip(table, first, second, strict=True) if not EXPECTATIONS[case.expect](a, b)]


def known_misses() -> set[str]:
    """Rows that the shipped model is known to miss: the list may only grow shorter."""
    return set(MISSES.read_text(encoding="utf-8").split())


def _answers(model: ScoringModel, texts: list[str]) -> list[Answer]:
    relevance, shares = model.probabilities(texts)
    return [
        Answer(bool(r >= RELEVANT), DIRECTIONS[int(np.argmax(p))], float(p[0] - p[2]))
        for r, p in zip(relevance, shares, strict=True)
    ]


if __name__ == "__main__":
    found = misses(ScoringModel.load(Path("seeds/model/model.skops")), cases())
    totals: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
    for case in cases():
        totals[case.kind][0] += 1
        totals[case.kind][1] += case not in found
    for case in found:
        print("\t".join(case))
    for kind, (count, held) in totals.items():
        print(f"{kind}: {held} of {count} hold ({held / count:.1%})")
