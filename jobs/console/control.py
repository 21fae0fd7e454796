"""What the page changes: a job run, paused, let go on. The gate has seen the token before any of it is reached."""

import asyncio
from typing import TYPE_CHECKING

from aiohttp import web

from jobs.answers import Refused, said
from jobs.pauses import NEVER

if TYPE_CHECKING:
    from jobs.follow import Following
    from jobs.routes import Parts
    from jobs.runner import Runner

WHY = "from the console"


class Control:
    """The routes that change something.

    Parameters
    ----------
    parts : the service's; without a runner there is nothing to control.
    runner, following : they run the jobs.
    """

    def __init__(self, parts: "Parts", runner: "Runner", following: "Following") -> None:
        self._later = parts.later
        self._jobs = frozenset(parts.app.settings.jobs.__struct_fields__)
        self._keeper = parts.app.keeper
        self._runner = runner
        self._following = following

    async def run(self, request: web.Request) -> web.Response:
        """Begin a run by hand: 202, its row in the history says what became of it."""
        job = self._job(request)
        if self._keeper is not None and not self._keeper.leads:
            leader = self._keeper.seen()[0].holder or "nobody"
            raise Refused(409, f"this service stands by: {leader} leads, run it there")
        self._later(asyncio.to_thread(self._following.fire, job, "manual"))
        return said(202, {"job": job, "begun": True})

    async def pause(self, request: web.Request) -> web.Response:
        """Let a job rest until `resume`."""
        job = self._job(request)
        if job in NEVER:
            raise Refused(409, f"{job} cannot be paused: without it bots take the service for dead")
        pause = await asyncio.to_thread(self._runner.pause, job, None, WHY)
        return said(200, pause)

    async def resume(self, request: web.Request) -> web.Response:
        """Let a job go on with its next tick."""
        job = self._job(request)
        return said(200, {"job": job, "was_paused": await asyncio.to_thread(self._runner.resume, job)})

    def _job(self, request: web.Request) -> str:
        job = request.match_info["job"]
        if job not in self._jobs:
            raise Refused(404, f"{job[:40]}: there is no such job - one of {', '.join(sorted(self._jobs))}")
        return job
