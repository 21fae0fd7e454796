"""Fifty changes of hands between two services under load: how long each took, and what was lost or came twice."""

import random
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from tests.bench.timing import Row
from tests.chaos.service import Nursery
from tests.chaos.takeover import KINDS, take_turns, two

ROUNDS = 50
SETTLE_S = 8.0
RATE = 40.0
"""Headlines a second: there are 40,000 of them."""
BOUND_S = 10.0


def bench() -> Iterator[Row]:
    """The rows."""
    kinds = random.Random(7).choices(KINDS, k=ROUNDS)
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(Nursery()) as one,
        closing(Nursery()) as other,
        two(Path(folder), (one, other)) as (pair, url),
    ):
        outcome = take_turns(pair, kinds, 7, url, RATE, SETTLE_S)
    for kind in (*KINDS, "all"):
        took_s = [each.took_s for each in outcome.rounds if kind in (each.kind, "all")]
        what = f"takeovers after {kind}, median of {len(took_s)}"
        yield Row(what, statistics.median(took_s), "s", f"longest {max(took_s):.1f}; wanted: <= {BOUND_S:.0f}")
    faults = sum(sum(seen) - seen.sent for seen in (outcome.bot, outcome.stream))
    yield Row(
        "  lost, repeated, out of order, or missing in seq", faults, "faults", f"of {outcome.bot.sent:,}; wanted: 0"
    )
