"""How good a model is on labelled rows: the figures a trader and a statistician would ask for."""

from collections.abc import Sequence

import numpy as np
from sklearn.metrics import f1_score

from signals.model import DIRECTIONS
from signals.scoring.corpus import Labelled
from signals.scoring.matrix import Floats

RELEVANT = 0.5
_BINS = 10


def four_class_f1(rows: Sequence[Labelled], relevance: Floats, probability: Floats) -> float:
    """Macro-F1 over up, flat, down and irrelevant: the one figure by which models are compared."""
    truth = [row.label if row.relevant else "irrelevant" for row in rows]
    said = [
        DIRECTIONS[int(shares.argmax())] if relevant >= RELEVANT else "irrelevant"
        for relevant, shares in zip(relevance, probability, strict=True)
    ]
    return round(float(f1_score(truth, said, average="macro")), 4)


def measures(rows: Sequence[Labelled], relevance: Floats, direction: Floats) -> dict[str, float]:
    """Figures of answers given to rows that were not trained on.

    Parameters
    ----------
    rows : n labelled rows.
    relevance : (n,) probabilities.
    direction : (n, 3) probabilities of up, flat, down; judged on the relevant rows only.
    """
    relevant = np.array([row.relevant for row in rows])
    label = np.array([DIRECTIONS.index(row.label) for row in rows])[relevant]
    shares = direction[relevant]
    said = shares.argmax(axis=1)
    return {
        "relevance_f1": round(float(f1_score(relevant, relevance >= RELEVANT)), 4),
        "direction_macro_f1": round(float(f1_score(label, said, average="macro")), 4),
        "wrong_sign": round(float(np.mean(np.abs(label - said) == len(DIRECTIONS) - 1)), 4),
        "brier": round(float(np.mean(np.sum((shares - np.eye(3)[label]) ** 2, axis=1))), 4),
        "calibration_error": calibration_error(shares, label),
    }


def calibration_error(shares: Floats, label: np.ndarray) -> float:
    """Expected calibration error: the mean gap between confidence and accuracy over ten equal bins
    (Guo et al., On Calibration of Modern Neural Networks, ICML 2017)."""
    confidence, right = shares.max(axis=1), shares.argmax(axis=1) == label
    bins = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    gaps = [
        abs(confidence[bins == b].mean() - right[bins == b].mean()) * np.mean(bins == b)
        for b in range(_BINS)
        if np.any(bins == b)
    ]
    return round(float(sum(gaps)), 4)
