"""The model: whether the file in place can be loaded by this code, which it is, and what it was made of."""

from pathlib import Path

from jobs.checks.line import Line, fail, ok, warn
from jobs.checks.seen import Seen
from signals.errors import ModelError


def model(seen: Seen) -> list[Line]:
    """The model trained in this home goes before the shipped one; a broken one does not."""
    mine, shipped = seen.settings.home / "model" / "model.skops", seen.settings.seeds.model
    lines = []
    if mine.exists():
        found = _loaded(mine)
        if not isinstance(found, ModelError):
            return [ok("model", found)]
        mend = f"`signals train --force` makes it anew; or delete {mine}"
        lines.append(warn("model:home", f"{mine} {found.problem}; the shipped model is used instead", mend))
    found = _loaded(shipped)
    if isinstance(found, ModelError):
        mend = "restore it from the release, or `signals train --force` to make one in this home"
        return [*lines, fail("model", f"{shipped} {found.problem}", mend)]
    return [*lines, ok("model", found)]


def _loaded(path: Path) -> str | ModelError:
    from signals.scoring import file

    try:
        _, card, model_id = file.load(path)
    except ModelError as error:
        return error
    return f"{model_id} in {path}, of {card.rows} headlines as of {card.corpus_date}"
