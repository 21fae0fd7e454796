"""The pure core: headlines and bars in, signals out. Live and history run this same step.

1. Headlines are taken in the order they became known (ties by id).
2. All are scored in one batch.
3. Each is put into the story it repeats, or begins one.
4. Each is joined to the price as of its `known_at`, from bars closed by then and learned by `now`.
5. Each becomes a signal or a skip with its reason; one that takes a story back, or was itself withdrawn, a retraction.
6. Where the signals that stand have changed, the index of them all is told anew.

No network, file, clock or chance: everything comes in by parameter.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple, Protocol

from signals import decide
from signals.index import Voices
from signals.market.bars import BarTable
from signals.market.events import Event, window_at
from signals.message import Index, Retraction, Signal
from signals.model import Bar, Headline, Policy, Score, Skip, Story, Withdrawal
from signals.scoring import likeness
from signals.stories import Member, Placement, Standing, StoryIndex


class Scorer(Protocol):
    """Whatever turns headlines into scores, one each, in order."""

    @property
    def model_id(self) -> str:
        """Identity of the model, as it stands in every signal."""

    def score(self, headlines: Sequence[Headline]) -> list[Score]:
        """Scores in the order of the headlines."""


class ReadAhead:
    """A scorer that has read these headlines already: of several steps at once, or before a step has to wait for it.

    `known` are scores that this very model gave them elsewhere; those of another are passed over.
    """

    def __init__(self, scorer: Scorer, batch: Sequence[Headline], known: Iterable[Score] = ()) -> None:
        self._scorer = scorer
        self._known = {score.headline_id: score for score in known if score.model_id == scorer.model_id}
        self.score(batch)

    @property
    def model_id(self) -> str:
        """Identity of the model behind it."""
        return self._scorer.model_id

    def score(self, headlines: Sequence[Headline]) -> list[Score]:
        """Scores in the order of the headlines; what came in since is read now."""
        late = [headline for headline in headlines if headline.headline_id not in self._known]
        if late:
            self._known |= {score.headline_id: score for score in self._scorer.score(late)}
        return [self._known[headline.headline_id] for headline in headlines]


Told = Signal | Retraction | Index
"""What a step has to tell."""


def story_index(
    policy: Policy, members: Iterable[Member] = (), standing: Mapping[str, Standing | None] = MappingProxyType({})
) -> StoryIndex:
    """The stories of this policy, told by what titles mean; `members` were told before, `standing` stands for them."""
    return StoryIndex(policy.story_window_s, members, standing, language=likeness.load())


class Step(NamedTuple):
    """What one step made, in the order in which things became known."""

    scores: list[Score]
    stories: list[Story]
    told: list[Told]
    skips: list[Skip]

    @property
    def signals(self) -> list[Signal]:
        """The signals among what is told."""
        return [told for told in self.told if isinstance(told, Signal)]


def step(
    stories: StoryIndex,
    headlines: Iterable[Headline],
    bars: Iterable[Bar] | BarTable,
    now: dt.datetime,
    *,
    scorer: Scorer,
    policy: Policy,
    events: Sequence[Event] = (),
    withdrawals: Iterable[Withdrawal] = (),
    voices: Voices | None = None,
) -> Step:
    """Run headlines through scoring, stories, prices and the decision.

    Parameters
    ----------
    stories : what was told before; it remembers these headlines too.
    headlines : any order; each is to be seen once.
    bars : closed bars reaching back `market.bars.REACH_COARSE` before the oldest headline, or a table of those that
        were learned by `now`.
    events : decisions and releases; a signal says in whose window its headline became known.
    withdrawals : headlines of this step or an earlier one that no longer hold; each is to be seen once.
    voices : the signals that stand; the index is told where they have changed, by this step or by the time.
    now : UTC, not before any `known_at`; becomes `scored_at`.
    """
    taken = sorted(headlines, key=lambda h: (h.known_at, h.headline_id))
    table = bars if isinstance(bars, BarTable) else BarTable(bars, now)
    made = Step(scorer.score(taken), [], [], [])
    scores = dict(zip((h.headline_id for h in taken), made.scores, strict=True))
    facts: list[Headline | Withdrawal] = [*taken, *withdrawals]
    # A headline goes before its own withdrawal, even if both became known in one moment.
    for fact in sorted(facts, key=lambda f: (f.known_at, f.headline_id, isinstance(f, Withdrawal))):
        if isinstance(fact, Withdrawal):
            fallen = stories.withdrawn(fact)
            if fallen:
                made.told.append(_retract(stories, *fallen, fact, now))
            continue
        place = stories.place(fact, near=scores[fact.headline_id].relevance >= policy.relevance_min)
        made.stories.append(_story(place))
        if place.withdraws and place.standing:
            notice = Withdrawal(headline_id=fact.headline_id, known_at=fact.known_at, reason="withdrawn")
            made.told.append(_retract(stories, place.story_id, place.standing, notice, now))
        score = scores[fact.headline_id]
        skipped = decide.skip(fact, score, place, policy)
        if skipped:
            made.skips.append(skipped)
            continue
        price = table.context(fact.known_at, policy.stale_after_s)
        window = window_at(events, fact.known_at)
        signal = decide.signal(fact, score, place, price, policy, now, event_window=window)
        made.told.append(signal)
        stories.stand(place.story_id, Standing(signal.signal_id, fact.headline_id, signal.valid_until))
    if voices is not None:
        made.told.extend(_index(voices, made.told, now))
    return made


def _index(voices: Voices, told: Iterable[Told], now: dt.datetime) -> list[Told]:
    for one in told:
        if not isinstance(one, Index):
            voices.hear(one)
    change = voices.change(now)
    return [] if change is None else [change]


def _story(place: Placement) -> Story:
    return Story(
        story_id=place.story_id,
        first_known_at=place.first_known_at,
        headline_ids=place.headline_ids,
        revision=place.revision,
    )


def _retract(
    stories: StoryIndex, story_id: str, standing: Standing, withdrawal: Withdrawal, now: dt.datetime
) -> Retraction:
    stories.stand(story_id, None)
    return Retraction(
        signal_id=standing.signal_id,
        story_id=story_id,
        headline_id=withdrawal.headline_id,
        known_at=withdrawal.known_at,
        retracted_at=now,
        valid_until=standing.valid_until,
        reason=withdrawal.reason,
    )
