"""The client for asyncio: the rules of `client`, word for word.

>>> import signals
>>> async def main():
...     async with signals.connect_async() as client:
...         async for item in client.signals():
...             match item:
...                 case signals.Received(signal=signal) if signal is not None:
...                     await trade(signal)
...                 case signals.Gap() | signals.Silence():
...                     await stand_aside(item)
"""

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Unpack, cast

from signals.delivery.core import Core, Handed, Known, Options, Reading
from signals.delivery.items import Delivery, Item, Pending, Received
from signals.delivery.reach import address_from

if TYPE_CHECKING:
    from signals.delivery.alink import AsyncLink
    from signals.delivery.stream import Start


def connect_async(
    url: str | None = None,
    *,
    home: Path | None = None,
    ensure: Callable[[], str] | None = None,
    **options: Unpack[Options],
) -> "AsyncClient":
    """As `connect`, for `async with`, which makes sure that the server answers.

    `ensure` is called in a thread of its own: it may take its time.
    """
    return AsyncClient(address_from(url, home, ensure), **options)


class AsyncTask(Handed):
    """As `Task`: `await task.ack()`."""

    def __init__(self, delivery: Delivery, ack: Callable[[], Awaitable[bool]]) -> None:
        super().__init__(delivery)
        self._ack = ack

    async def ack(self) -> bool:
        """As `Task.ack`."""
        return await self._ack()


class AsyncClient(Known):
    """A reader of one pair's messages. `connect_async` makes one; parameters as in `Client`."""

    def __init__(self, url: Callable[[], str], **options: Unpack[Options]) -> None:
        super().__init__(Core(options))
        self._url = url
        self._link = self._new_link()

    def signals(
        self, start: "Start" = "new", *, count: int | None = None, timeout_s: float | None = None
    ) -> AsyncIterator[Item]:
        """As `Client.signals`; `new` counts from the first item asked for, and so do errors of the server.

        A loop that is left early keeps its connection until the iterator is closed (`contextlib.aclosing`) or
        collected.

        Raises
        ------
        ConfigError : `start` is no place in the log.
        """
        return cast(AsyncIterator[Item], self._begun(self._core.reading(start, count, timeout_s)))

    def work(
        self,
        group: str,
        consumer: str,
        *,
        start: "Start" = "new",
        idle_s: float = 60.0,
        count: int | None = None,
        timeout_s: float | None = None,
    ) -> AsyncIterator[AsyncTask | Item]:
        """As `Client.work`."""
        return self._tasks(self._begun(self._core.working(group, consumer, start, idle_s, count, timeout_s)), group)

    async def pending(self, group: str, count: int = 100) -> tuple[Pending, ...]:
        """As `Client.pending`."""
        return await self._link.fetch(self._core.pending(group, count))

    async def latest(self) -> Received | None:
        """As `Client.latest`."""
        return await self._link.fetch(self._core.latest())

    async def index(self) -> Received | None:
        """As `Client.index`."""
        return await self._link.fetch(self._core.index())

    async def ping(self) -> None:
        """As `Client.ping`."""
        await self._link.fetch(self._core.ping())

    async def close(self) -> None:
        """Drop the connection; a reading ends its own when its iterator is closed."""
        await self._link.close()

    async def __aenter__(self) -> "AsyncClient":
        await self.ping()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self.close()

    async def _begun(self, reading: Reading) -> AsyncGenerator[Item | Delivery, None]:
        link = self._new_link()
        try:
            await link.fetch(reading.begin)
            async with contextlib.aclosing(link.run(reading.items)) as items:
                async for item in items:
                    yield item
        finally:
            await link.close()

    async def _tasks(self, items: AsyncGenerator[Item | Delivery, None], group: str) -> AsyncIterator[AsyncTask | Item]:
        async with contextlib.aclosing(items):
            async for item in items:
                yield AsyncTask(item, self._acker(group, item.stream_id)) if isinstance(item, Delivery) else item

    def _acker(self, group: str, stream_id: str) -> Callable[[], Awaitable[bool]]:
        return lambda: self._link.fetch(self._core.ack(group, stream_id))

    def _new_link(self) -> "AsyncLink":
        from signals.delivery.alink import AsyncLink  # redis takes 0.14 s to load: not on import

        return AsyncLink(self._url, self._core.keys.channel, self._core.dialling)
