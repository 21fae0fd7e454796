"""The edge with threads: carries out the core's steps by redis-py, waiting where they wait."""

import time
from collections.abc import Callable, Generator
from typing import Any, cast

import redis

from signals.delivery.address import Dialling
from signals.delivery.dial import dial
from signals.delivery.faults import broker_error, may_pass, safe_url
from signals.delivery.items import Delivery, Item
from signals.delivery.steps import Ask, Drop, Effect, Hear, Lost, Pause, Refused, Steps, T
from signals.errors import BrokerError


class Link:
    """A connection that follows its address: made when it is needed, dropped when it breaks.

    Parameters
    ----------
    url : gives the address; asked again for each new connection, so that a server may move.
    channel : to listen to.
    how : certificates and waits.
    """

    def __init__(self, url: Callable[[], str], channel: str, how: Dialling) -> None:
        self._url, self._channel, self._how = url, channel, how
        self._client: redis.Redis | None = None
        self._pubsub: redis.client.PubSub | None = None
        self._where = "Redis"
        self._carry_out: dict[type[Effect], Callable[[Any], object]] = {
            Ask: self._ask,
            Hear: self._hear,
            Drop: lambda _: self.close(),
            Pause: lambda pause: time.sleep(pause.seconds),
        }

    def run(self, steps: Steps[None]) -> Generator[Item | Delivery, None, None]:
        """Carry steps out; what they hand out goes on to the caller. The connection ends with them."""
        try:
            yield from self._items(steps)
        finally:
            steps.close()
            self.close()

    def fetch(self, steps: Steps[T]) -> T:
        """Carry steps out that hand nothing out; their result.

        Raises
        ------
        BrokerError : one of them failed.
        """
        items = self._items(steps)
        try:
            next(items)
        except StopIteration as end:
            return cast(T, end.value)
        except Lost as lost:
            self.close()
            raise lost.fault from lost
        raise AssertionError("these steps hand items out")

    def close(self) -> None:
        """Drop the connection; the next step makes a new one."""
        pubsub, self._pubsub = self._pubsub, None
        client, self._client = self._client, None
        if pubsub is not None:
            pubsub.close()
        if client is not None:
            client.close()

    def _items(self, steps: Steps[T]) -> Generator[Item | Delivery, None, T]:
        try:
            step = next(steps)
            while True:
                if not isinstance(step, Effect):
                    yield step
                    step = next(steps)
                    continue
                try:
                    answer = self._carry_out[type(step)](step)
                except (redis.RedisError, BrokerError) as exc:
                    step = steps.throw(self._lost(exc))
                else:
                    step = steps.send(answer)
        except StopIteration as end:
            return cast(T, end.value)

    def _ask(self, ask: Ask) -> object:
        try:
            return self._connected().execute_command(*ask.words, **ask.options)  # type: ignore[no-untyped-call]
        except redis.ResponseError as exc:
            code = str(exc).partition(" ")[0]
            if code in ask.allow:
                return Refused(code)
            raise

    def _hear(self, _: Hear) -> list[bytes]:
        if self._pubsub is None:
            self._pubsub = self._connected().pubsub()  # type: ignore[no-untyped-call]
            self._pubsub.subscribe(self._channel)
            if self._pubsub.get_message(timeout=self._how.answer_s) is None:
                raise redis.TimeoutError("the subscription is not confirmed")
        messages = []
        while (message := self._pubsub.get_message(timeout=0)) is not None:
            if message["type"] == "message":
                messages.append(message["data"])
        return messages

    def _connected(self) -> redis.Redis:
        if self._client is None:
            url = self._url()
            self._where = safe_url(url)
            self._client = dial(url, self._how)
        return self._client

    def _lost(self, exc: redis.RedisError | BrokerError) -> Lost:
        if isinstance(exc, BrokerError):
            return Lost(exc, passes=True)  # of whoever gives the address
        return Lost(broker_error(self._where, exc), passes=may_pass(exc))
