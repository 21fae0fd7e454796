"""Headlines a second, the time of one, and the time until a process can score; against VADER and TF-IDF."""

import datetime as dt
import statistics
import subprocess
import sys
from collections.abc import Iterator

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from signals.model import Headline
from signals.scoring.corpus import read_corpus
from signals.scoring.model import ScoringModel
from signals.text import script_lang
from tests.bench.timing import Row, paired, seconds
from tests.conftest import ROOT

MODEL = ROOT / "seeds" / "model" / "model.skops"
BULK = 10_000
SINGLE = 500


def bench() -> Iterator[Row]:
    """The rows."""
    rows = read_corpus(ROOT / "seeds" / "headlines")
    texts = [row.text for row in rows][:BULK]
    headlines = [_headline(number, text) for number, text in enumerate(texts)]
    model = ScoringModel.load(MODEL)
    vader = SentimentIntensityAnalyzer()
    tfidf = make_pipeline(TfidfVectorizer(ngram_range=(1, 2)), LogisticRegression(max_iter=200))
    tfidf.fit(texts, [row.label for row in rows][:BULK])

    bulk, with_vader, with_tfidf = paired(
        lambda: model.probabilities(texts),
        lambda: [vader.polarity_scores(text) for text in texts],
        lambda: tfidf.predict_proba(texts),
    )
    explained = paired(lambda: model.score(headlines), rounds=3)[0]
    single = statistics.median(seconds(lambda one=one: model.score([one])) for one in headlines[:SINGLE])
    ready = statistics.median(_ready_s() for _ in range(3))
    count = len(texts)
    yield Row("in bulk, without evidence, one core", count / bulk, "headlines/s", "wanted: 20,000")
    yield Row(
        "  VADER on the same headlines", count / with_vader, "headlines/s", f"ours is {with_vader / bulk:.2f} x as fast"
    )
    yield Row(
        "  TF-IDF + logistic regression",
        count / with_tfidf,
        "headlines/s",
        f"ours is {with_tfidf / bulk:.2f} x as fast",
    )
    yield Row("in bulk, with evidence", count / explained, "headlines/s", "wanted: 5,000")
    yield Row("one headline with evidence, median", single * 1e3, "ms", "wanted: 1.5 at most")
    yield Row("from start of the process to the first score", ready, "s", "wanted: 2.5 at most")


def _headline(number: int, text: str) -> Headline:
    at = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    return Headline(
        headline_id=str(number), source="bench", url=None, title=text, lang=script_lang(text),
        source_published_at=at, known_at=at,
    )  # fmt: skip


_FIRST_SCORE = f"""
from pathlib import Path
from signals.scoring.model import ScoringModel
ScoringModel.load(Path({str(MODEL)!r})).probabilities(["BOJ hikes to 1.0%"])
"""


def _ready_s() -> float:
    return seconds(lambda: subprocess.run([sys.executable, "-c", _FIRST_SCORE], check=True, cwd=ROOT))
