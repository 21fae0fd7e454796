"""Heartbeats while the store is locked or gone: they go on, say so, and tell what was last known, with its age."""

import contextlib
import sqlite3
import time

import pytest
import redis
import sqlalchemy as sa

from jobs.app import App
from jobs.catalogue import runner_for
from jobs.settings import load
from signals.delivery.endpoints import endpoint
from signals.delivery.wire import decode
from signals.model import JobRun
from signals.store import runs, signals
from tests.conftest import ROOT
from tests.jobs.test_serve import serving, until

CHANNEL = "signals.usdjpy"


def held(path):
    """Another process' hold on the file of the store, for as long as it lasts."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("PRAGMA busy_timeout=10000")
    return contextlib.closing(other)


@contextlib.contextmanager
def listening(url):
    with redis.Redis.from_url(url) as client, client.pubsub() as listener:
        listener.subscribe(CHANNEL)
        until(lambda: listener.get_message(timeout=0.1))  # its confirmation
        yield listener


def heard(listener, within_s=20):
    """The next heartbeat."""
    message = until(lambda: listener.get_message(timeout=0.1), within_s)
    return decode(message["data"]).data


@pytest.fixture
def app(tmp_path):
    settings = load(
        ROOT / "config" / "signals.toml",
        {
            "SIGNALS_HOME": str(tmp_path),
            "SIGNALS_BROKER_PORT": "0",
            "SIGNALS_DATABASE_URL": f"sqlite:///{tmp_path / 's.db'}?timeout=0.2",
        },
    )
    with contextlib.closing(App(settings)) as made:
        yield made


def test_a_service_beats_on_while_its_store_is_locked(shell):
    """Held by another process, with the half minute that writers wait: a beat each second says so, then all is well."""
    made = shell("")
    made.env |= {f"SIGNALS__JOBS__{job}__EVERY_S": "1" for job in ("HEARTBEAT", "INGEST", "PUBLISH", "INBOX")}
    with serving(made), listening(endpoint(made.home, "redis")) as listener:
        until(lambda: any(job.outcome == "ok" for job in heard(listener).jobs if job.job == "publish"))
        with held(made.home / "signals.db") as other:
            other.execute("BEGIN EXCLUSIVE")
            began = time.monotonic()
            until(lambda: (heard(listener).store_error or "").startswith("writing to the store: no answer"))
            beats = [heard(listener, 4) for _ in range(4)]
            took_s = time.monotonic() - began
            other.execute("ROLLBACK")
        assert all("writing to the store" in (beat.store_error or "") for beat in beats), beats
        assert took_s < 15, took_s  # seven beats at most: no one waited for the lock
        assert {job.job: job.outcome for job in beats[-1].jobs}["publish"] in ("ok", "running")
        until(lambda: heard(listener).store_error is None)


def test_a_store_that_answers_with_a_fault_is_named(app, tmp_path):
    """Locked, and writers wait 0.2 s only: the beat names the lock, not the address of the store; then it is gone."""
    runner = runner_for(app)
    url = app.redis_url()
    with listening(url) as listener, held(tmp_path / "s.db") as other:
        runner.run("heartbeat", "schedule")
        assert heard(listener).store_error is None
        other.execute("BEGIN EXCLUSIVE")
        run = runner.run("heartbeat", "schedule")
        assert heard(listener).store_error == "writing to the store: database is locked"
        assert (run.outcome, run.notes) == ("partial", ("writing to the store: database is locked",))
        other.execute("ROLLBACK")
        runner.run("heartbeat", "schedule")
        assert heard(listener).store_error is None
    runner.history.settle()
    with app.store.read() as conn:
        told = [run.outcome for run in reversed(runs.recent(conn, job="heartbeat"))]
    assert told == ["ok", "partial", "ok"]


def test_a_full_store_is_named(app):
    """No page more may be written, as with a full disk: the beat goes out and says so; with room all is well again."""
    runner = runner_for(app)
    with listening(app.redis_url()) as listener:
        runner.run("heartbeat", "schedule")
        assert heard(listener).store_error is None
        limit = sa.event.listens_for(app.store.engine, "connect")
        limit(no_room := lambda connection, _: connection.execute("PRAGMA max_page_count=1"))  # as many as there are
        app.store.close()
        long = ("a long note",) * 50_000
        at = app.clock()
        runner.history.owe(
            JobRun(run_id="r", job="j", trigger="manual", scheduled_at=None, started_at=at, ended_at=at, notes=long)
        )
        runner.run("heartbeat", "schedule")
        assert heard(listener).store_error == "writing to the store: database or disk is full"
        sa.event.remove(app.store.engine, "connect", no_room)
        app.store.close()
        runner.run("heartbeat", "schedule")
        assert heard(listener).store_error is None


def test_a_store_that_cannot_even_be_read_leaves_what_was_last_known(app, tmp_path):
    """No reader gets in: the last seq and the states of before are told, with when they were read."""
    runner = runner_for(app)
    with app.store.write() as conn:
        signals.open_channel(conn, "USDJPY", app.clock())
    with listening(app.redis_url()) as listener, held(tmp_path / "s.db") as other:
        runner.run("heartbeat", "schedule")
        before = heard(listener)
        app.store.close()  # the next connection has to be made anew
        other.execute("PRAGMA journal_mode=DELETE")
        other.execute("BEGIN EXCLUSIVE")
        run = runner.run("heartbeat", "schedule")
        beat = heard(listener)
        assert run.duration_s < 4
        assert beat.store_error.startswith("reading the store: ")
        assert (beat.read_at, beat.last_seq, beat.sources) == (before.read_at, before.last_seq, before.sources)
        other.execute("ROLLBACK")
        until(lambda: runner.run("heartbeat", "schedule") and heard(listener).store_error is None)


def test_a_store_never_read_since_the_start_is_told_as_unknown(app, tmp_path):
    """Started into a locked store: sources are `unknown`, nothing is invented, and Redis says what the last seq is."""
    runner = runner_for(app)
    app.redis().set("signals:{usdjpy}:seq", '{"epoch":"e7","seq":41}')
    with listening(app.redis_url()) as listener, held(tmp_path / "s.db") as other:
        app.store.close()
        other.execute("PRAGMA journal_mode=DELETE")
        other.execute("BEGIN EXCLUSIVE")
        runner.run("heartbeat", "schedule")
        beat = heard(listener)
        other.execute("ROLLBACK")
        assert beat.read_at is None
        assert beat.last_seq == 41
        assert {source.state for source in beat.sources} == {"unknown"}
        until(lambda: runner.run("heartbeat", "schedule") and heard(listener).store_error is None)
