"""What Prometheus reads: true counts, bounded labels, and nothing that costs the pipeline."""

import datetime as dt
import json
import shutil
import subprocess
import threading
import time

import pytest
import sqlalchemy as sa
from prometheus_client.parser import text_string_to_metric_families

from jobs import health, metrics
from jobs.catalogue import runner_for
from signals.store import schema
from tests.web.conftest import TOKEN

BEARER = {"Authorization": f"Bearer {TOKEN}"}
ROUTES = (health.add_routes, metrics.add_routes)


class Scraped(dict):
    """(name, labels as text) → value."""

    def of(self, name, **labels):
        return self.get((name, tuple(sorted(labels.items()))))


def scraped(port):
    got = port.get("/metrics")
    assert got.status == 200, got.body
    families = text_string_to_metric_families(got.body.decode())
    return Scraped(
        {(one.name, tuple(sorted(one.labels.items()))): one.value for family in families for one in family.samples}
    )


def due(seconds=5):
    now = dt.datetime.now(dt.UTC)
    return lambda: {"heartbeat": now + dt.timedelta(seconds=seconds)}


@pytest.fixture
def service(serve):
    """A port and the runner it watches, over one home."""
    made = {}

    def routes(router, parts):
        made["runner"] = runner_for(parts.app)
        for add_routes in ROUTES:
            add_routes(router, parts._replace(runner=made["runner"], next_runs=due(300)))

    port = serve(routes=(routes,))
    port.app.redis_url()
    assert port.app.scorer
    return port, made["runner"]


def push(port, number, title, ago_s=30, source="wire"):
    at = (dt.datetime.now(dt.UTC) - dt.timedelta(seconds=ago_s)).isoformat()
    body = json.dumps({"id": str(number), "title": title, "source": source, "published_at": at}).encode()
    assert port.post("/v1/headlines", body, **BEARER).status == 200


def test_a_headline_is_counted_on_its_whole_way(service):
    """New, scored, sent, skipped, and how long each leg took; nothing is counted twice."""
    port, runner = service
    scraped(port)
    push(port, 1, "BOJ unexpectedly hikes rates to 1.0%")
    push(port, 2, "Ten recipes for a rainy Sunday")
    assert runner.run("publish", "manual").outcome == "ok"
    for _ in range(2):
        seen = scraped(port)
        assert seen.of("signals_headlines_new_total", source="other") == 2
        assert seen.of("signals_headlines_skipped_total", reason="irrelevant") == 1
        assert seen.of("signals_sent_total", direction="down") == 1
        assert seen.of("signals_messages_sent_total", type="headline") == 1
        assert seen.of("signals_scores_total", direction="down") == 1
        assert seen.of("signals_job_runs_total", job="publish", outcome="ok") == 1
        assert seen.of("signals_job_duration_seconds_count", job="publish") == 1
        assert seen.of("signals_latency_seconds_count", leg="published_to_known") == 2
        assert seen.of("signals_latency_seconds_count", leg="known_to_scored") == 2
        assert seen.of("signals_latency_seconds_count", leg="published_to_sent") == 1
        assert 30 <= seen.of("signals_latency_seconds_sum", leg="published_to_sent") < 60
    assert (seen.of("signals_outbox_depth"), seen.of("signals_broker_lag")) == (0, 0)
    assert seen.of("signals_channel_last_seq") == seen.of("signals_messages_sent_total", type="headline") + seen.of(
        "signals_messages_sent_total", type="index"
    )


def test_what_lay_in_the_store_before_is_not_counted(service, serve):
    """Counters begin with the process, as Prometheus expects of them."""
    port, runner = service
    scraped(port)
    push(port, 1, "BOJ unexpectedly hikes rates to 1.0%")
    runner.run("publish", "manual")
    later = serve(routes=ROUTES)
    assert scraped(later).of("signals_sent_total", direction="down") == 0
    assert scraped(later).of("signals_channel_last_seq") >= 1


def test_sources_by_the_thousand_make_no_label_each(service):
    """Whoever pushes names sources as they like: they are `other`."""
    port, runner = service
    first = len(scraped(port))
    body = json.dumps([{"id": str(n), "title": f"Story {n} of today", "source": f"s{n}"} for n in range(300)]).encode()
    port.post("/v1/headlines", body, **BEARER)
    runner.run("publish", "manual")
    seen = scraped(port)
    assert seen.of("signals_headlines_new_total", source="other") == 300
    assert len(seen) - first < 10


def test_more_than_one_reading_takes_comes_with_the_next(service, monkeypatch):
    """Steps are counted whole, in batches; a backlog is caught up."""
    monkeypatch.setattr(metrics, "_ROWS", 3)
    port, runner = service
    scraped(port)
    for number in range(20):
        push(port, number, f"Shares of company {number} rise")
        runner.run("publish", "manual")
    deadline = time.monotonic() + 30
    while scraped(port).of("signals_headlines_new_total", source="other") < 20 and time.monotonic() < deadline:
        pass
    seen = scraped(port)
    assert seen.of("signals_headlines_new_total", source="other") == 20
    assert seen.of("signals_latency_seconds_count", leg="known_to_scored") == 20


def test_a_store_that_is_held_costs_a_second_and_no_count(service):
    """Metrics go on with what is known, say that the store fails, and count all of it afterwards."""
    port, runner = service
    scraped(port)
    push(port, 1, "BOJ unexpectedly hikes rates to 1.0%")
    runner.run("publish", "manual")
    whole = port.app.store.read

    def held(*_):
        threading.Event().wait(3)
        return whole()

    port.app.store.read = held
    began = time.monotonic()
    seen = scraped(port)
    assert time.monotonic() - began < 2.9
    assert seen.of("signals_store_up") == 0
    assert seen.of("signals_job_runs_total", job="publish", outcome="ok") == 1
    port.app.store.read = whole
    deadline = time.monotonic() + 20
    while scraped(port).of("signals_sent_total", direction="down") != 1:
        assert time.monotonic() < deadline


def test_names_are_as_prometheus_wants_them(service):
    """By its own checker, where there is one."""
    port, _ = service
    text = port.get("/metrics").body
    if shutil.which("promtool") is None:
        pytest.skip("no promtool here (Debian: apt-get install prometheus)")
    told = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, timeout=30)
    assert (told.returncode, told.stderr.decode(), told.stdout.decode()) == (0, "", "")


def test_alerts_that_are_open_are_counted(service):
    """By severity; one that has not held long enough, or is closed, is none."""
    port, _ = service
    now = dt.datetime.now(dt.UTC)
    row = {"severity": "critical", "first_seen_at": now, "last_seen_at": now, "text": "t", "mend": "m"}
    with port.app.store.write() as conn:
        for name, opened, closed in (("a", now, None), ("b", None, None), ("c", now, now)):
            conn.execute(
                sa.insert(schema.alerts),
                row | {"alert_id": name, "key": name, "opened_at": opened, "closed_at": closed},
            )
    assert scraped(port).of("signals_alerts_open", severity="critical") == 1
    assert scraped(port).of("signals_alerts_open", severity="warning") == 0
