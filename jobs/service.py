"""The service: every job on its schedule, the inbox's doorbell, the web, live quotes; and its end, in order."""

import contextlib
import datetime as dt
import os
import signal
import threading
from types import FrameType, TracebackType
from typing import TYPE_CHECKING

from apscheduler.job import Job

from jobs import health, logs, metrics, standing, traces
from jobs.app import App
from jobs.catalogue import NAMES, runner_for
from jobs.console import routes as console
from jobs.follow import Following
from jobs.inbox import Doorbell
from jobs.lifeline import BEAT_S, Beat, Link
from jobs.redact import without_password
from jobs.scheduler import Pace, build, recall
from jobs.standing import Standing
from jobs.web import Web
from signals.errors import StoreError

if TYPE_CHECKING:
    from jobs.quotes import Quotes

ROUTES = (health.add_routes, metrics.add_routes, console.add_routes)
"""Of each module that answers on the HTTP port."""
_SAY_EACH = 2
"""Beats between two writings of how the service stands."""


class Service:
    """The parts that run, from `with` to its end.

    Parameters
    ----------
    app : store, broker and model.
    link : to the process that minds this one; it knows how the service before ended.
    """

    def __init__(self, app: App, link: Link) -> None:
        self._app = app
        self._link = link
        self._due: list[Job] = []
        scheduled = {name: getattr(app.settings.jobs, name) for name in NAMES}
        self._every_s = {name: float(job.every_s) for name, job in scheduled.items() if job.enabled}
        self._pace = Pace(self._every_s.values())
        self.runner = runner_for(app, self._next_runs, retries=True)
        self._following = Following(self.runner, app.clock)
        self._scheduler = build(self.runner, self._following, scheduled, app.clock, self._pace)
        self._doorbell = Doorbell(app, lambda: self._following.fire("inbox", "chain"))
        self._web = Web(
            app, self._following.publish, ROUTES,
            runner=self.runner, following=self._following, next_runs=self._next_runs,
        )  # fmt: skip
        self._quotes = _quotes(app)
        self._started_at = app.clock()

    def __enter__(self) -> "Service":
        app = self._app
        self.runner.history.take_over(self._link.before)
        model_id = app.scorer.model_id
        url = app.redis_url()
        self._due += self._scheduler.get_jobs()
        console = self._web.start()
        self._scheduler.start()
        self._doorbell.start()
        if self._quotes is not None:
            self._quotes.start()
        logs.logger().info(
            "service.start", console=console, redis=without_password(url), database=app.store.name,
            home=str(app.settings.home), model_id=model_id,
        )  # fmt: skip
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self._web.stop()
        self._doorbell.end()
        if self._quotes is not None:
            self._quotes.end()
        self.runner.end()
        self._scheduler.shutdown(wait=True)
        self._following.end()
        with contextlib.suppress(StoreError):  # the log has it
            self.runner.history.settle()

    def _next_runs(self) -> dict[str, dt.datetime | None]:
        """Read off the jobs themselves: asking the scheduler would wait for its shutdown, which waits for us."""
        return {job.id: job.next_run_time for job in self._due}

    def until(self, ended: threading.Event) -> None:
        """Beat until it is to end, or nobody minds it any more."""
        beats = 0
        while not self._link.cut():
            active = self.runner.active()
            self._link.beat(Beat(up=True, active=active, idle_s=self._pace.idle_s()))
            if beats % _SAY_EACH == 0:
                self._say()
            self._recall()
            beats += 1
            if ended.wait(BEAT_S):
                return

    def _recall(self) -> None:
        recalled = recall(self._scheduler, self._every_s, self._app.clock())
        if recalled:
            logs.logger().warning("clock.set_back", jobs=list(recalled))

    def _say(self) -> None:
        said = Standing(
            at=self._app.clock(),
            pid=os.getpid(),
            started_at=self._started_at,
            next_runs=self._next_runs(),
            active=tuple(one.run for one in self.runner.active()),
        )
        standing.write(self._app.settings.home, said)


def serve(app: App, link: Link) -> None:
    """Be the service until SIGTERM or SIGINT."""
    ended = threading.Event()

    def stop(number: int, _frame: FrameType | None) -> None:
        if not ended.is_set():
            logs.logger().info("service.stop", signal=signal.Signals(number).name)
            ended.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    traces.begin()
    with contextlib.closing(app), Service(app, link) as service:
        service.until(ended)
    traces.end()


def _quotes(app: App) -> "Quotes | None":
    if not app.settings.prices.quotes:
        return None
    from jobs.quotes import Quotes  # here: what it needs takes seconds to load

    return Quotes(app)
