"""Two services on one PostgreSQL and one Redis: who leads is killed, stopped or cut off, and the other takes over.

Each reaches both servers through proxies of its own, which can lose every byte; the feeder and the bot reach Redis
itself. News lies in the inbox stream, so nothing waits for a service to be there.
"""

import datetime as dt
import itertools
import json
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple, cast

import msgspec
import redis

from jobs.instance import Instance
from signals.model import PAIR
from signals.sources.inbox import FIELD, STREAM
from signals.store import Store, leases
from tests import postgres
from tests.chaos.load import KEYS, LAST, Bot, Verdict, in_stream, seen_by, title
from tests.chaos.service import Born, Nursery, quiet_shell, until
from tests.delivery.proxy import Proxy
from tests.delivery.servers import free_port, running

RATE = 60.0
"""Headlines a second, while the bot keeps up."""
_AHEAD = 1000
"""So many headlines at most wait for their signals: a machine that is busy with others lets the sender wait."""
TTL_S = 120
"""So that as many signals stand at a time as on a busy day, though more come in a minute than then in an hour."""
KINDS = ("kill", "stop", "cut")


class Round(NamedTuple):
    """One change of hands."""

    kind: str
    took_s: float
    """From the fault to the first message of the new leader in the log."""


class Outcome(NamedTuple):
    """What the bot saw, what the stream holds, and how long each takeover took."""

    bot: Verdict
    stream: Verdict
    rounds: list[Round]

    def clean(self) -> bool:
        """Nothing lost, nothing twice, no gap, in order; and there was something to lose."""
        return all(sum(one[1:]) == 0 and one.sent > len(self.rounds) for one in (self.bot, self.stream))


class Wire(threading.Thread):
    """A sender that puts headlines into the inbox stream, as fast as is asked and the bot can take, until `end`."""

    def __init__(self, client: redis.Redis, bot: Bot, rate: float) -> None:
        super().__init__(name="wire", daemon=True)
        self._client = client
        self._bot = bot
        self._rate = rate
        self._ended = threading.Event()
        self._looked = self._answered = 0
        self.sent: list[str] = []

    def run(self) -> None:
        """Until `end`."""
        for number in itertools.count():
            while self._waiting() > _AHEAD and not self._ended.is_set():
                time.sleep(0.05)
            if self._ended.wait(1 / self._rate):
                return
            self._push(title(number))
            self.sent.append(title(number))

    def _waiting(self) -> int:
        """How many have no signal yet; indexes stand between them."""
        fresh = self._bot.seen[self._looked :]
        self._looked += len(fresh)
        self._answered += sum(item.signal is not None for item in fresh)
        return len(self.sent) - self._answered

    def end(self) -> None:
        """Send the last headline, and stop."""
        self._ended.set()
        self.join()
        self._push(LAST)

    def _push(self, text: str) -> None:
        now = dt.datetime.now(dt.UTC).isoformat()
        item = {"id": text, "title": text, "source": "wire", "published_at": now}
        self._client.xadd(STREAM, {FIELD: json.dumps(item)})


class Side:
    """One of the two services."""

    def __init__(self, born: Born, proxies: Sequence[Proxy]) -> None:
        self._born = born
        self._proxies = proxies
        self._pids: list[int] = []

    @property
    def name(self) -> str:
        """Its instance; empty where it never started."""
        kept = self._born.shell.home / "instance.json"
        if not kept.exists():
            return ""
        return msgspec.json.decode(kept.read_bytes(), type=Instance).name

    def start(self) -> None:
        """Start it."""
        self._minder = self._born.start()

    def disturb(self, kind: str) -> None:
        """Do this to it."""
        if kind == "kill":
            self._born.kill()
        elif kind == "stop":
            children = Path(f"/proc/{self._minder}/task/{self._minder}/children").read_text().split()
            self._pids = [self._minder, *map(int, children)]
            self._signal(signal.SIGSTOP)
        else:
            for proxy in self._proxies:
                proxy.die()

    def mend(self, kind: str) -> None:
        """Take it back."""
        if kind == "kill":
            self.start()
        elif kind == "stop":
            self._signal(signal.SIGCONT)
        else:
            for proxy in self._proxies:
                proxy.live()

    def log(self) -> str:
        """The last it said."""
        lines = (self._born.shell.home.parent / "stderr.txt").read_text().splitlines()
        return "\n".join([line for line in lines if "job." not in line][-20:])

    def _signal(self, number: signal.Signals) -> None:
        for pid in self._pids:
            os.kill(pid, number)


class Pair:
    """Both services, and the servers they share."""

    def __init__(self, sides: Sequence[Side], store: Store, client: redis.Redis) -> None:
        self.sides = sides
        self.store = store
        self.client = client

    def leader(self) -> Side | None:
        """Who leads by the store; null where nobody does."""
        with self.store.read() as conn:
            holder = leases.read(conn, PAIR).holder
        return next((side for side in self.sides if side.name == holder), None)

    def stands_by(self, side: Side) -> Callable[[], bool]:
        """Whether it does: it has beaten since this was asked for, and does not lead."""
        first = self._member(side)

        def look() -> bool:
            now = self._member(side)
            return now is not None and not now.leads and (first is None or now.beats != first.beats)

        return look

    def token(self) -> int:
        """The greatest that Redis has seen."""
        return int(cast(Any, self.client.get(KEYS.leader)) or 0)

    def length(self) -> int:
        """How many messages are in the log."""
        return int(cast(Any, self.client.xlen(KEYS.log)))

    def _member(self, side: Side) -> leases.Member | None:
        with self.store.read() as conn:
            return next((one for one in leases.members(conn) if one.instance == side.name), None)


def take_turns(
    pair: Pair, kinds: Sequence[str], seed: int, url: str, rate: float = RATE, settle_s: float = 1.0
) -> Outcome:
    """Disturb whoever leads in each of these ways, one after the other, under load.

    `settle_s`: so long at most the other has stood by when it must take over; one that was just started still reads
    what was told before it.
    """
    chance = random.Random(seed)
    bot = Bot(Path(), url=url)
    wire = Wire(pair.client, bot, rate)
    pair.sides[0].start()
    until(lambda: pair.leader() is pair.sides[0], "the first to lead")
    pair.sides[1].start()
    wire.start()
    bot.start()
    until(pair.stands_by(pair.sides[1]), "the second to stand by")
    rounds = [_round(pair, kind, chance, settle_s) for kind in kinds]
    wire.end()
    bot.join(60)
    assert not bot.is_alive(), f"the last headline never came: {seen_by(bot, wire.sent)}"
    return Outcome(seen_by(bot, wire.sent), in_stream(pair.client, wire.sent), rounds)


def _round(pair: Pair, kind: str, chance: random.Random, settle_s: float) -> Round:
    leader = until(pair.leader, "a leader")
    other = next(side for side in pair.sides if side is not leader)
    before, token = pair.length(), pair.token()
    until(lambda: pair.length() > before, "the leader at work")
    time.sleep(chance.uniform(0.3, 1) * settle_s)
    start = time.monotonic()
    leader.disturb(kind)
    until(lambda: pair.token() > token, f"a takeover after {kind}")
    there = pair.length()
    until(lambda: pair.length() > there, f"a message after {kind}")
    took_s = time.monotonic() - start
    assert pair.leader() is other
    leader.mend(kind)
    until(pair.stands_by(leader), f"the old leader to stand by after {kind}\n{leader.log()}")
    assert pair.leader() is other, f"{kind}: the lease changed hands once more"
    return Round(kind, took_s)


@contextmanager
def two(folder: Path, nurseries: Sequence[Nursery]) -> Iterator[tuple[Pair, str]]:
    """Two services that are not started yet, and the address of their Redis."""
    with ExitStack() as stack:
        database = postgres.Postgres(port=free_port())
        stack.callback(database.close)
        name = database.create()
        server = stack.enter_context(running(folder / "redis"))
        sides = []
        for number, nursery in enumerate(nurseries):
            line = stack.enter_context(Proxy(f"redis://127.0.0.1:{database.port}"))
            broker = stack.enter_context(Proxy(server.url))
            home = folder / f"service-{number}"
            home.mkdir()
            address = database.url(name, host=line.url.removeprefix("redis://"))
            shared = {"SIGNALS_DATABASE_URL": address, "SIGNALS_REDIS_URL": broker.url}
            shell = quiet_shell(home, SIGNALS__POLICY__TTL_S=str(TTL_S), **shared)
            born = Born(nursery, shell)
            stack.callback(born.close)
            sides.append(Side(born, (line, broker)))
        store = Store.open(database.url(name))
        stack.callback(store.close)
        client = stack.enter_context(redis.Redis.from_url(server.url))
        yield Pair(sides, store, client), server.url
