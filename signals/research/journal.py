"""What a sweep has found so far, on the disk: killed, the next one of the same inputs goes on from there.

One line a result. A line that a kill cut off counts for nothing. Figures come back to the last bit: Python writes the
shortest digits that give the same number, and NaN as such.
"""

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from signals.decide import policy_id
from signals.research.rules import rules_id
from signals.research.spread import Mapper
from signals.research.sweep import Figures, Point, evaluated
from signals.research.sweep_forward import trained_on


class _Kept(NamedTuple):
    """How the results of a task are kept."""

    key: Callable[[Any], str]
    """Of an item."""
    back: Callable[[list[Any]], Any]
    """The result of what JSON made of it."""


def _of_point(point: Point) -> str:
    return f"{policy_id(point.policy)},{rules_id(point.rules, point.costs)}"


def _of_training(item: tuple[Point, Any]) -> str:
    point, cut = item
    return f"{_of_point(point)},{hashlib.sha256(repr(cut).encode()).hexdigest()[:16]}"


_KEPT: dict[Any, _Kept] = {
    evaluated: _Kept(_of_point, lambda values: Figures(*values)),
    trained_on: _Kept(_of_training, lambda values: [(ratio, trades) for ratio, trades in values]),
}


class Journal:
    """Results by task and item.

    Parameters
    ----------
    path : of the file; what it is named must say of which inputs and code the results are.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: dict[str, list[Any]] = {}
        with contextlib.suppress(FileNotFoundError), path.open(encoding="utf-8") as lines:
            for line in lines:
                with contextlib.suppress(ValueError):  # cut off by a kill
                    key, values = json.loads(line)
                    self._known[key] = values

    def __len__(self) -> int:
        return len(self._known)

    def resuming(self, mapper: Mapper) -> Mapper:
        """The same mapper, which does only what is not known yet and notes what it does."""

        def mapped(task: Callable[[Any, Any], Any], items: Sequence[Any]) -> Iterator[Any]:
            kept = _KEPT.get(task)
            return mapper(task, items) if kept is None else self._mapped(mapper, task, items, kept)

        return mapped

    def forget(self) -> None:
        """The sweep has come to its end."""
        self.path.unlink(missing_ok=True)

    def _mapped(
        self, mapper: Mapper, task: Callable[[Any, Any], Any], items: Sequence[Any], kept: _Kept
    ) -> Iterator[Any]:
        keys = [f"{task.__name__},{kept.key(item)}" for item in items]
        missing = [item for key, item in zip(keys, items, strict=True) if key not in self._known]
        made: Iterator[Any] = iter(mapper(task, missing) if missing else ())
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.write("\n")  # there may be a line that was cut off
            for key in keys:
                if key not in self._known:
                    self._known[key] = found = next(made)
                    file.write(json.dumps([key, found]) + "\n")
                    file.flush()
                yield kept.back(self._known[key])
