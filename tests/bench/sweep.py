"""A sweep on two processes against one, the same grid; the start of the processes is counted, and shown apart.

One process is a pool of one, which is started and handed the frames like the two.
"""

import os
import resource
import statistics
from collections.abc import Iterator

from signals.decide import policy_id
from signals.model import Policy
from signals.research import spread
from signals.research.rules import FREE, Rules
from signals.research.sweep import Figures, World, grid, sweep
from tests.bench.timing import Row, seconds
from tests.research.worlds import world

DAYS, SIGNALS, ROUNDS = 260, 20_000, 3
AXES = {"rules.strength_min": [0.1 * n for n in range(8)], "rules.horizon_s": [300, 900, 1800, 3600, 7200, None]}


def bench() -> Iterator[Row]:
    """The rows."""
    made = world(1, days=DAYS, signals=SIGNALS)
    ground = World({policy_id(Policy()): made.signals}, made.bars)
    points = grid(AXES, Policy(), Rules(), FREE)
    whole: dict[int, list[float]] = {1: [], 2: []}
    work: dict[int, list[float]] = {1: [], 2: []}
    spent: dict[int, list[float]] = {1: [], 2: []}
    found: dict[int, list[Figures]] = {}

    def go(count: int) -> None:
        before = _children_s()
        _go(count)
        spent[count].append(_children_s() - before)

    def _go(count: int) -> None:
        with spread.processes(ground, count) as mapper:
            sweep(points[:count], mapper)  # all are there, with what is loaded late
            work[count].append(seconds(lambda: found.__setitem__(count, sweep(points, mapper))))

    for _ in range(ROUNDS):
        for count in whole:
            whole[count].append(seconds(lambda count=count: go(count)))
    one, two = (statistics.median(work[count]) for count in (1, 2))
    both = [statistics.median(whole[count]) for count in (1, 2)]
    cpu = [statistics.median(spent[count]) for count in (1, 2)]
    cores = len(os.sched_getaffinity(0))
    same = "the same rows" if str(found[1]) == str(found[2]) else "OTHER ROWS"
    yield Row(f"{len(points)} points, {SIGNALS:,} signals, {len(made.bars):,} bars", cores, "cores", same)
    yield Row("  one process", one, "s", f"{len(points) / one:,.1f} points/s; {both[0]:.1f} s with its start")
    yield Row("  two processes", two, "s", f"{len(points) / two:,.1f} points/s; {both[1]:.1f} s with their start")
    yield Row("  quicker by", one / two, "x", f"wanted: 1.6 on two free cores; {both[0] / both[1]:.2f} with the start")
    yield Row(
        "  CPU of one process, its start included", cpu[0], "s", f"of two {cpu[1]:.1f} s: whatever else runs here"
    )


def _children_s() -> float:
    """CPU seconds of processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
