"""What a bot imports: follow the published signals, nothing lost and nothing twice.

>>> import signals
>>> with signals.connect() as client:  # doctest: +SKIP
...     for item in client.signals():
...         match item:
...             case signals.Received(signal=signal) if signal is not None:
...                 trade(signal)
...             case signals.Received(retraction=retraction) if retraction is not None:
...                 undo(retraction.signal_id)
...             case signals.Gap() | signals.Silence():
...                 stand_aside(item)
...             case signals.Restored():
...                 go_on()

The same with asyncio is `signals.connect_async` (`aclient`). Both carry out the same decisions, and hold to
these rules:

- **Order and gaps.** Messages come in the order of `seq`. What is missing is looked for in the log first, so
  a hole that can be filled is never seen; only what cannot be had is told, as a `Gap`.
- **Repeats** are dropped: by number within an epoch, by `id` across epochs.
- **A new epoch** (the service began a new store) starts at 1; where its first message has a higher number, the
  ones before are a gap. Messages left over from an older epoch are repeats if they were seen.
- **A wiped Redis** is read from its beginning: the tail that the publisher sends again is dropped where it was
  seen, given where it was not, and what is missing of it is a gap. An id to resume from that lies beyond the
  end of the log counts as one of a wiped Redis: all that is there is given.
- **Time.** What has expired when it is handed out is dropped (`live_only`) or marked `expired`; what is still
  valid and older than `late_after_s` is marked `late`.
- **Retractions** reach the bot while the signal they take back would be live, else they are dropped as expired.
  A signal whose retraction stands further on in the log is not handed out (or marked `retracted`).
- **Silence.** Redis out of reach, a dead publisher and a quiet market are three different things: see `pulse`.
- **Reconnecting** goes on for ever, with jittered pauses up to 5 s; a refusal (login, rights) is raised.
"""

import contextlib
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Unpack, cast

from signals.delivery.core import Core, Handed, Known, Options, Reading
from signals.delivery.items import Delivery, Item, Pending, Received
from signals.delivery.reach import address_from

if TYPE_CHECKING:
    from signals.delivery.link import Link
    from signals.delivery.stream import Start


def connect(
    url: str | None = None,
    *,
    home: Path | None = None,
    ensure: Callable[[], str] | None = None,
    **options: Unpack[Options],
) -> "Client":
    """Connect to the publisher's Redis.

    >>> client = connect("rediss://bot:pw@redis.example:6379", ca=Path("ca.pem"))  # doctest: +SKIP
    >>> client = connect(verify="ed25519:/etc/signals/signing.pub")  # doctest: +SKIP

    Parameters
    ----------
    url : `redis://…`, `rediss://…`, `unix://…`, `redis+sentinel://…/SERVICE` or `redis+cluster://…`, as
        `address` describes; else
    ensure : gives the address, and is asked again whenever the connection is lost; else
    home : the service's home, whose `endpoints.json` names the address; else 127.0.0.1:6379.
    options : see `Options`; `clock` in place of the machine's, `live_only`, deadlines, `verify`, certificates.

    Raises
    ------
    ConfigError : `verify` is no key.
    BrokerError : the server cannot be reached or refuses; it names the address without its password.
    """
    client = Client(address_from(url, home, ensure), **options)
    client.ping()
    return client


class Task(Handed):
    """A message handed to one consumer of a group: `ack()` it, or it is handed out again.

    Parameters
    ----------
    delivery : what was handed out.
    ack : acknowledges it.
    """

    def __init__(self, delivery: Delivery, ack: Callable[[], bool]) -> None:
        super().__init__(delivery)
        self._ack = ack

    def ack(self) -> bool:
        """Done with it; whether it was still open (not done by another meanwhile).

        Raises
        ------
        BrokerError : the server cannot be reached or refuses; it will be handed out again.
        """
        return self._ack()


class Client(Known):
    """A reader of one pair's messages. `connect` makes one.

    Parameters
    ----------
    url : gives the address; asked again for each new connection.
    options : as in `Options`.
    """

    def __init__(self, url: Callable[[], str], **options: Unpack[Options]) -> None:
        super().__init__(Core(options))
        self._url = url
        self._link = self._new_link()

    def signals(
        self, start: "Start" = "new", *, count: int | None = None, timeout_s: float | None = None
    ) -> Iterator[Item]:
        """Follow the log: `Received`, `Gap`, `Silence`, `Quiet` and `Restored` as they come, through lost connections.

        Parameters
        ----------
        start : `new` (what is sent from this call on), `all` (what the log holds), an age, an aware time, or
            the `stream_id` of the last message seen.
        count : end after so many messages.
        timeout_s : end when for so many seconds there was nothing to hand out; 0 reads what is there.

        Raises
        ------
        ConfigError : `start` is no place in the log.
        BrokerError : at once where the server cannot be reached; later only where it refuses us, or
            was out of reach when `timeout_s` ended.
        """
        return cast(Iterator[Item], self._begin(self._core.reading(start, count, timeout_s)))

    def work(
        self,
        group: str,
        consumer: str,
        *,
        start: "Start" = "new",
        idle_s: float = 60.0,
        count: int | None = None,
        timeout_s: float | None = None,
    ) -> Iterator[Task | Item]:
        """Share the log with others: each message goes to one consumer of the group, as a `Task` to `ack()`.

        >>> for task in client.work("traders", "bot-1"):  # doctest: +SKIP
        ...     if isinstance(task, signals.Task) and trade(task.received):
        ...         task.ack()

        Parameters
        ----------
        group, consumer : names; the user needs the right to XGROUP, XREADGROUP, XAUTOCLAIM, XPENDING and XACK.
        start : where a group begins that does not exist yet, as in `signals`.
        idle_s : seconds after which a message not acknowledged is handed out again.
        count : end after so many tasks.
        timeout_s : end when for so many seconds there was nothing to hand out.

        Raises
        ------
        ConfigError, BrokerError : as in `signals`.
        """
        return self._tasks(self._begin(self._core.working(group, consumer, start, idle_s, count, timeout_s)), group)

    def pending(self, group: str, count: int = 100) -> tuple[Pending, ...]:
        """What a group was given and has not acknowledged, oldest first: who has it, for how long, how often given.

        Raises
        ------
        BrokerError : the server cannot be reached or refuses.
        """
        return self._link.fetch(self._core.pending(group, count))

    def latest(self) -> Received | None:
        """The last headline signal that may still be acted on: neither expired, retracted nor superseded.

        Raises
        ------
        BrokerError : the server cannot be reached or refuses.
        """
        return self._link.fetch(self._core.latest())

    def index(self) -> Received | None:
        """The index that stands now, as `.index`; null where there is none.

        Raises
        ------
        BrokerError : the server cannot be reached or refuses.
        """
        return self._link.fetch(self._core.index())

    def ping(self) -> None:
        """Make sure that the server answers, and lets us read.

        Raises
        ------
        BrokerError : it does not.
        """
        self._link.fetch(self._core.ping())

    def close(self) -> None:
        """Drop the connection; a reading ends its own when its loop is left."""
        self._link.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def _begin(self, reading: Reading) -> Generator[Item | Delivery, None, None]:
        link = self._new_link()
        link.fetch(reading.begin)
        return link.run(reading.items)

    def _tasks(self, items: Generator[Item | Delivery, None, None], group: str) -> Iterator[Task | Item]:
        with contextlib.closing(items):
            for item in items:
                yield Task(item, self._acker(group, item.stream_id)) if isinstance(item, Delivery) else item

    def _acker(self, group: str, stream_id: str) -> Callable[[], bool]:
        return lambda: self._link.fetch(self._core.ack(group, stream_id))

    def _new_link(self) -> "Link":
        from signals.delivery.link import Link  # redis takes 0.14 s to load: not on import

        return Link(self._url, self._core.keys.channel, self._core.dialling)
