"""`signals sources`: what each source is doing, and what it did on a day."""

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
from signals.errors import ConfigError
from signals.model import FeedState
from signals.sources.feed import Feed
from signals.store import feeds, source_days
from signals.store.source_days import Day

_COLUMNS = ("source", "kind", "state", "last success", "next", "asked", "unchanged", "failed", "items", "new")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("sources", epilog="Example: signals sources --day 2026-11-30")(sources)


def sources(
    context: typer.Context,
    day: Annotated[str | None, typer.Option("--day", metavar="DATE", help="Count this UTC day, not today.")] = None,
    as_json: options.Json = False,
    config: options.Config = None,
) -> None:
    """Every source: its state, the ages of its last success and failure, and what it did today."""
    app = App(options.settings(context, config))
    now = app.clock()
    wanted = _day(day) or now.date()
    with app.store.read() as conn:
        states = {state.source: state for state in feeds.states(conn)}
        days = {done.source: done for done in source_days.of_day(conn, wanted)}
    app.close()
    rows = [_row(feed, states.get(feed.id), days.get(feed.id), now) for feed in app.settings.feeds]
    if as_json:
        for row in rows:
            typer.echo(msgspec.json.encode(row).decode())
        return
    options.console().print(_table(rows, wanted))


def _day(raw: str | None) -> dt.date | None:
    if raw is None:
        return None
    try:
        return dt.date.fromisoformat(raw)
    except ValueError as error:
        raise ConfigError("--day", f"{raw!r} is no date", "write it as 2026-11-30") from error


def _row(feed: Feed, state: FeedState | None, day: Day | None, now: dt.datetime) -> dict[str, Any]:
    def since(at: dt.datetime | None) -> float | None:
        return None if at is None else (now - at).total_seconds()

    return {
        "source": feed.id,
        "kind": feed.kind,
        "state": _state(feed, state),
        "last_success_age_s": since(state.last_success_at if state else None),
        "failing_attempts": state.failures if state else 0,
        "last_error": state.last_error if state else None,
        "next_in_s": -(since(state.next_attempt_at) or 0) if state and state.next_attempt_at else None,
        "day": day and day._asdict(),
    }


def _state(feed: Feed, state: FeedState | None) -> str:
    if not feed.enabled:
        return "off"
    if state is None or state.last_attempt_at is None:
        return "new"
    return "down" if state.failures else "ok"


def _table(rows: list[dict[str, Any]], day: dt.date) -> Table:
    table = Table(box=SIMPLE, padding=(0, 1), title=f"Counts of {day} UTC", title_justify="left")
    for name in _COLUMNS:
        table.add_column(name, no_wrap=True, justify="left" if name in _COLUMNS[:5] else "right")
    table.add_column("last error", overflow="fold")
    colours = {"ok": "green", "down": "red", "new": "cyan", "off": "dim"}
    for row in rows:
        done = row["day"] or {}
        success, due = row["last_success_age_s"], row["next_in_s"]
        failing = f" x{row['failing_attempts']}" if row["failing_attempts"] > 1 else ""
        table.add_row(
            row["source"],
            row["kind"],
            f"[{colours[row['state']]}]{row['state']}[/]{failing}",
            "never" if success is None else f"{age(success)} ago",
            "-" if due is None else "now" if due <= 0 else f"in {age(due)}",
            *(str(done.get(name, 0)) for name in ("asked", "unchanged", "failed", "seen", "new")),
            escape(row["last_error"] or ""),
        )
    return table
