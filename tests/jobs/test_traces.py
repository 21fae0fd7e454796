"""Traces of the real run, taken by the SDK's own exporter in memory; and nothing of it where nobody asks."""

import contextlib
import datetime as dt
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import msgspec
import pytest

from jobs import traces
from jobs.app import App
from jobs.catalogue import runner_for
from jobs.settings import load
from signals.errors import ConfigError
from signals.sources.feed import Feed
from signals.store import headlines
from tests.conftest import ROOT

pytest.importorskip("opentelemetry.sdk")
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter


@pytest.fixture
def app(tmp_path, feed_server):
    feed_server.items["/wire"] = [("Yen surges as BOJ hikes rates to 1.0%", dt.datetime.now(dt.UTC))]
    settings = load(
        ROOT / "config" / "signals.toml", {"SIGNALS_HOME": str(tmp_path / "home"), "SIGNALS_BROKER_PORT": "0"}
    )
    feed = Feed(id="wire", kind="rss", url=f"{feed_server.url}/wire", every_s=5, allow_private=True)
    with contextlib.closing(App(msgspec.structs.replace(settings, feeds=(feed,)))) as made:
        yield made


@pytest.fixture
def spans():
    """Whatever is traced while it lives."""
    memory = InMemorySpanExporter()
    tracing = traces.Tracing(SimpleSpanProcessor(memory))
    traces.use(tracing)
    yield memory.get_finished_spans
    traces.end()


def named(spans, name):
    return [one for one in spans() if one.name == name]


def test_a_headline_is_followed_from_its_feed_to_the_channel(app, spans):
    """One trace a headline: itself, its step, its sending; linked to the fetch, which stands under its run."""
    runner = runner_for(app)
    for job in ("ingest", "publish"):
        assert runner.run(job, "manual").outcome == "ok"
    (fetch,), (headline,) = named(spans, "fetch"), named(spans, "headline")
    (ingest,) = named(spans, "job ingest")
    assert fetch.parent.span_id == ingest.context.span_id
    assert fetch.attributes["source"] == "wire"
    assert [link.context.span_id for link in headline.links] == [fetch.context.span_id]
    (step,), (publish,) = named(spans, "step"), named(spans, "publish")
    for one in (step, publish):
        assert one.context.trace_id == headline.context.trace_id
        assert one.parent.span_id == headline.context.span_id
        assert one.attributes["headline_id"] == headline.attributes["headline_id"]
    assert headline.parent is None
    assert headline.start_time <= step.end_time <= publish.end_time
    assert step.attributes["signal_id"]
    assert publish.attributes["seq"] == 1
    assert headline.resource.attributes["service.name"] == "signals"


def test_another_process_finds_the_same_trace(app, spans):
    """Its id follows from the headline's: what is sent after a restart still belongs to it."""
    runner = runner_for(app)
    runner.run("ingest", "manual")
    with app.store.read() as conn:
        (waiting,) = headlines.waiting(conn, limit=9)
    traces.use(None)
    memory = InMemorySpanExporter()
    traces.use(traces.Tracing(SimpleSpanProcessor(memory)))
    runner.run("publish", "manual")
    ids = traces._ids(waiting.headline_id)
    root = next(one for one in memory.get_finished_spans() if one.name == "headline")
    assert (root.context.trace_id, root.context.span_id) == ids
    assert root.links == ()  # the fetch was another process'


def test_a_run_that_fails_is_traced_as_failed(app, spans, monkeypatch):
    """With what was raised."""
    monkeypatch.setattr("jobs.publish.take", lambda *_, **__: 1 / 0)
    assert runner_for(app).run("publish", "manual").outcome == "failed"
    (job,) = named(spans, "job publish")
    assert not job.status.is_ok
    assert job.events[0].attributes["exception.type"] == "ZeroDivisionError"


def test_who_does_not_ask_loads_nothing():
    """Neither the library nor a thread of its own; a span costs a function call."""
    script = (
        "import sys, jobs.traces as t; t.begin({})\n"
        "with t.span('x'), t.fetch('y'): t.stepped([], [], None); t.sent([], None, None)\n"
        "sys.exit(any(name.startswith('opentelemetry') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT).returncode == 0


def test_spans_reach_a_collector():
    """By OTLP over HTTP, at the end at the latest."""
    got = threading.Event()

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == "/v1/traces" and body:
                got.set()
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Collector) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        traces.begin({"SIGNALS_OTLP_ENDPOINT": f"http://127.0.0.1:{server.server_address[1]}/"})
        with traces.span("job x", run_id="1"):
            pass
        traces.end()
        assert got.wait(10)
        server.shutdown()
        thread.join()


def test_an_endpoint_that_is_none_is_named():
    """Before anything is traced into nowhere."""
    with pytest.raises(ConfigError, match="SIGNALS_OTLP_ENDPOINT: is no http"):
        traces.begin({"SIGNALS_OTLP_ENDPOINT": "collector:4317"})


def test_a_command_loads_neither_metrics_nor_the_web_nor_traces():
    """`signals jobs list` starts without what only the service needs; redis-py itself loads a part of OpenTelemetry."""
    heavy = "{'prometheus_client', 'opentelemetry.sdk.trace', 'jobs.web'}"
    script = f"import sys, jobs.cli; sys.exit(' '.join({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert done.stderr.strip() == ""
