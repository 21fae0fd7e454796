"""What several commands share: `--config` after the command too, a console, and the app."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from jobs.settings import Settings, load

_PIPE_WIDTH = 140

Config = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", help="Settings file.", show_default="config/signals.toml")
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object a line, for programs.")]


def settings(context: typer.Context, config: Path | None) -> Settings:
    """The settings named on the command line, before or after the command."""
    return load(config or context.obj)


def console() -> Console:
    """Results go to stdout; in a pipe they are plain and as wide as they need to be."""
    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else _PIPE_WIDTH
    return Console(width=width, highlight=False)
