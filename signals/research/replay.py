"""Replay: history through the live step, in the order and at the times it was taken live.

Given the archive of a live run - its headlines with the step that took each, its bars with the moment
each was learned - the same model and policy give the same signals, byte for byte. With another model
or policy they are what that one would have said: the ids in each signal tell.

What makes it quick changes nothing of what comes out:

1. Steps are run in batches, whose headlines are scored at once: a score does not depend on the step.
2. The table of prices is carried from step to step.
3. What is too old for all that is still to come is forgotten.
4. Evidence is asked for once a batch, of what became a signal.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

import msgspec

from signals.index import Voices
from signals.market.bars import BarTable
from signals.market.events import Event
from signals.message import Signal
from signals.model import Bar, Headline, Policy, Score, Withdrawal
from signals.pipeline import ReadAhead, Scorer, Told, step, story_index
from signals.scoring.collector import collector_paused
from signals.stories import StoryIndex

BATCH = 512
"""Headlines that are scored at once, about: steps are not divided."""
Step = tuple[dt.datetime, Sequence[Headline], Sequence[Withdrawal], bool, dt.datetime | None]
"""A step's time (`scored_at`, UTC), the headlines and withdrawals it took, whether they were imported history, and
from when on (UTC) all became known that later steps of its kind take; null: that is not known."""
Bars = Sequence[Bar] | Callable[[Sequence[Headline]], Sequence[Bar]]


class Retold(NamedTuple):
    """What a step told, and when."""

    at: dt.datetime
    told: Told
    history: bool = False
    """It was made of imported history."""


@runtime_checkable
class Explaining(Protocol):
    """A scorer that can also do without evidence, which costs it more than the answer."""

    @property
    def model_id(self) -> str:
        """Identity of the model."""

    def score(self, headlines: Sequence[Headline]) -> list[Score]:
        """Scores with their evidence, in the order of the headlines."""

    def answers(self, headlines: Sequence[Headline]) -> list[Score]:
        """The same scores without."""


def replay(
    steps: Iterable[Step],
    bars: Bars,
    *,
    scorer: Scorer,
    policy: Policy,
    events: Sequence[Event] = (),
    explained: bool = True,
) -> Iterator[Retold]:
    """Signals, retractions and indexes of a recorded run, in the order it made them.

    Parameters
    ----------
    steps : oldest first. Imported history has stories of its own, and no say in the index.
    bars : every version of every bar, or what gives those that could be joined to some headlines; a step sees those
        learned by its time.
    events : as the live run had them.
    explained : whether signals have their evidence.
    """
    voices = Voices(policy.index_half_life_s)
    stories = {history: story_index(policy) for history in (False, True)}
    prices = None if callable(bars) else _Prices(bars)
    for batch in _batches(steps):
        headlines = [headline for one in batch for headline in one[1]]
        with collector_paused():
            ahead = ReadAhead(_Answering(scorer) if isinstance(scorer, Explaining) else scorer, headlines)
            seen = _Prices(bars(headlines)) if callable(bars) else prices or _Prices(())
            made: list[Retold] = []
            for now, taken, withdrawals, history, later_from in batch:
                told = step(
                    stories[history], taken, seen.at(now), now, scorer=ahead, policy=policy, events=events,
                    withdrawals=withdrawals, voices=None if history else voices,
                ).told  # fmt: skip
                made += [Retold(now, one, history) for one in told]
                _forget(stories[history], later_from, policy)
        yield from _explained(made, headlines, scorer) if explained and isinstance(scorer, Explaining) else made


class _Answering:
    """A scorer without its evidence."""

    def __init__(self, scorer: Explaining) -> None:
        self.model_id = scorer.model_id
        self.score = scorer.answers


class _Prices:
    """A table of prices that learns bars as time goes on."""

    def __init__(self, bars: Sequence[Bar]) -> None:
        self._to_come = sorted(bars, key=lambda bar: bar.known_at, reverse=True)
        self._table = BarTable()

    def at(self, now: dt.datetime) -> BarTable:
        """The prices known by then; times must not fall."""
        learned = []
        while self._to_come and self._to_come[-1].known_at <= now:
            learned.append(self._to_come.pop())
        self._table.learn(learned)
        return self._table


def _batches(steps: Iterable[Step]) -> Iterator[list[Step]]:
    batch: list[Step] = []
    count = 0
    for one in steps:
        batch.append(one)
        count += len(one[1])
        if count >= BATCH or len(batch) >= BATCH:
            yield batch
            batch, count = [], 0
    if batch:
        yield batch


def _forget(stories: StoryIndex, later_from: dt.datetime | None, policy: Policy) -> None:
    if later_from is not None:
        stories.forget(later_from - dt.timedelta(seconds=policy.story_window_s))


def _explained(made: Sequence[Retold], headlines: Sequence[Headline], scorer: Scorer) -> Iterator[Retold]:
    """The same with the evidence of signals."""
    by_id = {headline.headline_id: headline for headline in headlines}
    told = [by_id[one.told.headline_id] for one in made if isinstance(one.told, Signal)]
    evidence = {score.headline_id: score.evidence for score in scorer.score(told)}
    for one in made:
        if isinstance(one.told, Signal):
            signal = msgspec.structs.replace(one.told, evidence=evidence[one.told.headline_id])
            yield one._replace(told=signal)
        else:
            yield one
