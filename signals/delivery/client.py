"""What a bot imports: follow the published signals, nothing lost and nothing twice.

>>> import signals
>>> with signals.connect() as client:  # doctest: +SKIP
...     for item in client.signals():
...         match item:
...             case signals.Received(signal=signal) if signal is not None:
...                 trade(signal)
...             case signals.Gap() | signals.Silence():
...                 stand_aside(item)
"""

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from signals.delivery.endpoints import FILE, endpoint
from signals.delivery.items import Counts, Item, Received
from signals.delivery.journal import Journal, is_expired, read_entry
from signals.delivery.keys import DEFAULT_PORT, HEARTBEAT_DEADLINE_S, keys_of
from signals.errors import BrokerError

if TYPE_CHECKING:
    from signals.delivery.pulse import Pulse
    from signals.delivery.stream import Start
    from signals.delivery.wire import Heartbeat


def connect(
    url: str | None = None,
    *,
    home: Path | None = None,
    ensure: Callable[[], str] | None = None,
    pair: str = "usdjpy",
    live_only: bool = True,
    heartbeat_deadline_s: float | None = HEARTBEAT_DEADLINE_S,
    clock: Callable[[], dt.datetime] | None = None,
) -> "Client":
    """Connect to the publisher's Redis.

    Parameters
    ----------
    url : `redis://…`, `rediss://…` or `unix://…`; else
    ensure : gives the address, and is asked again whenever the connection is lost; else
    home : the service's home, whose `endpoints.json` names the address; else 127.0.0.1:6379.
    live_only : drop signals whose `valid_until` has passed.
    heartbeat_deadline_s : seconds without a heartbeat that count as `Silence`; null for never.
    clock : gives the UTC time now, in place of the machine's.

    Raises
    ------
    BrokerError : the server cannot be reached or refuses; it names the address without its password.
    """
    client = Client(
        _address(url, home, ensure),
        clock=clock or _now,
        pair=pair,
        live_only=live_only,
        heartbeat_deadline_s=heartbeat_deadline_s,
    )
    client.ping()
    return client


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)  # noqa: TID251 - in a bot the client is the edge of the system


def _address(url: str | None, home: Path | None, ensure: Callable[[], str] | None) -> Callable[[], str]:
    if url is not None:
        return lambda: url
    if ensure is not None:
        return ensure
    if home is not None:
        return lambda: _address_in(home)
    return lambda: f"redis://127.0.0.1:{DEFAULT_PORT}"


def _address_in(home: Path) -> str:
    found = endpoint(home, "redis")
    if found is None:
        raise BrokerError(str(home / FILE), "names no redis", "start `signals serve` or `signals broker` there")
    return found


class Client:
    """A reader of one pair's messages. `connect` makes one.

    Parameters
    ----------
    url : gives the address; asked again for each new connection.
    clock : gives the UTC time now.
    pair, live_only, heartbeat_deadline_s : as in `connect`.
    """

    def __init__(
        self,
        url: Callable[[], str],
        *,
        clock: Callable[[], dt.datetime],
        pair: str = "usdjpy",
        live_only: bool = True,
        heartbeat_deadline_s: float | None = HEARTBEAT_DEADLINE_S,
    ) -> None:
        from signals.delivery.link import Link  # redis takes 0.14 s to load: not on import

        self._url = url
        self._clock = clock
        self._keys = keys_of(pair)
        self._live_only = live_only
        self._deadline_s = heartbeat_deadline_s
        self._link = Link(url)
        self._pulse: Pulse | None = None
        self.counts = Counts()
        """What was left out so far, over all readings."""

    def signals(
        self, start: "Start" = "new", *, count: int | None = None, timeout_s: float | None = None
    ) -> Iterator[Item]:
        """Follow the log: `Received`, `Gap` and `Silence` as they come, through lost connections.

        Parameters
        ----------
        start : `new` (what is sent from this call on), `all` (what the log holds), an age, or the
            `stream_id` of the last message seen.
        count : end after so many messages.
        timeout_s : end when for so many seconds there was nothing to hand out; 0 reads what is there.

        Raises
        ------
        ConfigError : `start` is no place in the log.
        BrokerError : at once where the server cannot be reached; later only where it refuses us, or
            was out of reach when `timeout_s` ended.
        """
        from signals.delivery.follow import Follower
        from signals.delivery.link import Link
        from signals.delivery.pulse import Pulse
        from signals.delivery.stream import check_start

        check_start(start)
        self._pulse = Pulse(self._keys.channel, self._clock, self._deadline_s)
        journal = Journal(self.counts, live_only=self._live_only)
        follower = Follower(Link(self._url), self._keys.log, journal, self._pulse, self._clock)
        follower.begin(start)
        return follower.items(count, timeout_s)

    def latest(self) -> Received | None:
        """The last headline signal that may still be acted on; null where there is none.

        Raises
        ------
        BrokerError : the server cannot be reached or refuses.
        """
        message = self._link.get(self._keys.latest)
        if message is None:
            return None
        event = read_entry("", message).event
        if event is None:
            self.counts.invalid += 1
            return None
        expired = is_expired(event, self._clock())
        return None if expired and self._live_only else Received(event=event, stream_id=None, expired=expired)

    @property
    def invalid(self) -> int:
        """Messages skipped so far: unreadable, or of a type made after this code."""
        return self.counts.invalid

    @property
    def heartbeat(self) -> "Heartbeat | None":
        """The last heartbeat heard by the newest reading: the state of each source and job."""
        return self._pulse.heartbeat if self._pulse else None

    @property
    def heard_at(self) -> dt.datetime | None:
        """When that heartbeat came, UTC."""
        return self._pulse.heard_at if self._pulse else None

    def ping(self) -> None:
        """Make sure that the server answers.

        Raises
        ------
        BrokerError : it does not.
        """
        self._link.ping()

    def close(self) -> None:
        """Drop the connection; a reading ends its own when its loop is left."""
        self._link.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self.close()
