"""The model in service: its answers add up, explain themselves, and say when they don't know."""

import math
import re
import zipfile

import pytest

from signals.errors import ModelError
from signals.scoring import file
from signals.scoring.corpus import fingerprint
from signals.scoring.model import ScoringModel
from tests.conftest import ROOT

MODEL = ROOT / "seeds" / "model" / "model.skops"
TITLES = (
    "BOJ hikes to 1.0%",
    "Fed cuts rates but signals it is done - Reuters",
    "ＢＯＪ　ｈｉｋｅｓ rates, yen surges",
    "日銀、利上げ見送り 円安進む",
    "US CPI m/m 0.5% vs 0.3% exp",
    "Dollar General raises outlook",
)


@pytest.mark.parametrize("title", TITLES)
def test_evidence_and_intercept_add_up_to_the_log_odds(score, title):
    """The weights shown, with the intercept, are log(p_up / p_down): nothing else went into the answer."""
    one = score(title)
    total = one.intercept + math.fsum(piece.weight for piece in one.evidence)
    # the probabilities are rounded to six digits, which costs a small one most
    assert total == pytest.approx(math.log(one.p_up / one.p_down), abs=1e-4 + 1e-6 / min(one.p_up, one.p_down))


@pytest.mark.parametrize("title", TITLES)
def test_spans_point_at_the_words_in_the_title_itself(score, title):
    """A span cuts its own text out of the title as it was given, full-width forms and all."""
    for piece in score(title).evidence:
        if piece.span is not None:
            assert title[slice(*piece.span)] == piece.text


def test_the_model_scores_a_batch_as_it_scores_each_alone(model):
    """A headline's probabilities do not depend on its neighbours, to the last bit."""
    relevance, shares = model.probabilities(TITLES)
    for number, title in enumerate(TITLES):
        one_relevance, one = model.probabilities([title])
        assert one_relevance[0] == relevance[number]
        assert one[0].tolist() == shares[number].tolist()


@pytest.mark.parametrize(
    ("title", "reason"),
    [
        ("Цены на золото выросли", "language"),
        ("엔화 가치 급락", "language"),
        ("qwrt zxcv plmk", "unknown_words"),
        ("...", "unknown_words"),
    ],
)
def test_what_cannot_be_read_abstains_and_says_why(score, title, reason):
    """`I don't know` is not `flat`: it carries its reason."""
    one = score(title)
    assert one.abstained
    assert one.abstain_reason == reason
    assert one.direction == "flat"


def test_a_hike_by_the_bank_of_japan_moves_the_yen_leg(score):
    """The legs tell whose currency moves, and agree with the call."""
    one = score("BOJ hikes rates to 1.0% in surprise move")
    assert one.direction == "down"
    assert one.jpy_effect > 0.3
    assert abs(one.usd_effect) < one.jpy_effect / 2


def test_an_article_is_read_whole(score):
    """Summary and body move the answer of a neutral title."""
    plain = score("Bank of Japan announces its decision")
    hawkish = score(
        "Bank of Japan announces its decision",
        "The Bank of Japan raised its policy rate.",
        "The yen surged after the BOJ hiked rates.\nGovernor Ueda signalled further rate hikes.",
    )
    assert hawkish.p_down > plain.p_down


def test_the_shipped_model_was_made_from_the_shipped_corpus(model):
    """Whoever changes seeds/headlines/ rebuilds the model: `signals train --force --out seeds/model/model.skops`."""
    assert model.card.corpus_hash == fingerprint(ROOT / "seeds" / "headlines")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", model.card.corpus_date)


def test_saving_twice_gives_the_same_bytes(model, tmp_path):
    """A model file holds nothing of the moment or the machine's memory."""
    for name in ("a", "b"):
        file.save(tmp_path / name, model.parameters, model.card)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_saved_model_comes_back_as_it_was(model, tmp_path):
    """What is loaded answers as what was saved, under the same id."""
    path = tmp_path / "m.skops"
    assert file.save(path, model.parameters, model.card) == model.model_id
    again = ScoringModel.load(path)
    assert again.probabilities(TITLES)[1].tolist() == model.probabilities(TITLES)[1].tolist()


def broken_files(tmp_path):
    missing = tmp_path / "missing.skops"
    garbage = tmp_path / "garbage.skops"
    garbage.write_bytes(b"not a model")
    cut = tmp_path / "cut.skops"
    cut.write_bytes(MODEL.read_bytes()[:1000])
    empty = tmp_path / "empty.skops"
    with zipfile.ZipFile(empty, "w") as archive:
        archive.writestr("schema.json", "{}")
    return [missing, garbage, cut, empty]


def test_a_file_that_is_no_model_is_refused_with_its_name_and_the_mend(tmp_path):
    """Missing, garbage, cut off or empty: one line that names the file and the command."""
    for path in broken_files(tmp_path):
        with pytest.raises(ModelError) as told:
            ScoringModel.load(path)
        assert str(path) in str(told.value)
        assert "signals train" in str(told.value)


def test_a_model_for_other_features_is_refused(model, tmp_path, monkeypatch):
    """A file made for other features would score nonsense: it is refused."""
    monkeypatch.setattr(file, "VERSION", file.VERSION + 1)
    with pytest.raises(ModelError, match="was made for"):
        ScoringModel.load(MODEL)


def test_a_file_that_holds_code_is_refused(tmp_path):
    """Nothing but data is ever loaded: an object of another class is refused, not made."""
    import skops.io
    from sklearn.preprocessing import FunctionTransformer

    path = tmp_path / "evil.skops"
    path.write_bytes(skops.io.dumps({"format": 1, "features": FunctionTransformer(print)}))
    with pytest.raises(ModelError):
        ScoringModel.load(path)
