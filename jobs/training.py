"""Training: fit a model from the seeds, and put it in place only if it does better on the gate set."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from jobs.app import App
from jobs.runner import Report, Run
from jobs.settings import Settings
from signals.errors import ModelError
from signals.scoring.corpus import Labelled, dated, fingerprint, read_corpus
from signals.scoring.file import Card, save
from signals.scoring.model import ScoringModel


class Trained(NamedTuple):
    """What a training came to. Figures are four-class macro-F1 on the gate set."""

    path: Path
    model_id: str
    figure: float
    before: float | None
    replaced: bool
    card: Card


def place(settings: Settings) -> Path:
    """Where this home keeps the model it trained."""
    return settings.home / "model" / "model.skops"


def _say(error: ModelError) -> None:
    print(f"signals: {error}; the shipped model is used instead", file=sys.stderr)


def load_in_place(settings: Settings, passed_over: Callable[[ModelError], None] = _say) -> ScoringModel:
    """The model trained in this home, else the shipped one; a broken one at home is told of, and passed over."""
    return found_in_place(settings, passed_over)[1]


def found_in_place(settings: Settings, passed_over: Callable[[ModelError], None] = _say) -> tuple[Path, ScoringModel]:
    """The same model and the file that it is in."""
    mine = place(settings)
    if mine.exists():
        try:
            return mine, ScoringModel.load(mine)
        except ModelError as error:
            passed_over(error)
    return settings.seeds.model, ScoringModel.load(settings.seeds.model)


def train(settings: Settings, *, out: Path | None = None, force: bool = False) -> Trained:
    """Fit a model from `seeds/headlines/` and put it in place if it beats the one there, or if forced."""
    from signals.scoring import training  # scikit-learn takes a second to load: only who trains pays it
    from signals.scoring.evaluation import four_class_f1, measures

    target = out or place(settings)
    candidate = target.with_name(f"candidate-{target.name}")
    candidate.parent.mkdir(parents=True, exist_ok=True)
    candidate.touch()  # a place that cannot be written is told of now, not after a minute of fitting
    folder = settings.seeds.headlines
    rows = read_corpus(folder)
    gate = read_corpus(folder / "gate")
    fitted = training.fit(rows)
    card = Card(
        corpus_hash=fingerprint(folder),
        corpus_date=dated(folder),
        rows=len(rows),
        features=len(fitted.parameters.codes),
        measures=measures(rows, fitted.relevance, fitted.direction),
    )
    model_id = save(candidate, fitted.parameters, card)
    figure = four_class_f1(gate, *ScoringModel.load(candidate).probabilities([row.text for row in gate]))
    before = _figure_in_place(target if out else None, settings, gate)
    replaced = force or before is None or figure > before
    if replaced:
        candidate.replace(target)
    else:
        candidate.unlink()
    return Trained(target, model_id, figure, before, replaced, card)


def _figure_in_place(out: Path | None, settings: Settings, gate: list[Labelled]) -> float | None:
    from signals.scoring.evaluation import four_class_f1

    try:
        model = ScoringModel.load(out) if out else load_in_place(settings)
    except ModelError:
        return None
    return four_class_f1(gate, *model.probabilities([row.text for row in gate]))


def train_job(app: App, run: Run) -> Report:
    """Train again if the corpus has changed since the model in place was made."""
    _set_aside_unreadable(place(app.settings), run)
    model = load_in_place(app.settings)
    if model.card.corpus_hash == fingerprint(app.settings.seeds.headlines):
        return Report({"trained": 0, "replaced": 0})
    done = train(app.settings)
    run.log.info(
        "model.trained", model_id=done.model_id, figure=done.figure, before=done.before, replaced=done.replaced
    )
    if done.replaced:
        app.forget_scorer()
    return Report({"trained": 1, "replaced": int(done.replaced)})


def _set_aside_unreadable(mine: Path, run: Run) -> None:
    """Move away a home model that this code cannot read, so that the shipped one is in place, and say so once."""
    if not mine.exists():
        return
    try:
        ScoringModel.load(mine)
    except ModelError as error:
        aside = mine.replace(mine.with_name(f"unreadable-{mine.name}"))
        run.log.warning("model.set_aside", error=str(error), moved_to=str(aside))
