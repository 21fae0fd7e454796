"""The model in service: features times weights, calibrated; loaded from one checked file.

`p_up, p_flat, p_down` come from a multinomial logistic regression over the features of `features.py`,
its logits divided by a temperature (Guo et al., On Calibration of Modern Neural Networks, ICML 2017).
Relevance is a logistic regression of its own. What is irrelevant is flat: the probabilities of a text
are those of a relevant one mixed with flat by its relevance, which leaves log(p_up / p_down) as it is.
"""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

from signals.model import DIRECTIONS, FLAT_BAND, Evidence, Headline, Score
from signals.scoring import file
from signals.scoring.collector import collector_paused
from signals.scoring.explain import evidence
from signals.scoring.matrix import Floats, Segment, Vocabulary, batches, segments
from signals.text import script_lang

RELEVANT = 0.5
LANGUAGES = ("en", "ja")
LEAST_GAP = 0.2
"""What the effects on dollar and yen differ by, at least, where a direction is called: as the corpus labels them."""
TORN = 0.05
"""Up and down this close, and both likelier than flat: the model doesn't know, which is not `flat`."""


class _Answers(NamedTuple):
    """One row a headline. `probability` columns are up, flat, down, after mixing with relevance."""

    relevance: Floats
    probability: Floats
    legs: Floats
    topic: Floats


class ScoringModel:
    """Scores headlines and articles; the same text always gets the same score.

    Parameters
    ----------
    parameters : what training found.
    card : what is told of the model: corpus hash, measures, calibration, date.
    model_id : derived from the file's bytes.
    """

    def __init__(self, parameters: file.Parameters, card: file.Card, model_id: str) -> None:
        self.parameters = parameters
        self.card = card
        self.model_id = model_id
        self.vocabulary = Vocabulary(parameters.tokens, parameters.codes)
        self._topic = np.zeros((len(parameters.codes), len(parameters.topics)))
        self._topic[parameters.topic_columns] = parameters.topic
        self._against = (parameters.direction[:, 0] - parameters.direction[:, 2]) / parameters.temperature

    @classmethod
    def load(cls, path: Path) -> "ScoringModel":
        """The model in a file. Raises `ModelError`, which names the file and the mend."""
        return cls(*file.load(path))

    @classmethod
    def loads(cls, blob: bytes, where: str) -> "ScoringModel":
        """The model in the bytes of a file, as other processes are sent it. Raises `ModelError`, naming `where`."""
        return cls(*file.loads(blob, where))

    def score(self, headlines: Sequence[Headline], *, with_evidence: bool = True) -> list[Score]:
        """Scores in the order of the headlines."""
        with collector_paused():
            return [score for batch in batches(headlines) for score in self._scores(batch, with_evidence)]

    def answers(self, headlines: Sequence[Headline]) -> list[Score]:
        """The same scores without their evidence, in a third of the time."""
        return self.score(headlines, with_evidence=False)

    def probabilities(self, titles: Sequence[str]) -> tuple[Floats, Floats]:
        """In bulk, without evidence: relevance (n,) and p_up, p_flat, p_down (n, 3)."""
        with collector_paused():
            signed = self.vocabulary.matrix([Segment.of(title, 1.0)] for title in titles)
        relevance, share = self._shares(signed, abs(signed))
        return relevance, share

    def _scores(self, headlines: Sequence[Headline], with_evidence: bool) -> Iterator[Score]:
        parts = [segments(headline) for headline in headlines]
        table = self.vocabulary.table(parts)
        answers = self._answers(table.matrix)
        pieces = evidence(table, self.vocabulary.name, self._against) if with_evidence else [()] * len(parts)
        p = self.parameters
        intercept = round(float(p.direction_intercept[0] - p.direction_intercept[2]) / p.temperature, 6)
        topics = [p.topics[number] for number in answers.topic.argmax(axis=1).tolist()]
        columns = (answers.relevance.tolist(), answers.probability.tolist(), answers.legs.tolist(), topics)
        for headline, part, shown, *row in zip(headlines, parts, pieces, *columns, strict=True):
            yield self._one(headline, part, shown, intercept, *row)

    def _shares(self, signed: sp.csr_array, plain: sp.csr_array) -> tuple[Floats, Floats]:
        p = self.parameters
        relevance = _sigmoid((plain @ p.relevance + p.relevance_intercept) / p.relevance_temperature)
        share = _softmax((signed @ p.direction + p.direction_intercept) / p.temperature) * relevance[:, None]
        share[:, 1] += 1 - relevance
        return relevance, share

    def _answers(self, signed: sp.csr_array) -> _Answers:
        p = self.parameters
        plain = abs(signed)
        relevance, share = self._shares(signed, plain)
        legs = _agreeing(np.clip(signed @ p.legs + p.legs_intercept, -1, 1) * relevance[:, None], share)
        return _Answers(relevance, share, legs, plain @ self._topic + p.topic_intercept)

    def _one(
        self,
        headline: Headline,
        parts: Sequence[Segment],
        pieces: tuple[Evidence, ...],
        intercept: float,
        relevance: float,
        shares: Sequence[float],
        legs: Sequence[float],
        topic: str,
    ) -> Score:
        """The numbers of one headline, rounded."""
        p_up, p_flat, p_down = found = _rounded(shares)
        relevance = round(relevance, 6)
        lang = script_lang(headline.title)
        reason = _abstain_reason(lang, parts, relevance, found)
        return Score(
            headline_id=headline.headline_id,
            model_id=self.model_id,
            relevance=relevance,
            relevant=relevance >= RELEVANT,
            direction="flat" if reason else DIRECTIONS[found.index(max(found))],
            p_up=p_up,
            p_flat=p_flat,
            p_down=p_down,
            usd_effect=round(legs[0], 4),
            jpy_effect=round(legs[1], 4),
            topics=(topic,) if relevance >= RELEVANT else (),
            lang=lang,
            evidence=pieces,
            intercept=intercept,
            abstained=reason is not None,
            abstain_reason=reason,
        )


def _agreeing(legs: Floats, share: Floats) -> Floats:
    """Legs that don't contradict the call: up needs the dollar's above the yen's by `LEAST_GAP`, down the
    reverse, and flat needs them within `FLAT_BAND`.
    """
    called = np.array([1.0, 0.0, -1.0])[share.argmax(axis=1)]
    short = np.maximum(LEAST_GAP - called * (legs[:, 0] - legs[:, 1]), 0) * abs(called)
    gap = legs[:, 0] - legs[:, 1]
    over = np.sign(gap) * np.maximum(np.abs(gap) - FLAT_BAND, 0) * (called == 0)
    return np.asarray(np.clip(legs + ((called * short - over) / 2)[:, None] * np.array([1.0, -1.0]), -1, 1))


def _abstain_reason(
    lang: str, parts: Sequence[Segment], relevance: float, shares: tuple[float, float, float]
) -> str | None:
    if lang not in LANGUAGES:
        return "language"
    if not any(part.found.concepts for part in parts):
        return "unknown_words"
    p_up, p_flat, p_down = shares
    if relevance >= RELEVANT and abs(p_up - p_down) < TORN and min(p_up, p_down) > p_flat:
        return "torn"
    return None


def _rounded(shares: Sequence[float]) -> tuple[float, float, float]:
    """Six digits that add up to one: what two machines print must be the same bytes."""
    p_up, p_down = round(shares[0], 6), round(shares[2], 6)
    return p_up, round(max(0.0, 1 - p_up - p_down), 6), p_down


def _softmax(logits: Floats) -> Floats:
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def _sigmoid(logits: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -50, 50))))


def log_odds(score: Score) -> float:
    """log(p_up / p_down), which the intercept and the weights of the evidence add up to."""
    return math.log(max(score.p_up, 1e-12) / max(score.p_down, 1e-12))
