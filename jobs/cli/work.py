"""`signals work`: score the inbox in processes of its own, on any machine."""

import os
from typing import Annotated

import msgspec
import typer

from jobs import logs
from jobs.app import App
from jobs.cli import options


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("work", epilog="Example: SIGNALS_REDIS_URL=redis://worker:SECRET@db1 signals work --processes 2")(work)


def work(
    context: typer.Context,
    processes: Annotated[int, typer.Option("--processes", metavar="N", min=1, max=256, help="Workers.")] = 1,
    batch: Annotated[
        int | None, typer.Option("--batch", metavar="N", min=1, max=1000, help="Entries at once.", show_default="200")
    ] = None,
    name: Annotated[
        str, typer.Option("--name", metavar="NAME", help="What the workers' names begin with.", show_default="the host")
    ] = "",
    config: options.Config = None,
) -> None:
    """Take headlines from the stream signals:inbox, score them and hand them on to the service.

    Needs Redis and nothing else; the service that stores them has enabled = true in [workers]. SIGTERM or Ctrl-C ends
    it with what it has begun. What a worker that died was holding is given to another.
    """
    for one in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        os.environ.setdefault(one, "1")  # workers share the cores by being many
    from jobs.scoring_pool import Pool  # here: what it needs takes a second to load

    settings = options.settings(context, config)
    if batch is not None:
        settings = msgspec.structs.replace(settings, workers=msgspec.structs.replace(settings.workers, batch=batch))
    logs.configure(settings.home)
    app = App(settings)
    try:
        code = Pool(app, processes, name).run()
    finally:
        app.close()
    if code:
        raise typer.Exit(code)
