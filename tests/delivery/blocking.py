"""The client for asyncio behind the face of the other, so that the same tests hold for both."""

import asyncio
import datetime as dt
from collections.abc import Iterator
from typing import Any

from signals.delivery.aclient import AsyncClient, AsyncTask, connect_async


class Blocking:
    """Runs an `AsyncClient` on a loop of its own, which moves only while it is asked for something."""

    def __init__(self, url: str, **options: Any) -> None:
        self.runner = asyncio.Runner()
        self.client: AsyncClient = connect_async(url, **options)
        try:
            self.run(self.client.__aenter__())
        except BaseException:
            self.runner.close()
            raise

    def run(self, coroutine: Any) -> Any:
        """Wait for it."""
        return self.runner.run(coroutine)

    def signals(self, start: "str | dt.timedelta" = "new", **limits: Any) -> "BlockingItems":
        """Items, by a reading that has begun already."""
        return BlockingItems(self, self.client.signals(start, **limits))

    def work(self, group: str, consumer: str, **limits: Any) -> "BlockingItems":
        """Tasks, whose `ack` waits."""
        return BlockingItems(self, self.client.work(group, consumer, **limits))

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.client, name)
        if not asyncio.iscoroutinefunction(found):
            return found
        return lambda *arguments, **options: self.run(found(*arguments, **options))

    def __enter__(self) -> "Blocking":
        return self

    def __exit__(self, *_: object) -> None:
        self.run(self.client.close())
        self.runner.close()


class BlockingTask:
    """A task whose `ack` waits."""

    def __init__(self, owner: Blocking, task: AsyncTask) -> None:
        self.received, self.stream_id, self.deliveries = task.received, task.stream_id, task.deliveries
        self.ack = lambda: owner.run(task.ack())


class BlockingItems:
    """A reading, begun when it is made: the loop moves until the first item is there or is waited for."""

    def __init__(self, owner: Blocking, items: Any) -> None:
        self.owner, self.items = owner, items
        self.first: Any = owner.run(self._begin())

    async def _begin(self) -> Any:
        heard = self._count_hearing()
        first = asyncio.ensure_future(anext(self.items))
        while not first.done() and len(heard) < 2:  # once when it begins, and once before it reads
            await asyncio.sleep(0.001)
        return first

    def _count_hearing(self) -> list[None]:
        pulse: Any = self.owner.client._core.pulse
        hear, heard = pulse.hear, []

        def counted(messages: Any) -> None:
            heard.append(None)
            hear(messages)

        pulse.hear = counted
        return heard

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        first, self.first = self.first, None
        try:
            item = self.owner.run(self._wait(first))
            return BlockingTask(self.owner, item) if isinstance(item, AsyncTask) else item
        except StopAsyncIteration:
            raise StopIteration from None

    async def _wait(self, first: Any) -> Any:
        return await (anext(self.items) if first is None else first)

    def close(self) -> None:
        """Leave the reading."""
        if self.first is not None:
            self.first.cancel()
            self.owner.run(asyncio.wait([self.first]))
            if not self.first.cancelled():
                self.first.exception()
        self.owner.run(self.items.aclose())
