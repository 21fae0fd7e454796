"""Fitting the model: scikit-learn's linear learners over our features, calibrated on rows they have not seen.

1. Every row becomes features; those seen less than `MIN_COUNT` times are left out.
2. Direction: multinomial logistic regression on relevant rows. Relevance: logistic regression on all.
   Legs: ridge regression to the two effects. Topic: logistic regression over concepts and words.
3. The same fits on five grouped folds give probabilities for rows that were left out; the temperature
   that makes those likeliest calibrates the fit on all rows.
Nothing is drawn by chance, so the same rows give the same model.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
from scipy.optimize import minimize_scalar
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GroupKFold

from signals.model import DIRECTIONS
from signals.scoring.batch import Ints, features
from signals.scoring.codes import Numbering, code_of, name_of
from signals.scoring.corpus import Labelled
from signals.scoring.file import Parameters
from signals.scoring.matrix import Floats, Segment, Vocabulary

MIN_COUNT = 2
FOLDS = 5
C_DIRECTION = 20.0
C_RELEVANCE = 30.0
C_TOPIC = 10.0
RIDGE = 0.1
_DIGITS = 4
"""Weights are rounded so: the last bits of a fit differ between processors, these don't."""
_TOPIC_FEATURES = ("c:", "w:", "g:")


class Fitted(NamedTuple):
    """A model's parameters, and what it said of the rows while they were left out of its fit."""

    parameters: Parameters
    relevance: Floats
    """(rows,) out-of-fold probabilities of being relevant."""
    direction: Floats
    """(rows, 3) out-of-fold probabilities of up, flat, down, before mixing with relevance."""


def fit(rows: Sequence[Labelled]) -> Fitted:
    """Fit on all rows; see the module for the steps."""
    texts = [[Segment.of(row.text, 1.0)] for row in rows]
    tokens, codes = _frequent(texts)
    signed = Vocabulary(tokens, codes).matrix(texts)
    label = np.array([DIRECTIONS.index(row.label) for row in rows])
    relevant = np.array([row.relevant for row in rows])
    groups = np.array([row.group or str(number) for number, row in enumerate(rows)])

    logits, odds = np.zeros((len(rows), 3)), np.zeros(len(rows))
    for train, test in GroupKFold(FOLDS).split(signed, label, groups):
        heads = _direction(signed[train], label[train], relevant[train])
        logits[test] = signed[test] @ heads[0] + heads[1]
        gate = _relevance(signed[train], relevant[train])
        odds[test] = abs(signed[test]) @ gate[0] + gate[1]
    temperature = _temperature(lambda t: _log_loss(logits[relevant] / t, label[relevant]))
    relevance_temperature = _temperature(lambda t: _log_loss(_two(odds / t), relevant.astype(int)))

    direction, direction_intercept = _direction(signed, label, relevant)
    relevance, relevance_intercept = _relevance(signed, relevant)
    legs, legs_intercept = _legs(signed, rows)
    telling = np.flatnonzero(_tells_topic(tokens, codes))
    topics, topic, topic_intercept = _topics(telling, signed, rows)
    parameters = Parameters(
        tokens=tokens,
        codes=codes,
        topics=topics,
        topic_columns=telling,
        direction=direction.round(_DIGITS),
        direction_intercept=direction_intercept.round(_DIGITS),
        relevance=relevance.round(_DIGITS),
        legs=legs.round(_DIGITS),
        legs_intercept=legs_intercept.round(_DIGITS),
        topic=topic.round(_DIGITS),
        topic_intercept=topic_intercept.round(_DIGITS),
        relevance_intercept=round(relevance_intercept, _DIGITS),
        relevance_temperature=round(relevance_temperature, _DIGITS),
        temperature=round(temperature, _DIGITS),
    )
    return Fitted(parameters, _shares(_two(odds / relevance_temperature))[:, 1], _shares(logits / temperature))


def _frequent(texts: Sequence[Sequence[Segment]]) -> tuple[tuple[str, ...], Ints]:
    numbering = Numbering()
    found = features([part.found for parts in texts for part in parts], numbering)
    codes, place = np.unique(found.code, return_inverse=True)
    once = np.unique(found.text * len(codes) + place) % len(codes)  # a text's feature counts once
    drawn = ("", *numbering)
    names = sorted(name_of(code, drawn) for code in codes[np.bincount(once) >= MIN_COUNT].tolist())
    tokens: dict[str, int] = {}
    kept = np.array(sorted(code_of(name, tokens) for name in names), dtype=np.int64)
    return tuple(tokens), kept


def _tells_topic(tokens: tuple[str, ...], codes: Ints) -> list[bool]:
    names = ("", *tokens)
    return [name_of(code, names).startswith(_TOPIC_FEATURES) for code in codes.tolist()]


def _direction(signed: sp.csr_array, label: np.ndarray, relevant: np.ndarray) -> tuple[Floats, Floats]:
    model = LogisticRegression(C=C_DIRECTION, max_iter=400, tol=5e-4).fit(signed[relevant], label[relevant])
    return model.coef_.T, model.intercept_


def _relevance(signed: sp.csr_array, relevant: np.ndarray) -> tuple[Floats, float]:
    model = LogisticRegression(C=C_RELEVANCE, max_iter=400, tol=5e-4).fit(abs(signed), relevant)
    return model.coef_[0], float(model.intercept_[0])


def _legs(signed: sp.csr_array, rows: Sequence[Labelled]) -> tuple[Floats, Floats]:
    relevant = [number for number, row in enumerate(rows) if row.relevant]
    effects = np.array([(rows[number].usd_effect, rows[number].jpy_effect) for number in relevant])
    model = Ridge(alpha=RIDGE, solver="lsqr").fit(signed[relevant], effects)
    return model.coef_.T, model.intercept_


def _topics(telling: Ints, signed: sp.csr_array, rows: Sequence[Labelled]) -> tuple[tuple[str, ...], Floats, Floats]:
    relevant = [number for number, row in enumerate(rows) if row.relevant and row.topic]
    model = LogisticRegression(C=C_TOPIC, max_iter=400, tol=5e-4)
    model.fit(abs(signed[relevant][:, telling]), [rows[number].topic for number in relevant])
    return tuple(map(str, model.classes_)), model.coef_.T, model.intercept_


def _temperature(loss: "object") -> float:
    found = minimize_scalar(loss, bounds=(0.2, 5.0), method="bounded", options={"xatol": 1e-4})
    return float(found.x)


def _log_loss(logits: Floats, label: np.ndarray) -> float:
    return float(-np.log(np.maximum(_shares(logits)[np.arange(len(label)), label], 1e-12)).mean())


def _two(odds: Floats) -> Floats:
    return np.column_stack([np.zeros(len(odds)), odds])


def _shares(logits: Floats) -> Floats:
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))
