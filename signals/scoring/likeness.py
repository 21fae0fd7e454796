"""Do two titles tell one event? What they share against what is at odds, weighed by trees fitted to labelled pairs.

The table beside this file holds how much each word tells (rare ones more) and the trees; `pairing.py` makes it from
`seeds/stories/`. The sum of the trees is the log-odds of one event (gradient boosting: Friedman, Annals of Statistics
29, 2001).
"""

import functools
import math
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Final

import msgspec
from rapidfuzz import fuzz
from rapidfuzz.distance import Levenshtein

from signals.scoring.forest import Forest, Tree
from signals.scoring.telling import Telling, telling

TABLE = Path(__file__).with_name("likeness.json")
COMPARED = 10
"""How many earlier titles are looked at closely: those that share most."""
KEYS = 12
"""Words by which they are found: those that tell most."""
REACH: Final = 0.2
"""Share of a title's weight in words that must be found in another for it to be looked at."""
UNKNOWN = 1.0
"""How much a word tells that was never met."""


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """What the fitting learned."""

    features: tuple[str, ...]
    """Names of `FEATURES` that it was fitted to."""
    weights: Mapping[str, float]
    """How much a word tells, 0 to 1."""
    start: float
    trees: tuple[Tree, ...]
    same_from: float
    """Log-odds from which two titles count as one event."""


MENDS_BELOW: Final = 2.5
"""How much less alike a title that says that it corrects may be: it is at odds with what it corrects."""


class Likeness:
    """The language of stories: how titles are read, and how alike two are."""

    most = COMPARED
    reach = REACH

    def __init__(self, table: Table) -> None:
        self._start = table.start
        self._forest = Forest(table.trees)
        self._weights = table.weights
        self.same_from = table.same_from
        self.mends_from = table.same_from - MENDS_BELOW
        self.read = functools.lru_cache(50_000)(self._read)

    def _read(self, title: str) -> "Read":
        return Read(telling(title), self._weights)

    def likeness(self, one: "Read", others: Sequence["Read"]) -> list[float]:
        """For each other title the log-odds that both tell one event; infinite for the same words."""
        different = list(dict.fromkeys(other for other in others if other.normal != one.normal))
        sums = self._forest.grow([features(one, other) for other in different]) if different else []
        found = {other: self._start + grown for other, grown in zip(different, sums, strict=True)}
        return [found.get(other, math.inf) for other in others]


class Read:
    """A title as it is compared: its parts, and how much each of them tells; worked out as it is asked for."""

    def __init__(self, told: Telling, weights: Mapping[str, float]) -> None:
        self.told = told
        self.normal, self.corrects, self.withdraws = told.normal, told.corrects, told.withdraws
        self._weights = weights

    @cached_property
    def meant(self) -> Mapping[str, float]:
        """How much each of its concepts tells, and of the stems that have none."""
        return {word: self._weights.get(word, UNKNOWN) for word in self.told.meant}

    @cached_property
    def classes(self) -> Mapping[str, float]:
        """How much each class of its words tells."""
        return {word: self._weights.get(f"~{word}", UNKNOWN) for word in self.told.classes}

    @cached_property
    def keys(self) -> Mapping[str, float]:
        """What tells most of it."""
        found = sorted(
            (
                *((weight, word) for word, weight in self.meant.items()),
                *((weight, f"~{word}") for word, weight in self.classes.items()),
                *((_telling(figure), f"#{figure}") for figure in self.told.figures),
            ),
            key=lambda pair: (-pair[0], pair[1]),
        )
        return {word: weight for weight, word in found[:KEYS]}

    @cached_property
    def total(self) -> float:
        """What its keys tell together."""
        return sum(self.keys.values())

    @cached_property
    def words(self) -> Mapping[str, float]:
        """How much each of its words tells: asked for where titles are compared."""
        return {word: self._weights.get(f"~{word}", UNKNOWN) for word in self.told.words}

    @cached_property
    def sums(self) -> tuple[float, float, float]:
        """What its meanings, words and classes tell together."""
        return math.fsum(self.meant.values()), math.fsum(self.words.values()), math.fsum(self.classes.values())


FEATURES: Final = (
    "meant_shared", "meant_jaccard", "meant_within", "meant_left_least", "meant_left_most", "words_shared",
    "words_jaccard", "words_within", "words_left_least", "words_left_most", "classes_shared", "classes_jaccard",
    "classes_within", "classes_left_least", "classes_left_most", "replaced", "replaced_weight", "inserted",
    "in_order", "ratio", "sorted_ratio", "set_ratio", "figures_shared", "figures_telling", "figures_at_odds",
    "figures_one_sided", "times_shared", "times_at_odds", "times_one_sided", "ordinals_at_odds", "places_shared",
    "places_at_odds", "names_shared", "names_at_odds", "capitals_shared", "capitals_least", "capitals_most",
    "senses_shared", "senses_at_odds", "senses_differ", "denied", "priced", "marks", "not_yet", "not_yet_differ",
    "not_yet_least", "not_yet_most", "stages", "stages_differ", "concepts_shared", "concepts_least", "same_first",
    "same_column", "japanese", "corrects", "length", "shortest",
)  # fmt: skip


def features(one: Read, other: Read) -> tuple[float, ...]:
    """What two titles share and what is at odds, in the order of `FEATURES`; the same whichever comes first."""
    a, b = one.told, other.told
    return (
        *_overlap(one.meant, other.meant, one.sums[0], other.sums[0]),
        *_overlap(one.words, other.words, one.sums[1], other.sums[1]),
        *_overlap(one.classes, other.classes, one.sums[2], other.sums[2]),
        *_edits(one, other),
        *_times_and_figures(a, b),
        *_names(a, b),
        *_answers(a, b),
        float(a.first == b.first),
        float(bool(a.column) and a.column == b.column),
        float(a.japanese and b.japanese),
        float(a.corrects or b.corrects),
        float(abs(len(a.meant) - len(b.meant))),
        float(min(len(a.meant), len(b.meant))),
    )


def _overlap(
    one: Mapping[str, float], other: Mapping[str, float], mine: float, theirs: float
) -> tuple[float, float, float, float, float]:
    shared = math.fsum([one[word] for word in one.keys() & other.keys()])  # whatever their order
    total, least = mine + theirs - shared, min(mine, theirs)
    left, right = mine - shared, theirs - shared
    return (
        shared,
        shared / total if total else 0.0,
        shared / least if least else 0.0,
        min(left, right),
        max(left, right),
    )


def _edits(one: Read, other: Read) -> tuple[float, ...]:
    a, b = sorted((one, other), key=lambda read: (len(read.told.classes), read.normal))  # edits depend on the direction
    replaced, weight, inserted = 0, 0.0, 0
    for edit in Levenshtein.opcodes(a.told.classes, b.told.classes):
        if edit.tag == "replace":
            replaced += 1
            gone = a.told.classes[edit.src_start : edit.src_end]
            come = b.told.classes[edit.dest_start : edit.dest_end]
            weight += min(_new(gone, a.classes, b.classes), _new(come, b.classes, a.classes))
        elif edit.tag != "equal":
            inserted += 1
    return (
        float(replaced),
        weight,
        float(inserted),
        Levenshtein.normalized_similarity(a.told.classes, b.told.classes),
        fuzz.ratio(a.normal, b.normal) / 100,
        fuzz.token_sort_ratio(a.normal, b.normal) / 100,
        fuzz.token_set_ratio(a.normal, b.normal) / 100,
    )


def _new(words: Iterable[str], own: Mapping[str, float], others: Mapping[str, float]) -> float:
    return math.fsum(own[word] for word in words if word not in others)


def _times_and_figures(a: Telling, b: Telling) -> tuple[float, ...]:
    return (
        min(float(len(a.figures & b.figures)), 3.0),
        math.fsum(_telling(figure) for figure in a.figures & b.figures),
        float(_at_odds(a.figures, b.figures)),
        float(bool(a.figures) != bool(b.figures)),
        float(bool(a.times & b.times)),
        float(_at_odds(a.times, b.times)),
        float(bool(a.times) != bool(b.times)),
        float(_at_odds(a.ordinals, b.ordinals)),
    )


def _telling(figure: str) -> float:
    """How much a figure tells: 32000 and 155.20 more than 2.7, that more than 3."""
    return min(len(figure.removeprefix("minus").replace(".", "").strip("0")) / 3, 1.0)


def _names(a: Telling, b: Telling) -> tuple[float, ...]:
    left = sum(name not in b.capitals and name not in b.words for name in a.capitals)
    right = sum(name not in a.capitals and name not in a.words for name in b.capitals)
    return (
        float(bool(a.places & b.places)),
        float(bool(a.places and b.places) and a.places.isdisjoint(b.places)),
        float(bool(a.names & b.names)),
        float(_at_odds(a.names, b.names)),
        float(len(a.capitals & b.capitals)),
        float(min(left, right)),
        float(max(left, right)),
    )


def _answers(a: Telling, b: Telling) -> tuple[float, ...]:
    asked = a.senses.keys() & b.senses.keys()
    shared = sum(bool(a.senses[question] & b.senses[question]) for question in asked)
    return (
        float(shared),
        float(len(asked) - shared),
        float(sum(a.senses[question] != b.senses[question] for question in asked)),
        float(a.denies != b.denies),
        float(a.priced != b.priced),
        float(a.marks != b.marks),
        float(bool(a.not_yet) != bool(b.not_yet)),
        float(a.not_yet != b.not_yet),
        float(min(len(a.not_yet - b.not_yet), len(b.not_yet - a.not_yet))),
        float(max(len(a.not_yet - b.not_yet), len(b.not_yet - a.not_yet))),
        float(bool(a.stages) != bool(b.stages)),
        float(a.stages != b.stages),
        float(len(a.concepts & b.concepts)),
        float(min(len(a.concepts - b.concepts), len(b.concepts - a.concepts))),
    )


def _at_odds(one: frozenset[str], other: frozenset[str]) -> bool:
    """Each has what the other lacks."""
    return not one <= other and not other <= one


@functools.cache
def load() -> Likeness:
    """The shipped one."""
    table = msgspec.json.decode(TABLE.read_bytes(), type=Table)
    if table.features != FEATURES:
        raise ValueError(f"{TABLE.name} was fitted to other features: run `python -m signals.scoring.pairing`")
    return Likeness(table)
