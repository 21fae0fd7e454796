"""Evidence: the spans that made an answer, with weights that add up to its log-odds."""

from collections import defaultdict
from collections.abc import Sequence

from signals.model import Evidence
from signals.scoring.matrix import Floats, Segment, Vocabulary, scale
from signals.text import original_span

MOST = 8
"""Pieces of evidence shown; the weight of all others is one piece, named `rest`."""


def evidence(parts: Sequence[Segment], vocabulary: Vocabulary, against: Floats) -> tuple[Evidence, ...]:
    """Pieces by falling weight. Weights are shares of log(p_up / p_down), + towards up.

    Spans are in characters of the title; pieces from an article's other sentences have none.
    `against` (names,) is each feature's weight for up less that for down, over the temperature.
    """
    weights: defaultdict[tuple[int, int, int], float] = defaultdict(float)
    strongest: dict[tuple[int, int, int], tuple[float, str]] = {}
    for number, segment in enumerate(parts):
        columns, values = vocabulary.row(segment)
        factor = scale(segment, len(columns))
        found = zip(segment.found.features, segment.found.spans(), strict=True)
        known = [(feature[0], span) for feature, span in found if feature[0] in vocabulary.index]
        for (name, (start, end)), column, value in zip(known, columns, values, strict=True):
            where = (number, start, end)
            weight = float(against[column]) * value * factor
            weights[where] += weight
            if abs(weight) > strongest.get(where, (-1.0, ""))[0]:
                strongest[where] = (abs(weight), name)
    ranked = sorted(weights, key=lambda where: (-abs(weights[where]), where))
    shown = [_piece(parts, where, strongest[where][1], weights[where]) for where in ranked[:MOST]]
    rest = sum(weights[where] for where in ranked[MOST:])
    if ranked[MOST:]:
        shown.append(Evidence(span=None, text="", feature="rest", weight=round(rest, 6)))
    return tuple(shown)


def _piece(parts: Sequence[Segment], where: tuple[int, int, int], feature: str, weight: float) -> Evidence:
    number, start, end = where
    text = parts[number].text
    low, high = original_span(text, start, end)
    return Evidence(
        span=(low, high) if number == 0 else None, text=text[low:high], feature=feature, weight=round(weight, 6)
    )
