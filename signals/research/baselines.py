"""What our model is compared with, on the same rows: the majority, a general lexicon, plain words."""

from collections.abc import Callable, Sequence

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from signals.model import DIRECTIONS
from signals.scoring.corpus import Labelled
from signals.scoring.evaluation import IRRELEVANT, Answers, truth

_VADER_NEUTRAL = 0.05
"""VADER's own threshold between neutral and not (Hutto & Gilbert, ICWSM 2014)."""


def majority(train: Sequence[Labelled], rows: Sequence[Labelled]) -> Answers:
    """Always the class that is most frequent in training."""
    most = int(np.bincount(truth(train)).argmax())
    return Answers(np.full(len(rows), float(most != IRRELEVANT)), np.full(len(rows), most), None)


def vader(_train: Sequence[Labelled], rows: Sequence[Labelled]) -> Answers:
    """VADER's polarity of the words, read as the direction of the price; to it everything is relevant."""
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    analyser = SentimentIntensityAnalyzer()
    polarity = np.array([analyser.polarity_scores(row.text)["compound"] for row in rows])
    said = np.where(polarity >= _VADER_NEUTRAL, 0, np.where(polarity <= -_VADER_NEUTRAL, 2, 1))
    return Answers(np.ones(len(rows)), said, None)


def tfidf(train: Sequence[Labelled], rows: Sequence[Labelled]) -> Answers:
    """TF-IDF of words and word pairs with logistic regression over the four classes, from the same corpus."""
    model = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), LogisticRegression(C=10, max_iter=300)
    )
    model.fit([row.text for row in train], truth(train))
    shares = model.predict_proba([row.text for row in rows])
    relevance = 1 - shares[:, IRRELEVANT]
    said = np.where(relevance >= 0.5, shares[:, : len(DIRECTIONS)].argmax(axis=1), IRRELEVANT)
    return Answers(relevance, said, None)


BASELINES: dict[str, Callable[[Sequence[Labelled], Sequence[Labelled]], Answers]] = {
    "majority": majority,
    "VADER": vader,
    "TF-IDF": tfidf,
}
"""Each is given the training corpus and the rows to judge."""
