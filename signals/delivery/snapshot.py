"""What stands now: the last signal that may be acted on, and the index. Steps, no network."""

import datetime as dt

from signals.delivery.items import Counts, Received
from signals.delivery.journal import Entry, Reader, is_expired
from signals.delivery.steps import Ask, Steps
from signals.delivery.stream import PAGE, Log
from signals.delivery.wire import AnyEvent
from signals.message import Index, Retraction, Signal

_FIRST = 20
"""Entries looked at first: mostly the last signal is among them."""
_PAGES = 50
"""Pages looked at for the fate of the signal in the key: more follow a live one only where something is wrong."""


class Search:
    """Looks through entries, newest first, for a signal that is live and that nothing newer took back or replaced."""

    def __init__(self, now: dt.datetime) -> None:
        self._now = now
        self._gone: set[str] = set()
        self.passed: set[str] = set()
        """Ids of the messages seen."""

    def find(self, entries: list[Entry]) -> AnyEvent | None:
        """The first that will do among these, which are older than all before."""
        for entry in entries:
            if entry.event is None:
                continue
            self.passed.add(entry.event.id)
            if isinstance(entry.event.data, Retraction):
                self._gone.add(entry.event.data.signal_id)
            elif self.will_do(entry.event):
                return entry.event
            elif isinstance(entry.event.data, Signal) and entry.event.data.supersedes:
                self._gone.add(entry.event.data.supersedes)
        return None

    def will_do(self, event: AnyEvent) -> bool:
        """Whether this is such a signal, as far as was seen."""
        data = event.data
        return isinstance(data, Signal) and data.signal_id not in self._gone and not is_expired(event, self._now)


def latest(log: Log, key: str, reader: Reader, counts: Counts, now: dt.datetime) -> Steps[Received | None]:
    """The last headline signal that is valid at `now` (UTC), and neither retracted nor superseded.

    The key names the last one published; what befell it since stands in the log, which is read after it.
    """
    held = yield from _held(key, reader, counts, Signal)
    search, before, size = Search(now), "+", _FIRST
    for page_number in range(_PAGES):
        page = yield from log.back(before, size)
        found = search.find(page)
        if found is None and len(page) < size and held is not None and held.id not in search.passed:
            found = held if search.will_do(held) else None  # the log was trimmed or lost; the key was not
        if found is not None:
            return Received(event=found, stream_id=None, expired=False)
        open_question = held is not None and search.will_do(held) and held.id not in search.passed
        if len(page) < size or (page_number and not open_question):
            return None
        before, size = page[-1].stream_id, PAGE
    return None


def index(key: str, reader: Reader, counts: Counts, now: dt.datetime) -> Steps[Received | None]:
    """The index that stands at `now` (UTC)."""
    event = yield from _held(key, reader, counts, Index)
    return None if event is None or is_expired(event, now) else Received(event=event, stream_id=None, expired=False)


def _held(key: str, reader: Reader, counts: Counts, kind: type[Signal] | type[Index]) -> Steps[AnyEvent | None]:
    message = yield Ask("GET", key)
    if message is None:
        return None
    event = reader.entry("", message).event
    if event is None or not isinstance(event.data, kind):
        counts.invalid += 1
        return None
    return event
