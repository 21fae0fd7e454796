"""A worker: takes entries of the inbox, scores them and hands them on. It needs Redis and a model, and no store.

What it was given and has not handed on is given to another after `reclaim_after_s`, one at a time: then the entry that
killed a worker is alone in the next one's hands, and its deliveries count against itself and no other.
"""

import contextlib
import datetime as dt
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from jobs.handed import maker
from jobs.settings import Workers
from signals.model import Headline, Score
from signals.pipeline import Scorer
from signals.sources import inbox, scored
from signals.sources.inbox import Entry
from signals.sources.scored import Lost, Scored, Taken

if TYPE_CHECKING:
    import redis

FULL_WAIT_S = 0.05
"""How long a worker waits where too much lies there scored."""
_LOST_AT_ONCE = 100
_FORGET_AFTER_S = 3600.0

Watch = Callable[[], AbstractContextManager[None]]


class ScoringWorker:
    """One consumer of the inbox.

    Parameters
    ----------
    client : of Redis; must not decode responses.
    scorer : the model in place.
    settings : how workers share the inbox.
    name : of the consumer; no two that live may have the same.
    clock : gives the UTC time, against which dates of publishers are checked.
    ended : set where it is to end; what it has begun it ends first.
    watch : around each scoring; a worker of its own process dies if that hangs.
    """

    def __init__(
        self,
        client: "redis.Redis",
        scorer: Scorer,
        settings: Workers,
        name: str,
        clock: Callable[[], dt.datetime],
        *,
        ended: threading.Event | None = None,
        watch: Watch = contextlib.nullcontext,
    ) -> None:
        self._client = client
        self._scorer = scorer
        self._settings = settings
        self.name = name
        self._clock = clock
        self._ended = ended or threading.Event()
        self._watch = watch
        self._maker = maker(scorer.model_id)
        self._depth = settings.scored_max  # unknown: looked at before the first
        self._look_at = 0.0
        self._own = True
        self.counts: Counter[str] = Counter(taken=0, scored=0, handed=0, reclaimed=0, rejected=0, waited=0)
        """Since its start: entries, but `waited`, which is rounds."""

    def begin(self) -> None:
        """Join the group, also anew after Redis was away; what was given to us and not heard of comes first."""
        inbox.join(self._client)
        scored.forget(self._client, _FORGET_AFTER_S)
        self._own = True

    def end(self) -> None:
        """Leave the group."""
        scored.forget(self._client, _FORGET_AFTER_S, self.name)

    def turn(self, block_ms: int | None = None) -> int:
        """One round: what others lost, then what is new; waits so long for it. Returns how many entries that were.

        Raises redis.RedisError; then `begin` anew.
        """
        if self._is_full():
            self.counts["waited"] += 1
            scored.take_own(self._client, self.name, 1)  # tells that we live
            self._ended.wait(FULL_WAIT_S)
            return 0
        if self._own:
            held = scored.take_own(self._client, self.name, self._settings.batch)
            self._own = bool(held)
            if held:
                return self._work(held)
        done = self._reclaim()
        if done:
            return done
        return self._work(scored.take_new(self._client, self.name, self._settings.batch, block_ms))

    def _is_full(self) -> bool:
        if self._depth >= self._settings.scored_max:
            self._depth = int(self._client.xlen(scored.SCORED))
        return self._depth >= self._settings.scored_max

    def _reclaim(self) -> int:
        """Take over what others hold for too long, one by one; looks a few times in that time."""
        idle_s, now = self._settings.reclaim_after_s, time.monotonic()
        if now < self._look_at:
            return 0
        done = 0
        for one in scored.lost(self._client, idle_s, _LOST_AT_ONCE):
            for taken in scored.claim(self._client, self.name, one, idle_s):
                self._take_over(one, taken)
                done += 1
            if self._ended.is_set():
                return done
        if not done:
            self._look_at = now + idle_s / 5
        return done

    def _take_over(self, one: Lost, taken: Taken) -> None:
        self.counts["reclaimed"] += 1
        if one.deliveries < self._settings.max_deliveries:
            self._work([taken])
            return
        reason = f"given to {one.deliveries} workers, and each died or hung with it; the last was {one.consumer}"
        entry = Entry(taken.entry_id, None, (reason,), taken.fields)
        inbox.settle(self._client, [entry], one.consumer, one.deliveries)
        self.counts["rejected"] += 1

    def _work(self, taken: Sequence[Taken]) -> int:
        if not taken:
            return 0
        self.counts["taken"] += len(taken)
        entries = [inbox.read(one.entry_id, one.fields, self._clock()) for one in taken]
        sound = [one for one in entries if not inbox.rejected(one)]
        with self._watch():
            scores, failed = self._scores([(one, told) for one in sound if (told := _headline(one))])
        bad = {one.entry_id: one for one in (*filter(inbox.rejected, entries), *failed)}
        if bad:
            inbox.settle(self._client, list(bad.values()), self.name)
            self.counts["rejected"] += len(bad)
        good = [one for one in sound if one.entry_id not in bad]
        if good:
            done = [(one.entry_id, Scored(one.fields, scores.get(one.entry_id), self._maker)) for one in good]
            handed, self._depth = scored.hand_on(self._client, done)
            self.counts.update(handed=handed, scored=len(scores))
        return len(taken)

    def _scores(self, asked: Sequence[tuple[Entry, Headline]]) -> tuple[dict[bytes, Score], list[Entry]]:
        """Scores by entry, and the entries that the model fails on, each with why."""
        try:
            made = self._scorer.score([headline for _, headline in asked])
            return {entry.entry_id: score for (entry, _), score in zip(asked, made, strict=True)}, []
        except Exception as error:  # noqa: BLE001 - a defect costs only its own entry, which says so
            if len(asked) == 1:
                why = f"cannot be scored: {type(error).__name__}: {error}"
                return {}, [asked[0][0]._replace(handed=None, notes=(why,))]
        apart = [self._scores([one]) for one in asked]
        return {key: score for found, _ in apart for key, score in found.items()}, [
            one for _, bad in apart for one in bad
        ]


def _headline(entry: Entry) -> Headline | None:
    return entry.handed.headline if entry.handed else None
