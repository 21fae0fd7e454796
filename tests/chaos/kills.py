"""Kills at moments of chance, under load: the loop that the tests and the bench share."""

import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from signals.delivery.broker import EmbeddedBroker
from tests.chaos.load import Bot, Feeder, Verdict, in_stream, seen_by
from tests.chaos.service import Born, Service, connected, kill_server, until

RATE = 200.0
"""Headlines a second while there is a service to take them."""

BOUNDARIES = 400
"""Of a life that ends at one: its first half is the start, then comes work."""


class Outcome(NamedTuple):
    """What the bot saw, what the stream holds, and how long it took."""

    bot: Verdict
    stream: Verdict
    kills: int
    took_s: float

    def clean(self) -> bool:
        """Nothing lost, nothing twice, no gap, in order; and there was something to lose."""
        return all(sum(one[1:]) == 0 and one.sent > self.kills for one in (self.bot, self.stream))


def kill_services(home: Path, service: Service, kills: int, seed: int, *, starting_s: float = 0.4) -> Outcome:
    """Kill the service so many times: one in three while it starts, the others while it works."""
    chance = random.Random(seed)

    def rounds(feeder: Feeder) -> None:
        for _ in range(kills):
            service.start()
            if chance.random() < 1 / 3:
                time.sleep(chance.uniform(0, starting_s))
            else:
                _let_work(feeder, chance, 0.5)
            service.kill()
        service.start()

    return _under_load(home, kills, rounds)


def kill_children(home: Path, service: Born, kills: int, seed: int) -> Outcome:
    """Kill the service and not its minder, so many times: one in three while it starts, the others while it works."""
    chance = random.Random(seed)

    def rounds(feeder: Feeder) -> None:
        service.start()
        for _ in range(kills):
            if chance.random() < 1 / 3:
                time.sleep(chance.uniform(0, 0.4))
            else:
                _let_work(feeder, chance, 0.5)
            service.kill_child()

    return _under_load(home, kills, rounds)


def kill_at_boundaries(home: Path, service: Born, kills: int, seed: int) -> Outcome:
    """Let the service kill itself so many times between two statements, commits or messages to Redis."""
    chance = random.Random(seed)

    def rounds(_feeder: Feeder) -> None:
        for _ in range(kills):
            service.start(chance.randint(1, BOUNDARIES))
            service.die()
        service.start()

    return _under_load(home, kills, rounds)


def kill_servers(home: Path, service: Service, kills: int, seed: int) -> Outcome:
    """Kill the embedded server so many times, while the service works and starts it anew."""
    return _kill_at_work(home, service, kills, seed, 0.5, lambda _: kill_server(home))


def kill_both(home: Path, service: Service, kills: int, seed: int) -> Outcome:
    """Kill now the service, now the server, now one shortly after the other."""

    def kill(chance: random.Random) -> None:
        both = chance.random()
        if both < 2 / 3:
            kill_server(home)
            time.sleep(chance.uniform(0, 0.1))
        if both > 1 / 3:
            service.kill()
            service.start()

    return _kill_at_work(home, service, kills, seed, 0.3, kill)


def _kill_at_work(
    home: Path, service: Service, kills: int, seed: int, most_s: float, kill: Callable[[random.Random], None]
) -> Outcome:
    chance = random.Random(seed)

    def rounds(feeder: Feeder) -> None:
        service.start()
        for _ in range(kills):
            _let_work(feeder, chance, most_s)
            kill(chance)

    return _under_load(home, kills, rounds)


def _let_work(feeder: Feeder, chance: random.Random, most_s: float) -> None:
    """Wait until another headline is taken, and then for some time of up to `most_s`."""
    done = len(feeder.acknowledged)
    until(lambda: len(feeder.acknowledged) > done, "a headline taken after the start or kill")
    time.sleep(chance.uniform(0, most_s))


def _under_load(home: Path, kills: int, rounds: Callable[[Feeder], None]) -> Outcome:
    start = time.monotonic()
    feeder, bot = Feeder(home, RATE), Bot(home)
    feeder.start()
    bot.start()
    rounds(feeder)
    feeder.end()
    bot.join(60)
    assert not bot.is_alive(), f"the last headline never came: {seen_by(bot, feeder.acknowledged)}"
    server = until(lambda: connected(home), "a server to read from")
    with server:
        stream = in_stream(server, feeder.acknowledged)
    return Outcome(seen_by(bot, feeder.acknowledged), stream, kills, time.monotonic() - start)


def lasting_server(home: Path) -> EmbeddedBroker:
    """The home's server, held by this process: it lives on when a service dies."""
    broker = EmbeddedBroker(home, 0)
    broker.ensure()
    return broker
