"""Messages a second through the publisher, against the same bytes by bare pipelined XADD and PUBLISH."""

import datetime as dt
import tempfile
from collections.abc import Iterator
from pathlib import Path

import redis

from signals.delivery.broker import EmbeddedBroker
from signals.delivery.outbox import OutboxRow
from signals.delivery.publisher import Publisher
from tests.bench.timing import Row, paired
from tests.conftest import ROOT

COUNT = 5_000
GOLDEN = next((ROOT / "tests" / "delivery" / "golden").glob("*.json"))


def bench() -> Iterator[Row]:
    """The rows."""
    event = GOLDEN.read_bytes()
    with tempfile.TemporaryDirectory() as home:
        broker = EmbeddedBroker(Path(home), 0)
        client = redis.Redis.from_url(broker.ensure())
        now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)

        def ours() -> None:
            client.flushall()
            rows = [OutboxRow("bench", n, str(n), "signals.headline.v1", event, now) for n in range(1, COUNT + 1)]
            Publisher(client).publish_many(rows, now=now, restart=True)

        def bare() -> None:
            client.flushall()
            for start in range(0, COUNT, 500):
                pipe = client.pipeline(transaction=False)
                for _ in range(start, start + 500):
                    pipe.xadd("bench", {"event": event})
                    pipe.publish("bench", event)
                pipe.execute()

        mine, yardstick = paired(ours, bare)
        client.close()
        broker.stop()
    yield Row("publisher, atomic and numbered", COUNT / mine, "messages/s", f"{yardstick / mine:.2f} of bare")
    yield Row("  bare pipelined XADD + PUBLISH", COUNT / yardstick, "messages/s")
