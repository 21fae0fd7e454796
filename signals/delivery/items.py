"""What a client hands out: messages, what it knows to be missing, and why nothing comes."""

import datetime as dt
from collections.abc import Callable
from typing import Literal

import msgspec

from signals.delivery.wire import AnyEvent, Heartbeat
from signals.message import Index, Retraction, Signal

Verify = Callable[[bytes], bytes]
"""Gets a message as it stands in Redis and gives the bytes to read, or raises `MessageError`."""


SilenceKind = Literal["publisher", "connection"]
State = Literal["idle", "waiting", "live", "quiet", "silent", "unreachable"]


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """A message that was not seen before."""

    event: AnyEvent
    stream_id: str | None
    """Place in the log: give it as `start` to go on after this message. Null where read from a key."""
    expired: bool
    """Its `valid_until` has passed: to be shown, not to be acted on."""
    late: bool = False
    """Still valid, but older than `late_after_s` when handed out: filled in, caught up with, or held up on its way."""
    retracted: bool = False
    """The log holds its retraction already: to be shown, not to be acted on."""

    @property
    def signal(self) -> Signal | None:
        """The data, where the message is a headline signal."""
        return self.event.data if isinstance(self.event.data, Signal) else None

    @property
    def retraction(self) -> Retraction | None:
        """The data, where the message takes a signal back that was live until now."""
        return self.event.data if isinstance(self.event.data, Retraction) else None

    @property
    def index(self) -> Index | None:
        """The data, where the message is an index."""
        return self.event.data if isinstance(self.event.data, Index) else None


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """Messages that were sent and can no longer be had: the log holds them no more, or never did."""

    epoch: str
    missing_from: int | None
    """First missing `seq`; null where the log ends after the place to resume from: perhaps none is missing."""
    missing_to: int
    """Last missing `seq`."""


class Silence(msgspec.Struct, frozen=True, kw_only=True):
    """No heartbeat within the deadline: stand aside. Told once for each kind, until a heartbeat comes (`Restored`)."""

    heard_at: dt.datetime | None
    """When the last heartbeat came, UTC; null where none came since the start."""
    heartbeat: Heartbeat | None
    """What it said."""
    fault: str | None
    """Why the server cannot be reached; null where it can, so that it is the publisher that is down."""
    kind: SilenceKind = "publisher"
    """`connection`: Redis is out of reach or does not answer; `publisher`: it answers, and nobody sends."""


class Quiet(msgspec.Struct, frozen=True, kw_only=True):
    """All is well and nothing happens: heartbeats come, signals do not. Told once, until the next signal."""

    quiet_s: float
    """Seconds since the last signal, or since reading began."""
    heartbeat: Heartbeat
    """What the publisher says of its sources: whether there is no news, or nobody to bring it."""


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """Heartbeats are back after a `Silence`."""

    silence: Silence
    """What is over."""
    heartbeat: Heartbeat


Item = Received | Gap | Silence | Quiet | Restored


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """A message handed to one consumer."""

    received: Received
    stream_id: str
    deliveries: int
    """How often it was handed out, this time included."""


class Pending(msgspec.Struct, frozen=True, kw_only=True):
    """A message handed out and not acknowledged."""

    stream_id: str
    consumer: str
    idle_s: float
    """Seconds since it was last handed out."""
    deliveries: int


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """How a reading stands at the moment it is asked. All times UTC."""

    state: State
    """`live`: heartbeats come; `quiet`: they do, but no signals; `silent`: Redis answers, the publisher
    does not; `unreachable`: Redis does not answer; `waiting`: no heartbeat yet, and the deadline is not over;
    `idle`: nobody has asked a reading for an item within the deadline, so nothing is known."""
    reached_at: dt.datetime | None = None
    """When Redis last answered."""
    heard_at: dt.datetime | None = None
    """When the last heartbeat came."""
    signal_at: dt.datetime | None = None
    """When the last headline signal came."""
    heartbeat: Heartbeat | None = None
    """The last one: the state of each source and job."""
    fault: str | None = None
    """Why Redis is out of reach."""


class Counts(msgspec.Struct):
    """What a client left out so far."""

    invalid: int = 0
    """Messages that could not be read or verified, are of another pair, or of a type made after this code."""
    repeats: int = 0
    expired: int = 0
    """Signals and retractions dropped because their time was over (`live_only`)."""
    retracted: int = 0
    """Signals dropped because the log held their retraction already (`live_only`)."""
