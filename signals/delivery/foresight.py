"""Learning of retractions before the signals they take back are handed out. Steps, no network."""

import datetime as dt
from collections.abc import Callable, Sequence

from signals.delivery.journal import Entry, Journal, is_expired
from signals.delivery.steps import Steps
from signals.delivery.stream import PAGE, Log, order
from signals.message import Signal


class Foresight:
    """Looks through the log ahead of a reader, each part of it once.

    Parameters
    ----------
    log, journal : where to look, and who is told.
    clock : gives the UTC time now: only live signals are worth a look.
    """

    def __init__(self, log: Log, journal: Journal, clock: Callable[[], dt.datetime]) -> None:
        self._log, self._journal, self._clock = log, journal, clock
        self.forget()

    def forget(self) -> None:
        """The log is another one."""
        self._from: str | None = None
        self._to = ""

    def look(self, entries: Sequence[Entry], *, at_end: bool = False) -> Steps[None]:
        """See what stands behind entries that are about to be handed out; nothing does `at_end` of the log."""
        self._journal.foresee(entries)
        if at_end or not any(self._is_live(entry) for entry in entries):
            return
        behind = entries[-1].stream_id
        if self._from is not None and order(self._from) <= order(behind):
            behind = max(behind, self._to, key=order)  # between the two it was looked through
        else:
            self._from = self._to = behind  # also where the look ahead breaks off
        page: Sequence[Entry] = [entries[-1]] * PAGE
        while len(page) >= PAGE:
            page = yield from self._log.ahead(behind)
            self._journal.foresee(page)
            behind = page[-1].stream_id if page else behind
        self._to = behind

    def _is_live(self, entry: Entry) -> bool:
        event = entry.event
        return event is not None and isinstance(event.data, Signal) and not is_expired(event, self._clock())
