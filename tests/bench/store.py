"""A whole cycle of publishing on PostgreSQL as it is shipped, commits on the disk, against the same on SQLite.

A cycle: 500 headlines admitted, an hour of bars learned, then the job: scored, put into stories, joined, told to the
outbox, sent to Redis and marked as sent, with the run on record.
"""

import contextlib
import datetime as dt
import itertools
import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec

from jobs.admission import admit
from jobs.app import App
from jobs.catalogue import runner_for
from jobs.runner import Runner
from signals.model import PAIR, Headline
from signals.scoring.model import ScoringModel
from signals.store import bars, signals
from tests import postgres
from tests.bench.timing import Row, seconds
from tests.chaos.load import title
from tests.conftest import ROOT
from tests.properties.conftest import START, Clock, service
from tests.properties.test_house import minutes

COUNT = 500
BOUND = 2.0
ROUNDS = 9


class Side:
    """One service, and the numbers of the headlines that it is given."""

    def __init__(self, app: App, clock: Clock) -> None:
        self.app, self.clock = app, clock
        self.runner: Runner = runner_for(app)
        self.numbers = itertools.count()
        self.walk = minutes(1, seed=1)

    def cycle(self) -> None:
        """Take 500 headlines in, and tell what comes of them."""
        self.clock.forward(hours=1)
        at = self.clock()
        with self.app.store.write() as conn:
            assert admit(conn, [_headline(next(self.numbers), at) for _ in range(COUNT)]) == (COUNT, 0)
        shift = at - START
        learned = [
            msgspec.structs.replace(bar, open_at=bar.open_at + shift, close_at=bar.close_at + shift, known_at=at)
            for bar in self.walk
        ]
        with self.app.store.write() as conn:
            signals.open_channel(conn, PAIR, at)
            assert bars.add(conn, learned) == len(learned)
        done = self.runner.run("publish", "manual")
        assert (done.outcome, done.counts["scored"], done.counts["signals"]) == ("ok", COUNT, COUNT), done
        assert done.counts["sent"] >= COUNT, done


def bench() -> Iterator[Row]:
    """The rows."""
    model = ScoringModel.load(ROOT / "seeds" / "model" / "model.skops")
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(postgres.server(lasting=True))
        sides = []
        for name, url in (("server", server.url("postgres")), ("file", "")):
            clock = Clock(START)
            sides.append(Side(stack.enter_context(service(folder / name, clock, model, url)), clock))
        for side in sides:
            side.cycle()  # the first makes tables and plans, and loads what is loaded once
        taken = [[seconds(side.cycle) * 1e3 for side in sides] for _ in range(ROUNDS)]
    theirs, ours = (statistics.median(column) for column in zip(*taken, strict=True))
    yield Row(
        "cycle of 500 headlines on PostgreSQL, fsync on",
        theirs,
        "ms",
        f"{theirs / ours:.2f} of SQLite's, at most {BOUND}",
    )
    yield Row("  on SQLite, synchronous=FULL", ours, "ms")


def _headline(number: int, at: dt.datetime) -> Headline:
    return Headline(
        headline_id=f"bench-{number}", source="wire", item_id=f"item-{number}", url=f"https://example.org/{number}",
        title=title(number), lang="en", source_published_at=at, known_at=at,
    )  # fmt: skip
