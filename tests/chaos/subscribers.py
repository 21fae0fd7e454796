"""A subscriber that stops reading beside one that reads: how long messages take to the one that does."""

import datetime as dt
import socket
import threading
import time
from contextlib import closing
from typing import NamedTuple

import redis

import signals
from signals.delivery.keys import keys_of
from signals.delivery.outbox import OutboxRow
from signals.delivery.publisher import Publisher
from tests.delivery.conftest import HOUR, NOW, make_row

KEYS = keys_of()
MESSAGES = 3_500
_TITLE = "x" * 11_000
"""So that they come to more than the server keeps for a subscriber (32 MB) and the system for a socket. Valkey holds
messages from 16 KB on once for all who wait: longer ones would not fill the buffer."""
_PAUSE_S = 0.001


class Latencies(NamedTuple):
    """Seconds from sending to the bot's having it: half of the messages, and 99 of 100, took no longer."""

    median_s: float
    p99_s: float


def fat_rows() -> list[OutboxRow]:
    """Messages that fill buffers soon."""
    return [make_row(seq, title=_TITLE) for seq in range(1, MESSAGES + 1)]


def stuck_subscriber(url: str) -> socket.socket:
    """A subscriber that never reads what comes."""
    line = socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])))
    line.sendall(f"SUBSCRIBE {KEYS.channel}\r\n".encode())
    line.recv(1024)
    return line


def subscribers(server: redis.Redis) -> int:
    """How many listen to the channel."""
    return int(server.pubsub_numsub(KEYS.channel)[0][1])  # type: ignore[index]


def latencies(url: str, rows: list[OutboxRow]) -> Latencies:
    """Of a bot that reads by the shipped client while these are sent one by one into an empty log."""
    sent: dict[int, float] = {}
    took: list[float] = []
    started = threading.Event()

    def read() -> None:
        with signals.connect(url, clock=lambda: NOW + HOUR / 2, heartbeat_deadline_s=None) as client:
            items = client.signals(count=len(rows))
            started.set()
            for item in items:
                assert isinstance(item, signals.Received)
                took.append(time.monotonic() - sent[item.event.seq])

    bot = threading.Thread(target=read, daemon=True)
    bot.start()
    assert started.wait(20)
    with closing(redis.Redis.from_url(url)) as server:
        publisher = Publisher(server)
        for row in rows:
            sent[row.seq] = time.monotonic()
            publisher.publish(row, now=NOW + dt.timedelta(seconds=1), restart=True)
            time.sleep(_PAUSE_S)
    bot.join(60)
    took.sort()
    assert len(took) == len(rows), f"only {len(took)} of {len(rows)} came"
    return Latencies(took[len(took) // 2], took[len(took) * 99 // 100])
