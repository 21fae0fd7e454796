"""Training from the shell's parts: a small corpus, the same every time, and a gate that is kept."""

import contextlib
import shutil

import msgspec
import pytest

from jobs.app import App
from jobs.runner import Runner
from jobs.settings import load
from jobs.training import load_in_place, place, train, train_job
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


def test_a_model_that_cannot_be_read_is_set_aside_by_the_job(settings, capsys):
    """The shipped model scores meanwhile, and the train job moves the broken file away."""
    mine = place(settings)
    mine.parent.mkdir(parents=True)
    mine.write_bytes(b"no model")
    shipped = ScoringModel.load(settings.seeds.model).model_id
    assert load_in_place(settings).model_id == shipped
    assert "the shipped model is used instead" in capsys.readouterr().err
    settings = msgspec.structs.replace(settings, seeds=load(settings.path, {}).seeds)
    with contextlib.closing(App(settings)) as app:
        runner = Runner({"train": (lambda run: train_job(app, run), 60)}, app.store, app.clock)
        assert runner.run("train", "manual").outcome == "ok"
    assert [path.name for path in mine.parent.iterdir()] == ["unreadable-model.skops"]


def test_a_place_that_cannot_be_written_is_told_of_before_fitting(settings, tmp_path, monkeypatch):
    """Nobody waits a minute for that."""
    (tmp_path / "file").touch()
    monkeypatch.setattr("jobs.training.read_corpus", lambda folder: pytest.fail("began to fit"))
    with pytest.raises(OSError, match="file"):
        train(settings, out=tmp_path / "file" / "m.skops")
