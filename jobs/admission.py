"""How headlines come into the store: once each, and never known earlier than what is there already.

A clock that is set back would let new headlines stand before older ones, whose repeats they then could not be told
to be. So none is stamped before the newest that is kept: too late rather than too early, until the clock has caught up.
"""

import datetime as dt
import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, TypeVar

import msgspec
import sqlalchemy as sa

from signals.model import Headline, Withdrawal
from signals.sources.inbox import Handed
from signals.store import facts, headlines, withdrawals

_TOLERATED = dt.timedelta(seconds=5)
"""Sources are read side by side: some headlines are a moment older than the last that was stored."""

_TICK = dt.timedelta(microseconds=1)

Fact = TypeVar("Fact", Headline, Withdrawal)


class Stamps:
    """Times for facts that come one after the other: the clock's, each later than the one before.

    Who sends two titles of one thing means the second; with one time for both nobody could tell which that was.
    """

    def __init__(self, clock: Callable[[], dt.datetime], newest: dt.datetime | None) -> None:
        self._clock = clock
        self._last = newest
        """UTC; null where nothing is kept."""

    def __call__(self) -> dt.datetime:
        """The next one, UTC, later than the newest that is kept."""
        self._last = self._clock() if self._last is None else max(self._clock(), self._last + _TICK)
        return self._last


class Admitted(NamedTuple):
    """How much was new, and what could not be done."""

    new: int
    withdrawn: int
    notes: tuple[str, ...]


def admit(conn: sa.Connection, found: Sequence[Headline], withdrawn: Sequence[Withdrawal] = ()) -> tuple[int, int]:
    """Store what is new of these; returns how many headlines and withdrawals that were."""
    if not found and not withdrawn:
        return 0, 0
    facts.hold(conn)
    last_at = facts.last_known_at(conn)
    return (
        headlines.add(conn, [_not_before(one, last_at) for one in found]),
        withdrawals.add(conn, [_not_before(one, last_at) for one in withdrawn]),
    )


def admit_history(conn: sa.Connection, found: Sequence[Headline]) -> int:
    """Store what is new of these, which someone brought: known at times of their own. Returns how many that were."""
    facts.hold(conn)
    return headlines.add(conn, found, imported=True)


def admit_handed(conn: sa.Connection, handed: Iterable[Handed]) -> Admitted:
    """Store what was pushed, in its order: what is withdrawn was sent before, and what is sent after it stands."""
    new, withdrawn, notes = 0, 0, []
    for takes_back, run in itertools.groupby(handed, key=lambda one: bool(one.withdraws)):
        if not takes_back:
            new += admit(conn, [one.headline for one in run if one.headline])[0]
            continue
        fallen: list[Withdrawal] = []
        for one in run:
            names = withdrawals.of_item(conn, one.withdraws)
            fallen += [Withdrawal(headline_id=name, known_at=one.known_at, reason="withdrawn") for name in names]
            notes += [] if names else ["withdraws what was never sent by this source and id"]
        withdrawn += admit(conn, [], fallen)[1]
    return Admitted(new, withdrawn, tuple(notes))


def clock_note(conn: sa.Connection, now: dt.datetime) -> str | None:
    """What is to be told where the clock is behind what is kept."""
    last_at = facts.last_known_at(conn)
    if last_at is None or now >= last_at - _TOLERATED:
        return None
    behind_s = (last_at - now).total_seconds()
    return (
        f"clock: {now:%Y-%m-%d %H:%M:%S} UTC is {behind_s:.0f} s behind the newest headline: new ones are stamped with"
        " its time until the clock has caught up - was it set back?"
    )


def _not_before(fact: Fact, at: dt.datetime | None) -> Fact:
    if at is None or fact.known_at >= at or (isinstance(fact, Headline) and fact.backfilled):
        return fact
    return msgspec.structs.replace(fact, known_at=at)
