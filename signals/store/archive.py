"""History as the pipeline took it, step by step, and what it has not taken yet: what a replay runs.

It is read as it is asked for, so that an archive of any length needs no more memory than its longest step.
"""

import datetime as dt
import heapq
import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, cast

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from signals.model import Headline, Withdrawal
from signals.store import schema, withdrawals
from signals.store.columns import columns
from signals.store.headlines import headline
from signals.store.ordering import plain

_H, _W, _I = schema.headlines, schema.withdrawals, schema.indexes
_CHUNK = 2_000
_OF_HISTORY = sa.exists().where(_H.c.headline_id == _W.c.headline_id, _H.c.imported).label("imported")
_TICK = dt.timedelta(microseconds=1)
Times = NDArray[np.datetime64]
_Fact = tuple[dt.datetime, bool, Headline | Withdrawal | None]
"""What a step took, when it did, and whether it was imported history."""


class Taken(NamedTuple):
    """What one step took; one that only told the index took nothing."""

    at: dt.datetime
    headlines: list[Headline]
    withdrawals: list[Withdrawal]
    history: bool = False
    """It took imported history, not news."""
    later_from: dt.datetime | None = None
    """What later steps of its kind take became known from then on; null: they take nothing."""


class Waiting(NamedTuple):
    """When what waits would be taken, and in batches of how many headlines."""

    at: dt.datetime
    batch: int = 500


def steps(conn: sa.Connection, waiting: Waiting | None = None) -> Iterator[Taken]:
    """Every step that took anything, oldest first; within it in the order in which things became known.

    With `waiting`, what has not been taken follows in steps of its own: news, then imported history. The transaction
    must last as long as steps are asked for.
    """
    later = {history: _Later(conn, history, waiting) for history in (False, True)}
    for one in _recorded(conn):
        yield one._replace(later_from=later[one.history].after(one.at))
    if waiting:
        yield from _to_come(conn, waiting)


def count(conn: sa.Connection, waiting: Waiting | None = None) -> int:
    """How many headlines `steps` gives."""
    query = sa.select(sa.func.count()).select_from(_H)
    return int(conn.execute(query if waiting else query.where(_H.c.scored_at.is_not(None))).scalar_one())


def waits(conn: sa.Connection) -> tuple[int, int]:
    """How many headlines have not been taken: of news, and of imported history."""
    query = sa.select(sa.func.count()).select_from(_H).where(_H.c.scored_at.is_(None))
    news, history = (conn.execute(query.where(_H.c.imported.is_(imported))).scalar_one() for imported in (False, True))
    return int(news), int(history)


def _recorded(conn: sa.Connection) -> Iterator[Taken]:
    """Three streams, each in the order of its steps, merged."""
    taken = (
        sa.select(_H)
        .where(_H.c.scored_at.is_not(None))
        .order_by(_H.c.scored_at, _H.c.known_at, plain(_H.c.headline_id))
    )
    fallen = sa.select(_W, _OF_HISTORY).where(_W.c.taken_at.is_not(None))
    fallen = fallen.order_by(_W.c.taken_at, _W.c.known_at, plain(_W.c.headline_id))
    told = sa.select(_I.c.at).order_by(_I.c.at)  # where signals had expired, and nothing else came
    streams: tuple[Iterator[_Fact], ...] = (
        ((row.scored_at, row.imported, headline(row)) for row in _stream(conn, taken)),
        ((row.taken_at, row.imported, withdrawals.withdrawal(row)) for row in _stream(conn, fallen)),
        ((row.at, False, None) for row in _stream(conn, told)),
    )
    for at, facts in itertools.groupby(heapq.merge(*streams, key=_taken_at), key=_taken_at):
        rows = list(facts)
        yield _step(at, rows[0][1], (fact for _, _, fact in rows))


def _taken_at(fact: _Fact) -> dt.datetime:
    return fact[0]


def _to_come(conn: sa.Connection, waiting: Waiting) -> Iterator[Taken]:
    at = waiting.at
    for history in (False, True):
        for batch, fallen, later_from in _batches(conn, history, waiting.batch):
            facts: list[Headline | Withdrawal] = [*batch, *fallen]
            at = max(at + _TICK, *(fact.known_at for fact in facts))
            yield _step(at, history, facts)._replace(later_from=later_from)


def _batches(
    conn: sa.Connection, history: bool, size: int
) -> Iterator[tuple[list[Headline], list[Withdrawal], dt.datetime | None]]:
    """What waits, in the order in which it would be taken; and from when on what follows became known."""

    def narrow(query: sa.Select[Any]) -> sa.Select[Any]:
        query = query.where(_H.c.scored_at.is_(None), _H.c.imported.is_(history))
        return query.order_by(_H.c.backfilled, _H.c.known_at, plain(_H.c.headline_id))

    (known,) = _times(conn, (_H.c.known_at,), narrow)
    oldest = np.minimum.accumulate(known[::-1])[::-1]
    fallen = withdrawals.waiting(conn, imported=history)
    held = _waiting_ids(conn, {one.headline_id for one in fallen})
    due = [one for one in fallen if one.headline_id not in held]
    rows = _stream(conn, narrow(sa.select(_H)))
    done = 0
    while (batch := [headline(row) for row in itertools.islice(rows, size)]) or due:
        names = {one.headline_id for one in batch} & held
        fallen = [one for one in fallen if one not in due]
        mine = [*due, *(one for one in fallen if one.headline_id in names)]
        fallen = [one for one in fallen if one.headline_id not in names]
        done, due = done + len(batch), []
        later = [_utc(oldest[done])] if done < len(oldest) else []
        yield batch, mine, min([*later, *(one.known_at for one in fallen)], default=None)


def _waiting_ids(conn: sa.Connection, names: set[str]) -> set[str]:
    query = sa.select(_H.c.headline_id).where(_H.c.scored_at.is_(None), _H.c.headline_id.in_(sorted(names)))
    return set(conn.execute(query).scalars())


def _step(at: dt.datetime, history: bool, facts: Iterable[Headline | Withdrawal | None]) -> Taken:
    made = Taken(at, [], [], history)
    for fact in facts:
        if isinstance(fact, Headline):
            made.headlines.append(fact)
        elif fact is not None:
            made.withdrawals.append(fact)
    return made


def _stream(conn: sa.Connection, query: sa.Select[Any]) -> Iterator[sa.Row[Any]]:
    return iter(conn.execute(query, execution_options={"yield_per": _CHUNK}))


class _Later:
    """Of one kind, news or history: when the oldest fact became known that steps after a time take."""

    def __init__(self, conn: sa.Connection, history: bool, waiting: Waiting | None) -> None:
        mine = _H.c.imported.is_(history)
        theirs = sa.exists().where(_H.c.headline_id == _W.c.headline_id, _H.c.imported)
        parts = [
            _times(conn, (_H.c.scored_at, _H.c.known_at), lambda query: query.where(mine)),
            _times(conn, (_W.c.taken_at, _W.c.known_at), lambda query: query.where(theirs if history else ~theirs)),
        ]
        taken, known = (np.concatenate(values) for values in zip(*parts, strict=True))
        never = np.isnat(taken)
        taken = np.where(never, np.datetime64("9999-01-01", "us"), taken)
        if waiting is None:
            taken, known = taken[~never], known[~never]
        order = np.argsort(taken, kind="stable")
        self._taken = taken[order]
        self._oldest = np.minimum.accumulate(known[order][::-1])[::-1]

    def after(self, at: dt.datetime) -> dt.datetime | None:
        """UTC; null where nothing is taken later."""
        place = int(np.searchsorted(self._taken, np.datetime64(at.replace(tzinfo=None), "us"), side="right"))
        if place == len(self._taken):
            return None
        return _utc(self._oldest[place])


def _utc(at: np.datetime64) -> dt.datetime:
    naive = cast(dt.datetime, at.item())
    return naive.replace(tzinfo=dt.UTC)


def _times(
    conn: sa.Connection, wanted: tuple[sa.Column[Any], ...], narrow: Callable[[sa.Select[Any]], sa.Select[Any]]
) -> tuple[Times, ...]:
    return tuple(columns(conn, wanted, narrow).values())
