"""Signals that come late, because Redis was away for longer than they hold: sent for the record, acted on by nobody."""

import contextlib
import datetime as dt

import pytest

import signals
from jobs.admission import admit_handed
from jobs.app import App
from jobs.catalogue import runner_for
from jobs.settings import load
from signals.sources.inbox import Pushed, handed_in
from tests.chaos.load import KEYS, title
from tests.chaos.server import running
from tests.conftest import ROOT

TTL = dt.timedelta(seconds=3600)


class Clock:
    """A clock that stands still until it is put forward."""

    def __init__(self):
        self.now = dt.datetime.now(dt.UTC)

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def server(tmp_path):
    with running(tmp_path / "server") as made:
        yield made


@pytest.fixture
def service(tmp_path, server, clock):
    environ = {"SIGNALS_HOME": str(tmp_path / "home"), "SIGNALS_REDIS_URL": server.url}
    with contextlib.closing(App(load(ROOT / "config" / "signals.toml", environ), clock)) as made:
        yield made


def learn(service, *numbers):
    """Store headlines, known now."""
    now = service.clock()
    pushed = [Pushed(id=str(n), title=title(n), published_at=now.isoformat()) for n in numbers]
    with service.store.write() as conn:
        admit_handed(conn, [handed_in(one, now) for one in pushed])


def publish(service):
    """Run the job; its outcome."""
    return runner_for(service).run("publish", "manual").outcome


def read(server, clock, *, live_only):
    """The signals that a bot gets of the whole log, by title, and how much its client kept from it as expired."""
    with signals.connect(server.url, live_only=live_only, clock=clock, heartbeat_deadline_s=None) as client:
        items = list(client.signals("all", timeout_s=0))
        told = [(item.signal.title, item.expired) for item in items if item.signal is not None]
        return told, client.counts.expired


def latest(server, clock):
    """What a bot is told on connecting, and what whoever reads the key is."""
    with signals.connect(server.url, clock=clock, heartbeat_deadline_s=None) as client:
        return client.latest(), server.client.exists(KEYS.latest)


def test_signals_that_were_made_in_time_and_sent_too_late_are_never_fresh(service, server, clock):
    """Redis is away from before they are made until after they have expired: the log gets all, a bot none as fresh."""
    server.kill()
    learn(service, 1, 2, 3)
    assert publish(service) == "failed"
    clock.now += TTL
    server.start()
    assert publish(service) == "ok"
    assert read(server, clock, live_only=True) == ([], 3)
    shown, _ = read(server, clock, live_only=False)
    assert shown == [(title(n), True) for n in (1, 2, 3)]
    assert latest(server, clock) == (None, 0)


def test_of_late_and_fresh_signals_a_bot_gets_the_fresh(service, server, clock):
    """Sent in one go after an outage: those that still hold come as live, and one of them is the latest."""
    server.kill()
    learn(service, 1, 2)
    assert publish(service) == "failed"
    clock.now += TTL - dt.timedelta(seconds=10)
    learn(service, 3)
    assert publish(service) == "failed"
    clock.now += dt.timedelta(seconds=10)
    learn(service, 4)
    server.start()
    assert publish(service) == "ok"
    items, expired = read(server, clock, live_only=True)
    assert items == [(title(3), False), (title(4), False)]
    assert expired == 2
    item, _ = latest(server, clock)
    assert item.signal.title == title(4)
    clock.now += TTL
    assert latest(server, clock)[0] is None


def test_a_wiped_server_gets_expired_signals_for_context_only(service, server, clock):
    """All had expired before the wipe: it is in the log again, told as expired, and nothing is the latest."""
    learn(service, 1, 2, 3)
    assert publish(service) == "ok"
    clock.now += TTL
    server.client.flushall()
    assert publish(service) == "ok"
    items, _ = read(server, clock, live_only=False)
    assert items == [(title(n), True) for n in (1, 2, 3)]
    assert read(server, clock, live_only=True) == ([], 3)
    assert latest(server, clock) == (None, 0)


def test_news_that_waited_for_its_score_holds_from_when_it_was_known(service, server, clock):
    """Stored, and scored only after its time: its signal is made for the record, expired as it is made."""
    learn(service, 1)
    clock.now += TTL
    assert publish(service) == "ok"
    assert read(server, clock, live_only=True) == ([], 1)
    assert latest(server, clock) == (None, 0)
