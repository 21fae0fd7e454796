"""Texts as rows of numbers: features of a headline's parts, weighted, over a fixed vocabulary."""

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from signals.model import Headline
from signals.scoring.batch import Ints, features
from signals.scoring.codes import name_of
from signals.scoring.features import Extract, extract

Floats = NDArray[np.float64]
T = TypeVar("T")

TITLE, SUMMARY, BODY = 0.5, 0.25, 0.25
"""Shares of an article's parts in its score; a missing part's share goes to the others."""
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z“\"‘'(])|(?<=[。！？])|\n+")
_MIN_CONCEPTS = 2
"""Sentences with fewer concepts of the field say nothing about the pair, and are left out."""
_LEAST_LENGTH = 4
"""Rows shorter than this many features count as this long: one word alone should not decide."""
_BATCH = 128
"""Texts made into features at once: more are no faster, and cost the garbage collector more."""

LONGEST = 1000
"""Characters read of a title or sentence: longer ones are no prose, and cost more than they tell."""


class Segment(NamedTuple):
    """A sentence, its share in the whole, and what it was made into."""

    text: str
    share: float
    found: Extract

    @classmethod
    def of(cls, text: str, share: float) -> "Segment":
        """A sentence with its features; of one longer than `LONGEST` only the beginning is read."""
        text = text[:LONGEST]
        return cls(text, share, extract(text))


def segments(headline: Headline) -> list[Segment]:
    """The title first, then the telling sentences of summary and body; shares add up to one."""
    title = Segment.of(headline.title, TITLE)
    rest = [(SUMMARY, _telling(headline.summary)), (BODY, _telling(headline.body))]
    whole = TITLE + sum(share for share, found in rest if found)
    parts = [title._replace(share=TITLE / whole)]
    for share, found in rest:
        parts += [segment._replace(share=share / whole / len(found)) for segment in found]
    return parts


class Table(NamedTuple):
    """A batch of texts over the vocabulary: what is known of each of its sentences, and the sums of each text."""

    sentences: list[Segment]
    owner: Ints
    """(sentences,) the text of each."""
    sentence: Ints
    """(features,) the sentence of each known feature, rising; with its column, weighted value and place."""
    column: Ints
    value: Floats
    first: Ints
    last: Ints
    matrix: sp.csr_array
    """(texts, names)"""


class Vocabulary:
    """The features a model knows, by their codes; a code's place among them is its column."""

    def __init__(self, tokens: Sequence[str], codes: Ints) -> None:
        self.tokens = {token: number for number, token in enumerate(tokens, 1)}
        self.codes = codes
        self._names = ("", *tokens)

    def name(self, column: int) -> str:
        """Of a feature."""
        return name_of(int(self.codes[column]), self._names)

    def table(self, texts: Sequence[Sequence[Segment]]) -> Table:
        """Texts, each a list of sentences, as one table; features unknown are left out."""
        sentences = [segment for parts in texts for segment in parts]
        owner = np.repeat(np.arange(len(texts)), [len(parts) for parts in texts])
        found = features([segment.found for segment in sentences], self.tokens)
        place = np.searchsorted(self.codes, found.code)
        place[place == len(self.codes)] = 0
        there = np.flatnonzero(self.codes[place] == found.code)
        there = there[np.argsort(found.text[there], kind="stable")]
        sentence, column = found.text[there], place[there]
        counts = np.bincount(sentence, minlength=len(sentences))
        share = np.array([segment.share for segment in sentences]) / np.sqrt(np.maximum(_LEAST_LENGTH, counts))
        value = found.value[there] * share[sentence]
        ends = np.append(0, np.cumsum(np.bincount(owner, counts, minlength=len(texts)))).astype(np.int32)
        matrix = sp.csr_array((value, column.astype(np.int32), ends), shape=(len(texts), len(self.codes)), copy=True)
        matrix.sum_duplicates()
        return Table(sentences, owner, sentence, column, value, found.first[there], found.last[there], matrix)

    def matrix(self, texts: Iterable[Sequence[Segment]]) -> sp.csr_array:
        """One row a text, the sum of its sentences (texts, names). Texts are taken in batches and let go."""
        made = [self.table(batch).matrix for batch in batches(texts)]
        return sp.vstack(made, format="csr") if made else sp.csr_array((0, len(self.codes)))


def batches(texts: Iterable[T]) -> Iterator[list[T]]:
    """Lists of as many texts as are best made into features at once."""
    rows = iter(texts)
    return iter(lambda: list(itertools.islice(rows, _BATCH)), [])


def _telling(text: str) -> list[Segment]:
    found = [Segment.of(sentence, 1.0) for sentence in _SENTENCE.split(text) if sentence and sentence.strip()]
    return [segment for segment in found if segment.found.concepts >= _MIN_CONCEPTS]
