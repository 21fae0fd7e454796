"""Following the log: the loop that reads, fills holes, survives a lost connection, and hears heartbeats.

1. The log is the truth, not the channel: whatever happens, reading goes on behind the last entry read.
2. A hole in the sequence is looked for in the log; what is not there any more is told as a `Gap`.
3. After a lost connection the address is asked for again, with a jittered pause between attempts.
4. Where the log ends before our place, it is another log by now (the server was wiped, or a copy took
   over): it is read from its beginning, and what was seen before is told apart by number and id.
"""

import datetime as dt
import time
from collections.abc import Callable, Iterator

import redis

from signals.delivery.faults import may_pass
from signals.delivery.items import Gap, Item, Received
from signals.delivery.journal import Entry, Journal
from signals.delivery.link import Link, pause_s
from signals.delivery.pulse import Pulse
from signals.delivery.stream import Log, Start
from signals.errors import BrokerError

_BLOCK_S = 1.0
"""Longest wait in one command: heartbeats and the deadline are looked at in between."""


class Patience:
    """How long to wait for the next item; null waits for ever. Durations only: no clock time is read."""

    def __init__(self, seconds: float | None) -> None:
        self._seconds = seconds
        self.renew()

    def renew(self) -> None:
        """An item came: wait as long again for the next."""
        self._end = None if self._seconds is None else time.monotonic() + self._seconds

    def left_s(self, at_most: float) -> float:
        """Seconds left, but no more than asked for."""
        return at_most if self._end is None else max(0.0, min(at_most, self._end - time.monotonic()))


class Follower:
    """One reading of the log, from its start on.

    Parameters
    ----------
    link : a connection of its own.
    key : name of the stream.
    journal, pulse : what was seen, what is heard.
    clock : gives the UTC time now, to tell expired signals.
    """

    def __init__(self, link: Link, key: str, journal: Journal, pulse: Pulse, clock: Callable[[], dt.datetime]) -> None:
        self._link = link
        self._log = Log(lambda: link.client, key)
        self._journal = journal
        self._pulse = pulse
        self._clock = clock
        self._moved = False
        """Whether the last look at the log got anywhere."""

    def begin(self, start: Start) -> None:
        """Go to where reading begins.

        Raises
        ------
        BrokerError : the server cannot be reached or refuses.
        """
        try:
            self._pulse.listen(self._link.client)
            entry = self._log.seek(start, self._clock())
        except redis.RedisError as exc:
            self._pulse.close()
            raise self._link.lost(exc) from exc
        if entry is not None:
            self._journal.begin_after(entry.place)
        elif self._log.resumed:
            self._journal.begin_blind()

    def items(self, count: int | None, timeout_s: float | None) -> Iterator[Item]:
        """Items as they come; ends after `count` messages, or `timeout_s` without an item.

        Raises
        ------
        BrokerError : the server refuses, or was still out of reach when the time was up.
        """
        patience, given, failures = Patience(timeout_s), 0, 0
        try:
            while count is None or given < count:
                try:
                    for item in self._look(patience.left_s(_BLOCK_S)):
                        given += isinstance(item, Received)
                        yield item
                        if given == count:
                            return
                        patience.renew()  # the time a bot took over the item does not count
                    failures = 0
                except (redis.RedisError, BrokerError) as exc:
                    failures += 1
                    yield from self._recover(exc, pause_s(failures), patience)
                    continue
                if not self._moved and not patience.left_s(_BLOCK_S):
                    return
        finally:
            self._pulse.close()
            self._link.close()

    def _look(self, wait_s: float) -> Iterator[Item]:
        self._pulse.listen(self._link.client)
        yield from self._silence()
        self._moved = False
        for entry in self._log.after(int(wait_s * 1000)):
            self._moved = True
            yield from self._take(entry)
        if not self._moved:
            self._moved = self._log.settle()

    def _take(self, entry: Entry) -> Iterator[Item]:
        hole = self._journal.hole_before(entry.place)
        if hole is not None:
            yield from self._fill(hole, entry.stream_id)
        item = self._journal.admit(entry, self._clock())
        if item is not None:
            yield item

    def _fill(self, hole: Gap, before: str) -> Iterator[Item]:
        """What the log still has of a hole, in order, and a gap for each stretch that it has not."""
        if hole.missing_from is None:
            yield hole
            return
        expected = hole.missing_from
        for seq, entry in self._log.recall(hole.epoch, expected, hole.missing_to, before):
            if seq > expected:
                yield Gap(epoch=hole.epoch, missing_from=expected, missing_to=seq - 1)
            expected = seq + 1
            item = self._journal.admit(entry, self._clock())
            if item is not None:
                yield item
        if expected <= hole.missing_to:
            yield Gap(epoch=hole.epoch, missing_from=expected, missing_to=hole.missing_to)

    def _recover(self, exc: redis.RedisError | BrokerError, wait_s: float, patience: Patience) -> Iterator[Item]:
        """Drop the connection and wait a little; raise where waiting does not help or time is up."""
        self._pulse.close()
        fault = self._link.lost(exc) if isinstance(exc, redis.RedisError) else exc
        lasting = isinstance(exc, redis.RedisError) and not may_pass(exc)
        if lasting or not patience.left_s(_BLOCK_S):
            raise fault from exc
        yield from self._silence(fault)
        time.sleep(patience.left_s(wait_s))

    def _silence(self, fault: BrokerError | None = None) -> Iterator[Item]:
        silence = self._pulse.silence(None if fault is None else str(fault))
        if silence is not None:
            yield silence
