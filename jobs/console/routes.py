"""The console's routes."""

import msgspec
from aiohttp.web_urldispatcher import UrlDispatcher

from jobs.console import pages
from jobs.console.control import Control
from jobs.console.letters import Letters
from jobs.console.live import Live
from jobs.console.reads import Reads
from jobs.console.state import state
from jobs.routes import Parts

API = "/console/api"


def add_routes(router: UrlDispatcher, parts: Parts) -> None:
    """Add them."""
    reads = Reads(parts.app)
    live = Live(parts.app, lambda: msgspec.json.encode(state(parts)))
    parts.http.on_shutdown.append(live.close)
    router.add_get("/", pages.page)
    router.add_get("/console/{name}", pages.static)
    router.add_get(f"{API}/live", live.serve)
    router.add_get(f"{API}/signals", reads.signals)
    router.add_get(f"{API}/signals.csv", reads.csv)
    router.add_get(f"{API}/signals/{{signal_id}}", reads.signal)
    router.add_get(f"{API}/chart", reads.chart)
    router.add_get(f"{API}/runs", reads.runs)
    router.add_get(f"{API}/runs/{{run_id}}", reads.run)
    router.add_get(f"{API}/alerts", reads.alerts)
    router.add_get(f"{API}/scorecard", reads.scorecard)
    letters = Letters(parts.app)
    router.add_get(f"{API}/inbox", letters.listed)
    if parts.runner is not None and parts.following is not None:
        router.add_post(f"{API}/inbox/redrive/{{rejected_id}}", letters.redrive)
        control = Control(parts, parts.runner, parts.following)
        for does in (control.run, control.pause, control.resume):
            router.add_post(f"{API}/jobs/{{job}}/{does.__name__}", does)
