"""What workers handed on is stored in the order in which it was sent; where no worker lives, the service scores."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from jobs.admission import Stamps, admit_handed
from jobs.app import App
from jobs.handed import maker
from jobs.runner import Report, Run
from jobs.scoring_worker import ScoringWorker
from signals.model import Headline
from signals.sources import inbox, scored
from signals.sources.inbox import SERVICE, Entry
from signals.sources.items import shorten
from signals.sources.scored import Ready, Scored
from signals.store import facts

if TYPE_CHECKING:
    import redis

ALONE = "inbox: no worker has been heard of for {:g} s: the service scores by itself (start `signals work`)"
UNASKED = "inbox: workers hand on though [workers] enabled is false: set it, or stop them: order is not kept so"
FOREIGN = "inbox: a worker scores with another model or version ({}): its scores are made anew here"
_AT_ONCE = 500
_decode = msgspec.msgpack.Decoder(Scored).decode


def collect(app: App, run: Run) -> Report:
    """Store what workers handed on; score what waits where none lives. Raises redis.RedisError."""
    client, gathering = app.redis(), Gathering(app, run)
    inbox.join(client)
    silence_s = app.settings.workers.silence_s
    stands = scored.look(client, silence_s)
    gathering.all_of(client)
    if stands.waiting and not stands.workers:
        gathering.notes.append(ALONE.format(silence_s))
        alone = ScoringWorker(client, app.scorer, app.settings.workers, SERVICE, app.clock)
        alone.begin()
        while alone.turn():
            gathering.all_of(client)
        gathering.counts["rejected"] += alone.counts["rejected"]
    return gathering.report()


class Gathering:
    """One run's way from what was handed on to the store, and what is told of it."""

    def __init__(self, app: App, run: Run) -> None:
        self._app = app
        self._run = run
        self.counts: Counter[str] = Counter(seen=0, new=0, withdrawn=0, rejected=0, scored=0)
        self.notes: list[str] = []

    def all_of(self, client: "redis.Redis") -> None:
        """Store all that may be stored now: whatever was sent before it is there, or stored."""
        found = scored.ready(client, scored.mark(client))
        for start in range(0, len(found), _AT_ONCE):
            self._run.deadline.check()
            self._admit(client, found[start : start + _AT_ONCE])

    def report(self) -> Report:
        """What became of it; each note once, and in the log."""
        shown = shorten(list(dict.fromkeys(self.notes)))
        for note in shown:
            self._run.log.warning("source.note", source="inbox", note=note)
        return Report(self.counts, shown)

    def _admit(self, client: "redis.Redis", found: Sequence[Ready]) -> None:
        """In one transaction, then kept no more: who dies between is told the same again, which changes nothing."""
        with self._app.store.write() as conn:
            stamp = Stamps(self._app.clock, facts.last_known_at(conn))
            entries = [_read(one, stamp) for one in found]
            done = admit_handed(conn, [entry.handed for entry, _ in entries if entry.handed])
        mine = maker(self._app.scorer.model_id)
        for entry, told in entries:
            self.notes += entry.notes
            if inbox.rejected(entry):
                inbox.reject(client, entry.entry_id, entry.fields, "; ".join(entry.notes), "")
                self.counts["rejected"] += 1
            elif told is not None and entry.handed is not None and entry.handed.headline is not None:
                self._keep(entry.handed.headline, told, mine)
        scored.drop(client, found)
        self.notes += [f"inbox: {note}" for note in done.notes]
        self.counts.update(seen=len(found), new=done.new, withdrawn=done.withdrawn)

    def _keep(self, headline: Headline, told: Scored, mine: str) -> None:
        """A score for the step to come; one that we would not make so is made anew there."""
        if told.maker != mine:
            self.notes.append(FOREIGN.format(told.maker[:60]))
        elif told.score is not None and told.score.headline_id == headline.headline_id:
            self._app.handed.put(headline, told.score)
            self.counts["scored"] += 1


def _read(one: Ready, stamp: Stamps) -> tuple[Entry, Scored | None]:
    try:
        told = _decode(one.value)
    except msgspec.MsgspecError as error:
        why = f"inbox entry {one.entry_id.decode(errors='replace')}: cannot be read as what a worker hands on: {error}"
        return Entry(one.entry_id, None, (why,), {b"handed_on": one.value}), None
    return inbox.read(one.entry_id, told.fields, stamp()), told
