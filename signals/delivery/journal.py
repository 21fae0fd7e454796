"""What a reader has seen, and what it makes of the next message: pure, without network or clock."""

import datetime as dt
from collections import OrderedDict
from collections.abc import Iterable
from typing import NamedTuple

from signals.delivery.items import Counts, Gap, Received, Verify
from signals.delivery.wire import AnyEvent, Heartbeat, Place, UnknownEvent, decode, place_of
from signals.errors import MessageError
from signals.message import Retraction, Signal

_REMEMBERED = 10_000
"""Ids kept to tell repeats across epochs: a restarted outbox sends the same content under new numbers."""
_EPOCHS = 64
"""Epochs whose last number is kept; one is added each time a store is begun anew."""


class Entry(NamedTuple):
    """A stream entry as read. `event` is null where it cannot be used, `place` where not even that is readable."""

    stream_id: str
    place: Place | None
    event: AnyEvent | None


class Reader(NamedTuple):
    """How raw bytes become entries.

    Parameters
    ----------
    pair : messages of another pair cannot be used, in lower case.
    verify : looks at the bytes first; what it refuses has not even a number.
    """

    pair: str
    verify: Verify | None = None

    def entry(self, stream_id: str, message: bytes | None) -> Entry:
        """Read a message without raising: a bad one costs only itself."""
        if message is None:
            return Entry(stream_id, None, None)
        try:
            told = message if self.verify is None else self.verify(message)
        except MessageError:
            return Entry(stream_id, None, None)
        try:
            event = decode(told)
        except MessageError:
            return Entry(stream_id, place_of(told), None)
        place = Place(epoch=event.epoch, seq=event.seq)
        usable = not isinstance(event, UnknownEvent) and event.subject.lower() == self.pair
        return Entry(stream_id, place, event if usable else None)  # type: ignore[arg-type]  # not Unknown: tested


def is_expired(event: AnyEvent, now: dt.datetime) -> bool:
    """Whether the message's time is over at `now` (UTC); what has no end never expires."""
    end = getattr(event.data, "valid_until", None)
    return end is not None and end <= now


class Memory:
    """A bounded set: the oldest is forgotten first."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._ids: OrderedDict[str, None] = OrderedDict()

    def __contains__(self, name: str) -> bool:
        return name in self._ids

    def add(self, name: str) -> bool:
        """Remember; whether it was new."""
        if name in self._ids:
            return False
        self._ids[name] = None
        if len(self._ids) > self._size:
            self._ids.popitem(last=False)
        return True


class Journal:
    """The sequence as one reader saw it.

    Parameters
    ----------
    counts : where what is left out gets counted.
    live_only : drop signals and retractions whose time is over, and signals already retracted.
    late_after_s : seconds after its `time` from which a message counts as late.
    """

    def __init__(self, counts: Counts, *, live_only: bool, late_after_s: float) -> None:
        self._counts = counts
        self._live_only = live_only
        self._late_after = dt.timedelta(seconds=late_after_s)
        self._last: OrderedDict[str, int] = OrderedDict()
        self._blind = False
        self._seen = Memory(_REMEMBERED)
        self._retracted = Memory(_REMEMBERED)

    def begin_after(self, place: Place | None) -> None:
        """The reader starts behind this message: what follows it is expected next."""
        if place is not None:
            self._advance(place)

    def begin_blind(self) -> None:
        """The reader resumes from a place that the log no longer holds."""
        self._blind = True

    def hole_before(self, place: Place | None) -> Gap | None:
        """What is missing between the last message and this one."""
        if place is None:
            return None
        last = self._last.get(place.epoch)
        if last is None and not self._last:
            blind, self._blind = self._blind, False
            if not blind or place.seq <= 1:
                return None
            return Gap(epoch=place.epoch, missing_from=None, missing_to=place.seq - 1)
        expected = 1 if last is None else last + 1
        if place.seq <= expected:
            return None
        return Gap(epoch=place.epoch, missing_from=expected, missing_to=place.seq - 1)

    def foresee(self, entries: Iterable[Entry]) -> None:
        """Note the retractions among entries that are still to be admitted."""
        for entry in entries:
            if entry.event is not None and isinstance(entry.event.data, Retraction):
                self._retracted.add(entry.event.data.signal_id)

    def admit(self, entry: Entry, now: dt.datetime) -> Received | None:
        """Take note of an entry; what to hand out of it, if anything, at `now` (UTC)."""
        if entry.place is not None:
            if entry.place.seq <= self._last.get(entry.place.epoch, -1):
                self._counts.repeats += 1
                return None
            self._advance(entry.place)
        if entry.event is not None and not self._seen.add(entry.event.id):
            self._counts.repeats += 1
            return None
        return self.judge(entry, now)

    def judge(self, entry: Entry, now: dt.datetime) -> Received | None:
        """Mark a message, or drop what a bot cannot read or must not act on."""
        event = entry.event
        if event is None or isinstance(event.data, Heartbeat):  # a heartbeat has no place in the log
            self._counts.invalid += 1
            return None
        self.foresee([entry])
        expired = is_expired(event, now)
        retracted = isinstance(event.data, Signal) and event.data.signal_id in self._retracted
        if self._live_only and (expired or retracted):
            self._counts.expired += expired
            self._counts.retracted += not expired
            return None
        late = not expired and now - event.time > self._late_after
        return Received(event=event, stream_id=entry.stream_id, expired=expired, late=late, retracted=retracted)

    def _advance(self, place: Place) -> None:
        self._last[place.epoch] = place.seq
        self._last.move_to_end(place.epoch)
        if len(self._last) > _EPOCHS:
            self._last.popitem(last=False)
