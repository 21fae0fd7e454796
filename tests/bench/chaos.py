"""All that can die dies: what was lost or came twice, how soon the bot has it all, and who waits for whom."""

import datetime as dt
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import signals
from signals.delivery.publisher import Publisher
from signals.delivery.wire import encode_heartbeat
from tests.bench.timing import Row
from tests.chaos import kills, outages
from tests.chaos.load import Verdict
from tests.chaos.server import Server, running
from tests.chaos.service import Born, Nursery, Service, Whole, quiet_shell
from tests.chaos.subscribers import fat_rows, latencies, stuck_subscriber
from tests.delivery.conftest import make_heartbeat
from tests.delivery.proxy import Proxy
from tests.jobs.conftest import Shell

SEEDS = range(1, 5)
AWAY_S = 60.0
DEADLINE_S = 15.0


def bench() -> Iterator[Row]:
    """The rows."""
    yield from _kills("kills of the service, its server dies too", 50, kills.kill_services, SEEDS[:2])
    yield from _kills("kills of the service, its server lives on", 50, _server_lives, SEEDS[2:])
    yield from _kills("kills between two statements, commits, messages", 50, kills.kill_at_boundaries, SEEDS[:2])
    yield from _kills("kills of Redis", 50, kills.kill_servers, SEEDS[:1])
    yield from _kills("kills of either or both", 50, kills.kill_both, SEEDS[:1])
    yield from _kills("kills of a service started from nothing", 10, _from_nothing, SEEDS[:1])
    yield from _away()
    yield from _lines()


_Killing = Callable[[Path, Born, int, int], kills.Outcome]


def _kills(what: str, count: int, killing: _Killing, seeds: range) -> Iterator[Row]:
    outcomes = []
    for seed in seeds:
        with _home() as (shell, service):
            outcomes.append(killing(shell.home, service, count, seed))
    faults = sum(_faults(one.bot) + _faults(one.stream) for one in outcomes)
    sent, took_s = sum(one.bot.sent for one in outcomes), sum(one.took_s for one in outcomes)
    yield Row(f"{count * len(seeds)} {what}", faults, "faults", f"wanted: 0; of {sent:,} signals, in {took_s:.0f} s")


def _faults(verdict: Verdict) -> int:
    """Signals lost, repeated or out of order, and gaps."""
    return sum(verdict) - verdict.sent


def _server_lives(home: Path, service: Service, count: int, seed: int) -> kills.Outcome:
    with kills.lasting_server(home):
        return kills.kill_services(home, service, count, seed)


def _from_nothing(home: Path, born: Born, count: int, seed: int) -> kills.Outcome:
    with closing(Whole(born.shell)) as service:
        return kills.kill_services(home, service, count, seed, starting_s=4.0)


def _away() -> Iterator[Row]:
    with _server() as server, _home(SIGNALS_REDIS_URL=server.url) as (shell, service):
        done = outages.under_load(shell.home, service, server, outages.away(server, AWAY_S))
    faults = _faults(done.bot) + _faults(done.stream)
    yield Row(f"Redis away for {AWAY_S:.0f} s, {done.meanwhile:,} signals meanwhile", faults, "faults", "wanted: 0")
    yield Row("  from its return until the bot has them", done.caught_up_s, "s", f"told of it {done.silences} times")


def _lines() -> Iterator[Row]:
    rows = fat_rows()
    with _server() as server:
        alone = latencies(server.url, rows)
        server.client.flushall()
        with closing(stuck_subscriber(server.url)):
            beside = latencies(server.url, rows)
        told_s = _half_open_s(server)
    yield Row("sent to received, median", alone.median_s * 1e3, "ms", f"99 of 100: {alone.p99_s * 1e3:.1f}")
    against = f"99 of 100: {beside.p99_s * 1e3:.1f}; {beside.median_s / alone.median_s:.2f} x"
    yield Row("  beside a subscriber that does not read", beside.median_s * 1e3, "ms", against)
    yield Row("a dead line, until the bot is told", told_s, "s", f"wanted: {DEADLINE_S:.0f}, its deadline")


def _half_open_s(server: Server) -> float:
    """Seconds from the last heartbeat that could be heard until the bot is told of the silence."""
    publisher, ended = Publisher(server.client), threading.Event()

    def beat() -> None:
        while not ended.wait(0.2):
            now = dt.datetime.now(dt.UTC)
            publisher.heartbeat(encode_heartbeat(make_heartbeat(0), epoch="e1", now=now).event)

    heart = threading.Thread(target=beat, daemon=True)
    heart.start()
    with Proxy(server.url) as proxy, signals.connect(proxy.url, heartbeat_deadline_s=DEADLINE_S) as client:
        items = client.signals("new")
        died = threading.Timer(2, proxy.die)
        died.start()
        start = time.monotonic() + 2
        next(items)
        took_s = time.monotonic() - start
        items.close()  # type: ignore[attr-defined]
    ended.set()
    heart.join()
    return took_s


@contextmanager
def _home(**environ: str) -> Iterator[tuple[Shell, Born]]:
    with tempfile.TemporaryDirectory() as folder:
        shell = quiet_shell(Path(folder), **environ)
        with closing(Nursery()) as nursery, closing(Born(nursery, shell)) as service:
            yield shell, service


@contextmanager
def _server() -> Iterator[Server]:
    with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "server") as server:
        yield server
