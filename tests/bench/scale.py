"""How far one machine carries, and what breaks first: the measured stages in virtual time, at ever higher rates.

What a batch costs in each stage is measured on the code itself (`stages.py`); a line of such stages is led through ten
minutes of a busy hour with a burst in it (`queues.py`). That the line behaves as the code does is checked first: both
are given the same headlines at the same times.
"""

import contextlib
import datetime as dt
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from jobs import publish
from jobs.admission import admit
from signals.delivery.outbox import OutboxRow
from signals.store import bars, signals
from tests import postgres
from tests.bench.feed import archive
from tests.bench.queues import Cost, Stage, Times, arrivals, through
from tests.bench.stages import MIX, Costs, Now, app_of, entry, measured, read
from tests.bench.timing import Row

DESK, WORLD = 5_000, 1_000_000
"""Headlines a day: of the feeds of one desk; of the world's news, about."""
RATES = (DESK, 10 * DESK, 100 * DESK, WORLD, 10 * WORLD, 100 * WORLD)
BUSY_HOUR, BURST = 3.0, 10.0
"""Of a day's mean rate: in its busiest hour, and in one minute of it. Assumed."""
FULL = 0.7
"""Of a core's time: more is not planned with, since what waits grows without bound towards 1."""
BATCH, HANDED = 500, 100
"""Headlines that a step takes, and that a worker takes."""
WINDOW_DAYS = 2
"""For which a headline is held in memory, to know its repeats (`policy.story_window_s`)."""
CORE_HOUR_USD, GB_MONTH_USD = 0.04, 0.08
"""What a virtual core with its memory, and block storage, cost about where machines are rented. Assumed."""
DRIVEN_S, DRIVEN_BUSY = 12.0, 0.4
_DAY_S, _GB = 86_400, 1e9


def bench() -> Iterator[Row]:
    """The rows."""
    plain = measured()
    yield from _costs("SQLite", plain)
    yield _checked(plain)
    if postgres.programs() is not None:
        with contextlib.closing(postgres.Postgres(lasting=True)) as server:
            costs = measured(server.url(server.create()))._replace(story_bytes=plain.story_bytes)
        yield from _costs("PostgreSQL", costs)
    else:
        costs = plain
    for per_day in RATES:
        yield from _planned(costs, per_day)
    hours = (costs.read.each_s + costs.score.each_s) * 1e9 / 3600
    yield Row("an archive of 1,000,000,000 headlines, scored", hours, "core-hours", f"{hours * CORE_HOUR_USD:.0f} USD")


def _costs(name: str, costs: Costs) -> Iterator[Row]:
    for stage in ("read", "admit", "score", "step", "send", "receive"):
        cost: Cost = getattr(costs, stage)
        yield Row(f"{name}: {stage}", cost.each_s * 1e6, "us a headline", f"and {cost.fixed_s * 1e3:.2f} ms a batch")
    yield Row(f"{name}: kept of a headline", costs.store_bytes, "bytes", f"{costs.story_bytes:.0f} in memory")
    yield Row(f"{name}: a message in Redis", costs.message_bytes, "bytes", f"{costs.messages:.3f} of a headline")


def _alone(costs: Costs) -> Cost:
    """Of one process that does everything."""
    return costs.read + costs.score + _led(costs)


def _led(costs: Costs) -> Cost:
    """Of what only one may do at a time."""
    return costs.admit + costs.step + costs.send.share(costs.messages)


class Plan(NamedTuple):
    """A way to carry a rate."""

    name: str
    line: tuple[Stage, ...]
    cores: int


def _plans(costs: Costs, rate: float) -> Iterator[Plan]:
    """Ways to carry so many headlines a second, each when the one before no longer does."""
    yield Plan("one process", (Stage(_alone(costs), BATCH),), 1)
    worker = costs.read + costs.score
    need = max(1, int(np.ceil(rate * worker.of(HANDED) / HANDED / FULL)))
    scored = Stage(worker, HANDED, servers=need)
    yield Plan(f"{need} workers, one leader", (scored, Stage(_led(costs), BATCH)), need + 1)
    kept = Stage(_led(costs).share(MIX.relevant), BATCH * int(1 / MIX.relevant))
    yield Plan(f"{need} workers that keep back what is not relevant, one leader", (scored, kept), need + 1)


def _load(stage: Stage, rate: float) -> float:
    """Of what its servers could take by full batches, the share that comes."""
    return rate * stage.cost.of(stage.most) / stage.most / stage.servers


def _planned(costs: Costs, per_day: int) -> Iterator[Row]:
    """The first way that carries this rate, and what it takes; the last one, where none does."""
    mean = per_day / _DAY_S
    for plan in _plans(costs, BURST * mean):
        load = max(_load(stage, BURST * mean) for stage in plan.line)
        if load <= FULL:
            break
    stretches = [(180, BUSY_HOUR * mean), (60, BURST * mean), (360, BUSY_HOUR * mean)]
    came = left = arrivals(np.random.default_rng(1), stretches)
    longest = 0
    for stage in plan.line:
        left, waited = through(left, stage)
        longest = max(longest, waited)
    half_s, late_s = np.quantile(left - came, [0.5, 0.99])
    gb = WINDOW_DAYS * per_day * costs.story_bytes / _GB
    kept_gb = per_day * costs.store_bytes / _GB
    usd = plan.cores * CORE_HOUR_USD * 730 + 365 * kept_gb * GB_MONTH_USD
    against = (
        f"{plan.name}: in the burst {load:.0%} of what the busiest carries; p50 {half_s * 1e3:.0f} ms;"
        f" at most {longest:,} waited;"
        f" {gb:.2f} GB of memory, {kept_gb:.2f} GB a day kept; {usd:,.0f} USD a month"
    )
    yield Row(f"{per_day:,} headlines a day: p99", late_s * 1e3, "ms", against)


def _checked(costs: Costs) -> Row:
    """The code itself, and the line of stages, given the same headlines at the same times."""
    alone = _alone(costs)
    rate = DRIVEN_BUSY * BATCH / alone.of(BATCH)
    came = arrivals(np.random.default_rng(2), [(DRIVEN_S, rate)])
    took = np.quantile(_driven(came) - came, [0.5, 0.99]) * 1e3
    said = np.quantile(through(came, Stage(alone, BATCH)).left - came, [0.5, 0.99]) * 1e3
    against = f"the line says {said[0]:.0f}; p99 {took[1]:.0f}, the line says {said[1]:.0f}"
    return Row(f"driven at {rate:.0f} headlines/s: p50", took[0], "ms", against)


def _driven(came: Times) -> Times:
    """When the code was through with each of so many headlines that came at these times, all in one process."""
    with tempfile.TemporaryDirectory() as home, contextlib.closing(app_of(Path(home))) as app:
        steps, walk = archive(MIX, len(came), app.scorer)
        pushed = [(entry(one), one.known_at) for taken in steps for one in taken[1]]
        with app.store.write() as conn:
            bars.add(conn, walk)
        publisher, clock = app.publisher(), app.clock
        assert isinstance(clock, Now)
        left, done, after = np.empty_like(came), 0, 0
        start = time.perf_counter()
        while done < len(came):
            now = time.perf_counter() - start
            count = min(BATCH, int(np.searchsorted(came, now, side="right")) - done)
            if not count:
                time.sleep(came[done] - now)
                continue
            clock.at = pushed[done + count - 1][1] + dt.timedelta(seconds=1)
            handed = [read(*one).headline for one in pushed[done : done + count]]
            with app.store.write() as conn:
                admit(conn, [one for one in handed if one])
            publish.take(app, Counter())
            with app.store.read() as conn:
                rows = [OutboxRow(*row) for row in signals.tail(conn, after_seq=after, limit=BATCH)]
            if rows:
                publisher.publish_many(rows, now=clock.at, restart=after == 0)
                after = rows[-1].seq
            left[done : done + count] = time.perf_counter() - start
            done += count
    return left
