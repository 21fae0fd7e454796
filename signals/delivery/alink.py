"""The edge with asyncio: carries out the core's steps by redis-py's asyncio half."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

import redis
import redis.asyncio
from redis.asyncio.client import PubSub

from signals.delivery.address import Dialling
from signals.delivery.dial import dial_async
from signals.delivery.faults import broker_error, may_pass, safe_url
from signals.delivery.items import Delivery, Item
from signals.delivery.steps import Ask, Drop, Effect, Hear, Lost, Pause, Refused, Steps, T
from signals.errors import BrokerError

_CANCEL_S = 0.05


class Ear:
    """Listens to a channel in a task of its own, so that hearing never waits.

    Parameters
    ----------
    pubsub : subscribed, and confirmed.
    """

    def __init__(self, pubsub: PubSub) -> None:
        self._pubsub = pubsub
        self._messages: list[bytes] = []
        self._task = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        while True:
            message = await self._pubsub.get_message(timeout=None)
            if message is not None and message["type"] == "message":
                self._messages.append(message["data"])

    async def heard(self) -> list[bytes]:
        """What came since the last time; raises what ended the listening."""
        await asyncio.sleep(0)  # what has arrived is taken in first
        if self._task.done():
            await self._task
        messages, self._messages = self._messages, []
        return messages

    async def close(self) -> None:
        """Stop listening."""
        while not self._task.done():  # a connection made at the same moment may swallow the cancelling
            self._task.cancel()
            await asyncio.wait([self._task], timeout=_CANCEL_S)
        if not self._task.cancelled():
            self._task.exception()  # looked at: what ended it was told by `heard`, or does not matter any more
        await self._pubsub.aclose()  # type: ignore[no-untyped-call]


class AsyncLink:
    """A connection that follows its address; as `Link`, for asyncio."""

    def __init__(self, url: Callable[[], str], channel: str, how: Dialling) -> None:
        self._url, self._channel, self._how = url, channel, how
        self._client: redis.asyncio.Redis | None = None
        self._ear: Ear | None = None
        self._where = "Redis"
        self._carry_out: dict[type[Effect], Callable[[Any], Awaitable[object]]] = {
            Ask: self._ask,
            Hear: self._hear,
            Drop: lambda _: self.close(),
            Pause: lambda pause: asyncio.sleep(pause.seconds),
        }

    async def run(self, steps: Steps[None]) -> AsyncGenerator[Item | Delivery, None]:
        """Carry steps out; what they hand out goes on to the caller. The connection ends with them."""
        try:
            step = await self._next(steps, None)
            while step is not None:
                yield step
                step = await self._next(steps, None)
        finally:
            steps.close()
            await self.close()

    async def fetch(self, steps: Steps[T]) -> T:
        """Carry steps out that hand nothing out; their result.

        Raises
        ------
        BrokerError : one of them failed.
        """
        results: list[T] = []
        try:
            item = await self._next(steps, results)
        except Lost as lost:
            await self.close()
            raise lost.fault from lost
        if item is not None:
            raise AssertionError("these steps hand items out")
        return results[0]

    async def close(self) -> None:
        """Drop the connection; the next step makes a new one."""
        ear, self._ear = self._ear, None
        client, self._client = self._client, None
        if ear is not None:
            await ear.close()
        if client is not None:
            await client.aclose()

    async def _next(self, steps: Steps[T], results: list[T] | None) -> Item | Delivery | None:
        """Carry steps out up to the next item; null at their end, with the result put into `results`."""
        task = asyncio.current_task()
        before = task.cancelling() if task else 0
        try:
            step = next(steps)
            while isinstance(step, Effect):
                fault: redis.RedisError | BrokerError | None = None
                try:
                    answer = await self._carry_out[type(step)](step)
                except (redis.RedisError, BrokerError) as exc:
                    fault = exc
                if task and task.cancelling() > before:
                    # redis-py has swallowed it, as it may while it connects: nobody would end this reading any more
                    raise asyncio.CancelledError
                step = steps.send(answer) if fault is None else steps.throw(self._lost(fault))
            return step
        except StopIteration as end:
            if results is not None:
                results.append(end.value)
            return None

    async def _ask(self, ask: Ask) -> object:
        try:
            client = await self._connected()
            return await client.execute_command(*ask.words, **ask.options)  # type: ignore[no-untyped-call]
        except redis.ResponseError as exc:
            code = str(exc).partition(" ")[0]
            if code in ask.allow:
                return Refused(code)
            raise

    async def _hear(self, _: Hear) -> list[bytes]:
        if self._ear is None:
            pubsub = (await self._connected()).pubsub()
            try:
                await pubsub.subscribe(self._channel)
                if await pubsub.get_message(timeout=self._how.answer_s) is None:
                    raise redis.TimeoutError("the subscription is not confirmed")
            except BaseException:  # cancelled too: nobody else knows of it
                await pubsub.aclose()  # type: ignore[no-untyped-call]
                raise
            self._ear = Ear(pubsub)
        return await self._ear.heard()

    async def _connected(self) -> redis.asyncio.Redis:
        if self._client is None:
            url = await asyncio.to_thread(self._url)  # it may start a server, or read a file
            self._where = safe_url(url)
            self._client = await dial_async(url, self._how)
        return self._client

    def _lost(self, exc: redis.RedisError | BrokerError) -> Lost:
        if isinstance(exc, BrokerError):
            return Lost(exc, passes=True)  # of whoever gives the address
        return Lost(broker_error(self._where, exc), passes=may_pass(exc))
