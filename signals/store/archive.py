"""History as the pipeline took it, step by step: what a replay runs again."""

import datetime as dt
from typing import NamedTuple

import sqlalchemy as sa

from signals.model import Headline, Withdrawal
from signals.store import schema, withdrawals
from signals.store.headlines import headline

_H, _W = schema.headlines, schema.withdrawals


class Taken(NamedTuple):
    """What one step took; one that only told the index took nothing."""

    at: dt.datetime
    headlines: list[Headline]
    withdrawals: list[Withdrawal]
    history: bool = False
    """It took imported history, not news."""


def steps(conn: sa.Connection) -> list[Taken]:
    """Every step that took anything, oldest first; within it in the order in which things became known."""
    found: dict[dt.datetime, Taken] = {}

    def step(at: dt.datetime, history: bool) -> Taken:
        return found.setdefault(at, Taken(at, [], [], history))

    query = sa.select(_H).where(_H.c.scored_at.is_not(None)).order_by(_H.c.known_at, _H.c.headline_id)
    for row in conn.execute(query):
        step(row.scored_at, row.imported).headlines.append(headline(row))
    history = sa.exists().where(_H.c.headline_id == _W.c.headline_id, _H.c.imported).label("history")
    fallen = sa.select(_W, history).where(_W.c.taken_at.is_not(None))
    for row in conn.execute(fallen.order_by(_W.c.known_at, _W.c.headline_id)):
        step(row.taken_at, row.history).withdrawals.append(withdrawals.withdrawal(row))
    for at in conn.execute(sa.select(schema.indexes.c.at)).scalars():
        step(at, False)  # where signals had expired, and nothing else came
    return [found[at] for at in sorted(found)]
