"""`signals migrate-store`: the store into another database, counted and checked."""

import contextlib
import shlex
from collections.abc import Iterator
from typing import Annotated

import sqlalchemy as sa
import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from jobs import standing
from jobs.cli import options
from jobs.settings import Settings
from signals.errors import ConfigError
from signals.store import Store, moving
from signals.store.database import HEAD, address, shown
from signals.store.glance import file_of, glance, nature
from signals.store.server import session_name

_HOME = "-"
_EXAMPLE = "Example: signals migrate-store postgresql+psycopg://signals:PASSWORD@db.example/signals"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("migrate-store", epilog=_EXAMPLE)(migrate_store)


def migrate_store(
    context: typer.Context,
    first: Annotated[str, typer.Argument(metavar="[FROM]", help="The store to copy; left out: that of this home.")],
    second: Annotated[str | None, typer.Argument(metavar="TO", help="An empty database. - is this home's.")] = None,
    config: options.Config = None,
) -> None:
    """Copy the store into another database, from SQLite to PostgreSQL or back; then compare them row by row.

    Addresses are as in SIGNALS_DATABASE_URL. All is copied, or nothing; bots go on with the next `seq` as if nothing
    had been. Stop the service first, and start it with the new address.
    """
    settings = options.settings(context, config)
    source, target = (_HOME, first) if second is None else (first, second)
    source, target = (settings.database_url if url == _HOME else url for url in (source, target))
    _refuse(settings, source, target)
    with contextlib.closing(_opened(source)) as old, contextlib.closing(Store.open(target)) as new:
        _alone(old, new)
        with old.read() as conn:
            total = sum(moving.counts(conn).values())
        with _bar(2 * total) as tell:  # once to copy, once to compare
            moved = moving.copy(old, new, tell)
    named = shown(address(target))
    _show(moved, shown(address(source)), named)
    is_default = target == settings.database_url
    print("Next: signals serve" if is_default else f"Next: SIGNALS_DATABASE_URL={shlex.quote(named)} signals serve")


def _refuse(settings: Settings, source: str, target: str) -> None:
    try:
        same = address(source) == address(target)
    except (sa.exc.ArgumentError, ValueError):  # without its text: a piece of a password may stand in it
        mend = "sqlite:///FILE or postgresql+psycopg://…; in a password write %40 for @, %3A for :, %2F for /"
        raise ConfigError("migrate-store", "FROM or TO is no address of a database", mend) from None
    if same:
        raise ConfigError("migrate-store", "FROM and TO are the same", "name an empty database as TO")
    if settings.database_url in (source, target) and standing.runs(settings.home):
        raise ConfigError(str(settings.home), "its service runs, and would go on writing", "end `signals serve` first")


def _opened(url: str) -> Store:
    """A store that is there, with tables of this code."""
    file = file_of(url)
    if file is not None and not file.exists():
        raise ConfigError(str(file), "is not there", "is FROM right?")
    with contextlib.closing(glance(url)) as store:
        found, name = nature(store), store.name
    if found.revision is None:
        raise ConfigError(name, "holds no store of ours", "is FROM right?")
    if not found.current:
        mend = "`signals jobs run retention` on it brings it up to date"
        raise ConfigError(name, f"has the tables {found.revision}, this code wants {HEAD}", mend)
    return Store.open(url)


def _alone(*stores: Store) -> None:
    """On a server also services of other machines are seen."""
    for store in stores:
        with store.read() as conn:
            there = moving.others(conn, session_name())
        if there:
            raise ConfigError(store.name, f"is in use by {', '.join(there)}", "end what runs there first")


@contextlib.contextmanager
def _bar(total: int) -> Iterator[moving.Tell]:
    screen = Console(stderr=True)
    text = TextColumn("{task.completed:,} of {task.total:,} rows")
    with Progress(
        TextColumn("{task.description}"), BarColumn(), text, TimeRemainingColumn(),
        console=screen, disable=not screen.is_terminal, transient=True,
    ) as bar:  # fmt: skip
        task = bar.add_task("", total=total)
        yield lambda table, rows: bar.update(task, advance=rows, description=table)


def _show(moved: list[moving.Moved], source: str, target: str) -> None:
    table = Table(box=SIMPLE, padding=(0, 1))
    for column in ("table", "rows", "digest, the same on both sides"):
        table.add_column(column, justify="right" if column == "rows" else "left", no_wrap=True)
    for one in moved:
        table.add_row(one.table, f"{one.rows:,}", one.digest if one.rows else "-")
    options.console().print(table)
    rows = sum(one.rows for one in moved)
    options.console().print(f"  {rows:,} rows from {source}\n  to {target}", soft_wrap=True, markup=False)
