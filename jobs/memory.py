"""The stories told so far, kept from step to step, so that a step does not read days of headlines again.

The store numbers the steps, and says what each has told: what another process told since is read and added. Whatever is
in doubt - a step failed halfway, a headline became known before what is held - is read anew.
"""

import datetime as dt
from collections.abc import Iterable, Sequence

import sqlalchemy as sa

from signals.index import Voices, voice_of
from signals.model import PAIR, Headline, Policy, Withdrawal
from signals.pipeline import story_index
from signals.store import facts, headlines, signals, withdrawals
from signals.stories import Member, Standing, StoryIndex

_NEVER = dt.datetime.min.replace(tzinfo=dt.UTC)
_NEVER_MORE = dt.datetime.max.replace(tzinfo=dt.UTC)
_SLACK = dt.timedelta(hours=6)
"""How much more than a window is held, for headlines that were long on their way."""


class StoryMemory:
    """The index of one channel's stories.

    Parameters
    ----------
    policy : gives the window; an index of another policy is another one.
    """

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._window = dt.timedelta(seconds=policy.story_window_s)
        self._index: StoryIndex | None = None
        self._after_step = -1
        self._step_at = _NEVER
        self._complete_from = _NEVER_MORE

    def index(
        self, conn: sa.Connection, facts: Sequence[Headline | Withdrawal], steps: int, *, history: bool = False
    ) -> StoryIndex:
        """What bears on these facts, after so many steps; of news it is forgotten unless `keep` follows.

        Imported history has stories of its own, read for each step: it may be of any year.
        """
        spans = list(spans_before(facts, self._window))
        if history:
            return _read(conn, self._policy, spans, imported=True)
        held, self._index = self._index, None
        if held is not None and steps >= self._after_step and (not spans or spans[0][0] >= self._complete_from):
            if steps > self._after_step:
                self._catch_up(conn, held)
            return held
        # Of old headlines all that was known since would be read, and thrown away after the step.
        recent = len(spans) == 1 and not all(isinstance(fact, Headline) and fact.backfilled for fact in facts)
        if recent:  # with all that was known since: it will serve the next step too
            spans = [(spans[0][0], _NEVER_MORE)]
        self._complete_from = spans[0][0] if recent else _NEVER_MORE
        return _read(conn, self._policy, spans, imported=False)

    def keep(self, index: StoryIndex, steps: int, now: dt.datetime, *, history: bool = False) -> None:
        """The step with this index was committed: it is true after so many steps. `now` (UTC) tells what is too old."""
        if history:  # which changes nothing of the news
            self._after_step += steps == self._after_step + 1
            return
        self._index, self._after_step, self._step_at = index, steps, now
        since = now - self._window - _SLACK
        if since > self._complete_from:
            index.forget(since)
            self._complete_from = since

    def follow(self, conn: sa.Connection, now: dt.datetime) -> None:
        """Keep up with what others tell, so that a step to come has little to read; `now` in UTC."""
        steps, at = signals.steps(conn, PAIR), facts.last_step_at(conn)
        if at is None or (self._index is not None and steps == self._after_step):
            return
        held, self._index = self._index, None
        if held is None or steps < self._after_step:
            self._complete_from = now - self._window - _SLACK
            held = _read(conn, self._policy, [(self._complete_from, _NEVER_MORE)], imported=False)
        else:
            self._catch_up(conn, held)
        self.keep(held, steps, at)

    def _catch_up(self, conn: sa.Connection, held: StoryIndex) -> None:
        """Add what was told since the last step that it knows."""
        fresh, changed = _changed_since(conn, self._step_at)
        for one in fresh:
            if one.known_at >= self._complete_from:
                held.told(Member(*one))
        for story_id, stands in signals.standing(conn, changed).items():
            held.stand(story_id, stands and Standing(*stands))


class VoiceMemory:
    """What stands for the index, kept and doubted in the same way.

    Parameters
    ----------
    half_life_s : of the index.
    """

    def __init__(self, half_life_s: float) -> None:
        self._half_life_s = half_life_s
        self._voices: Voices | None = None
        self._after_step = -1
        self._step_at = _NEVER

    def due(self, conn: sa.Connection, now: dt.datetime) -> bool:
        """Whether the index may have changed by the mere passing of time."""
        if self._voices is None:
            told = signals.last_index(conn)
            return told is not None and told.n_signals > 0
        expires = self._voices.next_expiry_at
        return expires is not None and expires <= now

    def voices(self, conn: sa.Connection, now: dt.datetime, steps: int) -> Voices:
        """What stands after so many steps; it is forgotten unless `keep` follows."""
        held, self._voices = self._voices, None
        if held is not None and steps >= self._after_step:
            if steps > self._after_step:
                self._catch_up(conn, held, now)
            return held
        standing = [voice_of(signal) for signal in signals.live(conn, now)]
        return Voices(self._half_life_s, standing, signals.last_index(conn))

    def keep(self, voices: Voices, steps: int, now: dt.datetime) -> None:
        """The step with these was committed: they are true after so many steps, the last one at `now` (UTC)."""
        self._voices, self._after_step, self._step_at = voices, steps, now

    def follow(self, conn: sa.Connection, now: dt.datetime) -> None:
        """Keep up with what others tell, as `StoryMemory.follow` does."""
        steps, at = signals.steps(conn, PAIR), facts.last_step_at(conn)
        if at is not None and (self._voices is None or steps != self._after_step):
            self.keep(self.voices(conn, now, steps), steps, at)

    def _catch_up(self, conn: sa.Connection, held: Voices, now: dt.datetime) -> None:
        _, changed = _changed_since(conn, self._step_at)
        held.follow(changed, map(voice_of, signals.live(conn, now, changed)), signals.last_index(conn))


def _changed_since(conn: sa.Connection, at: dt.datetime) -> tuple[list[headlines.Told], set[str]]:
    """What steps after a UTC time put into stories, and the stories of which another signal may stand since."""
    fresh = headlines.told_since(conn, at)
    return fresh, {one.story_id for one in fresh} | withdrawals.stories_since(conn, at)


def _read(
    conn: sa.Connection, policy: Policy, spans: Sequence[tuple[dt.datetime, dt.datetime]], *, imported: bool
) -> StoryIndex:
    told = headlines.told(conn, spans, imported=imported)
    standing = signals.standing(conn, {one.story_id for one in told})
    return story_index(
        policy,
        (Member(*one) for one in told),
        {story_id: stands and Standing(*stands) for story_id, stands in standing.items()},
    )


def spans_before(
    facts: Iterable[Headline | Withdrawal], reach: dt.timedelta
) -> Iterable[tuple[dt.datetime, dt.datetime]]:
    """The stretches of time within `reach` before any of these became known, merged."""
    low = high = None
    for known_at in sorted(fact.known_at for fact in facts):
        if high is not None and low is not None and known_at - reach > high:
            yield low, high
            low = None
        low = known_at - reach if low is None else low
        high = known_at
    if low is not None and high is not None:
        yield low, high
