"""What both clients are made of: the options, the steps of each reading, and what is known meanwhile. No network."""

import datetime as dt
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypedDict

from signals.delivery import snapshot, work
from signals.delivery.address import Dialling, Tls
from signals.delivery.follow import Attendance, Follower, Patience, Waits
from signals.delivery.items import Counts, Delivery, Pending, Received, Status, Verify
from signals.delivery.journal import Journal, Reader
from signals.delivery.keys import HEARTBEAT_DEADLINE_S, Keys, keys_of
from signals.delivery.pulse import Pulse
from signals.delivery.signing import KINDS, verifier
from signals.delivery.steps import Ask, Steps
from signals.delivery.stream import Log, Start, check_start
from signals.delivery.wire import Heartbeat
from signals.errors import ConfigError

QUIET_AFTER_S = 900.0
"""Seconds without a signal after which a bot is told that the market is quiet."""
_KINDS = tuple(f"{kind}:" for kind in KINDS)
LATE_AFTER_S = 10.0
"""Seconds after its `time` from which a message counts as late."""


class Options(TypedDict, total=False):
    """What may be given to either client, each by name."""

    clock: Callable[[], dt.datetime] | None
    """Gives the UTC time now, in place of the machine's, and measures the deadlines too."""
    pair: str
    """Whose messages: `usdjpy` where left out."""
    live_only: bool
    """Drop what must not be acted on: signals and retractions whose `valid_until` has passed, and signals
    whose retraction is known. True where left out; else they come marked `expired` or `retracted`."""
    heartbeat_deadline_s: float | None
    """Seconds without a heartbeat that count as `Silence`: 15 where left out; null for never."""
    quiet_after_s: float | None
    """Seconds without a signal that count as `Quiet`: 900 where left out; null for never."""
    late_after_s: float
    """Seconds after its `time` from which a message is marked `late`: 10 where left out."""
    verify: Verify | str | None
    """What checks signatures: `hmac:SECRET`, or `ed25519:FILE` with the publisher's public key in PEM. Or a function
    that gets each message as it stands in Redis, and gives the bytes to read or raises `MessageError`. What is
    refused is skipped and counted, and where it should have stood is told as a `Gap`; a heartbeat refused is none."""
    ca: Path | None
    """For `rediss`: who signed the server's certificate, as a PEM file; else the system's list."""
    certificate: Path | None
    """For `rediss`: ours, where the server asks for one."""
    key: Path | None
    """For `rediss`: the key of our certificate; null where it stands in the same file."""


class Reading(NamedTuple):
    """The steps of one reading: its beginning, which raises what goes wrong, and its items, which survive it."""

    begin: Steps[None]
    items: Steps[None]


class Core:
    """One client's memory and rules.

    Parameters
    ----------
    options : as in `Options`.
    """

    def __init__(self, options: Options) -> None:
        clock = options.get("clock")
        self.clock = clock or _now
        self._ticks: Callable[[], float] = time.monotonic if clock is None else lambda: clock().timestamp()
        pair = options.get("pair", "usdjpy").lower()
        self.keys: Keys = keys_of(pair)
        self._reader = Reader(pair, _verify(options))
        self._live_only = options.get("live_only", True)
        self._deadline_s = options.get("heartbeat_deadline_s", HEARTBEAT_DEADLINE_S)
        self._quiet_after_s = options.get("quiet_after_s", QUIET_AFTER_S)
        self._late_after_s = options.get("late_after_s", LATE_AFTER_S)
        self._waits = Waits(self._deadline_s)
        tls = Tls(options.get("ca"), options.get("certificate"), options.get("key"))
        self.dialling = Dialling(tls, self._waits.answer_s, self._waits.connect_s, self.keys.log)
        self.counts = Counts()
        self.pulse: Pulse | None = None

    def reading(self, start: Start, count: int | None, timeout_s: float | None) -> Reading:
        """Follow the log.

        Raises
        ------
        ConfigError : `start` is no place in it.
        """
        check_start(start)
        log = Log(self._reader, self.keys.log)
        follower = Follower(log, self._journal(), self._attendance(timeout_s), self.clock, count)
        return Reading(follower.begin(start), follower.items())

    def working(
        self, group: str, consumer: str, start: Start, idle_s: float, count: int | None, timeout_s: float | None
    ) -> Reading:
        """Take part in a group.

        Raises
        ------
        ConfigError : `start` is no place in the log, a name is empty, or `idle_s` is not above 0.
        """
        check_start(start)
        if not group or not consumer or not idle_s > 0:
            raise ConfigError("work", "needs a group, a consumer and an idle time", "name them; idle_s above 0")
        worker = work.Worker(
            self.keys.log,
            group,
            consumer,
            idle_s,
            self._reader,
            self._journal(),
            self._attendance(timeout_s),
            self.clock,
            time.monotonic,
        )
        return Reading(worker.begin(start), worker.items(count))

    def latest(self) -> Steps[Received | None]:
        """The last signal that may be acted on."""
        log = Log(self._reader, self.keys.log)
        return snapshot.latest(log, self.keys.latest, self._reader, self.counts, self.clock())

    def index(self) -> Steps[Received | None]:
        """The index that stands now."""
        return snapshot.index(self.keys.index, self._reader, self.counts, self.clock())

    def pending(self, group: str, count: int) -> Steps[tuple[Pending, ...]]:
        """What a group has not acknowledged."""
        return work.pending(self.keys.log, group, count)

    def ack(self, group: str, stream_id: str) -> Steps[bool]:
        """Acknowledge a message; whether it was still open."""
        answer = yield Ask("XACK", self.keys.log, group, stream_id)
        return bool(answer)

    def ping(self) -> Steps[None]:
        """See that the server lets us read. Not by PING: that it refuses while its disk is full, and lets us read."""
        yield Ask("XREVRANGE", self.keys.log, "+", "-", "COUNT", 1)

    def _journal(self) -> Journal:
        return Journal(self.counts, live_only=self._live_only, late_after_s=self._late_after_s)

    def _attendance(self, timeout_s: float | None) -> Attendance:
        self.pulse = Pulse(self._reader, self.clock, self._ticks, self._deadline_s, self._quiet_after_s)
        return Attendance(self.pulse, self._waits, Patience(timeout_s, time.monotonic))


class Handed:
    """A message handed to one consumer of a group, as either client's task holds it.

    Parameters
    ----------
    delivery : what was handed out.
    """

    def __init__(self, delivery: Delivery) -> None:
        self.received: Received = delivery.received
        """The message."""
        self.stream_id: str = delivery.stream_id
        self.deliveries: int = delivery.deliveries
        """How often it was handed out, this time included: a message that ends its worker shows by it."""


class Known:
    """What a client knows without asking anybody.

    Parameters
    ----------
    core : its memory.
    """

    def __init__(self, core: Core) -> None:
        self._core = core

    @property
    def counts(self) -> Counts:
        """What was left out so far, over all readings."""
        return self._core.counts

    @property
    def invalid(self) -> int:
        """Messages skipped so far: unreadable, or of a type made after this code."""
        return self.counts.invalid

    @property
    def status(self) -> Status:
        """How the newest reading stands: whether Redis answers, the publisher lives, and signals come."""
        return Status(state="idle") if self._core.pulse is None else self._core.pulse.status()

    @property
    def heartbeat(self) -> Heartbeat | None:
        """The last heartbeat heard by the newest reading: the state of each source and job."""
        return self.status.heartbeat

    @property
    def heard_at(self) -> dt.datetime | None:
        """When that heartbeat came, UTC."""
        return self.status.heard_at


def _verify(options: Options) -> Verify | None:
    """What looks at each message first.

    Raises
    ------
    ConfigError : the key is none, or stands where that of a certificate belongs; the message has nothing of it.
    """
    if str(options.get("key")).startswith(_KINDS):
        raise ConfigError("key", "is the file with our certificate's key", "give what checks signatures as verify=")
    given = options.get("verify")
    return verifier(given, "verify") if isinstance(given, str) else given


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)  # noqa: TID251 - in a bot the client is the edge of the system
