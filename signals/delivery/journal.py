"""What a reader has seen, and what it makes of the next message: pure, without network or clock."""

import datetime as dt
from collections import deque
from typing import NamedTuple

from signals.delivery.items import Counts, Gap, Received
from signals.delivery.wire import AnyEvent, Place, UnknownEvent, decode, place_of
from signals.errors import MessageError
from signals.model import Signal

_REMEMBERED = 10_000
"""Ids kept to tell repeats across epochs: a restarted outbox sends the same content under new numbers."""


class Entry(NamedTuple):
    """A stream entry as read. `event` is null where it cannot be used, `place` where not even that is readable."""

    stream_id: str
    place: Place | None
    event: AnyEvent | None


def read_entry(stream_id: str, message: bytes | None) -> Entry:
    """Read a message without raising: a bad one costs only itself."""
    if message is None:
        return Entry(stream_id, None, None)
    try:
        event = decode(message)
    except MessageError:
        return Entry(stream_id, place_of(message), None)
    place = Place(epoch=event.epoch, seq=event.seq)
    return Entry(stream_id, place, None if isinstance(event, UnknownEvent) else event)


def is_expired(event: AnyEvent, now: dt.datetime) -> bool:
    """Whether the message's time is over at `now` (UTC)."""
    return isinstance(event.data, Signal) and event.data.valid_until <= now


class Journal:
    """The sequence as one reader saw it.

    Parameters
    ----------
    counts : where what is left out gets counted.
    live_only : drop signals whose time is over.
    """

    def __init__(self, counts: Counts, *, live_only: bool) -> None:
        self._counts = counts
        self._live_only = live_only
        self._last: dict[str, int] = {}
        self._blind = False
        self._ids: set[str] = set()
        self._order: deque[str] = deque()

    def begin_after(self, place: Place | None) -> None:
        """The reader starts behind this message: what follows it is expected next."""
        if place is not None:
            self._last[place.epoch] = place.seq

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

    def admit(self, entry: Entry, now: dt.datetime) -> Received | None:
        """Take note of an entry; what to hand out of it, if anything, at `now` (UTC)."""
        if entry.place is not None:
            last = self._last.get(entry.place.epoch, -1)
            if entry.place.seq <= last:
                self._counts.repeats += 1
                return None
            self._last[entry.place.epoch] = entry.place.seq
        event = entry.event
        if event is None:
            self._counts.invalid += 1
            return None
        if not self._is_new(event.id):
            self._counts.repeats += 1
            return None
        expired = is_expired(event, now)
        if expired and self._live_only:
            self._counts.expired += 1
            return None
        return Received(event=event, stream_id=entry.stream_id, expired=expired)

    def _is_new(self, message_id: str) -> bool:
        if message_id in self._ids:
            return False
        self._ids.add(message_id)
        self._order.append(message_id)
        if len(self._order) > _REMEMBERED:
            self._ids.discard(self._order.popleft())
        return True
