"""History through the live path: headlines a second on one core, from a made archive mixed like a real feed.

CPU seconds of this process, the best of several rounds: the yardstick of a machine that others use too.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any

from jobs.settings import load
from signals.message import Signal
from signals.research.replay import replay
from signals.scoring.model import ScoringModel
from tests.bench.feed import Mix, archive
from tests.bench.timing import Row
from tests.conftest import ROOT

COUNT = 20_000
WANTED = 8_000
ROUNDS = 3
MIXES = {
    "a real feed": Mix(),
    "hardly anything relevant": Mix(relevant=0.05),
    "only what is relevant": Mix(relevant=1.0),
    "no repeats": Mix(repeated=0.0, echoed=0.0),
    "a slow feed, 500 a day": Mix(per_day=500),
}


def bench() -> Iterator[Row]:
    """The rows."""
    settings = load(ROOT / "config" / "signals.toml", {})
    model = ScoringModel.load(ROOT / "seeds" / "model" / "model.skops")
    for name, mix in MIXES.items():
        count = COUNT if name == "a real feed" else COUNT // 2
        steps, walk = archive(mix, count, model)
        told = 0

        def go(*, explained: bool, steps: Any = steps, walk: Any = walk) -> None:
            nonlocal told
            made = replay(
                steps, walk, scorer=model, policy=settings.policy, events=settings.events, explained=explained
            )
            told = sum(isinstance(one.told, Signal) for one in made)

        made_s = min(_cpu_s(lambda: go(explained=False)) for _ in range(ROUNDS))
        full_s = min(_cpu_s(lambda: go(explained=True)) for _ in range(ROUNDS))
        said = (
            f"{mix.per_day:,} a day, {mix.relevant:.0%} relevant, of these {mix.repeated:.0%} repeats; "
            f"{told:,} signals of {count:,}"
        )
        yield Row(name, count / made_s, "headlines/s", f"wanted: {WANTED:,}; {said}")
        yield Row("  with the evidence of signals", count / full_s, "headlines/s")


def _cpu_s(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start
