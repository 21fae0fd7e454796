"""One real server for the whole folder, emptied around each test; messages to send."""

import datetime as dt
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
import redis

from signals.delivery import wire
from signals.delivery.broker import EmbeddedBroker
from signals.delivery.client import Client, connect
from signals.delivery.items import Gap, Item, Received
from signals.delivery.keys import EVENT_FIELD, keys_of
from signals.delivery.outbox import OutboxRow
from signals.delivery.publisher import Publisher
from signals.delivery.wire import (
    HEADLINE,
    RETRACTION,
    Heartbeat,
    JobState,
    ServiceState,
    SourceState,
    encode_retraction,
    encode_signal,
)
from signals.message import Retraction, Signal
from signals.model import Evidence

from .blocking import Blocking
from .tls import Certificates, make_certificates, tls_before

KEYS = keys_of("usdjpy")
NOW = dt.datetime(2096, 2, 13, 0, 26, 3, 120394, tzinfo=dt.UTC)
"""Ahead of any server's clock, by which the latest key ends."""
HOUR = dt.timedelta(hours=1)


def make_signal(number: int = 1, valid_for: dt.timedelta = HOUR, **changes: object) -> Signal:
    """A headline signal, different for each number, scored at `NOW`."""
    values = {
        "signal_id": f"signal-{number}", "story_id": f"story-{number}", "revision": 1, "action": "created",
        "supersedes": None, "source_published_at": NOW - dt.timedelta(seconds=63), "known_at": NOW,
        "scored_at": NOW, "valid_until": NOW + valid_for, "backfilled": False, "pair": "USDJPY",
        "direction": "down", "p_up": 0.04, "p_flat": 0.08, "p_down": 0.88, "strength": 0.8232, "usd_effect": 0.0,
        "jpy_effect": 0.84, "horizon_s": 3600, "abstained": False, "abstain_reason": None, "relevance": 0.98,
        "topics": ("boj.policy",), "novelty": 1.0, "mentions_24h": 1, "n_sources": 1,
        "evidence": (Evidence(span=(0, 9), text="BOJ hikes", feature="boj.tighten", weight=-2.1),),
        "ref_price": 152.31, "ref_price_at": NOW - dt.timedelta(seconds=3), "ref_age_s": 3.0, "ref_source": "yahoo",
        "stale": False, "market_open": True, "return_5m_bp": -1.5, "return_60m_bp": None, "volatility_60m_bp": 8.25,
        "title": "BOJ hikes to 1.0% 日銀「利上げ」", "url": "https://example.org/boj", "source": "boj", "lang": "en",
        "headline_ids": (f"headline-{number}",), "model_id": "model-1", "policy_id": "policy-1",
        "headline_id": f"headline-{number}",
    }  # fmt: skip
    return Signal(**(values | changes))  # type: ignore[arg-type]


def make_retraction(number: int = 1, **changes: object) -> Retraction:
    """The retraction of the signal of that number, a minute later."""
    values = {
        "signal_id": f"signal-{number}", "story_id": f"story-{number}", "headline_id": f"headline-{number}",
        "known_at": NOW + dt.timedelta(seconds=60), "retracted_at": NOW + dt.timedelta(seconds=61),
        "valid_until": NOW + HOUR, "reason": "withdrawn",
    }  # fmt: skip
    return Retraction(**(values | changes))  # type: ignore[arg-type]


def make_row(seq: int, epoch: str = "e1", number: int | None = None, **changes: object) -> OutboxRow:
    """The outbox row of a signal: by default signal N has `seq` N."""
    signal = make_signal(seq if number is None else number, **changes)  # type: ignore[arg-type]
    message = encode_signal(signal, epoch=epoch, seq=seq)
    return OutboxRow(epoch, seq, message.message_id, HEADLINE, message.event, signal.valid_until)


def make_retraction_row(seq: int, epoch: str = "e1", number: int = 1) -> OutboxRow:
    """The outbox row that takes back the signal of that number."""
    retraction = make_retraction(number)
    message = encode_retraction(retraction, epoch=epoch, seq=seq)
    return OutboxRow(epoch, seq, message.message_id, RETRACTION, message.event, retraction.valid_until)


def make_rows(first: int, last: int, epoch: str = "e1") -> list[OutboxRow]:
    """Rows from one `seq` to another, both included."""
    return [make_row(seq, epoch) for seq in range(first, last + 1)]


def make_heartbeat(last_seq: int = 3) -> Heartbeat:
    """A heartbeat with a source that is down and a job that never ran."""
    return Heartbeat(
        last_seq=last_seq,
        sources=(
            SourceState(id="boj", state="ok", last_success_at=NOW, error=None),
            SourceState(id="fed", state="down", last_success_at=None, error="timeout"),
        ),
        jobs=(JobState(job="ingest", outcome=None, last_started_at=None, last_ended_at=None, next_run_at=NOW),),
        started_at=NOW,
        read_at=NOW,
        services=(ServiceState(id="desk-1a2b3c", state="leads"), ServiceState(id="spare-4d5e6f", state="stands by")),
    )


class Clock:
    """A clock that stands still until it is put forward."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> dt.datetime:
        """Read it."""
        return self.now

    def forward(self, seconds: float) -> None:
        """Put it forward."""
        self.now += dt.timedelta(seconds=seconds)


def until(look: Callable[[], object], patience_s: float = 20) -> None:
    """Look again and again until something true is seen."""
    end = time.monotonic() + patience_s
    while not look():
        assert time.monotonic() < end, "it never came"


def there(client: Client, start: "str | dt.timedelta" = "all") -> list[Item]:
    """What can be read without waiting."""
    return list(client.signals(start, timeout_s=0))


def seqs(items: list[Item]) -> "list[int | tuple[int | None, int]]":
    """Numbers of the messages; gaps as pairs."""
    return [item.event.seq if isinstance(item, Received) else (item.missing_from, item.missing_to)
            for item in items if isinstance(item, Received | Gap)]  # fmt: skip


def received(items: list[Item]) -> list[Any]:
    """The messages among the items."""
    return [item for item in items if isinstance(item, Received)]


def put(server: Any, stream_id: str, row: OutboxRow) -> None:
    """Write a message at a place of our choice, as a server with another past would have it."""
    server.xadd(KEYS.log, {EVENT_FIELD: row.event}, id=stream_id)


def beat(publisher: Publisher, last_seq: int = 0, epoch: str = "e1") -> None:
    """Send a heartbeat until somebody has heard it."""
    event = wire.encode_heartbeat(make_heartbeat(last_seq), epoch=epoch, now=NOW).event
    until(lambda: publisher.heartbeat(event))


def is_open(url: str) -> bool:
    """Whether anybody listens at an address."""
    parts = urlsplit(url)
    with socket.socket() as probe:
        return probe.connect_ex((parts.hostname, parts.port)) == 0


def public(url: str) -> str:
    """The address without a login, as a stranger uses it."""
    return urlunsplit(urlsplit(url)._replace(netloc=urlsplit(url).netloc.rpartition("@")[2]))


def appended(home: Path) -> Path:
    """The file to which the server appends."""
    return next((home / "redis" / "appendonlydir").glob("*.incr.aof"))


def everything(server: Any) -> dict[bytes, bytes | None]:
    """All that the server holds, for a comparison."""
    return {key: server.dump(key) for key in sorted(server.keys())}


@pytest.fixture(scope="session")
def shared_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedBroker]:
    """The embedded server of this run, on a free port."""
    with EmbeddedBroker(tmp_path_factory.mktemp("home"), 0) as broker:
        yield broker


@pytest.fixture
def url(shared_broker: EmbeddedBroker) -> Iterator[str]:
    """Address of an empty server, with the login of its home: `public(url)` is a stranger's, `with_login` another's."""
    url = shared_broker.ensure()
    with redis.Redis.from_url(url) as client:
        client.flushall()
    yield url


@pytest.fixture
def server(url: str) -> Iterator[Any]:
    """A connection to the empty server; redis-py's types hold both its kinds of client, hence Any."""
    with redis.Redis.from_url(url) as client:
        yield client


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Made anew for this run."""
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def tls_url(url: str, certificates: Certificates) -> Iterator[str]:
    """Address of the empty server over TLS, which asks for a certificate of ours."""
    parts = urlsplit(url)
    assert parts.port is not None
    with tls_before(parts.port, certificates) as port:
        yield f"rediss://{parts.username}:{parts.password}@127.0.0.1:{port}"


@pytest.fixture
def publisher(server: Any) -> Publisher:
    """A publisher to the empty server."""
    return Publisher(server)


@pytest.fixture
def clock() -> Clock:
    """A clock at `NOW`."""
    return Clock()


Connect = Callable[..., Any]


@pytest.fixture(params=[connect, Blocking], ids=["threads", "asyncio"])
def joined(request: pytest.FixtureRequest) -> Connect:
    """Either way to connect: what holds for one client holds for the other."""
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def client(url: str, clock: Clock, joined: Connect) -> Iterator[Client]:
    """A bot's client with a clock that stands still."""
    with joined(url, clock=clock) as client:
        yield client


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home that does not exist yet."""
    return tmp_path / "var"


@pytest.fixture
def broker(home: Path) -> Iterator[EmbeddedBroker]:
    """A broker of that home, on a free port."""
    broker = EmbeddedBroker(home, 0)
    yield broker
    broker.stop()
