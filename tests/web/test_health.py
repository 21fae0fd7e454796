"""Alive and ready: each thing without which no news comes to the channel is a reason, and goes when it is mended."""

import datetime as dt

import msgspec
import pytest

from jobs import health
from jobs.catalogue import runner_for
from signals.errors import StoreError
from tests.web.conftest import TOKEN


class Service:
    """A port, the clock it goes by, and the times its jobs are due."""

    def __init__(self, serve):
        self.now = dt.datetime.now(dt.UTC)
        self.due = {"heartbeat": self.now + dt.timedelta(seconds=5)}
        self.port = serve(routes=(health.add_routes,), next_runs=lambda: self.due)
        self.app = self.port.app
        self.app.clock = lambda: self.now

    def reasons(self):
        got = self.port.get("/readyz")
        assert (got.status == 200) is got.json["ready"] is (not got.json["reasons"])
        return {one["what"]: one["text"] for one in got.json["reasons"]}


@pytest.fixture
def service(serve):
    made = Service(serve)
    made.app.redis_url()
    with made.app.store.read():
        pass
    return made


def test_a_service_that_does_its_work_is_ready(service):
    """200 and no reason."""
    assert service.reasons() == {}
    assert service.port.get("/healthz").json == {"alive": True}


def test_a_dead_schedule_is_a_reason_until_it_goes_on(service):
    """Within a minute; the process itself is alive."""
    service.now += dt.timedelta(seconds=70)
    assert "Scheduler stopped" in service.reasons()["scheduler"]
    assert service.port.get("/healthz").status == 200
    service.due = {"heartbeat": service.now + dt.timedelta(seconds=5)}
    assert "scheduler" not in service.reasons()


def test_a_watchdog_that_has_fallen_silent_is_a_reason(service):
    """Nobody would notice anything then."""
    assert service.reasons() == {}
    service.now += dt.timedelta(minutes=10)
    service.due = {"heartbeat": service.now + dt.timedelta(seconds=5)}
    assert "Watchdog silent" in service.reasons()["watchdog"]
    service.app.observer.judged_at = service.now
    assert service.reasons() == {}


def test_redis_that_is_gone_is_a_reason(service):
    """And no longer once it is back."""
    service.app._broker.stop()
    assert "broker" in service.reasons()
    service.app.redis_url()
    assert service.reasons() == {}


def test_a_store_that_cannot_be_read_is_a_reason(service):
    """With its cause and the mend."""
    whole = service.app.store.read

    def gone():
        raise StoreError("the store", "unable to open database file")

    service.app.store.read = gone
    assert "unable to open" in service.reasons()["store"]
    assert service.port.get("/readyz").json["reasons"][0]["mend"]
    service.app.store.read = whole
    assert service.reasons() == {}


def test_scoring_without_a_model_is_a_reason(service, tmp_path):
    """Publishing says so; a feed that is down is none."""
    seeds = msgspec.structs.replace(service.app.settings.seeds, model=tmp_path / "none.skops")
    service.app.settings = msgspec.structs.replace(service.app.settings, seeds=seeds)
    service.port.post("/v1/headlines", b'{"id":"1","title":"BOJ hikes"}', Authorization=f"Bearer {TOKEN}")
    assert runner_for(service.app).run("publish", "manual").outcome == "failed"
    assert "No model" in service.reasons()["model"]
