"""A text's features: its words and concepts, each signed by the currency it is said of.

1. Folded text is cut into units: phrases of the lexicon (concepts), else words; Japanese also into
   pairs and triples of characters.
2. Every action is said of someone: the currency that follows it closely (`lifts yen`), else the last
   one named before it (`yen climbs`), else the next one. That subject's sign, +1 on the dollar's side
   and -1 on the yen's, becomes the feature's value, so that `yen climbs` and `dollar slips` push the
   same way, and what is learned of one is known of the other.
3. Actions, their subjects' signs and the negations of a clause compose into one reading of it.
4. The surprise of a figure is a feature of its own.

Unsigned features (words, neighbours, concepts) tell relevance and flatness. Names of features are
stable: they stand in the model file and in every piece of evidence.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from signals.scoring.lexicon import ROLES, WORD, load
from signals.scoring.surprise import Surprise, find
from signals.text import fold, script_lang

VERSION = 1
"""Raised whenever a text's features change: a model made for others is refused."""

MAIN = "m"
CLAUSES = {
    "as": "c", "after": "c", "on": "c", "amid": "c", "following": "c", "since": "c", "because": "c", "due": "c",
    "with": "c", "by": "c", "when": "c", "for": "c", "over": "c", "in": "c", "ahead": "a", "before": "a",
    "awaiting": "a", "despite": "d", "though": "d", "although": "d", "even": "d", "while": "d", "but": "b",
    "however": "b", "yet": "b", "and": MAIN, ",": MAIN, ";": MAIN, ":": MAIN,
}  # fmt: skip
"""What begins a clause, and its kind: c cause, a ahead of an event, d despite, b but, m main."""

_OBJECT_REACH = 2
_CHAIN_REACH = 3
_NUMBER = re.compile(r"\d[\d.,]*")
_USUAL, _BIG = 0.35, 1.5
"""Sizes of a surprise, in usual misses, from which it counts as usual and as big."""


class Unit(NamedTuple):
    """A stretch of the folded text that means one thing."""

    name: str
    words: tuple[str, ...]
    concept: bool
    clause: str
    start: int
    end: int


class Feature(NamedTuple):
    """A named value and the stretch of the folded text it was made of."""

    name: str
    value: float
    start: int
    end: int


def extract(title: str) -> tuple[list[Feature], int]:
    """All features of one text, and how many concepts of the field it holds.

    Spans are in characters of `fold(title)`.
    """
    text = fold(title)
    japanese = script_lang(text) == "ja"
    units = list(_japanese(text) if japanese else _english(text))
    concepts = [unit for unit in units if unit.concept]
    features = [
        *(_characters(text) if japanese else _words(units)),
        *_neighbours(units),
        *_chains(concepts),
        *_signed(units),
    ]
    surprise = find(text)
    if surprise is not None:
        features += _of_surprise(surprise)
    return features, len(concepts)


def _english(text: str) -> Iterator[Unit]:
    found = list(WORD.finditer(text))
    words = tuple(match.group() for match in found)
    lexicon = load().english
    clause = MAIN
    at = 0
    while at < len(words):
        phrase, concepts = next(
            ((p, c) for p, c in lexicon.get(words[at], ()) if words[at : at + len(p)] == p), ((words[at],), ())
        )
        if len(phrase) == 1:
            clause = CLAUSES.get(words[at], clause)
        start, end = found[at].start(), found[at + len(phrase) - 1].end()
        for concept in concepts:
            yield Unit(concept, phrase, True, clause, start, end)
        if not concepts:
            yield Unit("#" if words[at][0].isdigit() else words[at], phrase, False, clause, start, end)
        at += len(phrase)


def _japanese(text: str) -> Iterator[Unit]:
    lexicon = load()
    for match in lexicon.japanese_pattern.finditer(text):
        for concept in lexicon.japanese[match.group()]:
            yield Unit(concept, (match.group(),), True, MAIN, match.start(), match.end())


def _words(units: list[Unit]) -> Iterator[Feature]:
    for unit in units:
        for word in unit.words:
            yield Feature(f"w:{'#' if word[0].isdigit() else word}", 1, unit.start, unit.end)


def _characters(text: str) -> Iterator[Feature]:
    masked = _NUMBER.sub(lambda match: "#" * len(match.group()), text)
    for size in (2, 3):
        for start in range(len(masked) - size + 1):
            yield Feature(f"g:{masked[start : start + size]}", 1, start, start + size)


def _neighbours(units: list[Unit]) -> Iterator[Feature]:
    for left, right in zip(units, units[1:], strict=False):
        yield Feature(f"b:{left.name} {right.name}", 1, left.start, right.end)


def _chains(concepts: list[Unit]) -> Iterator[Feature]:
    for i, a in enumerate(concepts):
        yield Feature(f"c:{a.name}", 1, a.start, a.end)
        yield Feature(f"c{a.clause}:{a.name}", 1, a.start, a.end)
        for b in concepts[i + 1 : i + 1 + _CHAIN_REACH]:
            yield Feature(f"p:{a.name}>{b.name}", 1, a.start, b.end)
        if i + 2 < len(concepts):
            b, c = concepts[i + 1], concepts[i + 2]
            yield Feature(f"t:{a.name}>{b.name}>{c.name}", 1, a.start, c.end)


def _signed(units: list[Unit]) -> Iterator[Feature]:
    subjects = ROLES["subject"]
    signs = [(subjects.get(unit.name, 0) if unit.concept else 0) for unit in units]
    before, after, near = _around(signs)
    readings: defaultdict[str, list[tuple[Unit, int]]] = defaultdict(list)
    for i, unit in enumerate(units):
        if signs[i]:
            continue
        kind, sign = ("o", near[i]) if near[i] else ("s", before[i]) if before[i] else ("n", after[i])
        if not sign:
            continue
        left = units[i - 1] if i and not signs[i - 1] else None
        if unit.concept:
            yield Feature(f"*:{unit.name}", sign, unit.start, unit.end)
            yield Feature(f"{kind}:{unit.name}", sign, unit.start, unit.end)
            yield Feature(f"{kind}{unit.clause}:{unit.name}", sign, unit.start, unit.end)
            for back in units[max(0, i - 2) : i]:
                if back.concept and back.name not in subjects:
                    yield Feature(f"{kind}:{back.name} {unit.name}", sign, back.start, unit.end)
            if unit.name in ROLES["action"]:
                readings[unit.clause].append((unit, sign * ROLES["action"][unit.name]))
        for word in unit.words:
            if word.isalpha() and word.isascii():
                yield Feature(f"{kind}w:{word}", sign, unit.start, unit.end)
        if left is not None and unit.words[0].isascii():
            yield Feature(f"{kind}2:{' '.join(left.words)} {' '.join(unit.words)}", sign, left.start, unit.end)
    yield from _composed(units, readings)


def _around(signs: list[int]) -> tuple[list[int], list[int], list[int]]:
    """For each unit: the last subject's sign before it, the next one's after it, and the next one's if near."""
    before, after, near = [0] * len(signs), [0] * len(signs), [0] * len(signs)
    last = 0
    for i, sign in enumerate(signs):
        last = sign or last
        before[i] = last
    following, distance = 0, _OBJECT_REACH + 1
    for i in reversed(range(len(signs))):
        after[i] = following
        near[i] = following if distance < _OBJECT_REACH else 0
        following, distance = (signs[i], 0) if signs[i] else (following, distance + 1)
    return before, after, near


def _composed(units: list[Unit], readings: dict[str, list[tuple[Unit, int]]]) -> Iterator[Feature]:
    whole = 0
    for clause, parts in readings.items():
        flips = sum(unit.concept and unit.clause == clause and unit.name in ROLES["flip"] for unit in units)
        net = sum(sign for _, sign in parts) * (-1) ** flips
        whole += net
        start, end = min(unit.start for unit, _ in parts), max(unit.end for unit, _ in parts)
        if net:
            yield Feature(f"k:{clause}", 2 if net > 0 else -2, start, end)
        else:
            yield Feature(f"k0:{clause}", 1, start, end)
    if whole:
        start = min(unit.start for parts in readings.values() for unit, _ in parts)
        end = max(unit.end for parts in readings.values() for unit, _ in parts)
        yield Feature("k", 2 if whole > 0 else -2, start, end)


def _of_surprise(surprise: Surprise) -> Iterator[Feature]:
    start, end = surprise.span
    if not surprise.gap:
        yield Feature(f"z:{surprise.against}:in line", 1, start, end)
        return
    sign = (1 if surprise.gap > 0 else -1) * (1 if surprise.country == "US" else -1)
    size = abs(surprise.gap)
    yield Feature(f"z:{surprise.against}", 2 * sign, start, end)
    if size >= _USUAL:
        yield Feature(f"z:{surprise.against}:usual", sign, start, end)
    if size >= _BIG:
        yield Feature(f"z:{surprise.against}:big", sign, start, end)
