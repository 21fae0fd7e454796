"""`signals jobs pause` and `signals jobs resume`."""

import logging
from typing import Annotated

import typer

from jobs import logs, standing
from jobs.app import App
from jobs.catalogue import NAMES, pauses_for
from jobs.cli import options

Name = Annotated[str, typer.Argument(metavar="NAME", help=f"One of {', '.join(NAMES)}.")]


def pause(
    context: typer.Context,
    name: Name,
    for_: Annotated[str | None, typer.Option("--for", metavar="SPAN", help="For so long: 30s, 15m, 2h, 1d.")] = None,
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="Told to whoever looks.")] = "",
    config: options.Config = None,
) -> None:
    """Let a job rest: its schedule and what it follows run it no more, until the span is over or `resume`.

    A run under way ends as it would. By hand it can still be run.
    """
    span = options.span(for_, "--for") if for_ else None
    app = _app(context, config)
    try:
        made = pauses_for(app).pause(name, None if span is None else span.total_seconds(), why)
    finally:
        app.close()
    until = f"until {made.until:%Y-%m-%d %H:%M:%S} UTC" if made.until else f"until `signals jobs resume {name}`"
    held = "" if standing.runs(app.settings.home) else "; no service runs on this home just now"
    print(f"{name} is paused {until}{held}")


def resume(context: typer.Context, name: Name, config: options.Config = None) -> None:
    """Let a paused job go on with its next tick."""
    app = _app(context, config)
    try:
        lifted = pauses_for(app).resume(name)
    finally:
        app.close()
    print(f"{name} goes on with its next tick" if lifted else f"{name} was not paused")


def _app(context: typer.Context, config: options.Config) -> App:
    settings = options.settings(context, config)
    logs.configure(settings.home, level=logging.ERROR)  # the answer tells what happened
    return App(settings)
