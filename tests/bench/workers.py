"""`signals work`: two workers against one, and what the consumer group costs against reading the stream bare.

Timed from the start of the workers, forked with the model read, until the last headline is handed on. A bare reader is
the same worker, but that nobody is asked what is whose: it reads the stream from where it was and deletes nothing, so
it can be neither many nor killed.
"""

import datetime as dt
import multiprocessing
import resource
import statistics
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import msgspec
import redis

from jobs.handed import maker
from jobs.scoring_worker import ScoringWorker
from jobs.settings import Workers
from signals.delivery.broker import EmbeddedBroker
from signals.scoring.corpus import read_corpus
from signals.scoring.model import ScoringModel
from signals.sources import inbox, scored
from signals.sources.scored import Scored
from tests.bench.timing import Row, seconds
from tests.conftest import ROOT

COUNT = 20_000
ROUNDS = 3
SETTINGS = Workers(scored_max=10**9)
_FORK = multiprocessing.get_context("fork")
_XADD = "for at = 1, #ARGV, 2 do redis.call('XADD', KEYS[1], '*', 'of', ARGV[at], 'scored', ARGV[at + 1]) end"


def bench() -> Iterator[Row]:
    """The rows."""
    model = ScoringModel.load(ROOT / "seeds" / "model" / "model.skops")
    texts = [row.text for row in read_corpus(ROOT / "seeds" / "headlines")][:COUNT]
    with tempfile.TemporaryDirectory() as home:
        broker = EmbeddedBroker(Path(home), 0)
        desk = Desk(broker.ensure(), model, texts)
        one, two, bare = desk.paired(lambda: desk.workers(1), lambda: desk.workers(2), desk.bare)
        cores = [desk.cores(lambda: desk.workers(1)), desk.cores(desk.bare)]
        grouped, plain = desk.paired(desk.read_grouped, desk.read_bare)
        desk.client.close()
        broker.stop()
    yield Row("one worker, until all is handed on", COUNT / one, "headlines/s", f"{COUNT:,} headlines")
    yield Row("two workers", COUNT / two, "headlines/s", f"{one / two:.2f} x one; wanted: 1.7 on two free cores")
    yield Row("  one that reads the stream bare", COUNT / bare, "headlines/s")
    yield Row("  overhead of the consumer group", 100 * (one / bare - 1), "%", "wanted: 30 at most")
    for what, (mine, server) in zip(("one worker", "bare"), cores, strict=True):
        said = f"of it Redis {server / COUNT * 1e6:,.1f}: what the clock of a busy machine does not show"
        yield Row(f"  of a core for each headline, {what}", (mine + server) / COUNT * 1e6, "µs", said)
    yield Row("reading alone, by group, acknowledged and deleted", COUNT / grouped, "entries/s")
    yield Row("  bare", COUNT / plain, "entries/s")
    yield Row("  overhead, with nothing done but reading", 100 * (grouped / plain - 1), "%")


class Desk:
    """A server with a full inbox, and what empties it."""

    def __init__(self, url: str, model: ScoringModel, texts: list[str]) -> None:
        self._url = url
        self._model = model
        self.client = redis.Redis.from_url(url)
        self._filled = [
            msgspec.json.encode({"id": str(number), "title": text, "source": "bench"})
            for number, text in enumerate(texts)
        ]

    def paired(self, *works: Callable[[], None]) -> list[float]:
        """Median seconds of each, taken in turn; the inbox is full before each, which is not timed."""

        def timed(work: Callable[[], None]) -> float:
            self.fill()
            return seconds(work)

        taken = [[timed(work) for work in works] for _ in range(ROUNDS)]
        return [statistics.median(column) for column in zip(*taken, strict=True)]

    def cores(self, work: Callable[[], None]) -> tuple[float, float]:
        """Seconds of a core that one round costs: of the processes it starts, and of the server."""
        self.fill()
        before = self._cores()
        work()
        return tuple(now - then for now, then in zip(self._cores(), before, strict=True))

    def _cores(self) -> tuple[float, float]:
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        server = cast(Any, self.client.info("cpu"))
        return children.ru_utime + children.ru_stime, server["used_cpu_user"] + server["used_cpu_sys"]

    def fill(self) -> None:
        """All of them wait, and nobody was given any."""
        self.client.flushall()
        pipe = self.client.pipeline(transaction=False)
        for one in self._filled:
            pipe.xadd(inbox.STREAM, {inbox.FIELD: one})
        pipe.execute()
        inbox.join(self.client)

    def workers(self, count: int) -> None:
        """So many processes."""
        self._run(_drain, count)
        assert self.client.xlen(scored.SCORED) == len(self._filled)
        assert self.client.xlen(inbox.STREAM) == 0

    def bare(self) -> None:
        """One process that reads the stream without a group."""
        self._run(_drain_bare, 1)
        assert self.client.xlen(scored.SCORED) == len(self._filled)

    def _run(self, target: Any, count: int) -> None:
        started = [
            _FORK.Process(target=target, args=(self._url, self._model, number), daemon=True) for number in range(count)
        ]
        for one in started:
            one.start()
        for one in started:
            one.join()
            assert one.exitcode == 0

    def read_grouped(self) -> None:
        """Take all, and settle it."""
        while taken := scored.take_new(self.client, "reader", SETTINGS.batch):
            names = [one.entry_id for one in taken]
            pipe = self.client.pipeline(transaction=True)
            pipe.xack(inbox.STREAM, inbox.GROUP, *names)
            pipe.xdel(inbox.STREAM, *names)
            pipe.execute()

    def read_bare(self) -> None:
        """Read all."""
        last = b"0"
        while taken := scored._given(cast(Any, self.client.xread({inbox.STREAM: last}, count=SETTINGS.batch))):
            last = taken[-1].entry_id


def _drain(url: str, model: ScoringModel, number: int) -> None:
    client = redis.Redis.from_url(url)
    worker = ScoringWorker(client, model, SETTINGS, f"bench-{number}", lambda: dt.datetime.now(dt.UTC))
    worker.begin()
    while worker.turn():
        pass


def _drain_bare(url: str, model: ScoringModel, _number: int) -> None:
    client, last, mine = redis.Redis.from_url(url), b"0", maker(model.model_id)
    pack = msgspec.msgpack.Encoder().encode
    while taken := scored._given(cast(Any, client.xread({inbox.STREAM: last}, count=SETTINGS.batch))):
        last = taken[-1].entry_id
        entries = [inbox.read(one.entry_id, one.fields, dt.datetime.now(dt.UTC)) for one in taken]
        scores = model.score([one.handed.headline for one in entries])
        words = [
            word
            for one, score in zip(taken, scores, strict=True)
            for word in (one.entry_id, pack(Scored(one.fields, score, mine)))
        ]
        client.eval(_XADD, 1, scored.SCORED, *words)
