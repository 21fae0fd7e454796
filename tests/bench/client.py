"""The client: how long a bot's import takes, and how long from stored to received, against bare redis-py.

Both are asked in turn in the same run: a message is stored (our publisher: stream, keys and PUBLISH in one
step) and read by `signals()` in another thread, or published and received by a bare subscription there.
"""

import asyncio
import datetime as dt
import queue
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import redis

from signals.delivery.aclient import connect_async
from signals.delivery.broker import EmbeddedBroker
from signals.delivery.client import connect
from signals.delivery.items import Received
from signals.delivery.keys import keys_of
from signals.delivery.outbox import OutboxRow
from signals.delivery.publisher import Publisher
from signals.delivery.wire import HEADLINE
from tests.bench.timing import Row
from tests.conftest import ROOT

COUNT, ROUNDS = 1_000, 3
KEYS = keys_of()
MESSAGE = msgspec.json.decode((ROOT / "tests" / "delivery" / "golden" / "headline.v1.json").read_bytes())
NOW = dt.datetime.fromisoformat(MESSAGE["time"])
IMPORT = "import time; t = time.perf_counter(); from signals import connect; print(time.perf_counter() - t)"
Arrivals = queue.SimpleQueue[float]


def bench() -> Iterator[Row]:
    """The rows."""
    took = [float(subprocess.check_output([sys.executable, "-c", IMPORT], cwd=ROOT)) for _ in range(5)]
    yield Row("from signals import connect", statistics.median(took) * 1000, "ms", "wanted: under 200")
    with tempfile.TemporaryDirectory() as home:
        broker = EmbeddedBroker(Path(home), 0)
        url = broker.ensure()
        taken: dict[str, list[float]] = {"bare": [], "threads": [], "asyncio": []}
        for _ in range(ROUNDS):
            for name, listen in (("bare", _bare), ("threads", _threads), ("asyncio", _asyncio)):
                taken[name] += _latencies(url, listen, bare=name == "bare")
        broker.stop()
    for what, percent, wanted in (("p50", 50, 3), ("p99", 99, 5)):
        figures = {name: statistics.quantiles(values, n=100)[percent - 1] for name, values in taken.items()}
        yield Row(f"{what}, bare redis-py PUBLISH -> get_message", figures["bare"] * 1e6, "us")
        for name in ("threads", "asyncio"):
            against = f"{figures[name] / figures['bare']:.2f} of bare, wanted {wanted}"
            yield Row(f"  {what}, client, {name}: stored -> received", figures[name] * 1e6, "us", against)


def _latencies(url: str, listen: Callable[[str, Arrivals], None], *, bare: bool) -> list[float]:
    """Seconds from just before each message is sent until it is in the bot's hands."""
    arrivals: Arrivals = queue.SimpleQueue()
    with redis.Redis.from_url(url) as server:
        server.flushall()
        thread = threading.Thread(target=listen, args=(url, arrivals))
        thread.start()
        arrivals.get(timeout=30)  # it listens
        publisher = Publisher(server)
        taken = []
        for seq in range(1, COUNT + 1):
            name = f"message-{seq}"
            event = msgspec.json.encode(MESSAGE | {"id": name, "epoch": "bench", "seq": seq})
            row = OutboxRow("bench", seq, name, HEADLINE, event, dt.datetime(2100, 1, 1, tzinfo=dt.UTC))
            time.sleep(0.0005)  # the bot waits again
            begun = time.perf_counter()
            if bare:
                server.publish(KEYS.channel, event)
            else:
                publisher.publish(row, now=NOW, restart=seq == 1)
            taken.append(arrivals.get(timeout=30) - begun)
        thread.join()
    return taken


def _bare(url: str, arrivals: Arrivals) -> None:
    with redis.Redis.from_url(url) as client, client.pubsub() as pubsub:  # type: ignore[no-untyped-call]
        pubsub.subscribe(KEYS.channel)
        pubsub.get_message(timeout=10)
        arrivals.put(0)
        for _ in range(COUNT):
            while pubsub.get_message(timeout=10) is None:
                pass
            arrivals.put(time.perf_counter())


def _threads(url: str, arrivals: Arrivals) -> None:
    with connect(url, clock=lambda: NOW, heartbeat_deadline_s=None) as client:
        items = client.signals("new", count=COUNT)
        arrivals.put(0)
        for item in items:
            if isinstance(item, Received):
                arrivals.put(time.perf_counter())


def _asyncio(url: str, arrivals: Arrivals) -> None:
    async def follow() -> None:
        async with connect_async(url, clock=lambda: NOW, heartbeat_deadline_s=None) as client:
            arrivals.put(0)
            async for item in client.signals("all", count=COUNT):
                if isinstance(item, Received):
                    arrivals.put(time.perf_counter())

    asyncio.run(follow())
