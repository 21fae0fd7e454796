"""Texts as rows of numbers: features of a headline's parts, weighted, over a fixed vocabulary."""

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from signals.model import Headline
from signals.scoring.features import Feature, extract

Floats = NDArray[np.float64]

TITLE, SUMMARY, BODY = 0.5, 0.25, 0.25
"""Shares of an article's parts in its score; a missing part's share goes to the others."""
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z“\"‘'(])|(?<=[。！？])|\n+")
_MIN_CONCEPTS = 2
"""Sentences with fewer concepts of the field say nothing about the pair, and are left out."""
_LEAST_LENGTH = 4
"""Rows shorter than this many features count as this long: one word alone should not decide."""


class Segment(NamedTuple):
    """A sentence, its share in the whole, and its features."""

    text: str
    share: float
    features: list[Feature]
    concepts: int

    @classmethod
    def of(cls, text: str, share: float) -> "Segment":
        """A sentence with its features."""
        features, concepts = extract(text)
        return cls(text, share, features, concepts)


def segments(headline: Headline) -> list[Segment]:
    """The title first, then the telling sentences of summary and body; shares add up to one."""
    title = Segment.of(headline.title, TITLE)
    rest = [(SUMMARY, _telling(headline.summary)), (BODY, _telling(headline.body))]
    whole = TITLE + sum(share for share, found in rest if found)
    parts = [title._replace(share=TITLE / whole)]
    for share, found in rest:
        parts += [segment._replace(share=share / whole / len(found)) for segment in found]
    return parts


class Vocabulary:
    """Feature names and their columns."""

    def __init__(self, names: Sequence[str]) -> None:
        self.index = {name: column for column, name in enumerate(names)}

    def row(self, segment: Segment) -> tuple[list[int], list[float]]:
        """Columns and values of one sentence, scaled by its length and share; names unknown are left out."""
        index = self.index
        columns, values = [], []
        for feature in segment.features:
            column = index.get(feature.name)
            if column is not None:
                columns.append(column)
                values.append(feature.value)
        scale = segment.share / max(_LEAST_LENGTH, len(columns)) ** 0.5
        return columns, [value * scale for value in values]

    def matrix(self, texts: Sequence[Sequence[Segment]]) -> sp.csr_array:
        """One row a text, the sum of its sentences (texts, names)."""
        columns: list[int] = []
        values: list[float] = []
        ends = [0]
        for parts in texts:
            for segment in parts:
                found, weights = self.row(segment)
                columns += found
                values += weights
            ends.append(len(columns))
        shape = (len(texts), len(self.index))
        made = sp.csr_array((np.array(values), np.array(columns, dtype=np.int32), np.array(ends)), shape=shape)
        made.sum_duplicates()
        return made


def _telling(text: str) -> list[Segment]:
    found = [Segment.of(sentence, 1.0) for sentence in _SENTENCE.split(text) if sentence and sentence.strip()]
    return [segment for segment in found if segment.concepts >= _MIN_CONCEPTS]
