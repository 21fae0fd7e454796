"""`signals doctor`: what is well, what is not, and what to do. It changes nothing."""

import contextlib
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.markup import escape

from jobs.checks.examine import examine
from jobs.checks.line import Line, Status, fail
from jobs.checks.seen import Asked, Seen
from jobs.cli import options
from jobs.clock import utc_now
from signals.errors import ConfigError

_SHOWN: dict[Status, str] = {"ok": "[green] ok [/]", "warn": "[yellow]warn[/]", "fail": "[bold red]FAIL[/]"}
_NAMED = 2


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor", epilog="Example: signals doctor --offline")(doctor)


def doctor(
    context: typer.Context,
    as_json: options.Json = False,
    offline: Annotated[bool, typer.Option("--offline", help="Ask no feed; Redis and database are asked.")] = False,
    config: options.Config = None,
) -> None:
    """Look at everything the service needs, and say what is wrong and what to do. Changes nothing.

    Exits 0 where all works, warnings or not, and 1 where something does not.
    """
    seen, lines = _settings(context, config, offline=offline)
    screen = options.console()
    with _progress() as began:
        for line in examine(seen, began):
            lines.append(line)
    for line in lines if as_json else ():
        typer.echo(msgspec.json.encode(line._asdict()).decode())
    told = summary(lines)
    if as_json:
        typer.echo(msgspec.json.encode(told._asdict()).decode())
    else:
        _show(screen, [*lines, told])
    if told.status == "fail":
        raise typer.Exit(1)


def summary(lines: list[Line]) -> Line:
    """All of it in one sentence: the worst first, two of them by name."""
    counts = Counter(line.status for line in lines)
    state = next((f"{line.text}. " for line in lines if line.check == "state"), "")
    bad = [line for status in ("fail", "warn") for line in lines if line.status == status and line.check != "state"]
    if not bad:
        return Line("summary", "ok", f"{state}All {len(lines)} checks are well")
    named = "; ".join(f"{line.check}: {line.text}" for line in bad[:_NAMED])
    more = f"; and {len(bad) - _NAMED} more" if len(bad) > _NAMED else ""
    count = f"{counts['fail']} failed, {counts['warn']} warnings, {counts['ok']} well"
    return Line("summary", bad[0].status, f"{state}{count}. {named}{more}", bad[0].mend)


def _settings(context: typer.Context, config: Path | None, *, offline: bool) -> tuple[Seen | None, list[Line]]:
    """What is to be looked at; null, and why, where the settings cannot be read."""
    try:
        settings = options.settings(context, config)
    except ConfigError as error:
        mend = error.mend or "correct it"
        return None, [
            fail("settings", f"{error.where}: {error.problem}; without it only the installation is looked at", mend)
        ]
    return Seen(Asked(settings, os.environ, utc_now, offline)), []


@contextlib.contextmanager
def _progress() -> Iterator[Callable[[str], object]]:
    """On a terminal: what is waited for, on a line that is gone at the end."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    with Console(stderr=True).status("looking") as status:
        yield lambda name: status.update(f"looking at {name}")


def _show(screen: Console, lines: list[Line]) -> None:
    width = max(len(line.check) for line in lines)
    for line in lines:
        if line.check == "summary":
            screen.print()
        screen.print(f"{_SHOWN[line.status]}  {line.check:<{width}}  {escape(line.text)}", soft_wrap=True)
        if line.mend and line.status != "ok" and line.check != "summary":
            screen.print(f"      {'':<{width}}  [cyan]→[/] {escape(line.mend)}", soft_wrap=True)
