"""Texts as rows of numbers: features of a headline's parts, weighted, over a fixed vocabulary."""

import re
from array import array
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from signals.model import Headline
from signals.scoring.features import Extract, extract

Floats = NDArray[np.float64]

TITLE, SUMMARY, BODY = 0.5, 0.25, 0.25
"""Shares of an article's parts in its score; a missing part's share goes to the others."""
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z“\"‘'(])|(?<=[。！？])|\n+")
_MIN_CONCEPTS = 2
"""Sentences with fewer concepts of the field say nothing about the pair, and are left out."""
_LEAST_LENGTH = 4
"""Rows shorter than this many features count as this long: one word alone should not decide."""


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


class Vocabulary:
    """Feature names and their columns."""

    def __init__(self, names: Sequence[str]) -> None:
        self.index = {name: column for column, name in enumerate(names)}

    def row(self, segment: Segment) -> tuple[list[int], list[float]]:
        """Columns and values of one sentence, before `scale`; names unknown are left out."""
        get = self.index.get
        known = [(column, feature[1]) for feature in segment.found.features if (column := get(feature[0])) is not None]
        return [column for column, _ in known], [value for _, value in known]

    def matrix(self, texts: Iterable[Sequence[Segment]]) -> sp.csr_array:
        """One row a text, the sum of its sentences (texts, names). Texts are taken one by one and let go."""
        columns, values = array("i"), array("d")
        counts, shares, ends = [], [], [0]
        for parts in texts:
            for segment in parts:
                found, weights = self.row(segment)
                columns.extend(found)
                values.extend(weights)
                counts.append(len(found))
                shares.append(scale(segment, len(found)))
            ends.append(len(columns))
        scaled = np.asarray(values) * np.repeat(np.array(shares), counts)
        shape = (len(ends) - 1, len(self.index))
        made = sp.csr_array((scaled, np.asarray(columns, dtype=np.int32), np.array(ends, dtype=np.int32)), shape=shape)
        made.sum_duplicates()
        return made


def scale(segment: Segment, count: int) -> float:
    """What the values of a sentence with so many known features are multiplied by."""
    return float(segment.share / max(_LEAST_LENGTH, count) ** 0.5)


def _telling(text: str) -> list[Segment]:
    found = [Segment.of(sentence, 1.0) for sentence in _SENTENCE.split(text) if sentence and sentence.strip()]
    return [segment for segment in found if segment.found.concepts >= _MIN_CONCEPTS]
