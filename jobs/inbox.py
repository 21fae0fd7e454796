"""The inbox job: what was pushed into Redis is stored, then settled; and the doorbell that runs it at once."""

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any, cast

from jobs.admission import Stamps, admit_handed
from jobs.app import App
from jobs.collecting import UNASKED, Gathering, collect
from jobs.runner import Report, Run
from signals.delivery.faults import FAULTS, broker_error
from signals.errors import BrokerError
from signals.sources import inbox as stream
from signals.sources.items import shorten
from signals.sources.scored import left
from signals.store import facts

BLOCK_MS = 1000
PAUSE_S = 2.0


def inbox(app: App, run: Run) -> Report:
    """Store what is in the inbox. Acknowledged only once stored, so that a kill loses nothing.

    Where workers score it (`[workers]`), what they hand on is stored instead.
    """
    try:
        return collect(app, run) if app.settings.workers.enabled else _take(app, run)
    except FAULTS as error:
        if str(error).startswith("WRONGTYPE"):
            mend = "is it the stream that senders write, on the Redis in use?"
            raise BrokerError(stream.STREAM, str(error), mend) from error
        raise broker_error(f"Redis stream {stream.STREAM}", error) from error


def _take(app: App, run: Run) -> Report:
    client = app.redis()
    if left(client):
        stream.join(client)
        gathering = Gathering(app, run)
        gathering.notes.append(UNASKED)
        gathering.all_of(client)
        return gathering.report()
    counts: Counter[str] = Counter(seen=0, new=0, withdrawn=0, rejected=0)
    notes: list[str] = []
    with app.store.read() as conn:
        stamp = Stamps(app.clock, facts.last_known_at(conn))
    for entries in stream.take(client, stamp):
        with app.store.write() as conn:
            done = admit_handed(conn, [entry.handed for entry in entries if entry.handed])
        stream.settle(client, entries)
        counts["seen"] += len(entries)
        counts.update(new=done.new, withdrawn=done.withdrawn, rejected=sum(map(stream.rejected, entries)))
        notes += [*(note for entry in entries for note in entry.notes), *(f"inbox: {note}" for note in done.notes)]
        run.deadline.check()
    for note in (shown := shorten(notes)):
        run.log.warning("source.note", source="inbox", note=note)
    return Report(counts, shown)


class Doorbell(threading.Thread):
    """Waits for entries and rings: nobody's news waits for the next tick.

    Parameters
    ----------
    app : gives the Redis client.
    ring : called after entries came, in this thread.
    """

    def __init__(self, app: App, ring: Callable[[], None]) -> None:
        super().__init__(name="inbox-doorbell", daemon=True)
        self._app = app
        self._ring = ring
        self._ended = threading.Event()

    def run(self) -> None:
        """Until `end`. A Redis that does not answer is asked again; the jobs tell of it."""
        last = b"0-0"  # what lies there already rings, too
        while not self._ended.is_set():
            try:
                answer = cast(Any, self._app.redis().xread({stream.STREAM: last}, block=BLOCK_MS))
            except (*FAULTS, BrokerError):  # gone, or cannot be started just now
                self._ended.wait(PAUSE_S)
                continue
            if answer:
                last = answer[0][1][-1][0]
                self._ring()

    def end(self) -> None:
        """Stop waiting and join."""
        self._ended.set()
        self.join()
