"""Training from the shell's parts: a small corpus, the same every time, and a gate that is kept."""

import shutil

import msgspec
import pytest

from jobs.settings import load
from jobs.training import load_in_place, place, train
from signals.scoring.model import ScoringModel
from tests.conftest import ROOT

EVERY = 80


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A corpus of one row in 80, so that a fit takes a second or two."""
    folder = tmp_path_factory.mktemp("headlines")
    for file in sorted((ROOT / "seeds" / "headlines").glob("*.tsv")):
        header, *lines = file.read_text(encoding="utf-8").splitlines()
        (folder / file.name).write_text("\n".join([header, *lines[::EVERY]]) + "\n", encoding="utf-8")
    shutil.copytree(ROOT / "seeds" / "headlines" / "gate", folder / "gate")
    shutil.copy(ROOT / "seeds" / "headlines" / "README.md", folder)
    return folder


@pytest.fixture
def settings(small, tmp_path):
    made = load(ROOT / "config" / "signals.toml", {"SIGNALS_HOME": str(tmp_path / "home")})
    return msgspec.structs.replace(made, seeds=msgspec.structs.replace(made.seeds, headlines=small))


def test_training_twice_gives_the_same_file(settings, tmp_path):
    """The same headlines give the same model, bit for bit, with its card."""
    made = [train(settings, out=tmp_path / name / "m.skops", force=True) for name in ("a", "b")]
    assert made[0].path.read_bytes() == made[1].path.read_bytes()
    card = ScoringModel.load(made[0].path).card
    assert card.rows == made[0].card.rows > 200
    assert card.measures.keys() >= {"direction_macro_f1", "wrong_sign", "relevance_f1", "calibration_error"}


def test_a_worse_model_does_not_replace_the_one_in_place(settings):
    """A fit on a fraction of the corpus loses to the shipped model at the gate: it is told, and left out."""
    done = train(settings)
    assert not done.replaced
    assert done.figure < done.before
    assert not place(settings).exists()
    assert list(settings.home.rglob("*.skops")) == []


def test_a_forced_model_is_the_one_in_place(settings):
    """--force puts it there, and the home's model goes before the shipped one."""
    done = train(settings, force=True)
    assert done.replaced
    assert load_in_place(settings).model_id == done.model_id
