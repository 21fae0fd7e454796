"""History through the live path: headlines a second on one core, from a made archive mixed like a real feed.

CPU seconds of this process, the best of several rounds: the yardstick of a machine that others use too.
"""

import collections
import functools
import time
from collections.abc import Callable, Iterator

from jobs.settings import load
from signals.message import Signal
from signals.research.replay import Retold, replay
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
        known = functools.partial(
            replay, steps, walk, scorer=model, policy=settings.policy, events=settings.events
        )  # fmt: skip
        told = sum(isinstance(one.told, Signal) for one in known(explained=False))
        quick_s, full_s = (
            min(_cpu_s(functools.partial(_through, known, explained=explained)) for _ in range(ROUNDS))
            for explained in (False, True)
        )
        said = (
            f"{mix.per_day:,} a day, {mix.relevant:.0%} relevant, of these {mix.repeated:.0%} repeats; "
            f"{told:,} signals of {count:,}"
        )
        yield Row(name, count / quick_s, "headlines/s", f"wanted: {WANTED:,}; {said}")
        yield Row("  with the evidence of signals", count / full_s, "headlines/s")


def _through(known: Callable[..., Iterator[Retold]], *, explained: bool) -> None:
    collections.deque(known(explained=explained), maxlen=0)


def _cpu_s(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start
