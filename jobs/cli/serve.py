"""`signals serve`: the service, until it is told to end."""

import typer

from jobs import logs, standing
from jobs.app import App
from jobs.cli import options
from jobs.service import serve as be_the_service
from jobs.supervisor import Supervisor


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("serve", epilog="Example: SIGNALS_HOME=/var/lib/signals signals serve")(serve)


def serve(context: typer.Context, config: options.Config = None) -> None:
    """Run the service: every job on its schedule, and an embedded Redis where SIGNALS_REDIS_URL is not set.

    SIGTERM or Ctrl-C ends it cleanly. What hangs is killed and started anew.
    """
    settings = options.settings(context, config)
    logs.configure(settings.home)
    with standing.alone(settings.home):  # a child of ours has it, too
        code = Supervisor(settings.service.kill_after_s).run(lambda link: be_the_service(App(settings), link))
    if code:
        raise typer.Exit(code)
