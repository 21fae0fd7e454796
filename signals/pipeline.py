"""The pure core: headlines and bars in, signals out. Live and history run this same step.

1. Headlines are taken in the order they became known (ties by id).
2. All are scored in one batch.
3. Each is put into the story it repeats, or begins one.
4. Each is joined to the price as of its `known_at`, from bars closed by then and learned by `now`.
5. Each becomes a signal or a skip with its reason.

No network, file, clock or chance: everything comes in by parameter.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

from signals.decide import decide
from signals.market.bars import BarTable
from signals.market.events import Event, window_at
from signals.model import Bar, Headline, Policy, Score, Signal, Skip, Story
from signals.scoring.gist import MIN_OVERLAP, gist
from signals.stories import Member, StoryIndex


class Scorer(Protocol):
    """Whatever turns headlines into scores, one each, in order."""

    @property
    def model_id(self) -> str:
        """Identity of the model, as it stands in every signal."""

    def score(self, headlines: Sequence[Headline]) -> list[Score]:
        """Scores in the order of the headlines."""


def story_index(policy: Policy, members: Iterable[Member] = ()) -> StoryIndex:
    """The stories of this policy, told by what titles mean; `members` were told before."""
    return StoryIndex(policy.story_window_s, members, gist=gist, min_overlap=MIN_OVERLAP)


class Step(NamedTuple):
    """What one step made, in the order the headlines became known."""

    scores: list[Score]
    stories: list[Story]
    signals: list[Signal]
    skips: list[Skip]


def step(
    stories: StoryIndex,
    headlines: Iterable[Headline],
    bars: Iterable[Bar],
    now: dt.datetime,
    *,
    scorer: Scorer,
    policy: Policy,
    events: Sequence[Event] = (),
) -> Step:
    """Run headlines through scoring, stories, prices and the decision.

    Parameters
    ----------
    stories : what was told before; it remembers these headlines too.
    headlines : any order; each is to be seen once.
    bars : closed bars reaching back `market.bars.REACH_COARSE` before the oldest headline.
    events : decisions and releases; a signal says in whose window its headline became known.
    now : UTC, not before any headline's `known_at`; becomes `scored_at`.
    """
    taken = sorted(headlines, key=lambda h: (h.known_at, h.headline_id))
    table = BarTable(bars, now)
    made = Step(scorer.score(taken), [], [], [])
    for headline, score in zip(taken, made.scores, strict=True):
        place = stories.place(headline)
        made.stories.append(
            Story(
                story_id=place.story_id,
                first_known_at=place.first_known_at,
                headline_ids=place.headline_ids,
                revision=place.revision,
            )
        )
        price = table.context(headline.known_at, policy.stale_after_s)
        outcome = decide(headline, score, place, price, policy, now, event_window=window_at(events, headline.known_at))
        (made.signals if isinstance(outcome, Signal) else made.skips).append(outcome)  # type: ignore[arg-type]
    return made
