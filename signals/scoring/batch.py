"""Texts made into features all at once, column by column: the cost of a batch is hardly more than of one text."""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from signals.scoring.codes import (
    CONCEPT,
    EARLIER_SUBJECT,
    NEIGHBOURS,
    NEXT_SUBJECT,
    NOBODY,
    OBJECT,
    OWN_SUBJECT,
    PAIR,
    THREE,
    TRIPLE,
    TWO,
    WORD,
    pack,
)
from signals.scoring.features import SUBJECTS, Extract
from signals.scoring.lexicon import all_concepts
from signals.scoring.reading import OWN
from signals.scoring.units import PLAIN

Ints = NDArray[np.int64]
_OBJECT_REACH = 2
_CHAIN_REACH = 3
_SILENT = ("to", "of", "in", "on", "at", "for", "is", "as", "and", "#", "%", ",", ":", ";", "by", "s", "with", "from")
"""Words that say nothing of anyone on their own."""


class Features(NamedTuple):
    """Features of a batch of texts, a row each, in no order that means anything."""

    text: Ints
    code: Ints
    value: Ints
    first: Ints
    last: Ints
    """Places it was made of: from the first up to, not including, the last."""


def features(texts: Sequence[Extract], tokens: Mapping[str, int]) -> Features:
    """All features of some texts. `tokens` numbers the names of units from 1; one it lacks is 0."""
    batch = _Batch(texts, tokens)
    _words(batch)
    _chains(batch)
    _signed(batch)
    _whole(batch, texts)
    return batch.features()


class _Batch:
    """The units of some texts, one after the other, as columns; and the features made of them so far."""

    def __init__(self, texts: Sequence[Extract], tokens: Mapping[str, int]) -> None:
        self.tokens = tokens
        units = list(chain.from_iterable(text.units for text in texts))
        said, concept, clause, first, last = zip(*units, strict=True) if units else ((),) * 5
        number, token, sign, subject = _concepts(tokens)
        kind = _ints([number[c[0]] for c in concept])
        self.said = _ints([tokens.get(word, 0) for word in said])
        self.concept, self.sign, self.subject = token[kind], sign[kind], subject[kind]
        self.plain = kind == 0
        self.name = np.where(self.plain, self.said, self.concept)
        self.clause = _ints(list(map(ord, clause)))
        self.first, self.last = _ints(first), _ints(last)
        self.text = np.repeat(np.arange(len(texts)), [len(text.units) for text in texts])
        self.words = np.array([text.words for text in texts], dtype=bool)[self.text]
        self.at = np.arange(len(units))
        self._made: list[tuple[Ints, Ints, Ints | int, Ints, Ints]] = []

    def add(self, code: Ints, value: Ints | int, begin: Ints, end: Ints) -> None:
        """Features made of the units from `begin` to `end`."""
        self._made.append((self.text[end], code, value, self.first[begin], self.last[end]))

    def add_placed(self, text: Ints, code: Ints, value: Ints, first: Ints, last: Ints) -> None:
        """Features whose places are known."""
        self._made.append((text, code, value, first, last))

    def features(self) -> Features:
        """All that were added."""
        made = [(text, code, np.broadcast_to(value, code.shape), *rest) for text, code, value, *rest in self._made]
        return Features(*map(np.concatenate, zip(*made, strict=True)))


def _concepts(tokens: Mapping[str, int]) -> tuple[dict[str, int], Ints, Ints, NDArray[np.bool_]]:
    """Numbers of the concepts' names, 0 for none, and by number: token, sign of a subject, is it one?"""
    rows = [PLAIN, *all_concepts().values()]
    subject = np.array([row.role in SUBJECTS for row in rows])
    number = {row.name: place for place, row in enumerate(rows)}
    return (
        number,
        _ints([tokens.get(row.name, 0) for row in rows]),
        _ints([row.sign for row in rows]) * subject,
        subject,
    )


def _ints(values: Sequence[int]) -> Ints:
    return np.array(values, dtype=np.int64)


def _words(b: _Batch) -> None:
    at = b.at[b.words]
    if not len(at):
        return
    name, text = b.name[at], b.text[at]
    b.add(pack(WORD, b.said[at]), 1, at, at)
    opens = np.append(True, text[1:] != text[:-1])
    left = np.where(opens, b.tokens.get("^", 0), np.append(0, name[:-1]))
    before = np.where(opens, at, np.append(0, at[:-1]))
    b.add(pack(NEIGHBOURS, left, name), 1, before, at)
    closes = np.append(opens[1:], True)
    b.add(pack(NEIGHBOURS, name[closes], b.tokens.get("$", 0)), 1, at[closes], at[closes])


def _chains(b: _Batch) -> None:
    at = b.at[~b.plain]
    name, text = b.concept[at], b.text[at]
    b.add(pack(CONCEPT, name), 1, at, at)
    b.add(pack(CONCEPT, name, 0, b.clause[at]), 1, at, at)
    for step in range(1, _CHAIN_REACH + 1):
        near = text[step:] == text[:-step]
        b.add(pack(PAIR, name[:-step][near], name[step:][near]), 1, at[:-step][near], at[step:][near])
    near = text[2:] == text[:-2]
    b.add(pack(TRIPLE, name[:-2][near], name[1:-1][near], name[2:][near]), 1, at[:-2][near], at[2:][near])


def _signed(b: _Batch) -> None:
    if not len(b.at):
        return
    kind, value, close, part = _said_of(b)
    told = ~b.subject & (value != 0)
    at = b.at[told & ~np.isin(b.said, [b.tokens.get(word, 0) for word in _SILENT])]
    b.add(pack(kind[at], b.said[at]), value[at], at, at)
    at = b.at[told & np.append(False, (part[1:] == part[:-1]) & ~b.subject[:-1])]
    b.add(pack(TWO, b.said[at - 1], b.said[at]), value[at], at - 1, at)
    at = b.at[told & (close != 0)]
    b.add(pack(OBJECT, b.said[at]), close[at], at, at)
    named = told & ~b.plain
    at = b.at[named & (close != 0)]
    b.add(pack(OBJECT, b.concept[at]), close[at], at, at)
    at = b.at[named]
    name = b.concept[at]
    b.add(pack(kind[at], name), value[at], at, at)
    b.add(pack(kind[at], name, 0, b.clause[at]), value[at], at, at)
    for step in (1, 2):
        then = at[step:][part[at[step:]] == part[at[:-step]]]
        place = np.flatnonzero(part[at[step:]] == part[at[:-step]]) + step
        whom = [name[place - back] for back in range(step, -1, -1)]
        b.add(pack((TWO, THREE)[step - 1], *whom), value[then], then, then)


def _said_of(b: _Batch) -> tuple[Ints, Ints, Ints, Ints]:
    """Of each unit: the kind of what it is said of, its sign, the sign of whom follows closely, and the number
    of its part: units between two subjects are one.
    """
    row = np.append(True, b.text[1:] != b.text[:-1])
    part = np.cumsum(b.subject | row)
    last = np.maximum.accumulate(np.where(b.subject, b.at, -1))
    past = last >= np.maximum.accumulate(np.where(row, b.at, 0))
    side = np.where(past, b.sign[last], 0)
    own = (b.clause[last] == b.clause) | np.isin(b.clause, list(map(ord, OWN)))
    count = len(b.at)
    after = np.minimum.accumulate(np.where(b.subject, b.at, count)[::-1])[::-1]
    there = np.minimum(after, count - 1)
    next_one = (after < count) & (b.text[there] == b.text)
    ahead = np.where(next_one, b.sign[there], 0)
    close = np.where((after - b.at <= _OBJECT_REACH) & (b.clause[there] == b.clause), ahead, 0)
    # Figures of no named country are mostly American.
    anyone = np.bincount(b.text, b.subject)[b.text] > 0
    kind = np.where(side != 0, np.where(own, OWN_SUBJECT, EARLIER_SUBJECT), np.where(anyone, NEXT_SUBJECT, NOBODY))
    return kind, np.where(side != 0, side, np.where(anyone, ahead, 1)), close, part


def _whole(b: _Batch, texts: Sequence[Extract]) -> None:
    found = list(chain.from_iterable(text.whole for text in texts))
    if found:
        name, value, first, last = zip(*found, strict=True)
        owner = np.repeat(np.arange(len(texts)), [len(text.whole) for text in texts])
        code = pack(0, _ints([b.tokens.get(part, 0) for part in name]))
        b.add_placed(owner, code, _ints(value), _ints(first), _ints(last))
