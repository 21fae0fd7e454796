"""Replay: history through the live step, in the order and at the times it was taken live.

Given the archive of a live run - its headlines with the step that took each, its bars with the moment
each was learned - the same model and policy give the same signals, byte for byte. With another model
or policy they are what that one would have said: the ids in each signal tell.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from signals.index import Voices
from signals.market.events import Event
from signals.model import Bar, Headline, Policy, Withdrawal
from signals.pipeline import Scorer, Told, step, story_index


class Retold(NamedTuple):
    """What a step told, and when."""

    at: dt.datetime
    told: Told


def replay(
    steps: Iterable[tuple[dt.datetime, Sequence[Headline], Sequence[Withdrawal], bool]],
    bars: Sequence[Bar],
    *,
    scorer: Scorer,
    policy: Policy,
    events: Sequence[Event] = (),
) -> Iterator[Retold]:
    """Signals, retractions and indexes of a recorded run, in the order it made them.

    Parameters
    ----------
    steps : each step's time (`scored_at`, UTC), the headlines and withdrawals it took, and whether they were imported
        history (which has stories of its own, and no say in the index); oldest step first.
    events : as the live run had them.
    bars : every version of every bar; a step sees those learned by its time.
    """
    voices = Voices(policy.index_half_life_s)
    stories = {history: story_index(policy) for history in (False, True)}
    for now, headlines, withdrawals, history in steps:
        made = step(
            stories[history], headlines, bars, now, scorer=scorer, policy=policy, events=events,
            withdrawals=withdrawals, voices=None if history else voices,
        )  # fmt: skip
        yield from (Retold(now, told) for told in made.told)
