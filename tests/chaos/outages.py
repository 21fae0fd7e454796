"""Redis in trouble under load, while the service and a bot live on: the loop that the tests and the bench share."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tests.chaos.load import Bot, Feeder, Verdict, in_stream, seen_by
from tests.chaos.server import Server
from tests.chaos.service import Service, until

RATE = 100.0
"""Headlines a second."""


class Outcome(NamedTuple):
    """What the bot saw, what the stream holds, what came during the trouble, and what the bot was told."""

    bot: Verdict
    stream: Verdict
    meanwhile: int
    silences: int
    caught_up_s: float
    """Seconds from the end of the trouble until the bot had what was acknowledged by then."""


def away(server: Server, seconds: float) -> Callable[[], None]:
    """The server is dead for so long."""
    return _for(seconds, server.kill, server.start)


def hung(server: Server, seconds: float) -> Callable[[], None]:
    """The server stands still for so long."""
    return _for(seconds, server.hang, server.go_on)


def set_back(server: Server, seconds: float, folder: Path) -> Callable[[], None]:
    """The server is started with what it had so long ago."""

    def trouble() -> None:
        copy = folder / "copy"
        server.copy(copy)
        time.sleep(seconds)
        server.set_back(copy)

    return trouble


def _for(seconds: float, begin: Callable[[], None], end: Callable[[], None]) -> Callable[[], None]:
    def trouble() -> None:
        begin()
        time.sleep(seconds)
        end()

    return trouble


def under_load(home: Path, service: Service, server: Server, trouble: Callable[[], None]) -> Outcome:
    """A second of quiet work, the trouble, another second; then what came of it."""
    feeder, bot = Feeder(home, RATE), Bot(home, url=server.url)
    service.start()
    feeder.start()
    bot.start()
    until(lambda: len(bot.seen) > RATE, "a second's worth of signals")
    before = len(feeder.acknowledged)
    trouble()
    ended, meanwhile = time.monotonic(), len(feeder.acknowledged) - before
    until(lambda: len(bot.seen) >= before + meanwhile, "what was taken during the trouble")
    caught_up_s = time.monotonic() - ended
    until(lambda: len(bot.seen) >= before + meanwhile + RATE, "another second's worth")
    feeder.end()
    bot.join(60)
    assert not bot.is_alive(), f"the last headline never came: {seen_by(bot, feeder.acknowledged)}"
    stream = in_stream(server.client, feeder.acknowledged)
    return Outcome(seen_by(bot, feeder.acknowledged), stream, meanwhile, len(bot.silences), caught_up_s)
