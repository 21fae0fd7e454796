"""The service: the web always, and while it leads every job on its schedule; and its end, in order."""

import contextlib
import datetime as dt
import os
import signal
import threading
from types import FrameType, TracebackType

from jobs import health, logs, metrics, standing, traces
from jobs.app import App
from jobs.catalogue import runner_for
from jobs.console import routes as console
from jobs.follow import Following
from jobs.instance import instance_of
from jobs.leading import Leading
from jobs.lease import Keeper
from jobs.lifeline import BEAT_S, GAVE_WAY, LOST, Beat, Link
from jobs.redact import without_password
from jobs.standing import Standing
from jobs.warming import Warming
from jobs.web import Web
from signals.errors import StoreError

ROUTES = (health.add_routes, metrics.add_routes, console.add_routes)
"""Of each module that answers on the HTTP port."""
_SAY_EACH = 2
"""Beats between two writings of how the service stands."""
_LOOK_S = 0.2
"""How soon who stands by sees that it leads."""


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
        self._leading: Leading | None = None
        self._warming: Warming | None = None
        me = app.me = app.me or instance_of(app.settings.home)
        self.runner = runner_for(app, self._next_runs, retries=True)
        self._following = Following(self.runner, app.clock)
        self._keeper = app.keeper = Keeper(app, me, self._following.publish)
        self._web = Web(
            app, self._publish, ROUTES,
            runner=self.runner, following=self._following, next_runs=self._next_runs,
        )  # fmt: skip
        self._started_at = app.clock()

    def __enter__(self) -> "Service":
        app = self._app
        model_id = app.scorer.model_id
        console = self._web.start()
        try:
            self._keeper.start(console)
            if self._keeper.leads:
                self._lead()
        except BaseException:
            self._keeper.end()
            self._web.stop()
            raise
        url = app.redis_url() if self._leading else app.settings.redis_url
        logs.logger().info(
            "service.start", console=console, redis=url and without_password(url), database=app.store.name,
            home=str(app.settings.home), model_id=model_id, leads=self._leading is not None,
        )  # fmt: skip
        if self._leading is None:
            self._warming = Warming(app)
            self._warming.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self._web.stop()
        if self._warming is not None:
            self._warming.end()
        if self._leading is not None:
            self._leading.end()
        self._following.end()
        with contextlib.suppress(StoreError):  # the log has it
            self.runner.history.settle()
        self._keeper.end()

    def _lead(self) -> None:
        """Begin to lead. Nobody else does by now: what was left open is ours to close, what waits ours to send."""
        app = self._app
        if self._warming is not None:
            self._warming.end()
        app.fence(self._keeper.fence)
        self.runner.history.take_over(self._link.before)
        app.redis_url()
        self._leading = Leading(app, self.runner, self._following)
        self._leading.start()

    def _publish(self) -> None:
        """News was stored here."""
        if self._leading is not None:
            self._following.publish()

    def _next_runs(self) -> dict[str, dt.datetime | None]:
        return self._leading.next_runs() if self._leading is not None else {}

    def until(self, ended: threading.Event) -> None:
        """Beat until it is to end, or nobody minds it any more; lead once the lease is ours."""
        said_at = -_SAY_EACH * BEAT_S
        while not self._link.cut():
            if why := self._keeper.over():
                logs.logger().warning("lease.lost", token=self._keeper.token, error=why)
                os._exit(LOST)  # at once, and whatever it is at: nothing is lost by it
            if self._keeper.leads and self._leading is None:
                self._lead()
                threading.Thread(target=self._following.publish, name="taken-over", daemon=True).start()
            idle_s = self._leading.idle_s() if self._leading is not None else -1.0
            self._link.beat(Beat(up=True, active=self.runner.active(), idle_s=idle_s))
            if self._app.ticks() - said_at >= _SAY_EACH * BEAT_S:
                said_at = self._app.ticks()
                self._say()
            self._recall()
            if ended.wait(BEAT_S if self._leading is not None else _LOOK_S):
                return

    def _recall(self) -> None:
        recalled = self._leading.recall() if self._leading is not None else ()
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
    app.me = instance_of(app.settings.home)
    with contextlib.closing(app):
        if _await_store(app, link, ended):
            with Service(app, link) as service:
                service.until(ended)
    traces.end()


def _await_store(app: App, link: Link, ended: threading.Event) -> bool:
    """Whether the store is there. Who led until the store was away waits for it here; others fail at once."""
    while True:
        try:
            _ = app.store
        except StoreError:
            if link.before is None or link.before.why != GAVE_WAY:
                raise
        else:
            return True
        if link.cut():
            return False
        link.beat(Beat())
        if ended.wait(BEAT_S):
            return False
