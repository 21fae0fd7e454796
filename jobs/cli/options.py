"""What several commands share: `--config` after the command too, a console, and the app."""

import datetime as dt
import os
import re
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from jobs.settings import Settings, load
from signals.errors import ConfigError

_PIPE_WIDTH = 140
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_SPAN = re.compile(r"(\d{1,6})([smhd])")

Config = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", help="Settings file.", show_default="config/signals.toml")
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object a line, for programs.")]


def settings(context: typer.Context, config: Path | None) -> Settings:
    """The settings named on the command line, before or after the command."""
    return load(config or context.obj)


def span(text: str, option: str) -> dt.timedelta:
    """`90s`, `15m`, `2h` or `1d`. Raises ConfigError that names the option."""
    found = _SPAN.fullmatch(text)
    if not found:
        raise ConfigError(option, f"{text!r} is no age", "a number and a unit: 30s, 15m, 1h, 2d")
    return dt.timedelta(**{_UNITS[found[2]]: int(found[1])})


def console() -> Console:
    """Results go to stdout; in a pipe they are plain and as wide as they need to be."""
    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else _PIPE_WIDTH
    return Console(width=width, highlight=False)
