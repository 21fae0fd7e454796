"""A text's features: its words and concepts, each signed by the currency it is said of.

1. Folded text is cut into units (`units.py`).
2. Every unit is said of someone: the subject named last before it, in its clause (`s`) or an earlier one
   (`i`), else the next one (`n`); and also of the subject that follows closely (`o`: `lifts yen`). That
   subject's sign, +1 on the dollar's side and -1 on the yen's, becomes the feature's value, so that `yen
   climbs` and `dollar slips` push the same way, and what is learned of one is known of the other.
3. Qualities, things, moves, causes and negations of a clause compose into one reading (`reading.py`).
4. The surprise of a figure is a feature of its own.

Unsigned features (words, neighbours, concepts) tell relevance and flatness. Names of features are
stable: they stand in the model file and in every piece of evidence.
"""

import re
from typing import NamedTuple

from signals.scoring.reading import OWN, read
from signals.scoring.surprise import Surprise, find
from signals.scoring.units import PLAIN, Unit, english, japanese, offsets
from signals.text import fold, script_lang

VERSION = 3
"""Raised whenever a text's features change: a model made for others is refused."""

Feature = tuple[str, float, int, int]
"""Its name, its value, and the places it was made of: the first, and the last plus one."""

_OBJECT_REACH = 2
_CHAIN_REACH = 3
_NUMBER = re.compile(r"\d[\d.,]*")
_USUAL, _BIG = 0.35, 1.5
"""Sizes of a surprise, in usual misses, from which it counts as usual and as big."""
_HAN = frozenset({"ja", "zh"})
"""Scripts read as Japanese: a headline in figures and Chinese characters alone looks like either."""
_SUBJECTS = frozenset({"price", "bank", "state", "bond", "other"})


_SILENT = frozenset(
    {"to", "of", "in", "on", "at", "for", "is", "as", "and", "#", "%", ",", ":", ";", "by", "s", "with", "from"}
)
"""Words that say nothing of anyone on their own."""


class Extract(NamedTuple):
    """What a text was made into."""

    text: str
    """Folded."""
    features: list[Feature]
    concepts: int
    """How many units of the field it holds."""
    words: bool
    """Places are words; else characters."""

    def spans(self) -> list[tuple[int, int]]:
        """Where each feature stands, in characters of the folded text."""
        if not self.words:
            return [(first, last) for _, _, first, last in self.features]
        places = offsets(self.text)
        return [(places[first][0], places[last - 1][1]) for _, _, first, last in self.features]


def extract(title: str) -> Extract:
    """All features of one text."""
    text = fold(title)
    words = text.isascii() or script_lang(text) not in _HAN
    units = english(text) if words else japanese(text)
    concepts = [unit for unit in units if unit[1] is not PLAIN]
    features: list[Feature] = []
    if words:
        _words(units, features)
    else:
        _characters(text, concepts, features)
    _chains(concepts, features)
    _signed(units, features)
    surprise = find(text)
    if surprise is None or any(unit[1][1] == "price" for unit in units):
        read(units, features)
    if surprise is not None:
        _of_surprise(surprise, offsets(text) if words else None, features)
    return Extract(text, features, len(concepts), words)


def _words(units: list[Unit], features: list[Feature]) -> None:
    add = features.append
    left, left_first = "^", 0
    for said, concept, _clause, first, last in units:
        name = concept[0] or said
        add(("w:" + said, 1, first, last))
        add((f"b:{left} {name}", 1, left_first, last))
        left, left_first = name, first
    if units:
        add((f"b:{left} $", 1, left_first, units[-1][4]))


def _characters(text: str, concepts: list[Unit], features: list[Feature]) -> None:
    masked = _NUMBER.sub(lambda match: "#" * len(match.group()), text)
    add = features.append
    sides = [0] * (len(masked) + 1)
    for _said, concept, _clause, _first, last in concepts:
        if concept[1] in _SUBJECTS and last < len(sides):
            sides[last] = concept[2]
    side = 0
    for start in range(len(masked) - 1):
        side = sides[start] or side
        pair, triple = masked[start : start + 2], masked[start : start + 3]
        add(("g:" + pair, 1, start, start + 2))
        if len(triple) == 3:  # the last place has no triple
            add(("g:" + triple, 1, start, start + 3))
        if side:
            add(("sg:" + pair, side, start, start + 2))


def _chains(concepts: list[Unit], features: list[Feature]) -> None:
    add = features.append
    count = len(concepts)
    for i, (_said, concept, clause, first, last) in enumerate(concepts):
        name = concept[0]
        add(("c:" + name, 1, first, last))
        add((f"c{clause}:{name}", 1, first, last))
        for j in range(i + 1, min(i + 1 + _CHAIN_REACH, count)):
            add((f"p:{name}>{concepts[j][1][0]}", 1, first, concepts[j][4]))
        if i + 2 < count:
            add((f"t:{name}>{concepts[i + 1][1][0]}>{concepts[i + 2][1][0]}", 1, first, concepts[i + 2][4]))


def _signed(units: list[Unit], features: list[Feature]) -> None:
    add = features.append
    after, near = _ahead(units)
    # Figures of no named country are mostly American.
    anyone = any(unit[1][1] in _SUBJECTS for unit in units)
    side, home, left, before, previous, earlier = 0, "", "", 0, "", ""
    for (said, (name, role, sign), clause, first, last), ahead, close in zip(units, after, near, strict=True):
        if role in _SUBJECTS:
            side, home, left, previous, earlier = sign, clause, "", "", ""
            continue
        if side:
            kind, value = ("s" if home == clause or clause in OWN else "i"), side
        else:
            kind, value = ("n", ahead) if anyone else ("d", 1)
        if value:
            if said not in _SILENT:
                add((f"{kind}:{said}", value, first, last))
            if left:
                add((f"2:{left} {said}", value, before, last))
            if close:
                add((f"o:{said}", close, first, last))
            if name:
                add((f"{kind}:{name}", value, first, last))
                add((f"{kind}{clause}:{name}", value, first, last))
                if close:
                    add((f"o:{name}", close, first, last))
                if previous:
                    add((f"2:{previous} {name}", value, first, last))
                    if earlier:
                        add((f"3:{earlier} {previous} {name}", value, first, last))
                previous, earlier = name, previous
        left, before = said, first


def _ahead(units: list[Unit]) -> tuple[list[int], list[int]]:
    """For each unit: the sign of the next subject, and of one that follows closely in the same clause."""
    after, near = [], []
    following, distance, where = 0, _OBJECT_REACH, ""
    for _said, (_name, role, sign), clause, _first, _last in reversed(units):
        after.append(following)
        near.append(following if distance < _OBJECT_REACH and clause == where else 0)
        if role in _SUBJECTS:
            following, distance, where = sign, 0, clause
        else:
            distance += 1
    return after[::-1], near[::-1]


def _of_surprise(surprise: Surprise, words: list[tuple[int, int]] | None, features: list[Feature]) -> None:
    start, end = surprise.span
    if words is not None:
        start, end = sum(span[1] <= start for span in words), sum(span[0] < end for span in words)
    if not surprise.gap:
        features.append((f"z:{surprise.against}:in line", 1, start, end))
        return
    sign = (1 if surprise.gap > 0 else -1) * (1 if surprise.country == "US" else -1)
    size = abs(surprise.gap)
    features.append((f"z:{surprise.against}", 4 * sign, start, end))
    if size >= _USUAL:
        features.append((f"z:{surprise.against}:usual", 2 * sign, start, end))
    if size >= _BIG:
        features.append((f"z:{surprise.against}:big", 2 * sign, start, end))
