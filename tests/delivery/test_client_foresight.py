"""Looking ahead for retractions, where the line breaks in the middle."""

from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
import redis

from signals.delivery.foresight import Foresight

from .conftest import NOW, make_signal


class Line:
    """A log that cannot be read the first time."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def ahead(self, behind: str) -> Iterator[Any]:
        """Nothing stands there."""
        self.asked.append(behind)
        if len(self.asked) == 1:
            raise redis.ConnectionError("cut")
        yield from ()
        return []


class Deaf:
    """A journal that need not know."""

    def foresee(self, entries: Sequence[Any]) -> None:
        """Nothing."""


def test_a_look_ahead_that_broke_off_is_taken_up_again() -> None:
    """From where it had come, and no error of ours ends the reading."""
    line = Line()
    foresight = Foresight(line, Deaf(), lambda: NOW)  # type: ignore[arg-type]
    live = SimpleNamespace(stream_id="5-0", event=SimpleNamespace(data=make_signal()))
    with pytest.raises(redis.ConnectionError):
        list(foresight.look([live]))  # type: ignore[list-item]
    assert list(foresight.look([live])) == []  # type: ignore[list-item]
    assert line.asked == ["5-0", "5-0"]
