"""`signals broker`: only the embedded Redis, in the foreground."""

import signal
import threading

import typer

from jobs.app import App
from jobs.cli import options
from jobs.redact import without_password

_LOOK_S = 1.0


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("broker", epilog="Example: SIGNALS_BROKER_PORT=0 signals broker")(broker)


def broker(context: typer.Context, config: options.Config = None) -> None:
    """Run only the embedded Redis, until SIGTERM or Ctrl-C."""
    settings = options.settings(context, config)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    app = App(settings)
    told = ""
    try:
        while True:
            url = app.redis_url()  # where another process of this home held it and ended, ours takes over
            if url != told:
                told = url
                print(f"Redis of {settings.home} at {without_password(url)}", flush=True)
            if ended.wait(_LOOK_S):
                return
    finally:
        app.close()
