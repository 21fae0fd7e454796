"""Publishing after news: at once, once more where it is under way, and at the schedule's pace while it fails."""

import threading

import pytest

from jobs.follow import Following
from jobs.runner import Report, Runner
from signals.errors import BrokerError
from signals.store import Store, runs
from tests.jobs.conftest import now


class Publishing:
    """A publish job on a real store whose Redis comes and goes, and which can be held up."""

    def __init__(self, store):
        self.away = False
        self.runs = 0
        self.begun = threading.Event()
        self.go_on = threading.Event()
        self.go_on.set()
        self.store = store
        tasks = {"publish": (self._publish, 20), "inbox": (lambda _run: Report({"new": 1}), 20)}
        self.runner = Runner(tasks, store, now)
        self.following = Following(self.runner, now)

    def _publish(self, _run):
        self.runs += 1
        self.begun.set()
        assert self.go_on.wait(20)
        if self.away:
            raise BrokerError("Redis 127.0.0.1:6379", "refused the connection", "is it up?")
        return Report({})

    def rows(self):
        self.runner.history.settle()
        with self.store.read() as conn:
            return list(reversed(runs.recent(conn, job="publish", limit=1000)))


@pytest.fixture
def publishing(tmp_path):
    store = Store.open(f"sqlite:///{tmp_path / 's.db'}")
    yield Publishing(store)
    store.close()


def test_news_while_redis_is_away_makes_one_row_that_says_all(publishing):
    """300 pieces of news between two ticks: a failed run a tick, and one row with since, until, cause and 300."""
    publishing.away = True
    publishing.following.fire("publish")
    for _ in range(150):
        publishing.following.publish()
        publishing.following.fire("inbox", "chain")
    publishing.following.fire("publish")
    publishing.away = False
    publishing.following.fire("publish")
    rows = publishing.rows()
    assert sorted(row.outcome for row in rows) == ["failed", "failed", "ok", "skipped"]
    told = next(row for row in rows if row.outcome == "skipped")
    first, last = rows[0], rows[-1]
    assert rows.index(told) == 1
    assert last.outcome == "ok"
    assert told.ended_at >= last.ended_at
    assert "300 times" in told.error
    assert f"since {first.started_at:%Y-%m-%d %H:%M:%S} UTC and ended at {last.ended_at:%H:%M:%S}" in told.error
    assert "Redis 127.0.0.1:6379: refused the connection" in told.error


def test_news_is_published_at_once_again_when_redis_is_back(publishing):
    """After a run that went well, what follows does so at once, as before; an outage without news leaves no row."""
    publishing.away = True
    publishing.following.fire("publish")
    publishing.away = False
    publishing.following.fire("publish")
    publishing.following.fire("inbox")
    assert [(row.trigger, row.outcome) for row in publishing.rows()] == [
        ("schedule", "failed"),
        ("schedule", "ok"),
        ("chain", "ok"),
    ]


def test_news_during_a_run_is_published_by_one_more(publishing):
    """A run is under way as 50 pieces of news come: none is put down as skipped; one run more takes them, or two."""
    publishing.go_on.clear()
    tick = threading.Thread(target=publishing.following.fire, args=("publish",))
    tick.start()
    assert publishing.begun.wait(20)
    rings = [threading.Thread(target=publishing.following.publish) for _ in range(50)]
    for ring in rings:
        ring.start()
    for ring in rings[1:]:
        ring.join(0.2)
    publishing.go_on.set()
    for thread in (tick, *rings):
        thread.join(20)
    rows = publishing.rows()
    assert {row.outcome for row in rows} == {"ok"}
    assert publishing.runs == len(rows) in (2, 3)


def test_an_outage_that_outlasts_the_service_is_put_down(publishing):
    """Ended while Redis was away: the history says so."""
    publishing.away = True
    publishing.following.fire("publish")
    publishing.following.publish()
    publishing.following.end()
    assert "1 times news came" in publishing.rows()[-1].error
    assert "had not ended with the service" in publishing.rows()[-1].error
