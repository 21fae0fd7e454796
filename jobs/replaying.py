"""The archive through the live step: what it tells, whether that is what was told, and as a frame for research."""

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import sqlalchemy as sa

from jobs.app import App
from jobs.compared import Comparison
from jobs.publish import joinable
from signals.decide import policy_id
from signals.message import Index, Retraction, Signal
from signals.model import Bar, Headline, Policy
from signals.research import lookahead
from signals.research.gather import Gather
from signals.research.prescored import Prescored
from signals.research.replay import Retold, Step, replay
from signals.scoring.model import ScoringModel
from signals.store import archive, facts

CUTS = 5
Tell = Callable[[int, int], None]
"""Told how many headlines are done, and of how many."""


class Asked(NamedTuple):
    """What is replayed: signals known within [since, until) (UTC), by which model and policy (null: the service's)."""

    since: dt.datetime
    until: dt.datetime
    model: Path | None = None
    policy: Policy | None = None
    scores: Path | None = None
    """A folder of scores made beforehand by that model, of `signals score DATASET --to DIR`."""


class Waited(NamedTuple):
    """What had not been taken when the replay ran, and follows in steps of its own."""

    at: dt.datetime
    """From when on these steps run, UTC."""
    news: int
    history: int

    def __str__(self) -> str:
        parts = [f"{count:,} {what}" for count, what in ((self.news, "new"), (self.history, "imported")) if count]
        said = " and ".join(parts)
        return f"{said} headlines had not been scored: they follow in steps of their own, scored at {self.at:%F %T} UTC"


class Replayed(NamedTuple):
    """What a replay came to."""

    headlines: int
    steps: int
    signals: int
    retractions: int
    indexes: int
    model_id: str
    policy_id: str
    comparison: Comparison
    waited: Waited
    prescored: int | None
    """Headlines whose score had been made beforehand; null where none was asked for."""
    frame: pd.DataFrame | None
    """Signals known within the time asked for; null where no frame was asked for."""

    @property
    def by_the_same(self) -> bool:
        """All that was told was told by this model and this policy: it must be the same byte for byte."""
        return self.comparison.told_by <= {(self.model_id, self.policy_id)}


class Archive:
    """The archive of a home over one transaction; its steps can be gone through again and again."""

    def __init__(self, app: App, conn: sa.Connection, tell: Tell | None = None) -> None:
        self._conn, self._tell = conn, tell
        last_at = facts.last_step_at(conn)
        self.at = max(app.clock(), last_at) if last_at else app.clock()
        """When what waits is taken: now, and after the last step."""
        self.steps = self.headlines = 0
        """Gone through so far."""

    def __iter__(self) -> Iterator[Step]:
        waiting = archive.Waiting(self.at)
        total = archive.count(self._conn, waiting)
        self.steps = self.headlines = 0
        for one in archive.steps(self._conn, waiting):
            yield one
            self.steps += 1
            self.headlines += len(one.headlines)
            if self._tell:
                self._tell(self.headlines, total)

    def bars(self, headlines: Sequence[Headline]) -> list[Bar]:
        """The bars that could be joined to these headlines, as a live step asks for them."""
        return joinable(self._conn, headlines)

    def waited(self) -> Waited:
        """What waits."""
        return Waited(self.at, *archive.waits(self._conn))


def run(app: App, asked: Asked, *, framed: bool = False, tell: Tell | None = None) -> Replayed:
    """Replay the whole archive and compare it with what was told."""
    scorer, policy = rules(app, asked)
    counts = {Signal: 0, Retraction: 0, Index: 0}
    gather = Gather() if framed else None
    with app.store.read() as conn:
        kept, comparison = Archive(app, conn, tell), Comparison(conn)
        for one in replay(kept, kept.bars, scorer=scorer, policy=policy, events=app.settings.events):
            counts[type(one.told)] += 1
            if one.at <= kept.at:
                comparison.take(one)
            if gather is not None:
                _gather(gather, one, asked)
        comparison.end()
        waited = kept.waited()
    return Replayed(
        kept.headlines, kept.steps, counts[Signal], counts[Retraction], counts[Index], scorer.model_id,
        policy_id(policy), comparison, waited,
        scorer.there if isinstance(scorer, Prescored) else None, None if gather is None else gather.frame(),
    )  # fmt: skip


def frame_of(app: App, asked: Asked, tell: Tell | None = None) -> tuple[pd.DataFrame, list[str]]:
    """The signals of a replay as a frame, and what is to be said of it. Nothing is compared."""
    scorer, policy = rules(app, asked)
    gather = Gather()
    with app.store.read() as conn:
        kept = Archive(app, conn, tell)
        for one in replay(kept, kept.bars, scorer=scorer, policy=policy, events=app.settings.events, explained=False):
            _gather(gather, one, asked)
        waited = kept.waited()
    notes = [f"signals of a replay by model {scorer.model_id}, policy {policy_id(policy)}"]
    if asked.model or asked.policy:
        notes.append("another model or policy than the service's: this is not what was told")
    return gather.frame(), [*notes, *([str(waited)] if waited.news or waited.history else [])]


def check_lookahead(app: App, asked: Asked, *, cuts: int = CUTS, tell: Tell | None = None) -> lookahead.Checked:
    """Cut the archive at some moments and see whether that changes anything said before."""
    scorer, policy = rules(app, asked)
    with app.store.read() as conn:
        kept = Archive(app, conn, tell)
        return lookahead.check(kept, kept.bars, cuts, scorer, policy, events=app.settings.events)


def rules(app: App, asked: Asked) -> tuple[ScoringModel | Prescored, Policy]:
    """The model and the policy that are asked for. Raises ModelError; DataError where scores are another model's."""
    model = ScoringModel.load(asked.model) if asked.model else app.scorer
    return Prescored(asked.scores, model) if asked.scores else model, asked.policy or app.settings.policy


def _gather(gather: Gather, one: Retold, asked: Asked) -> None:
    if not isinstance(one.told, Index) and asked.since <= one.told.known_at < asked.until:
        gather.add(one.told)
