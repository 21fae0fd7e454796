"""What a client hands out: messages, and what it knows to be missing."""

import datetime as dt

import msgspec

from signals.delivery.wire import AnyEvent, Heartbeat
from signals.model import Signal


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """A message that was not seen before."""

    event: AnyEvent
    stream_id: str | None
    """Place in the log: give it as `start` to go on after this message. Null where read from a key."""
    expired: bool
    """Its `valid_until` has passed: to be shown, not to be acted on."""

    @property
    def signal(self) -> Signal | None:
        """The data, where the message is a headline signal."""
        return self.event.data if isinstance(self.event.data, Signal) else None


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """Messages that were sent and can no longer be had: the log holds them no more, or never did."""

    epoch: str
    missing_from: int | None
    """First missing `seq`; null where the log ends after the place to resume from: perhaps none is missing."""
    missing_to: int
    """Last missing `seq`."""


class Silence(msgspec.Struct, frozen=True, kw_only=True):
    """No heartbeat within the deadline: the publisher is down or cannot be reached. Told once, until one comes."""

    heard_at: dt.datetime | None
    """When the last heartbeat came, UTC; null where none came since the start."""
    heartbeat: Heartbeat | None
    """What it said."""
    fault: str | None
    """Why the server cannot be reached; null where it can, so that it is the publisher that is down."""


Item = Received | Gap | Silence


class Counts(msgspec.Struct):
    """What a client left out so far."""

    invalid: int = 0
    """Messages that could not be read, or of a type made after this code."""
    repeats: int = 0
    expired: int = 0
    """Signals dropped because their time was over (`live_only`)."""
