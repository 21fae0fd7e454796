"""The client for asyncio as a bot writes it: loops, tasks, and what is left when they are ended."""

import asyncio
import contextlib
from typing import Any

import pytest

import signals
from signals.delivery.publisher import Publisher
from signals.errors import BrokerError, ConfigError

from .conftest import NOW, Clock, make_rows, until


def connections(server: Any) -> int:
    """How many a client has."""
    return sum(each["name"] == "signals-client" for each in server.client_list())


@pytest.mark.asyncio
async def test_readings_side_by_side(url: str, clock: Clock, publisher: Publisher) -> None:
    """Several readings and questions of one client at once do not disturb each other."""
    publisher.publish_many(make_rows(1, 30), now=NOW, restart=True)

    async def read() -> list[int]:
        items = client.signals("all", count=30)
        return [item.event.seq async for item in items if isinstance(item, signals.Received)]

    async with signals.connect_async(url, clock=clock) as client:
        *readings, latest = await asyncio.gather(read(), read(), read(), client.latest())
    assert readings == [list(range(1, 31))] * 3
    assert isinstance(latest, signals.Received)


@pytest.mark.asyncio
async def test_a_cancelled_reading_leaves_no_connection(url: str, clock: Clock, server: Any) -> None:
    """A task that waits for the next signal can be cancelled at any moment; its connections end with it."""

    async def read() -> None:
        async for _ in client.signals():
            pass

    async with signals.connect_async(url, clock=clock) as client:
        for rounds in range(12):
            task = asyncio.create_task(read())
            for _ in range(rounds):
                await asyncio.sleep(0.002)
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            assert task.cancelled()
    until(lambda: connections(server) == 0)


@pytest.mark.asyncio
async def test_a_loop_left_early_ends_its_connection(url: str, clock: Clock, publisher: Publisher, server: Any) -> None:
    """Closing the iterator ends what it had; so does closing one of tasks."""
    publisher.publish_many(make_rows(1, 3), now=NOW, restart=True)
    async with signals.connect_async(url, clock=clock) as client:
        for items in (client.signals("all"), client.work("group", "bot", start="all")):
            async with contextlib.aclosing(items):  # type: ignore[type-var]
                async for item in items:
                    if isinstance(item, signals.AsyncTask):
                        assert await item.ack()
                    break
    until(lambda: connections(server) == 0)


@pytest.mark.asyncio
async def test_errors_come_where_they_are_asked_for(url: str) -> None:
    """A server that is not there is told on entering; a start that is none at once."""
    with pytest.raises(BrokerError, match="cannot be reached"):
        async with signals.connect_async("redis://127.0.0.1:1"):
            pass
    async with signals.connect_async(url) as client:
        with pytest.raises(ConfigError, match="no place"):
            client.signals("yesterday")
