"""Evidence: the spans that made an answer, with weights that add up to its log-odds."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np

from signals.model import Evidence
from signals.scoring.features import spans
from signals.scoring.matrix import Floats, Segment, Table
from signals.text import original_spans

MOST = 8
"""Pieces of evidence shown; the weight of all others is one piece, named `rest`."""


def evidence(table: Table, name: Callable[[int], str], against: Floats) -> list[tuple[Evidence, ...]]:
    """For each text its pieces by falling weight. Weights are shares of log(p_up / p_down), + towards up.

    Features of the same place are one piece, named after the strongest. Spans are in characters of the
    title; pieces from an article's other sentences have none. `name` names a column; `against` (features,)
    is each one's weight for up less that for down, over the temperature.
    """
    weight = against[table.column] * table.value
    order = np.lexsort((-np.abs(weight), table.last, table.first, table.sentence))
    places = np.stack([table.sentence, table.first, table.last])[:, order]
    begins = np.flatnonzero(np.append(True, (places[:, 1:] != places[:, :-1]).any(axis=0))[: len(order)])
    sums = np.add.reduceat(weight[order], begins) if len(begins) else weight
    sentence, first, last = places[:, begins]
    text = table.owner[sentence]
    ranked = np.lexsort((last, first, sentence, -np.abs(sums), text))
    ends = np.searchsorted(text[ranked], np.arange(table.matrix.shape[0] + 1))
    lead = np.searchsorted(table.owner, np.arange(table.matrix.shape[0]))  # a text's first sentence is its title
    column = table.column[order[begins]]
    place = np.arange(len(ranked)) - ends[text[ranked]]  # among its text's pieces
    shown = ranked[place < MOST]
    pieces = _pieces(table.sentences, *(part[shown].tolist() for part in (sentence, first, last)))
    columns, weights = column[shown].tolist(), sums[shown].round(6).tolist()
    title = (sentence[shown] == lead[text[shown]]).tolist()
    made = [
        Evidence(span=span if on_title else None, text=words, feature=name(where), weight=share)
        for (span, words), on_title, where, share in zip(pieces, title, columns, weights, strict=True)
    ]
    counts = np.diff(ends)
    cuts = np.append(0, np.cumsum(np.minimum(counts, MOST))).tolist()
    rests = [
        _rest(sums[ranked[low + MOST : high]]) if high - low > MOST else () for low, high in pairwise(ends.tolist())
    ]
    return [(*made[low:high], *rest) for (low, high), rest in zip(pairwise(cuts), rests, strict=True)]


def _rest(weights: Floats) -> tuple[Evidence, ...]:
    return (Evidence(span=None, text="", feature="rest", weight=round(float(weights.sum()), 6)),)


def _pieces(
    sentences: Sequence[Segment], sentence: Sequence[int], first: Sequence[int], last: Sequence[int]
) -> list[tuple[tuple[int, int], str]]:
    """Spans and words of pieces, those of one sentence found together."""
    at = defaultdict(list)
    for number, where in enumerate(sentence):
        at[where].append(number)
    made: dict[int, tuple[tuple[int, int], str]] = {}
    for where, numbers in at.items():
        text = sentences[where].text
        folded = spans(sentences[where].found, [first[n] for n in numbers], [last[n] for n in numbers])
        for number, (low, high) in zip(numbers, original_spans(text, folded), strict=True):
            made[number] = ((low, high), text[low:high])
    return [made[number] for number in range(len(sentence))]
