"""`signals serve`: the service, until it is told to end."""

import signal
import threading
from types import FrameType

import typer

from jobs import logs
from jobs.app import App
from jobs.catalogue import NAMES, runner_for
from jobs.cli import options
from jobs.scheduler import build
from signals.store import runs


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("serve", epilog="Example: SIGNALS_HOME=/var/lib/signals signals serve")(serve)


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
        with app.store.write() as conn:
            interrupted = runs.close_interrupted(conn, list(NAMES), app.clock())
        model_id = app.scorer.model_id
        url = app.redis_url()
        scheduled = {name: getattr(settings.jobs, name) for name in NAMES}
        runner = runner_for(app, lambda: {job.id: job.next_run_time for job in scheduler.get_jobs()})
        scheduler = build(runner, scheduled, app.clock())
        scheduler.start()
        log.info(
            "service.start", redis=options.without_password(url), database=app.store.name, home=str(settings.home),
            model_id=model_id, interrupted_runs=interrupted,
        )  # fmt: skip
        ended.wait()
        scheduler.shutdown(wait=True)
    finally:
        app.close()
