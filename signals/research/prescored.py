"""Scores made beforehand (`score_dataset`), looked up by those who go through history in order.

A replay puts headlines into stories one after the other, which no second process can share; their scores it can take
from where many processes made them. A headline whose score is not there is scored now, to the same: the folder must be
of the same model.
"""

import bisect
import collections
import datetime as dt
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from signals.errors import DataError
from signals.model import Headline, Score
from signals.research import scored_folder
from signals.research.export_schema import pyarrow
from signals.scoring.model import ScoringModel

_HELD = 8
"""Parts in memory at once, the last used."""
_TRIED = 4
"""Parts that are looked into for one headline: more overlap only where a dataset is in no order of time."""


class _Span(NamedTuple):
    """A part, and of which times its headlines are (`known_at`, UTC)."""

    low: dt.datetime
    high: dt.datetime
    path: Path


class _Held:
    """The scores of a part; made into `Score` as they are asked for."""

    def __init__(self, path: Path) -> None:
        from pyarrow import parquet

        table = parquet.read_table(path, columns=[name for name in Score.__struct_fields__ if name != "evidence"])
        self._columns = {name: table.column(name).to_pylist() for name in table.column_names}
        self._columns["topics"] = [tuple(topics) for topics in self._columns["topics"]]
        self._row = {name: row for row, name in enumerate(self._columns["headline_id"])}

    def get(self, headline_id: str) -> Score | None:
        """Without evidence; null where it is not in this part."""
        row = self._row.get(headline_id)
        return None if row is None else Score(**{name: values[row] for name, values in self._columns.items()})


class Prescored:
    """A model that knows many of its answers; those with evidence it makes.

    Parameters
    ----------
    folder : of `score_dataset`. Raises DataError: holds no scores, or those of another model.
    """

    def __init__(self, folder: Path, model: ScoringModel) -> None:
        manifest = scored_folder.load(folder) if folder.is_dir() else None
        if manifest is None:
            raise DataError(str(folder), "holds no scores", "signals score DATASET --to DIR")
        if manifest.model_id != model.model_id:
            said = f"holds scores by model {manifest.model_id}, not {model.model_id}"
            raise DataError(str(folder), said, "score it anew with this model")
        pyarrow()
        self._model, self._spans = model, sorted(_spans(folder))
        self._highest = list(itertools.accumulate((span.high for span in self._spans), max))
        self._held: collections.OrderedDict[Path, _Held] = collections.OrderedDict()
        self.model_id = model.model_id
        self.there = self.asked = 0
        """Scores that were there, of so many that were asked for."""

    def answers(self, headlines: Sequence[Headline]) -> list[Score]:
        """Scores without evidence, in the order of the headlines."""
        found = {one.headline_id: score for one in headlines if (score := self._look_up(one)) is not None}
        missing = [one for one in headlines if one.headline_id not in found]
        self.asked += len(headlines)
        self.there += len(headlines) - len(missing)
        made = {score.headline_id: score for score in self._model.answers(missing)}
        return [found.get(one.headline_id) or made[one.headline_id] for one in headlines]

    def score(self, headlines: Sequence[Headline]) -> list[Score]:
        """Scores with their evidence, made now."""
        return self._model.score(headlines)

    def _look_up(self, headline: Headline) -> Score | None:
        at = headline.known_at
        first = bisect.bisect_left(self._highest, at)  # what lies before ends before it
        fit = (
            span
            for span in itertools.takewhile(lambda span: span.low <= at, itertools.islice(self._spans, first, None))
            if at <= span.high
        )
        for span in itertools.islice(fit, _TRIED):
            if (found := self._part(span.path).get(headline.headline_id)) is not None:
                return found
        return None

    def _part(self, path: Path) -> _Held:
        held = self._held.get(path)
        if held is None:
            held = self._held[path] = _Held(path)
            if len(self._held) > _HELD:
                self._held.popitem(last=False)
        self._held.move_to_end(path)
        return held


def _spans(folder: Path) -> Iterator[_Span]:
    """By the statistics in the files' footers; of a part without rows none."""
    from pyarrow import parquet

    for path in sorted(folder.rglob("*.parquet")):
        if path.name.startswith("_"):
            continue
        metadata = parquet.read_metadata(path)
        for group in map(metadata.row_group, range(metadata.num_row_groups)):
            said: Any = _known_at(group).statistics
            if group.num_rows and said is not None and said.has_min_max:
                yield _Span(said.min, said.max, path)


def _known_at(group: Any) -> Any:
    return next(one for one in map(group.column, range(group.num_columns)) if one.path_in_schema == "known_at")
