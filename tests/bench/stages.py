"""What each stage of the way costs, measured on the code that runs: so much a batch, and so much a headline.

A home of its own, the store as shipped, the embedded Redis; headlines mixed as `feed.Mix` says.
"""

import collections
import contextlib
import datetime as dt
import gc
import itertools
import resource
import statistics
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, cast

import msgspec
import numpy as np
from scipy.optimize import nnls

from jobs import publish
from jobs.admission import admit
from jobs.app import App
from jobs.settings import load
from signals.delivery.client import connect
from signals.delivery.keys import keys_of
from signals.delivery.outbox import OutboxRow
from signals.delivery.publisher import Publisher
from signals.model import Headline
from signals.pipeline import ReadAhead, story_index
from signals.sources.inbox import Handed, Pushed, handed_in
from signals.store import bars, signals
from tests.bench.feed import BEGIN, Mix, archive
from tests.bench.queues import Cost
from tests.conftest import ROOT

SIZES = (1, 5, 25, 100, 400)
"""Headlines of a batch."""
ROUNDS = 5
REMEMBERED = 20_000
"""Headlines whose memory is measured."""
MIX = Mix(relevant=0.05)
"""News of the world at large: one in twenty bears on the pair, which is a lot."""


class Costs(NamedTuple):
    """Of one process, seconds of wall time; and what is left behind, bytes."""

    read: Cost
    """A pushed entry, to a headline."""
    admit: Cost
    """Into the store: one transaction, on disk."""
    score: Cost
    step: Cost
    """Stories, price, decision, outbox: one transaction."""
    send: Cost
    """Into Redis, a message."""
    receive: Cost
    """In a bot, a message."""
    messages: float
    """Messages that a headline makes."""
    store_bytes: float
    """In the store, a headline and what is made of it."""
    story_bytes: float
    """In memory, a headline that later ones are compared with."""
    message_bytes: float
    """In Redis, a message of its log."""


def measured(database_url: str | None = None, redis_url: str | None = None) -> Costs:
    """Measure them all, on the store and the Redis of these addresses, null for those of a home."""
    with tempfile.TemporaryDirectory() as home, contextlib.closing(app_of(Path(home), database_url, redis_url)) as app:
        return _costs(app)


class Now:
    """A clock that stands at the headline under way."""

    def __init__(self) -> None:
        self.at = BEGIN

    def __call__(self) -> dt.datetime:
        """UTC."""
        return self.at


def app_of(home: Path, database_url: str | None = None, redis_url: str | None = None) -> App:
    """A home without a service: its parts are called one by one."""
    environ = {"SIGNALS_HOME": str(home), "SIGNALS_BROKER_PORT": "0"}
    environ |= {"SIGNALS_DATABASE_URL": database_url} if database_url else {}
    environ |= {"SIGNALS_REDIS_URL": redis_url} if redis_url else {}
    return App(load(ROOT / "config" / "signals.toml", environ), Now())


def _costs(app: App) -> Costs:
    total = ROUNDS * sum(SIZES)
    steps, walk = archive(MIX, total + 1, app.scorer)
    news = [headline for taken in steps for headline in taken[1]]
    with app.store.write() as conn:
        bars.add(conn, walk)
    size = _size(app)
    taken: defaultdict[str, list[tuple[int, float]]] = defaultdict(list)
    publisher, sent = app.publisher(), 0
    for round_, count in itertools.product(range(ROUNDS), SIZES):
        first = round_ * sum(SIZES) + sum(SIZES[: SIZES.index(count)])
        sent += _batch(app, news[first : first + count], taken, publisher, sent)
    pushed = [entry(headline) for headline in news[:-1]]
    for count in SIZES:
        taken["read"].append((count, _s(lambda count=count: [read(text) for text in pushed[:count]])))
    with connect(app.redis_url(), clock=app.clock, heartbeat_deadline_s=None) as client:
        took = _s(lambda: collections.deque(client.signals("all", timeout_s=0), maxlen=0))
    fits = {name: _fit(points) for name, points in taken.items()}
    return Costs(
        **fits,
        receive=Cost(0.0, took / sent),
        messages=sent / total,
        store_bytes=(_size(app) - size) / total,
        story_bytes=_story_bytes(app),
        message_bytes=app.redis().memory_usage(keys_of().log, samples=0) / sent,
    )


def _batch(
    app: App, news: Sequence[Headline], taken: dict[str, list[tuple[int, float]]], publisher: Publisher, after: int
) -> int:
    """Lead a batch through all stages, and note what each took; how many messages there were."""
    count = len(news)
    cast(Now, app.clock).at = news[-1].known_at

    def store() -> None:
        with app.store.write() as conn:
            admit(conn, news)

    taken["admit"].append((count, _s(store)))
    model = app.scorer
    taken["score"].append((count, _s(lambda: model.score(news))))
    app.__dict__["scorer"] = ReadAhead(model, news)
    taken["step"].append((count, _s(lambda: publish.take(app, Counter()))))
    app.__dict__["scorer"] = model
    with app.store.read() as conn:
        rows = [OutboxRow(*row) for row in signals.tail(conn, after_seq=after, limit=count)]
    if rows:
        taken["send"].append((len(rows), _s(lambda: publisher.publish_many(rows, now=app.clock(), restart=True))))
    return len(rows)


def entry(headline: Headline) -> bytes:
    """A headline as its sender writes it."""
    published_at = headline.known_at.isoformat()
    return msgspec.json.encode(
        Pushed(id=headline.headline_id, title=headline.title, source=headline.source, published_at=published_at)
    )


def read(text: bytes, known_at: dt.datetime = BEGIN) -> Handed:
    """What is stored of it."""
    return handed_in(msgspec.json.decode(text, type=Pushed), known_at)


def _story_bytes(app: App) -> float:
    """By what the process holds: parts of titles are kept in more than one place."""
    news = [headline for taken in archive(MIX, REMEMBERED, app.scorer)[0] for headline in taken[1]]
    scores = ReadAhead(app.scorer, news).score(news)
    stories = story_index(app.settings.policy)
    gc.collect()
    before = _rss_bytes()
    for headline, score in zip(news, scores, strict=True):
        stories.place(headline, near=score.relevance >= app.settings.policy.relevance_min)
    return (_rss_bytes() - before) / len(news)


def _rss_bytes() -> float:
    return float(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def _size(app: App) -> float:
    with app.store.read() as conn:
        if conn.dialect.name == "sqlite":
            pages = conn.exec_driver_sql("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
            return float(pages.scalar_one())
        return float(conn.exec_driver_sql("SELECT pg_database_size(current_database())").scalar_one())


def _s(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _fit(points: Sequence[tuple[int, float]]) -> Cost:
    """The line through the medians of each size, those of small batches weighing as much as those of large ones."""
    by_size: dict[int, list[float]] = {}
    for count, took in points:
        by_size.setdefault(count, []).append(took)
    counts = np.array(sorted(by_size), dtype=float)
    medians = np.array([statistics.median(by_size[int(count)]) for count in counts])
    (fixed, each), _ = nnls(np.column_stack([np.ones_like(counts), counts]) / medians[:, None], np.ones_like(medians))
    return Cost(float(fixed), float(each))
