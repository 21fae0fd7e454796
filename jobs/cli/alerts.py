"""`signals alerts`: what is wrong now, since when, and what to do about it."""

import datetime as dt
from collections.abc import Iterator
from typing import Annotated, Any

import msgspec
import typer
from rich.markup import escape

from jobs.app import App
from jobs.cli import options
from jobs.cli.tables import age
from signals.store import alerts as kept
from signals.store.alerts import Alert

_COLOURS = {"critical": "red", "warning": "yellow"}
_LIMIT = 1000
_INNER = ("first_seen_at", "clear_since")
"""Of the judging, not of the alert."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("alerts", epilog="Example: signals alerts --all")(alerts)


def alerts(
    context: typer.Context,
    all_: Annotated[bool, typer.Option("--all", help="Also those that are closed, the newest first.")] = False,
    as_json: options.Json = False,
    config: options.Config = None,
) -> None:
    """Open alerts: what is wrong, since when, and the mend. The job `watchdog` of `signals serve` judges them."""
    app = App(options.settings(context, config))
    now = app.clock()
    with app.store.read() as conn:
        found = kept.told(conn, limit=_LIMIT, closed=all_)
    app.close()
    if as_json:
        for one in found:
            typer.echo(msgspec.json.encode(_told(one)).decode())
    elif found:
        screen = options.console()
        for one in found:
            for line in _lines(one, now):
                screen.print(line, soft_wrap=True)
    else:
        options.console().print("no alert was ever opened" if all_ else "no alert is open")


def _told(alert: Alert) -> dict[str, Any]:
    return {name: getattr(alert, name) for name in Alert.__struct_fields__ if name not in _INNER}


def _lines(alert: Alert, now: dt.datetime) -> Iterator[str]:
    """What, since when; then the text, and what to do."""
    opened = alert.opened_at or alert.first_seen_at
    lasted = age(((alert.closed_at or now) - opened).total_seconds())
    state = f"closed after {lasted}" if alert.closed_at else f"open for {lasted}"
    colour = "dim" if alert.closed_at else _COLOURS.get(alert.severity, "bold")
    when = f"[dim]{opened:%Y-%m-%d %H:%M:%S} UTC[/]"
    yield f"[{colour}]{alert.severity:<8}[/]  [bold]{escape(alert.key)}[/]  {state}  {when}"
    yield f"    {escape(alert.text)}"
    if alert.mend and not alert.closed_at:
        yield f"    [green]→[/] {escape(alert.mend)}"
