"""Holes in the bars held: found, asked for again a bounded number of times, and told of, filled or not."""

import datetime as dt
from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from jobs.price_round import REMEMBERED, Round
from signals.errors import PriceError
from signals.model import FeedState
from signals.prices import holes
from signals.prices.holes import TRIES, Asked, Hole
from signals.prices.patience import SOURCE_WIDE
from signals.prices.reading import shorten
from signals.prices.yahoo import REACH, STEP, Interval
from signals.store import asks, bars

WORTH_A_NOTE = dt.timedelta(minutes=10)
"""Shorter holes are asked for and counted like the others, but a few quiet minutes make no run partial."""


def fill(this: Round, interval: Interval) -> None:
    """Ask Yahoo once for all holes that are due.

    Raises
    ------
    PriceError : Yahoo does not answer at all; that counts as a try, too.
    """
    now = this.app.clock()
    with this.app.store.read() as conn:
        found = _find(conn, interval, now)
        asked = _asked(conn, interval)
    due = holes.due_holes(found, asked, now)
    problem: PriceError | None = None
    if due:
        problem = _ask(this, interval, due)
        with this.app.store.read() as conn:
            left = _find(conn, interval, now)
        worth = [hole for hole in due if hole.missing * STEP[interval] >= WORTH_A_NOTE]
        this.notes += shorten([_told(interval, hole, left, asked, problem) for hole in worth])
        found = left
    this.counts["holes"] += len(found)
    _remember(this, interval, due, found, asked, now)
    if problem is not None and problem.reason in SOURCE_WIDE:
        raise problem


def _find(conn: sa.Connection, interval: Interval, now: dt.datetime) -> list[Hole]:
    step = STEP[interval]
    last = bars.last_close_at(conn, "yahoo", step.total_seconds())
    if last is None:
        return []
    low, high = now - REACH[interval], holes.look_until(now, step, last)
    held = bars.opened_within(conn, "yahoo", step.total_seconds(), low, high)
    return holes.holes(held, low, high, step)


def _asked(conn: sa.Connection, interval: Interval) -> dict[dt.datetime, Asked]:
    states = asks.remembered(conn, _prefix(interval))
    return {
        dt.datetime.fromisoformat(end_at): Asked(state.failures, state.next_attempt_at)
        for end_at, state in states.items()
    }


def _ask(this: Round, interval: Interval, due: Sequence[Hole]) -> PriceError | None:
    """One question from the first hole to the last; of the answer what is not held is kept, lone minutes too."""
    low, high = due[0].start_at, due[-1].end_at
    try:
        reading = this.read(interval, low, high)
    except PriceError as error:
        return error
    with this.app.store.read() as conn:
        held = set(bars.opened_within(conn, "yahoo", STEP[interval].total_seconds(), low, high))
    this.counts["filled"] += this.keep([bar for bar in reading.bars if bar.open_at not in held])
    return None


def _told(
    interval: Interval, hole: Hole, left: Sequence[Hole], asked: Mapping[dt.datetime, Asked], problem: PriceError | None
) -> str:
    missing = sum(min(part.missing, hole.missing) for part in holes.overlaps(hole, left))
    tries = _tries(hole, asked) + 1
    outcome = "filled" if not missing else f"{missing} still missing after {tries} of {TRIES} tries"
    span = f"{hole.start_at:%Y-%m-%dT%H:%MZ} to {hole.end_at:%Y-%m-%dT%H:%MZ}"
    why = f" ({problem.reason}: {problem.problem})" if problem else ""
    return f"yahoo {interval}: hole {span}, {hole.missing} bars: {outcome}{why}"


def _remember(
    this: Round, interval: Interval, due: Sequence[Hole], found: Sequence[Hole],
    asked: Mapping[dt.datetime, Asked], now: dt.datetime,
) -> None:  # fmt: skip
    """What is left of a hole keeps its count of tries, so that progress does not begin them anew."""
    save = []
    for hole in found:
        parents = holes.overlaps(hole, due)
        if parents:
            after = holes.after_asking(max(_tries(parent, asked) for parent in parents) + 1, now)
            save.append(
                FeedState(
                    source=_prefix(interval) + hole.end_at.isoformat(),
                    last_attempt_at=now,
                    last_error=f"{hole.missing} bars missing from {hole.start_at:%Y-%m-%dT%H:%MZ}",
                    failures=after.tries,
                    next_attempt_at=after.next_at,
                )
            )
    gone = [_prefix(interval) + end_at.isoformat() for end_at in asked.keys() - {hole.end_at for hole in found}]
    if save or gone:
        with this.app.store.write() as conn:
            asks.replace(conn, gone, save)


def _tries(hole: Hole, asked: Mapping[dt.datetime, Asked]) -> int:
    return asked[hole.end_at].tries if hole.end_at in asked else 0


def _prefix(interval: Interval) -> str:
    return f"{REMEMBERED}yahoo:{interval}:hole:"
