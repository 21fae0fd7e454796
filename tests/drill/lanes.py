"""The failures by the service that has them: in each lane one after the other, the lanes side by side.

A lane brings a failure about, waits until it is seen everywhere, mends it, and waits until it is over; then it gives
an `Outcome`. What must hold besides the times is asserted where it happens.
"""

import contextlib
import datetime as dt
import os
import signal
import sqlite3
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import Future
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import signals
from jobs import standing
from jobs.settings import Settings, load
from signals.delivery.endpoints import endpoint
from signals.scoring import file
from tests.chaos.disk import can_have_one, fill, free, on_a_disk_of, seen_from_outside
from tests.chaos.server import running
from tests.chaos.service import Nursery
from tests.conftest import ROOT
from tests.drill import failure as f
from tests.drill.failure import BOT_S, BUSY_S, Failure, Outcome
from tests.drill.places import closed, doctor, kept, metrics, order, quiet, ready, sentence, shown
from tests.drill.service import Drill, until
from tests.drill.yahoo import market
from tests.jobs.conftest import FeedServer, rss_row

FEEDS = ("boj", "fed", "wire")
FEED_S = 5
REFERENCE = ROOT / "seeds" / "prices" / "usdjpy_daily.csv"
_LAST_PRICES = 'signals_job_last_success_timestamp_seconds{job="prices"}'
_LAST_CLOSE = 'signals_price_last_close_timestamp_seconds{length_s="60",source="yahoo"}'
_WARNINGS, _CRITICAL = 'signals_findings{severity="warning"}', 'signals_findings{severity="critical"}'


class Place(NamedTuple):
    """Where a lane is, and what services are started with."""

    folder: Path
    nursery: Nursery
    disk: Path | None
    """Folder of a small disk that only services have; null where the machine lets nobody make one."""


Lane = Callable[[Place], Iterator[Outcome]]


def outcome(
    drill: Drill, failure: Failure, bring: Callable[[], object], mend: Callable[[], object], *, by_start: bool = False
) -> Outcome:
    """Bring a failure about, see it everywhere, mend it, see its end; its alert is told once and closed once.

    Where it is brought about and mended by a start, time counts from when the service is up.
    """
    quiet(drill)
    begun = drill.clock.ticks()
    bring()
    limits_s, took_s = shown(drill, failure, drill.clock.ticks() if by_start else begun)
    mended = drill.clock.ticks()
    mend()
    mended = drill.clock.ticks() if by_start else mended
    over_s, over_took_s = closed(drill, failure, mended)
    told_once(drill, failure.key)
    unseen_s = failure.objective.unseen_s(drill.settings)
    return Outcome(failure.name, failure.objective, unseen_s, limits_s | over_s, took_s | over_took_s)


def told_once(drill: Drill, key: str) -> None:
    """Sent, logged and kept: opened once and closed once, with what to do."""
    assert not (died := drill.log("service.died")), died
    alerts = until(lambda: kept(drill, key), f"the alert of {key} in the store")
    assert len(alerts) == 1, alerts
    assert alerts[0].closed_at is not None, alerts
    assert alerts[0].mend, alerts
    assert drill.sent(key) == ["opened", "closed"], [drill.receiver.got, drill.log("alert.opened")]
    logged = [len(drill.log(f"alert.{told}", key=key)) for told in ("opened", "closed")]
    assert logged == [1, 1], logged


# ---- sources


ONE_FEED = Failure(
    "a feed down", "source:boj", "boj down for", ("source.failed", {"source": "boj"}),
    lambda said, _: said['signals_source_consecutive_failures{source="boj"}'] > 0 and said[_WARNINGS] > 0,
    "feed:boj", f.SOURCE, back_s=2,
)  # fmt: skip
ALL_FEEDS = Failure(
    "all feeds down", "sources", "All 3 sources down for", ("source.failed", {"source": "wire"}),
    lambda said, _: said[_CRITICAL] > 0, "feeds", f.SOURCE, back_s=2,
)  # fmt: skip
YAHOO = Failure(
    "Yahoo answers 429", "prices", "USD/JPY prices", ("price.failed", {"reason": "rate_limited"}),
    lambda said, now_s: now_s - said[_LAST_CLOSE] > 900, "prices:yahoo", f.PRICES, back_s=310,
)  # fmt: skip


def sources(place: Place) -> Iterator[Outcome]:
    """Three feeds and Yahoo, on a Wednesday."""
    feeds = FeedServer()
    rows = "".join(rss_row(feeds, f"/{name}", name) for name in FEEDS)
    with contextlib.ExitStack() as stack:
        stack.callback(feeds.http.server_close)
        stack.callback(feeds.http.shutdown)
        yahoo = stack.enter_context(market(place.folder))
        more = yahoo.env | {"SIGNALS__PRICES__ENABLED": "true"}
        drill = stack.enter_context(closing(Drill(place.folder, place.nursery, rows, market_open=True, **more)))
        yahoo.up_to(drill.clock.now())
        drill.start()

        def answer_again() -> None:
            feeds.status.clear()
            order(drill, "/console/api/jobs/ingest/run")  # as a person does who has mended one

        yield outcome(drill, ONE_FEED, lambda: feeds.status.update({"/boj": 500}), answer_again)
        assert not drill.log("alert.opened", key="source:wire")
        assert not drill.log("alert.opened", key="sources")
        yield outcome(drill, ALL_FEEDS, lambda: feeds.status.update({f"/{name}": 500 for name in FEEDS}), answer_again)

        def refuse() -> None:
            yahoo.refuse()
            last = dt.datetime.fromtimestamp(metrics(drill)[_LAST_CLOSE], dt.UTC)
            drill.pass_until(last + dt.timedelta(seconds=drill.settings.freshness.price.age_s))

        def serve_again() -> None:
            # While the job runs, nobody knows what will come of it: the reason is that of the run before.
            until(lambda: "rate_limited" in kept(drill, "prices")[0].text, "the reason in the alert")
            yahoo.up_to(drill.clock.now())
            drill.clock.pass_by(310)  # it is left alone for five minutes
            yahoo.up_to(drill.clock.now())

        yield outcome(drill, YAHOO, refuse, serve_again)


# ---- what the service stands on


REDIS = Failure(
    "Redis down", "broker", "Redis away for", ("job.end", {"outcome": "failed", "error": "BrokerError"}),
    lambda said, _: said["signals_broker_up"] == 0 and said["signals_ready"] == 0, "redis", f.AT_ONCE, back_s=2,
)  # fmt: skip
LOCKED = Failure(
    "the store locked", "store", "Store fails for", ("job.end", {"outcome": "failed", "error": "locked"}),
    lambda said, _: said["signals_store_up"] == 0, "database:lock", f.STORE, back_s=2,
)  # fmt: skip
HUNG = Failure(
    "a job hung", "job:prices", "prices has not succeeded for",
    ("job.end", {"job": "prices", "outcome": "failed", "error": "DeadlineError"}),
    lambda said, now_s: now_s - said[_LAST_PRICES] > 60, "job:prices", f.JOB, back_s=2,
)  # fmt: skip


def parts(place: Place) -> Iterator[Outcome]:
    """A Redis of its own, a store that waits for nobody, and a file of prices that can hang."""
    store, reference = place.folder / "home" / "signals.db", place.folder / "prices.csv"
    reference.write_bytes(REFERENCE.read_bytes())
    with running(place.folder / "server") as server:
        more = {
            "SIGNALS_REDIS_URL": server.url,
            "SIGNALS_DATABASE_URL": f"sqlite:///{store}?timeout=0.5",
            "SIGNALS__SEEDS__PRICES": str(reference),
            "SIGNALS__JOBS__PRICES__TIMEOUT_S": "3",
        }
        with closing(Drill(place.folder, place.nursery, **more)) as drill:
            drill.start()
            drill.until_ended("prices")

            def come_back() -> None:
                status, why = ready(drill)
                assert (status, "broker" in why) == (503, True)
                server.start()

            yield outcome(drill, REDIS, server.kill, come_back)
            with closing(sqlite3.connect(store, isolation_level=None, check_same_thread=False)) as other:

                def let_go() -> None:
                    line = doctor(drill, "database:lock")
                    assert line is not None
                    assert f"process {os.getpid()}" in line.text
                    other.execute("ROLLBACK")

                other.execute("PRAGMA busy_timeout=20000")
                yield outcome(drill, LOCKED, lambda: other.execute("BEGIN IMMEDIATE"), let_go)
            yield outcome(drill, HUNG, lambda: _hang(drill, reference), lambda: _unhang(reference))


def _hang(drill: Drill, reference: Path) -> None:
    """In place of its file it finds a pipe that nobody writes to."""
    pipe = reference.with_name("pipe")
    os.mkfifo(pipe)
    pipe.replace(reference)
    drill.until_running("prices")
    last = dt.datetime.fromtimestamp(metrics(drill)[_LAST_PRICES], dt.UTC)
    drill.pass_until(last + dt.timedelta(seconds=f.JOB.unseen_s(drill.settings)))


def _unhang(reference: Path) -> None:
    hung = os.open(reference, os.O_WRONLY)
    reference.unlink()
    reference.write_bytes(REFERENCE.read_bytes())
    os.write(hung, REFERENCE.read_bytes()[:60_000])
    os.close(hung)


# ---- the machine


CLOCK = Failure(
    "the clock jumped", "clock", "Clock", ("alert.opened", {"key": "clock"}),
    lambda said, _: said[_WARNINGS] > 0, "clock", f.AT_ONCE, back_s=310,
)  # fmt: skip
MODEL = Failure(
    "the model file broken", "model", "Shipped model is used instead", ("alert.opened", {"key": "model"}),
    lambda said, _: said[_WARNINGS] > 0, "model:home", f.AT_ONCE, back_s=5,
)  # fmt: skip
DISK = Failure(
    "the disk full", "disk", "Disk almost full", ("log.failed", {}),
    lambda said, _: said["signals_disk_free_bytes"] < 4_000_000, "disk", f.AT_ONCE, back_s=2,
)  # fmt: skip


def clock(place: Place) -> Iterator[Outcome]:
    """A clock that is set ahead and back again; and a scheduler that dies while all else lives."""
    with closing(Drill(place.folder, place.nursery)) as drill:
        drill.start()

        def set_back() -> None:
            assert "10 min ahead" in kept(drill, "clock")[0].text  # of Redis, whose clock nobody set
            drill.clock.set_ahead(-605)
            until(lambda: drill.log("clock.set_back"), "a word of jobs that wait no longer")
            until(lambda: "set back by 10 min" in sentence(drill), "the page's word of the way back")
            drill.clock.pass_by(300)  # so long it is told of

        yield outcome(drill, CLOCK, lambda: drill.clock.set_ahead(605), set_back)
        assert not drill.log("service.killed")
        yield _scheduler(drill)


def _scheduler(drill: Drill) -> Outcome:
    """The watchdog dies with it: readiness fails, a bot hears of the silence, and the minder kills and starts anew."""
    quiet(drill)
    url = endpoint(drill.home, "redis")
    assert url is not None
    with signals.connect(url, heartbeat_deadline_s=BOT_S) as client:
        told = client.signals("all")
        begun = drill.clock.ticks()
        took_s: dict[str, float] = {}

        def seen(place: str) -> None:
            took_s[place] = drill.clock.ticks() - begun

        os.kill(until(lambda: standing.read(drill.home), "its word of itself").pid, signal.SIGUSR1)
        silence = next(one for one in told if isinstance(one, signals.Silence))
        assert silence.kind == "publisher"
        seen("alert")
        drill.clock.pass_by(f.SCHEDULER.unseen_s(drill.settings) - took_s["alert"] - 2)
        until(lambda: "Scheduler stopped" in sentence(drill), "the page's word of it")
        seen("sentence")
        until(lambda: metrics(drill)["signals_ready"] == 0, "it in the metrics")
        seen("metrics")
        status, why = ready(drill)
        assert (status, "scheduler" in why) == (503, True)
        line = until(lambda: doctor(drill, "service:ready"), "the doctor's word of it")
        seen("doctor")
        assert line.status == "fail"
        assert "Scheduler stopped" in line.text
        kill_s = drill.settings.service.kill_after_s
        drill.clock.pass_by(kill_s - (drill.clock.ticks() - begun))
        until(lambda: drill.log("service.killed", error="scheduler"), "its end by its minder")
        seen("log")
        killed = drill.clock.ticks()
        until(lambda: drill.log("service.start"), "the next start")
    until(lambda: _says(drill).startswith("Quiet"), "a quiet service")
    took_s["closed"] = drill.clock.ticks() - killed
    assert ready(drill) == (200, [])
    limits_s = dict.fromkeys(("sentence", "metrics", "doctor"), f.SCHEDULER.unseen_s(drill.settings) + BUSY_S)
    limits_s |= {"alert": BOT_S + BUSY_S, "log": kill_s + BUSY_S, "closed": 2 * BUSY_S}
    return Outcome("the scheduler killed", f.SCHEDULER, f.SCHEDULER.unseen_s(drill.settings), limits_s, took_s)


def _says(drill: Drill) -> str:
    """The sentence; empty while nobody answers."""
    try:
        return sentence(drill)
    except OSError:
        return ""


def killed(place: Place) -> Iterator[Outcome]:
    """Service and minder are killed: no page says so, but a bot hears of it and the doctor finds it."""
    with (
        running(place.folder / "server") as server,
        closing(Drill(place.folder, place.nursery, SIGNALS_REDIS_URL=server.url)) as drill,
    ):
        drill.start()
        quiet(drill)
        with signals.connect(server.url, heartbeat_deadline_s=BOT_S) as client:
            told = client.signals("all")
            begun = drill.clock.ticks()
            drill.kill()
            dead = until(lambda: doctor(drill, "service"), "the doctor's word of it")
            took_s = {"doctor": drill.clock.ticks() - begun}
            assert (dead.status, "killed" in dead.text, bool(dead.mend)) == ("fail", True, True)
            silence = next(one for one in told if isinstance(one, signals.Silence))
            took_s["alert"] = drill.clock.ticks() - begun
            assert silence.kind == "publisher"
            again = drill.clock.ticks()
            drill.start()
            assert next(one for one in told if isinstance(one, signals.Restored))
        until(lambda: _says(drill).startswith("Quiet"), "a quiet service")
        took_s["closed"] = drill.clock.ticks() - again
        assert doctor(drill, "service") is None
        limits_s = {"doctor": BUSY_S, "alert": BOT_S + BUSY_S, "closed": 2 * BUSY_S}
        yield Outcome("the service killed", f.SILENCE, BOT_S, limits_s, took_s)


def model(place: Place) -> Iterator[Outcome]:
    """Half a file in the home: the shipped model works in its place; deleted, all is quiet after the next start."""
    with closing(Drill(place.folder, place.nursery)) as drill:
        broken = drill.home / "model" / "model.skops"
        drill.start()

        def anew(change: Callable[[], object]) -> None:
            drill.stop()
            change()
            drill.start()

        def spoil() -> None:
            broken.parent.mkdir(parents=True)
            broken.write_bytes(b"half a mod")

        def delete() -> None:
            assert ready(drill) == (200, [])
            anew(broken.unlink)

        yield outcome(drill, MODEL, lambda: anew(spoil), delete, by_start=True)


def disk(place: Place) -> Iterator[Outcome]:
    """Not a byte is left for store and log: told all the same; with room again the alerts are kept and closed."""
    assert place.disk is not None
    with running(place.disk.parent / "server") as server:
        more = {"SIGNALS__FRESHNESS__SERVICE__DISK_FREE_MB": "4", "SIGNALS_REDIS_URL": server.url}
        with closing(Drill(place.disk.parent, place.nursery, **more)) as drill:
            drill.start()
            drill.look_at(seen_from_outside(place.nursery.pid, place.disk))
            yield outcome(drill, DISK, lambda: fill(drill.home), lambda: free(drill.home))


LANES: Mapping[Lane, tuple[str, ...]] = {
    parts: ("Redis down", "the store locked", "a job hung"),
    sources: ("a feed down", "all feeds down", "Yahoo answers 429"),
    clock: ("the clock jumped", "the scheduler killed"),
    disk: ("the disk full",),
    killed: ("the service killed",),
    model: ("the model file broken",),
}
"""The lanes and their failures, in order; what takes longest first."""
NAMES = tuple(name for names in LANES.values() for name in names)


@contextlib.contextmanager
def side_by_side(folder: Path, wanted: Collection[str] = NAMES) -> Iterator[Mapping[str, "Future[Outcome | None]"]]:
    """All lanes that have a wanted failure, at work; of each failure what becomes of it, null where it cannot be tried.

    A disk of its own is mounted for the home of one lane; the services of the others just do not use it.
    """
    # Here, in one thread: msgspec crashes where two threads are the first to read a type (0.22), and whoever loads the
    # model first waits for what it imports.
    file.load(shipped().seeds.model)
    outcomes: dict[str, Future[Outcome | None]] = {name: Future() for name in NAMES}
    disk_of_its_own = folder / "disk" / "home"
    disk_of_its_own.mkdir(parents=True)
    has_one = can_have_one(disk_of_its_own)
    before = on_a_disk_of("48m", disk_of_its_own) if has_one else ()
    with closing(Nursery(before, "tests.drill.nursery")) as nursery:
        threads = []
        for lane, names in LANES.items():
            if set(names) & set(wanted):
                (ours := folder / lane.__name__).mkdir(exist_ok=True)
                place = Place(ours, nursery, disk_of_its_own if has_one else None)
                todo = [outcomes[name] for name in names]
                threads.append(threading.Thread(target=_go, args=(lane, place, todo), name=lane.__name__))
        for thread in threads:
            thread.start()
        try:
            yield outcomes
        finally:
            for thread in threads:
                thread.join()


def _go(lane: Lane, place: Place, todo: list["Future[Outcome | None]"]) -> None:
    """One lane, to its end; what it raises is what became of all that it had not done yet."""
    if lane is disk and place.disk is None:
        todo.pop().set_result(None)
        return
    try:
        for one, made in zip(todo, lane(place), strict=True):
            one.set_result(made)
    except BaseException as error:  # noqa: BLE001 - raised where it is asked for
        for one in todo:
            if not one.done():
                one.set_exception(error)


def shipped() -> Settings:
    """The settings as shipped."""
    return load(ROOT / "config" / "signals.toml", {})
