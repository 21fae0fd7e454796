"""Following the log: reading, filling holes, surviving a lost connection, hearing heartbeats. Steps, no network.

1. The log is the truth, not the channel: whatever happens, reading goes on behind the last entry read.
2. A hole in the sequence is looked for in the log; what is not there any more is told as a `Gap`.
3. After a lost connection the address is asked for again, with a jittered pause between attempts.
4. Where the log ends before our place, it is another log by now (the server was wiped, or a copy took
   over): it is read from its beginning, and what was seen before is told apart by number and id.
5. A new epoch begins with number 1; where it does not, the numbers before are a gap. Numbers of older
   epochs are remembered, so that what is left of them is not taken for new.
6. Before a page with live signals is handed out, the rest of the log is looked through for retractions:
   a bot that catches up is not given a signal that was taken back meanwhile.
"""

import datetime as dt
import random
from collections.abc import Callable

from signals.delivery.foresight import Foresight
from signals.delivery.items import Delivery, Gap, Item
from signals.delivery.journal import Entry, Journal
from signals.delivery.pulse import Pulse
from signals.delivery.steps import Drop, Hear, Lost, Pause, Steps
from signals.delivery.stream import PAGE, Log, Start

_PAUSE_FIRST_S, _PAUSE_MOST_S = 0.05, 5.0


def pause_s(failures: int) -> float:
    """Seconds before the next attempt: jittered, at most 0.1, 0.2, 0.4, … 5."""
    return random.uniform(0, min(_PAUSE_MOST_S, _PAUSE_FIRST_S * 2 ** min(failures, 10)))


class Waits:
    """How long each wait may take, all from one deadline, so that a fault is known well before it.

    Parameters
    ----------
    deadline_s : seconds without a heartbeat that count as silence; null for never.
    """

    def __init__(self, deadline_s: float | None) -> None:
        share = float("inf") if deadline_s is None else max(deadline_s, 0.06) / 3
        self.answer_s = min(5.0, share)
        """For an answer of the server."""
        self.connect_s = min(2.0, share / 2)
        """For a connection."""
        self.block_s = min(1.0, share / 2)
        """In one command for a new entry: heartbeats are looked at in between."""

    @property
    def attempt_s(self) -> float:
        """Longest time until a new attempt has failed."""
        return self.connect_s + self.answer_s


class Patience:
    """How long to wait for the next item; null waits for ever."""

    def __init__(self, seconds: float | None, ticks: Callable[[], float]) -> None:
        self._seconds, self._ticks = seconds, ticks
        self.renew()

    def renew(self) -> None:
        """An item came: wait as long again for the next."""
        self._end = None if self._seconds is None else self._ticks() + self._seconds

    def left_s(self, at_most: float) -> float:
        """Seconds left, but no more than asked for."""
        return at_most if self._end is None else max(0.0, min(at_most, self._end - self._ticks()))


class Attendance:
    """What every reading does besides its own: it hears heartbeats, tells silences, and comes back when it is lost.

    Parameters
    ----------
    pulse : judges the heartbeats.
    waits : how long to wait for what.
    patience : how long to wait for an item.
    """

    def __init__(self, pulse: Pulse, waits: Waits, patience: Patience) -> None:
        self.pulse, self.waits, self.patience = pulse, waits, patience
        self._failures = 0

    def attend(self) -> Steps[None]:
        """Hear what came by the channel; tell what it means."""
        self.pulse.hear((yield Hear()))
        if self.pulse.is_doubtful():
            yield Drop()
            self.pulse.hear((yield Hear()))
        for item in self.pulse.told():
            yield from self.give(item)

    def give(self, item: Item | Delivery) -> Steps[None]:
        """Hand an item out; the time a bot takes over it does not count."""
        yield item
        self.patience.renew()

    def answered(self) -> None:
        """The server answered."""
        self._failures = 0
        self.pulse.answered()

    def recover(self, lost: Lost) -> Steps[None]:
        """Drop the connections and wait a little; raise where waiting does not help or time is up."""
        yield Drop()
        if not lost.passes or not self.patience.left_s(1):
            raise lost.fault from lost
        self._failures += 1
        wait_s = pause_s(self._failures)
        for item in self.pulse.failed(str(lost.fault), wait_s + self.waits.attempt_s):
            yield from self.give(item)
        yield Pause(self.patience.left_s(wait_s))


class Follower:
    """One reading of the log, from its start on.

    Parameters
    ----------
    log, journal : where it reads, and what was seen.
    attendance : hears heartbeats beside it.
    clock : gives the UTC time now, to tell expired signals.
    count : end after so many messages; null for never.
    """

    def __init__(
        self,
        log: Log,
        journal: Journal,
        attendance: Attendance,
        clock: Callable[[], dt.datetime],
        count: int | None,
    ) -> None:
        self._log, self._journal, self._attendance, self._clock = log, journal, attendance, clock
        self._foresight = Foresight(log, journal, clock)
        self._left = count
        self._moved = False
        """Whether the last look at the log got anywhere."""

    def begin(self, start: Start) -> Steps[None]:
        """Go to where reading begins; a failure here is for the caller."""
        self._attendance.pulse.hear((yield Hear()))
        entry = yield from self._log.seek(start, self._clock())
        if entry is not None:
            self._journal.begin_after(entry.place)
        elif self._log.resumed:
            self._journal.begin_blind()

    def items(self) -> Steps[None]:
        """Items as they come; ends after `count` messages, or when patience does.

        Raises
        ------
        BrokerError : the server refuses, or was still out of reach when the time was up.
        """
        attendance = self._attendance
        attendance.patience.renew()
        while not self._is_full():
            try:
                yield from attendance.attend()
                yield from self._look(attendance.patience.left_s(attendance.waits.block_s))
            except Lost as lost:
                yield from attendance.recover(lost)
                continue
            if not self._moved and not attendance.patience.left_s(1):
                return

    def _look(self, wait_s: float) -> Steps[None]:
        entries = yield from self._log.after(int(wait_s * 1000))
        self._attendance.answered()
        self._moved = bool(entries)
        yield from self._foresight.look(entries, at_end=len(entries) < PAGE)
        for entry in entries:
            yield from self._take(entry)
            if self._is_full():
                return
        if not self._moved:
            self._moved = yield from self._log.settle()
            if self._moved:
                self._foresight.forget()

    def _take(self, entry: Entry) -> Steps[None]:
        hole = self._journal.hole_before(entry.place)
        if hole is not None:
            yield from self._fill(hole, entry.stream_id)
        if not self._is_full():
            yield from self._admit(entry)
            self._log.move_to(entry)

    def _fill(self, hole: Gap, before: str) -> Steps[None]:
        """What the log still has of a hole, in order, and a gap for each stretch that it has not."""
        if hole.missing_from is None:
            yield from self._attendance.give(hole)
            return
        expected = hole.missing_from
        for seq, entry in (yield from self._log.recall(hole.epoch, expected, hole.missing_to, before)):
            if seq > expected:
                yield from self._tell_missing(hole.epoch, expected, seq - 1)
            expected = seq + 1
            yield from self._admit(entry)
            if self._is_full():
                return
        if expected <= hole.missing_to:
            yield from self._tell_missing(hole.epoch, expected, hole.missing_to)

    def _tell_missing(self, epoch: str, low: int, high: int) -> Steps[None]:
        yield from self._attendance.give(Gap(epoch=epoch, missing_from=low, missing_to=high))

    def _admit(self, entry: Entry) -> Steps[None]:
        item = self._journal.admit(entry, self._clock())
        if item is None:
            return
        if item.signal is not None:
            self._attendance.pulse.signalled()
        if self._left is not None:
            self._left -= 1
        yield from self._attendance.give(item)

    def _is_full(self) -> bool:
        return self._left is not None and self._left <= 0
