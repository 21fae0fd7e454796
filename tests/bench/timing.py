"""Rows of a bench, and the way to time one thing against another."""

import statistics
import time
from collections.abc import Callable
from typing import NamedTuple


class Row(NamedTuple):
    """One figure."""

    what: str
    value: float
    unit: str
    against: str = ""


def seconds(work: Callable[[], object]) -> float:
    """How long one call takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def paired(ours: Callable[[], object], *others: Callable[[], object], rounds: int = 5) -> list[float]:
    """Median seconds of each, taken in turn, so that a drift of the machine meets all alike."""
    taken = [[seconds(work) for work in (ours, *others)] for _ in range(rounds)]
    return [statistics.median(column) for column in zip(*taken, strict=True)]
