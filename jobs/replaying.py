"""The archive through the live step, as research asks for it."""

import datetime as dt
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from jobs.app import App
from signals.model import Index, Policy
from signals.research.gather import Gather
from signals.research.replay import replay
from signals.scoring.model import ScoringModel
from signals.store import archive, bars

ALWAYS = (dt.datetime(1970, 1, 1, tzinfo=dt.UTC), dt.datetime(9999, 1, 1, tzinfo=dt.UTC))


class Asked(NamedTuple):
    """What is replayed: signals known within [since, until) (UTC), by which model and policy (null: the service's)."""

    since: dt.datetime
    until: dt.datetime
    model: Path | None = None
    policy: Policy | None = None


def frame_of(app: App, asked: Asked) -> tuple[pd.DataFrame, list[str]]:
    """The signals of a replay as a frame, and what is to be said of it."""
    scorer = ScoringModel.load(asked.model) if asked.model else app.scorer
    gather = Gather()
    with app.store.read() as conn:
        taken = archive.steps(conn)
        kept = bars.closed_within(conn, [ALWAYS])
    for _, told in replay(
        taken, kept, scorer=scorer, policy=asked.policy or app.settings.policy, events=app.settings.events
    ):
        if not isinstance(told, Index) and asked.since <= told.known_at < asked.until:
            gather.add(told)
    return gather.frame(), ["signals of a replay"]
