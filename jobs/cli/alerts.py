"""`signals alerts`: what is wrong now, since when, and what to do about it."""

import datetime as dt
from typing import Annotated, Any

import msgspec
import typer
from rich.box import SIMPLE
from rich.markup import escape
from rich.table import Table

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
        options.console().print(_table(found, now))
    else:
        options.console().print("no alert was ever opened" if all_ else "no alert is open")


def _told(alert: Alert) -> dict[str, Any]:
    return {name: getattr(alert, name) for name in Alert.__struct_fields__ if name not in _INNER}


def _table(found: list[Alert], now: dt.datetime) -> Table:
    table = Table(box=SIMPLE, padding=(0, 1))
    for name in ("opened (UTC)", "state", "severity", "what"):
        table.add_column(name, no_wrap=True)
    table.add_column("text", overflow="fold")
    table.add_column("what to do", overflow="fold")
    for one in found:
        opened = one.opened_at or one.first_seen_at
        lasted = age(((one.closed_at or now) - opened).total_seconds())
        colour = _COLOURS.get(one.severity, "dim")
        table.add_row(
            f"{opened:%Y-%m-%d %H:%M:%S}",
            f"[dim]closed after {lasted}[/]" if one.closed_at else f"open for {lasted}",
            f"[{colour}]{one.severity}[/]",
            one.key,
            escape(one.text),
            escape(one.mend),
        )
    return table
