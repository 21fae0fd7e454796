"""A text's parts, and the features they make: its words and concepts, each signed by the currency it is said of.

1. Folded text is cut into units (`units.py`).
2. Every unit is said of someone: the subject named last before it, in its clause (`s`) or an earlier one
   (`i`), else the next one (`n`), else nobody (`d`); and also of the subject that follows closely (`o`:
   `lifts yen`). That subject's sign, +1 on the dollar's side and -1 on the yen's, becomes the feature's
   value, so that `yen climbs` and `dollar slips` push the same way, and what is learned of one is known
   of the other.
3. Qualities, things, moves, causes and negations of a clause compose into one reading (`reading.py`).
4. The surprise of a figure is a feature of its own.

Unsigned features (words, neighbours, concepts) tell relevance and flatness. A feature has a name, which
stands in the model file and in every piece of evidence, and a code, by which it is found (`codes.py`). Here
a text is cut and read; `batch.py` makes the parts of many texts into features.
"""

import functools
import re
from collections.abc import Sequence
from typing import NamedTuple

from signals.scoring.reading import read
from signals.scoring.surprise import Surprise, find
from signals.scoring.units import PLAIN, Unit, english, japanese, offsets
from signals.text import fold, script_lang

VERSION = 4
"""Raised whenever a text's features change: a model made for others is refused."""

Whole = tuple[str, float, int, int]
"""A feature known by its whole name, its value, and the places it was made of: the first, and the last plus one."""

_NUMBER = re.compile(r"\d[\d.,]*")
_USUAL, _BIG = 0.35, 1.5
"""Sizes of a surprise, in usual misses, from which it counts as usual and as big."""
_HAN = frozenset({"ja", "zh"})
"""Scripts read as Japanese: a headline in figures and Chinese characters alone looks like either."""
SUBJECTS = frozenset({"price", "bank", "state", "bond", "other"})


class Extract(NamedTuple):
    """What a text was made into."""

    text: str
    """Folded."""
    units: tuple[Unit, ...]
    whole: tuple[Whole, ...]
    concepts: int
    """How many units of the field it holds."""
    words: bool
    """Places are words; else characters."""


@functools.lru_cache(maxsize=2048)
def extract(title: str) -> Extract:
    """The parts of one text; remembered for a while, as repeats come soon."""
    text = fold(title)
    words = text.isascii() or script_lang(text) not in _HAN
    units = english(text) if words else japanese(text)
    whole: list[Whole] = []
    surprise = find(text)
    if surprise is None or any(unit[1][1] == "price" for unit in units):
        read(units, whole)
    if surprise is not None:
        _of_surprise(surprise, offsets(text) if words else None, whole)
    if not words:
        _characters(text, units, whole)
    return Extract(text, units, tuple(whole), sum(unit[1] is not PLAIN for unit in units), words)


def spans(found: Extract, first: Sequence[int], last: Sequence[int]) -> list[tuple[int, int]]:
    """Where features stand, in characters of the folded text."""
    if not found.words:
        return list(zip(first, last, strict=True))
    places = offsets(found.text)
    return [(places[low][0], places[high - 1][1]) for low, high in zip(first, last, strict=True)]


def _characters(text: str, units: Sequence[Unit], found: list[Whole]) -> None:
    masked = _NUMBER.sub(lambda match: "#" * len(match.group()), text)
    add = found.append
    sides = [0] * (len(masked) + 1)
    for _said, concept, _clause, _first, last in units:
        if concept[1] in SUBJECTS and last < len(sides):
            sides[last] = concept[2]
    side = 0
    for start in range(len(masked) - 1):
        side = sides[start] or side
        pair, triple = masked[start : start + 2], masked[start : start + 3]
        add(("g:" + pair, 1, start, start + 2))
        if len(triple) == 3:  # the last place has no triple
            add(("g:" + triple, 1, start, start + 3))
        if side:
            add(("gs:" + pair, side, start, start + 2))


def _of_surprise(surprise: Surprise, words: list[tuple[int, int]] | None, found: list[Whole]) -> None:
    start, end = surprise.span
    if words is not None:
        start, end = sum(span[1] <= start for span in words), sum(span[0] < end for span in words)
    if not surprise.gap:
        found.append((f"z:{surprise.against}:in line", 1, start, end))
        return
    sign = (1 if surprise.gap > 0 else -1) * (1 if surprise.country == "US" else -1)
    size = abs(surprise.gap)
    found.append((f"z:{surprise.against}", 4 * sign, start, end))
    if size >= _USUAL:
        found.append((f"z:{surprise.against}:usual", 2 * sign, start, end))
    if size >= _BIG:
        found.append((f"z:{surprise.against}:big", 2 * sign, start, end))
