"""The `signals` command. Each subcommand is a module beside this one; its errors are one line each."""

import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from signals import __version__
from signals.errors import ConfigError, SignalsError

app = typer.Typer(
    name="signals",
    help="USD/JPY sentiment signals from headlines, joined with prices and published to Redis.",
    epilog="First time? `signals run` does one full cycle and shows what came of it.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode=None,
)


_INTERRUPTED = 130
"""What Ctrl-C makes of the exit code; ours are 0, 1 and 2."""


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"signals {__version__}")
        raise typer.Exit


@app.callback()
def root(
    context: typer.Context,
    config: Annotated[
        Path | None, typer.Option("--config", metavar="FILE", help="Settings file.", show_default="config/signals.toml")
    ] = None,
    _version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Options that stand before the command."""
    context.obj = config


_COMMANDS = (
    "run", "serve", "work", "inbox", "score", "watch", "history", "alerts", "scorecard", "sources", "doctor", "imports",
    "export", "train", "evaluate", "replay", "backtest", "sweep", "study", "broker", "backup", "migrating",
)  # fmt: skip
"""Modules beside this one, in the order of the help."""

for name in _COMMANDS:
    import_module(f"jobs.cli.{name}").register(app)


def main(arguments: list[str] | None = None) -> NoReturn:
    """Entry point: exit 0 done, 1 failed, 2 usage or configuration."""
    try:
        app(args=arguments, standalone_mode=True)
    except ConfigError as error:
        sys.exit(_told(error, 2))
    except SignalsError as error:
        sys.exit(_told(error, 1))
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print(f"signals: {where}{error.strerror or error}", file=sys.stderr)
        sys.exit(1)
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):  # the reader of our output has gone, as `head` does
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains of it at exit
            sys.exit(0)
        sys.exit(1 if end.code == _INTERRUPTED else end.code)
    sys.exit(0)


def _told(error: SignalsError, code: int) -> int:
    print(f"signals: {error}", file=sys.stderr)
    return code
