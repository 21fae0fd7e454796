"""How good answers are on labelled rows: the figures a trader and a statistician ask for, with intervals."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import bootstrap

from signals.model import DIRECTIONS
from signals.scoring.corpus import Labelled
from signals.scoring.matrix import Floats

RELEVANT = 0.5
IRRELEVANT = len(DIRECTIONS)
"""Class number of what is not about USD/JPY; 0, 1, 2 are up, flat, down."""
RESAMPLES = 999
_BINS = 10
_LEAST_ROWS = 5
"""Smaller groups get figures, but no intervals."""

Classes = NDArray[np.int64]


class Figure(NamedTuple):
    """A figure with its 95% bootstrap interval (percentile); null where the group is too small."""

    value: float
    low: float | None
    high: float | None


class Answers(NamedTuple):
    """What someone said of n rows: relevance (n,), and p_up, p_flat, p_down (n, 3) or null where they give none."""

    relevance: Floats
    said: Classes
    shares: Floats | None


def answers(relevance: Floats, shares: Floats) -> Answers:
    """The classes that probabilities come to."""
    said = np.where(relevance >= RELEVANT, shares.argmax(axis=1), IRRELEVANT)
    return Answers(relevance, said, shares)


def truth(rows: Sequence[Labelled]) -> Classes:
    """The class of each row."""
    return np.array([DIRECTIONS.index(row.label) if row.relevant else IRRELEVANT for row in rows])


def four_class_f1(rows: Sequence[Labelled], relevance: Floats, probability: Floats) -> float:
    """Macro-F1 over up, flat, down and irrelevant: the one figure by which models are compared."""
    return round(float(_macro_f1(truth(rows), answers(relevance, probability).said)), 4)


def figures(rows: Sequence[Labelled], given: Answers) -> dict[str, Figure]:
    """All figures of one set of answers. Direction is judged on the rows that are relevant.

    A relevant row that was called irrelevant counts as called flat: it makes no signal.
    """
    real = truth(rows)
    relevant = real != IRRELEVANT
    label = real[relevant]
    called = np.where(given.said == IRRELEVANT, DIRECTIONS.index("flat"), given.said)[relevant]
    made = {
        "accuracy": _figure(_accuracy, label, called),
        "macro_f1": _figure(_macro_f1, label, called),
        "wrong_sign": _figure(_wrong_sign, label, called),
    }
    if not relevant.all():
        judged = relevant.astype(int), (given.relevance >= RELEVANT).astype(int)
        made["relevance_f1"] = _figure(_positive_f1, *judged)
    if given.shares is not None:
        shares = given.shares[relevant]
        confidence, right = shares.max(axis=1), (shares.argmax(axis=1) == label).astype(float)
        made["brier"] = _figure(np.mean, ((shares - np.eye(3)[label]) ** 2).sum(axis=1))
        made["calibration_error"] = _figure(_calibration_error, confidence, right)
    return made


def by(
    rows: Sequence[Labelled], given: Answers, key: Callable[[Labelled], str]
) -> dict[str, tuple[int, dict[str, Figure]]]:
    """Figures of each group of rows, by name, with the number of rows."""
    found: dict[str, list[int]] = {}
    for number, row in enumerate(rows):
        found.setdefault(key(row), []).append(number)
    return {
        name: (len(numbers), figures([rows[n] for n in numbers], _part(given, numbers)))
        for name, numbers in sorted(found.items())
        if any(rows[n].relevant for n in numbers)
    }


def measures(rows: Sequence[Labelled], relevance: Floats, direction: Floats) -> dict[str, float]:
    """Figures of answers given out of fold, for a model's card: relevance, and direction where it matters."""
    real = truth(rows)
    relevant = real != IRRELEVANT
    shares, label = direction[relevant], real[relevant]
    right = (shares.argmax(axis=1) == label).astype(float)
    found = {
        "relevance_f1": _positive_f1(relevant.astype(int), (relevance >= RELEVANT).astype(int)),
        "direction_macro_f1": _macro_f1(label, shares.argmax(axis=1)),
        "wrong_sign": _wrong_sign(label, shares.argmax(axis=1)),
        "brier": ((shares - np.eye(3)[label]) ** 2).sum(axis=1).mean(),
        "calibration_error": _calibration_error(shares.max(axis=1), right),
    }
    return {name: round(float(value), 4) for name, value in found.items()}


def reliability(rows: Sequence[Labelled], shares: Floats) -> list[tuple[float, float, int]]:
    """Bins of the reliability diagram over relevant rows: mean confidence, share that was right, count."""
    real = truth(rows)
    relevant = real != IRRELEVANT
    confidence = shares[relevant].max(axis=1)
    right = shares[relevant].argmax(axis=1) == real[relevant]
    bins = _bin(confidence)
    return [
        (float(confidence[bins == b].mean()), float(right[bins == b].mean()), int((bins == b).sum()))
        for b in range(_BINS)
        if (bins == b).any()
    ]


def confusion(rows: Sequence[Labelled], given: Answers) -> NDArray[np.int64]:
    """Counts (4, 4): what was true down, what was said across; up, flat, down, irrelevant."""
    table = np.zeros((IRRELEVANT + 1, IRRELEVANT + 1), dtype=np.int64)
    np.add.at(table, (truth(rows), given.said), 1)
    return table


def _part(given: Answers, numbers: Sequence[int]) -> Answers:
    index = np.array(numbers)
    return Answers(given.relevance[index], given.said[index], None if given.shares is None else given.shares[index])


def _figure(statistic: Callable[..., object], *samples: NDArray[np.generic]) -> Figure:
    value = float(statistic(*samples))  # type: ignore[arg-type]
    if len(samples[0]) < _LEAST_ROWS:
        return Figure(value, None, None)
    found = bootstrap(
        samples, statistic, n_resamples=RESAMPLES, paired=True, vectorized=True, method="percentile", rng=0
    ).confidence_interval
    return Figure(value, float(found.low), float(found.high))


def _accuracy(label: Classes, said: Classes, axis: int = -1) -> Floats:
    return np.asarray((label == said).mean(axis=axis))


def _wrong_sign(label: Classes, said: Classes, axis: int = -1) -> Floats:
    """Share of rows called up that are down, or down that are up."""
    both = (label != 1) & (said != 1) & (label != IRRELEVANT) & (said != IRRELEVANT)
    return np.asarray((both & (label != said)).mean(axis=axis))


def _macro_f1(label: Classes, said: Classes, axis: int = -1) -> Floats:
    """Mean F1 of the classes that occur in `label` or `said` (as scikit-learn's f1_score, average="macro")."""
    scores, present = [], []
    for number in range(IRRELEVANT + 1):
        is_so, was_said = label == number, said == number
        total = is_so.sum(axis=axis) + was_said.sum(axis=axis)
        hits = (is_so & was_said).sum(axis=axis)
        scores.append(2 * hits / np.maximum(total, 1))
        present.append(total > 0)
    return np.asarray(np.sum(scores, axis=0) / np.maximum(np.sum(present, axis=0), 1))


def _positive_f1(label: Classes, said: Classes, axis: int = -1) -> Floats:
    hits = (label & said).sum(axis=axis)
    return np.asarray(2 * hits / np.maximum(label.sum(axis=axis) + said.sum(axis=axis), 1))


def _calibration_error(confidence: Floats, right: Floats, axis: int = -1) -> Floats:
    """Expected calibration error over ten equal bins (Guo et al., On Calibration of Modern Neural
    Networks, ICML 2017): the mean gap between confidence and the share that was right.
    """
    bins = _bin(confidence)
    gaps = [np.abs(np.where(bins == b, confidence - right, 0.0).sum(axis=axis)) for b in range(_BINS)]
    return np.asarray(np.sum(gaps, axis=0) / confidence.shape[axis])


def _bin(confidence: Floats) -> Classes:
    return np.minimum((confidence * _BINS).astype(np.int64), _BINS - 1)
