"""The shipped model, loaded once."""

import datetime as dt
from collections.abc import Callable

import pytest

from signals.model import Headline, Score
from signals.scoring.model import ScoringModel
from signals.text import script_lang
from tests.conftest import ROOT

AT = dt.datetime(2026, 1, 5, 9, 0, tzinfo=dt.UTC)


@pytest.fixture(scope="session")
def model() -> ScoringModel:
    return ScoringModel.load(ROOT / "seeds" / "model" / "model.skops")


@pytest.fixture(scope="session")
def score(model: ScoringModel) -> Callable[..., Score]:
    def one(title: str, summary: str = "", body: str = "") -> Score:
        headline = Headline(
            headline_id="h", source="s", url=None, title=title, summary=summary, body=body, lang=script_lang(title),
            source_published_at=AT, known_at=AT,
        )  # fmt: skip
        return model.score([headline])[0]

    return one
