"""Work shared among bots: a consumer group on the log. Steps, no network.

1. Each message goes to one consumer of the group. What a consumer does not `ack()` is handed out again,
   to whoever asks first, once it has been idle for `idle_s`: at least once, so acting on it should be
   idempotent, for instance by `signal_id`.
2. `deliveries` counts how often a message was handed out: one that ends its worker every time shows so.
3. What must not be acted on (expired, retracted, unreadable) is acknowledged and counted instead, so that
   it never comes back; with `live_only` off the readable ones are handed out, marked.
4. Where the server lost the group (it was wiped), the group is made anew from the beginning of the log.
5. No gaps are told: no consumer sees the whole sequence. Who needs it reads `signals()` beside.
"""

import datetime as dt
from collections.abc import Callable
from typing import Any

from signals.delivery.follow import Attendance
from signals.delivery.foresight import Foresight
from signals.delivery.items import Delivery, Pending
from signals.delivery.journal import Entry, Journal, Reader
from signals.delivery.steps import Ask, Hear, Lost, Refused, Steps
from signals.delivery.stream import BEGINNING, Log, Start, entry_of, id_at

_BUSY, _NO_GROUP = "BUSYGROUP", "NOGROUP"
_CLAIM_SHARE = 4
"""Idle messages are looked for so many times in `idle_s`."""
_CLAIM_MOST_S = 5.0


class Worker:
    """One consumer of a group.

    Parameters
    ----------
    key : name of the stream.
    group, consumer : who reads.
    idle_s : seconds after which a message not acknowledged is handed out again.
    reader, journal : read and judge the messages.
    attendance : hears heartbeats beside them.
    clock, ticks : the UTC time now, and seconds to measure by.
    """

    def __init__(
        self,
        key: str,
        group: str,
        consumer: str,
        idle_s: float,
        reader: Reader,
        journal: Journal,
        attendance: Attendance,
        clock: Callable[[], dt.datetime],
        ticks: Callable[[], float],
    ) -> None:
        self._key, self._group, self._consumer, self._idle_s = key, group, consumer, idle_s
        self._reader, self._journal, self._attendance = reader, journal, attendance
        self._clock, self._ticks = clock, ticks
        self._foresight = Foresight(Log(reader, key), journal, clock)
        self._cursor = BEGINNING
        self._claim_at = ticks()

    def begin(self, start: Start) -> Steps[None]:
        """Make the group where there is none; `start` counts only then."""
        self._attendance.pulse.hear((yield Hear()))
        if isinstance(start, dt.timedelta | dt.datetime):
            place = id_at(start, self._clock())
        else:
            place = {"new": "$", "all": BEGINNING}.get(start, start)
        yield Ask("XGROUP", "CREATE", self._key, self._group, place, "MKSTREAM", allow=(_BUSY,))

    def items(self, count: int | None) -> Steps[None]:
        """Deliveries as they come; ends after `count` of them, or when patience does.

        Raises
        ------
        BrokerError : the server refuses, or was still out of reach when the time was up.
        """
        attendance, given = self._attendance, 0
        attendance.patience.renew()
        while count is None or given < count:
            try:
                yield from attendance.attend()
                taken = yield from self._next(attendance.patience.left_s(attendance.waits.block_s))
                attendance.answered()
                delivery = None if taken is None else (yield from self._judge(*taken))
            except Lost as lost:
                yield from attendance.recover(lost)
                continue
            if delivery is not None:
                given += 1
                attendance.pulse.signalled()
                yield from attendance.give(delivery)
            elif taken is None and not attendance.patience.left_s(1):
                return

    def _next(self, wait_s: float) -> Steps[tuple[Entry, int] | None]:
        if self._ticks() >= self._claim_at:
            while (claimed := (yield from self._reclaim())) is None and self._cursor != BEGINNING:
                pass  # a call looks at some ten messages: on, until all were looked at
            if claimed is not None:
                return claimed
            self._claim_at = self._ticks() + min(self._idle_s / _CLAIM_SHARE, _CLAIM_MOST_S)
        wait = ("BLOCK", max(1, int(min(wait_s, self._idle_s) * 1000))) if wait_s else ()
        group = ("GROUP", self._group, self._consumer)
        words = ("XREADGROUP", *group, "COUNT", 1, *wait, "STREAMS", self._key, ">")
        answer = yield from self._of_group(Ask(*words, allow=(_NO_GROUP,)))
        for _, entries in answer or ():
            for raw in entries:
                return entry_of(self._reader, raw), 1
        return None

    def _reclaim(self) -> Steps[tuple[Entry, int] | None]:
        """One message that was idle for long enough; looks on where it stopped the last time."""
        idle_ms = max(1, int(self._idle_s * 1000))
        words = ("XAUTOCLAIM", self._key, self._group, self._consumer, idle_ms, self._cursor, "COUNT", 1)
        answer = yield from self._of_group(Ask(*words, allow=(_NO_GROUP,)))
        self._cursor = BEGINNING if answer is None else answer[0].decode()
        for raw in [] if answer is None else answer[1]:
            if raw[0] is not None:
                told = yield Ask("XPENDING", self._key, self._group, raw[0], raw[0], 1, parse_detail=True)
                return entry_of(self._reader, raw), told[0]["times_delivered"] if told else 1
        return None

    def _of_group(self, ask: Ask) -> Steps[Any]:
        """The answer; null where there was no such group, which is made anew."""
        answer = yield ask
        if isinstance(answer, Refused):
            self._foresight.forget()
            yield from self.begin("all")
            return None
        return answer

    def _judge(self, entry: Entry, deliveries: int) -> Steps[Delivery | None]:
        yield from self._foresight.look([entry])
        item = self._journal.judge(entry, self._clock())
        if item is None:
            yield Ask("XACK", self._key, self._group, entry.stream_id)
            return None
        return Delivery(received=item, stream_id=entry.stream_id, deliveries=deliveries)


def pending(key: str, group: str, count: int) -> Steps[tuple[Pending, ...]]:
    """What was handed out and not acknowledged, oldest first; nothing where there is no such group."""
    answer = yield Ask("XPENDING", key, group, "-", "+", count, allow=(_NO_GROUP,), parse_detail=True)
    if isinstance(answer, Refused):
        return ()
    return tuple(
        Pending(
            stream_id=row["message_id"].decode(),
            consumer=row["consumer"].decode(),
            idle_s=row["time_since_delivered"] / 1000,
            deliveries=row["times_delivered"],
        )
        for row in answer
    )
