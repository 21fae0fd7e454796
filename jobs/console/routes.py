"""The console's routes."""

import functools

import msgspec
from aiohttp import web

from jobs.app import App
from jobs.console import pages
from jobs.console.live import Live
from jobs.console.reads import Reads
from jobs.console.state import NextRuns, state

API = "/console/api"


def add(router: web.UrlDispatcher, app: App, next_runs: NextRuns) -> Live:
    """Add them; what is returned must be closed as the service ends."""
    reads = Reads(app)
    told = functools.partial(state, app, next_runs)
    live = Live(app, lambda: msgspec.json.encode(told()))
    router.add_get("/", pages.page)
    router.add_get("/console/{name}", pages.static)
    router.add_get(f"{API}/live", live)
    router.add_get(f"{API}/signals", reads.signals)
    router.add_get(f"{API}/signals.csv", reads.csv)
    router.add_get(f"{API}/signals/{{signal_id}}", reads.signal)
    router.add_get(f"{API}/chart", reads.chart)
    router.add_get(f"{API}/runs", reads.runs)
    router.add_get(f"{API}/runs/{{run_id}}", reads.run)
    return live
