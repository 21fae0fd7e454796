"""A store that cannot be written: a job fails and says why, and goes on once it can; nothing stays stuck."""

import datetime as dt
import sqlite3
import threading
from contextlib import closing

import pytest
import redis

from jobs.inbox import Doorbell
from jobs.runner import Report, Runner
from signals.errors import BrokerError
from signals.store import Store, runs


@pytest.fixture
def store(tmp_path):
    made = Store.open(f"sqlite:///{tmp_path / 's.db'}?timeout=0.05")
    yield made
    made.close()


@pytest.fixture
def other(tmp_path, store):
    """Another process' hold on the file."""
    with closing(sqlite3.connect(tmp_path / "s.db", isolation_level=None, check_same_thread=False)) as made:
        yield made


def history(store):
    with store.read() as conn:
        return [(run.outcome, run.error) for run in reversed(runs.recent(conn))]


def test_a_run_that_could_not_begin_is_told_later_and_the_next_one_runs(store, other):
    """A locked store costs the runs that fall into it: each is in the history afterwards, and the job goes on."""
    runner = Runner({"j": (lambda run: Report({}), 50)}, store, lambda: dt.datetime.now(dt.UTC))
    other.execute("BEGIN EXCLUSIVE")
    lost = [runner.run("j", "manual") for _ in range(2)]
    assert history(store) == []
    other.execute("ROLLBACK")
    assert runner.run("j", "manual").outcome == "ok"
    told = history(store)
    assert [outcome for outcome, _ in told] == ["failed", "failed", "ok"]
    assert all("database is locked - another process holds it" in error for _, error in told[:2])
    assert [run.outcome for run in lost] == ["failed", "failed"]


def test_an_end_that_could_not_be_written_is_told_later(store, other):
    """A store that locks up during a run: the run's own outcome stands in the history once it can be written."""

    def lock_up(_run):
        other.execute("BEGIN EXCLUSIVE")
        return Report({"done": 1}, notes=("half of it",))

    tasks = {"locks": (lock_up, 50), "later": (lambda _run: Report({}), 50)}
    runner = Runner(tasks, store, lambda: dt.datetime.now(dt.UTC))
    cut = runner.run("locks", "manual")
    assert cut.outcome == "failed"
    assert "not in the history yet" in cut.error
    other.execute("ROLLBACK")
    runner.run("later", "manual")
    assert [outcome for outcome, _ in history(store)] == ["partial", "ok"]


def test_a_doorbell_outlives_a_server_that_cannot_be_started():
    """No server, no way to start one, and then one again: the doorbell still rings."""
    rung = threading.Event()

    class Server:
        def __init__(self):
            self.answers = iter([BrokerError("embedded Redis", "did not start"), redis.ConnectionError("gone"), None])

        def redis(self):
            trouble = next(self.answers)
            if trouble is not None:
                raise trouble
            return self

        def xread(self, *_, **__):
            bell._ended.set()
            return [[b"signals:inbox", [(b"1-0", {})]]]

    bell = Doorbell(Server(), rung.set)
    bell._ended.wait = lambda _s: None  # without the pauses between two looks
    bell.start()
    bell.join(10)
    assert rung.is_set()
