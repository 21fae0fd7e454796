"""`/healthz`: the process lives. `/readyz`: it does its work, or why not.

Ready means that news would come to the channel: store, Redis, schedule, watchdog and model are there. A feed that is
down is no reason: the others go on, and an orchestrator that restarts us would not mend it. Nor is standing by: news
that is pushed there is stored, and the leader publishes it.
"""

import asyncio
from typing import NamedTuple

from aiohttp import web
from aiohttp.web_urldispatcher import UrlDispatcher

from jobs.answers import said
from jobs.app import App
from jobs.finding import Finding
from jobs.freshness import judge, not_alive
from jobs.gate import open_to_all
from jobs.observed import Observed, observe
from jobs.routes import NextRuns, Parts
from jobs.services import sentence

_NEEDED = ("store", "broker", "scheduler", "model")
"""Findings without which it does its work."""


class Reason(NamedTuple):
    """Why the service is not ready."""

    what: str
    """store, broker, scheduler, watchdog or model."""
    text: str
    mend: str


def reasons(app: App, next_runs: NextRuns) -> tuple[Observed, list[Finding], list[Reason]]:
    """One look, all that is wrong, and what of it makes the service not ready. Takes a second at most."""
    observed = observe(app, next_runs)
    findings = judge(observed, app.settings.freshness)
    why = [Reason(one.key, one.text, one.mend) for one in findings if one.key in _NEEDED and one.severity == "critical"]
    dead = not_alive(observed)
    if dead is not None and "scheduler" not in {one.what for one in why}:
        why.append(Reason("watchdog", dead, "restart `signals serve`; the log's last lines say what it did"))
    return observed, findings, why


def add_routes(router: UrlDispatcher, parts: Parts) -> None:
    """Add both."""

    @open_to_all
    async def alive(_request: web.Request) -> web.Response:
        return said(200, {"alive": True})

    async def ready(_request: web.Request) -> web.Response:
        observed, _, why = await asyncio.to_thread(reasons, parts.app, parts.next_runs)
        told = {
            "ready": not why,
            "at": observed.at,
            "read_at": observed.read_at,
            "leads": observed.leads,
            "services": sentence(observed.services, observed.at),
            "reasons": [one._asdict() for one in why],
        }
        return said(503 if why else 200, told)

    router.add_get("/healthz", alive)
    router.add_get("/readyz", ready)
