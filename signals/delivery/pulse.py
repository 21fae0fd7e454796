"""The publisher's heartbeats as a client hears them: they come by PUBLISH only, past the log."""

import datetime as dt
from collections.abc import Callable

import redis

from signals.delivery.items import Silence
from signals.delivery.wire import Event, Heartbeat, decode
from signals.errors import MessageError


class Pulse:
    """Listens for heartbeats beside the log, and tells when they stop.

    Parameters
    ----------
    channel : the pair's channel.
    clock : gives the UTC time now.
    deadline_s : seconds without a heartbeat that count as silence; null for never.
    """

    def __init__(self, channel: str, clock: Callable[[], dt.datetime], deadline_s: float | None) -> None:
        self._channel = channel
        self._clock = clock
        self._deadline = None if deadline_s is None else dt.timedelta(seconds=deadline_s)
        self._since = clock()
        self._told = False
        self._pubsub: redis.client.PubSub | None = None
        self.heartbeat: Heartbeat | None = None
        """The last one heard."""
        self.heard_at: dt.datetime | None = None
        """When it came, UTC by our clock."""

    def listen(self, client: redis.Redis) -> None:
        """Take in what has come since the last time; never waits."""
        if self._pubsub is None:
            self._pubsub = client.pubsub()  # type: ignore[no-untyped-call]
            self._pubsub.subscribe(self._channel)
        while (message := self._pubsub.get_message(timeout=0)) is not None:
            if message["type"] == "message":
                self._hear(message["data"])

    def silence(self, fault: str | None) -> Silence | None:
        """Told once when the deadline has passed, with the fault that is known; again only after a heartbeat."""
        if self._deadline is None or self._told or self._clock() - self._since <= self._deadline:
            return None
        self._told = True
        return Silence(heard_at=self.heard_at, heartbeat=self.heartbeat, fault=fault)

    def close(self) -> None:
        """Stop listening; `listen` begins again."""
        pubsub, self._pubsub = self._pubsub, None
        if pubsub is not None:
            pubsub.close()

    def _hear(self, message: bytes) -> None:
        try:
            event = decode(message)
        except MessageError:
            return  # the log has it too, and counts it there
        if isinstance(event, Event) and isinstance(event.data, Heartbeat):
            self.heartbeat = event.data
            self.heard_at = self._since = self._clock()
            self._told = False
