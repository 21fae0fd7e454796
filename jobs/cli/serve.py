"""`signals serve`: the service, until it is told to end."""

import contextlib
import datetime as dt
import fcntl
import signal
import threading
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import typer
from apscheduler.job import Job

from jobs import logs
from jobs.app import App
from jobs.catalogue import NAMES, runner_for
from jobs.cli import options
from jobs.follow import Following
from jobs.inbox import Doorbell
from jobs.routes import Routes
from jobs.scheduler import build
from jobs.systemd import Systemd
from jobs.web import Web
from signals.errors import ConfigError, StoreError

if TYPE_CHECKING:
    from jobs.quotes import Quotes

_LATE = dt.timedelta(seconds=30)
"""A schedule that is behind by so much is dead."""


def _routes() -> tuple[Routes, ...]:
    """`add_routes` of each module that answers on the HTTP port."""
    from jobs import health, metrics  # here: other commands do without them
    from jobs.console import routes as console

    return (health.add_routes, metrics.add_routes, console.add_routes)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("serve", epilog="Example: SIGNALS_HOME=/var/lib/signals signals serve")(serve)


def _alone(app: App, home: Path) -> None:
    """Hold the home's lock for the life of this process: two services would do every job twice."""
    home.mkdir(parents=True, exist_ok=True)
    lock = (home / "serve.lock").open("a")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.close()
        mend = "end that one, or set SIGNALS_HOME to another folder"
        raise ConfigError(str(home), "another `signals serve` runs on this home", mend) from error
    app.hold(lock)


def _quotes(app: App) -> "Quotes | None":
    if not app.settings.prices.quotes:
        return None
    from jobs.quotes import Quotes  # here: what it needs takes seconds to load

    thread = Quotes(app)
    thread.start()
    return thread


def serve(context: typer.Context, config: options.Config = None) -> None:
    """Run the service: every job on its schedule, and an embedded Redis where SIGNALS_REDIS_URL is not set.

    SIGTERM or Ctrl-C ends it cleanly.
    """
    settings = options.settings(context, config)
    logs.configure(settings.home)
    log = logs.logger()
    ended = threading.Event()

    def stop(number: int, _frame: FrameType | None) -> None:
        log.info("service.stop", signal=signal.Signals(number).name)
        ended.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    app = App(settings)
    try:
        _alone(app, settings.home)
        model_id = app.scorer.model_id
        url = app.redis_url()
        scheduled = {name: getattr(settings.jobs, name) for name in NAMES}
        due: list[Job] = []

        # Read off the jobs themselves: asking the scheduler would wait for its shutdown, which waits for us.
        def next_runs() -> dict[str, dt.datetime | None]:
            return {job.id: job.next_run_time for job in due}

        runner = runner_for(app, next_runs)
        following = Following(runner, app.clock)
        scheduler = build(runner, following, scheduled, app.clock)
        due += scheduler.get_jobs()
        web = Web(app, following.publish, _routes(), runner=runner, following=following, next_runs=next_runs)
        address = web.start()
        doorbell = Doorbell(app, lambda: following.fire("inbox", "chain"))
        scheduler.start()
        doorbell.start()
        quotes = _quotes(app)
        systemd = Systemd()
        systemd.ready(lambda: all(at is None or at > app.clock() - _LATE for at in next_runs().values()))
        log.info(
            "service.start", console=address, redis=options.without_password(url), database=app.store.name,
            home=str(settings.home), model_id=model_id,
        )  # fmt: skip
        ended.wait()
        systemd.end()
        web.stop()
        doorbell.end()
        if quotes is not None:
            quotes.end()
        scheduler.shutdown(wait=True)
        following.end()
        with contextlib.suppress(StoreError):  # the log has it
            runner.history.settle()
    finally:
        app.close()
