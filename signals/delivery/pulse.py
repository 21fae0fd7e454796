"""Whether the publisher lives, judged by its heartbeats: pure, its time comes in as a function.

Three things that look alike from afar are told apart:

1. Redis cannot be reached or does not answer (a half-open connection too): `Silence(kind="connection")`,
   told before the deadline has passed since its last answer: as soon as another try could overrun it.
2. Redis answers, and no heartbeat came within the deadline: `Silence(kind="publisher")`. At half the
   deadline the connection is made anew, the address asked for again: so a subscription that died alone,
   or a primary that was replaced behind our back, is not taken for a dead publisher.
3. Heartbeats come and signals do not: `Quiet`, after `quiet_after_s`.

After a lost connection the publisher has two thirds of the deadline left at least, and a whole one after a
silence was told: it could not have been heard meanwhile.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator

from signals.delivery.items import Quiet, Restored, Silence, SilenceKind, State, Status
from signals.delivery.journal import Reader
from signals.delivery.wire import Heartbeat


class Pulse:
    """Takes in what the channel brings, and tells when it stops.

    Parameters
    ----------
    reader : reads the messages.
    clock : gives the UTC time now, to be told.
    ticks : gives seconds that only ever rise, to measure by.
    deadline_s : seconds without a heartbeat that count as silence; null for never.
    quiet_after_s : seconds without a signal that count as quiet; null for never.
    """

    def __init__(
        self,
        reader: Reader,
        clock: Callable[[], dt.datetime],
        ticks: Callable[[], float],
        deadline_s: float | None,
        quiet_after_s: float | None,
    ) -> None:
        self._reader, self._clock, self._ticks = reader, clock, ticks
        self._deadline_s = float("inf") if deadline_s is None else deadline_s
        self._quiet_after_s = float("inf") if quiet_after_s is None else quiet_after_s
        begun = ticks()
        self._since = self._reached = self._signalled = self._looked = begun
        self._renewed = begun
        """When the connection was last made anew for want of a heartbeat."""
        self._graced = self._quiet = False
        self._silence: Silence | None = None
        self._restored: Restored | None = None
        self._fault: str | None = None
        self.heartbeat: Heartbeat | None = None
        """The last one heard."""
        self.heard_at: dt.datetime | None = None
        """When it came, UTC by our clock."""
        self._reached_at: dt.datetime | None = None
        self._signal_at: dt.datetime | None = None

    def hear(self, messages: Iterable[bytes]) -> None:
        """Take in what the channel brought."""
        self._looked = self._ticks()
        for message in messages:
            event = self._reader.entry("", message).event  # what cannot be read stands in the log, and counts there
            if event is not None and isinstance(event.data, Heartbeat):
                self._beat(event.data)

    def answered(self) -> None:
        """Redis answered a command."""
        if self._fault is not None:
            self._fault = None
            self._forgive()
        self._reached, self._reached_at = self._ticks(), self._clock()

    def signalled(self) -> None:
        """A headline signal came."""
        self._signalled, self._signal_at, self._quiet = self._ticks(), self._clock(), False

    def failed(self, fault: str, next_try_s: float) -> Iterator[Silence]:
        """Redis did not answer, and another try may take `next_try_s` to fail: what to tell."""
        self._fault, now = fault, self._ticks()
        self._looked = now
        if now + next_try_s - self._reached > self._deadline_s:
            yield from self._fall_silent("connection", fault)

    def told(self) -> Iterator[Silence | Quiet | Restored]:
        """What to tell while Redis answers."""
        now = self._ticks()
        if self._restored is not None:
            restored, self._restored = self._restored, None
            yield restored
        if now - self._since > self._deadline_s:
            yield from self._fall_silent("publisher", None)
        elif self._is_quiet(now) and not self._quiet and self.heartbeat is not None:
            self._quiet = True
            yield Quiet(quiet_s=now - self._signalled, heartbeat=self.heartbeat)

    def is_doubtful(self) -> bool:
        """Whether to make the connection anew, since it may be what keeps heartbeats away; true once a deadline."""
        now = self._ticks()
        if now - self._since <= self._deadline_s / 2 or now - self._renewed <= self._deadline_s / 2:
            return False
        self._renewed = now
        return True

    def status(self) -> Status:
        """How it stands now."""
        return Status(
            state=self._state(),
            reached_at=self._reached_at,
            heard_at=self.heard_at,
            signal_at=self._signal_at,
            heartbeat=self.heartbeat,
            fault=self._fault,
        )

    def _state(self) -> State:
        now = self._ticks()
        if now - self._looked > self._deadline_s:
            return "idle"
        if self._fault is not None:
            return "unreachable"
        if self._silence is not None or now - self._since > self._deadline_s:
            return "silent"
        if self.heartbeat is None:
            return "waiting"
        return "quiet" if self._is_quiet(now) else "live"

    def _is_quiet(self, now: float) -> bool:
        return self._silence is None and self.heartbeat is not None and now - self._signalled > self._quiet_after_s

    def _beat(self, heartbeat: Heartbeat) -> None:
        self.heartbeat, self.heard_at = heartbeat, self._clock()
        self._since = self._renewed = self._ticks()
        self._graced = False
        if self._silence is not None:
            self._restored, self._silence = Restored(silence=self._silence, heartbeat=heartbeat), None

    def _fall_silent(self, kind: SilenceKind, fault: str | None) -> Iterator[Silence]:
        if self._silence is not None and self._silence.kind == kind:
            return
        self._restored = None
        self._silence = Silence(heard_at=self.heard_at, heartbeat=self.heartbeat, fault=fault, kind=kind)
        yield self._silence

    def _forgive(self) -> None:
        """The connection is back: leave the publisher time to be heard, once for each heartbeat."""
        now = self._ticks()
        if self._silence is not None and self._silence.kind == "connection":
            self._since = self._renewed = now
        elif not self._graced:
            self._since = max(self._since, now - self._deadline_s / 3)
            self._graced = True
