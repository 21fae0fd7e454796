"""What a module of routes is given: `def add_routes(router, parts)`."""

from collections.abc import Callable, Coroutine, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from aiohttp import web
from aiohttp.web_urldispatcher import UrlDispatcher

from jobs.app import App
from jobs.gate import Gate

if TYPE_CHECKING:
    from jobs.follow import Following
    from jobs.runner import Runner

NextRuns = Callable[[], Mapping[str, datetime | None]]
"""Gives each job's next scheduled time, UTC."""


class Parts(NamedTuple):
    """What routes work with."""

    app: App
    ring: Callable[[], object]
    """Called, in a thread, after new headlines were stored."""
    http: web.Application
    """For `on_startup`, `on_shutdown` and `on_cleanup` of what a module keeps going."""
    gate: Gate
    """`gate.allows(request)`: whether who asks may change anything."""
    later: Callable[[Coroutine[Any, Any, Any]], None]
    """Does work after the answer, kept until it is done."""
    runner: "Runner | None" = None
    """Null where no jobs run here."""
    following: "Following | None" = None
    """Its `fire(name, "manual")` runs a job and what follows it; waits for it."""
    next_runs: NextRuns = dict


Routes = Callable[[UrlDispatcher, Parts], None]
