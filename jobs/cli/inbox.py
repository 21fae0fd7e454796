"""`signals inbox`: the dead letters of the inbox, and the way back into it."""

from collections.abc import Callable, Iterable
from typing import Annotated, TypeVar

import msgspec
import typer
from rich.box import SIMPLE
from rich.markup import escape
from rich.table import Table

from jobs.app import App
from jobs.cli import options
from signals.errors import BrokerError, ConfigError
from signals.sources.rejects import Reject

T = TypeVar("T")

_TEXT = 80
inbox = typer.Typer(help="The inbox of pushed news: what could not be used, and again.", rich_markup_mode=None)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(inbox, name="inbox", epilog="Example: signals inbox rejected")


@inbox.callback(no_args_is_help=True)
def default(context: typer.Context, config: options.Config = None) -> None:
    """The inbox of pushed news: what could not be used and why (dead letters), and the way back into it."""
    context.obj = config or context.obj


@inbox.command("rejected", epilog="Example: signals inbox rejected --limit 5")
def rejected(
    context: typer.Context,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, max=10_000, help="How many.")] = 30,
    as_json: options.Json = False,
    config: options.Config = None,
) -> None:
    """Dead letters, the newest first: what was sent, and why nobody could use it."""
    from signals.sources import rejects

    there, found = _asked(context, config, lambda app: (rejects.count(app.redis()), rejects.newest(app.redis(), limit)))
    if as_json:
        for one in found:
            typer.echo(msgspec.json.encode(one._asdict()).decode())
        return
    screen = options.console()
    if not found:
        screen.print("no dead letters")
        return
    screen.print(_table(found))
    if there > len(found):
        screen.print(f"and {there - len(found)} older ones: --limit {there}")
    screen.print("`signals inbox redrive ID` puts one back into the inbox, --all puts all")


@inbox.command("redrive", epilog="Example: signals inbox redrive --all")
def redrive(
    context: typer.Context,
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="As `signals inbox rejected` shows.")
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="All there are.")] = False,
    config: options.Config = None,
) -> None:
    """Put dead letters back into the inbox as they were sent, and out of the dead letters."""
    if bool(ids) == all_:
        raise ConfigError("signals inbox redrive", "needs ids, or --all", "signals inbox rejected lists them")
    from signals.sources import rejects

    if all_:
        print(f"{_asked(context, config, lambda app: rejects.redrive_all(app.redis()))} back in the inbox")
        return
    wanted = list(dict.fromkeys(ids or []))
    missing = _asked(context, config, lambda app: rejects.redrive(app.redis(), wanted))
    print(f"{len(wanted) - len(missing)} back in the inbox")
    if missing:
        problem = "there is no dead letter of this id"
        raise BrokerError(", ".join(missing), problem, "signals inbox rejected lists them")


def _asked(context: typer.Context, config: options.Config, ask: Callable[[App], T]) -> T:
    from signals.delivery.faults import FAULTS, broker_error
    from signals.sources.inbox import REJECTED

    app = App(options.settings(context, config))
    try:
        return ask(app)
    except FAULTS as error:
        raise broker_error(f"Redis stream {REJECTED}", error) from error
    finally:
        app.close()


def _table(found: Iterable[Reject]) -> Table:
    table = Table(box=SIMPLE)
    for name in ("id", "rejected (UTC)", "tried", "why", "what"):
        table.add_column(name, no_wrap=name in ("id", "rejected (UTC)"), overflow="fold")
    for one in found:
        text = one.text if len(one.text) <= _TEXT else f"{one.text[: _TEXT - 1]}…"
        when = f"{one.rejected_at:%Y-%m-%d %H:%M:%S}"
        table.add_row(one.rejected_id, when, str(one.deliveries), escape(one.reason), escape(text))
    return table
