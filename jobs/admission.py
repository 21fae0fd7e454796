"""How headlines come into the store: once each, and never known earlier than what is there already.

A clock that is set back would let new headlines stand before older ones, whose repeats they then could not be told
to be. So none is stamped before the newest that is kept: too late rather than too early, until the clock has caught up.
"""

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple, TypeVar

import msgspec
import sqlalchemy as sa

from signals.model import Headline, Withdrawal
from signals.sources.inbox import Handed
from signals.store import facts, headlines, withdrawals

_TOLERATED = dt.timedelta(seconds=5)
"""Sources are read side by side: some headlines are a moment older than the last that was stored."""

Fact = TypeVar("Fact", Headline, Withdrawal)


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


def admit_handed(conn: sa.Connection, handed: Sequence[Handed], now: dt.datetime) -> Admitted:
    """Store what was pushed, in its order: what is withdrawn may have been sent a moment before."""
    new, _ = admit(conn, [one.headline for one in handed if one.headline])
    fallen, notes = [], []
    for one in handed:
        if one.withdraws:
            names = withdrawals.of_item(conn, one.withdraws)
            fallen += [Withdrawal(headline_id=name, known_at=now, reason="withdrawn") for name in names]
            notes += [] if names else ["withdraws what was never sent by this source and id"]
    _, withdrawn = admit(conn, [], fallen)
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
