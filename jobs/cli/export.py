"""`signals export`: the store as Parquet files, a day each."""

import contextlib
import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import msgspec
import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from jobs.app import App
from jobs.cli import options
from signals.errors import ConfigError
from signals.store import Store, exported

_BATCH = 5000
"""Rows held at once; a headline may come with an article."""
_DAY = dt.timedelta(days=1)


class Written(NamedTuple):
    """What came of one table."""

    name: str
    days: int
    rows: int
    first: dt.date | None
    last: dt.date | None


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("export", epilog="Example: signals export --to lake --from 2026-01-01 --what signals,bars")(export)


def export(
    context: typer.Context,
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="Folder for DIR/<name>/date=DAY/part.parquet.")],
    since: Annotated[
        str | None, typer.Option("--from", metavar="DAY", help="First day, UTC.", show_default="the first kept")
    ] = None,
    until: Annotated[
        str | None,
        typer.Option("--until", metavar="DAY", help="Day after the last, UTC.", show_default="all that is kept"),
    ] = None,
    what: Annotated[str, typer.Option("--what", metavar="NAMES", help="Tables, with commas between.")] = ",".join(
        exported.NAMES
    ),
    as_json: options.Json = False,
    config: options.Config = None,
) -> None:
    """Write headlines, scores, signals, bars and job runs as Parquet, a file a day.

    Days that were exported before are replaced, each at once; days that the store no longer reaches stay.
    config/export/ has the schema, and recipes for pandas, DuckDB and polars.
    """
    from signals.research.export import Covers, covering
    from signals.research.export_schema import pyarrow

    settings = options.settings(context, config)
    covers = Covers(_names(what), _day("--from", since), _day("--until", until))
    if covers.since and covers.until and not covers.since < covers.until:
        raise ConfigError(f"--until {until}", "is not after --from", "it is not included: the day after the last")
    pyarrow()  # asked for before anything is touched
    app = App(settings)
    try:
        with covering(to, covers):
            done = [_table(app.store, to, name, covers) for name in covers.what]
    finally:
        app.close()
    _show(done, to, as_json=as_json)


def _table(store: Store, to: Path, name: str, covers: Any) -> Written:
    """Write one table, a day after the other; each day is read in a transaction of its own."""
    from signals.research.export import write_day

    with store.read() as conn:
        span = exported.span(conn, name)
    days = list(_days(span, covers.since, covers.until))
    counts: dict[dt.date, int] = {}
    with _bar(name, len(days)) as tell:
        for day in days:
            low = dt.datetime.combine(day, dt.time(), dt.UTC)
            with store.read() as conn:
                count = write_day(to, name, day, exported.batches(conn, name, low, low + _DAY, size=_BATCH))
            if count:
                counts[day] = count
            tell(count)
    return Written(name, len(counts), sum(counts.values()), min(counts, default=None), max(counts, default=None))


def _days(
    span: tuple[dt.datetime, dt.datetime] | None, since: dt.date | None, until: dt.date | None
) -> Iterator[dt.date]:
    """Every day from the first row to the last, of those that were asked for."""
    if span is None:
        return
    day, end = span[0].date(), span[1].date() + _DAY
    day, end = max(day, since or day), min(end, until or end)
    while day < end:
        yield day
        day += _DAY


@contextlib.contextmanager
def _bar(name: str, days: int) -> Iterator[Callable[[int], None]]:
    """A progress bar on a terminal, none in a pipe; told of each day's rows."""
    screen = Console(stderr=True)
    text = TextColumn("{task.completed:,} of {task.total:,} days  {task.fields[rows]:,} rows")
    rows = 0
    with Progress(
        TextColumn(name), BarColumn(), text, TimeRemainingColumn(),
        console=screen, disable=not screen.is_terminal, transient=True,
    ) as bar:  # fmt: skip
        task = bar.add_task(name, total=days, rows=0)

        def tell(count: int) -> None:
            nonlocal rows
            rows += count
            bar.update(task, advance=1, rows=rows)

        yield tell


def _show(done: list[Written], to: Path, *, as_json: bool) -> None:
    if as_json:
        for one in done:
            print(msgspec.json.encode(one._asdict() | {"folder": str(to / one.name)}).decode())
        return
    table = Table(box=SIMPLE, padding=(0, 1))
    for column in ("table", "rows", "days", "first", "last"):
        table.add_column(column, justify="right" if column in ("rows", "days") else "left", no_wrap=True)
    for one in done:
        table.add_row(one.name, f"{one.rows:,}", f"{one.days:,}", str(one.first or "-"), str(one.last or "-"))
    options.console().print(table)
    options.console().print(f"  written to {to}", soft_wrap=True, markup=False)


def _names(raw: str) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(name.strip() for name in raw.split(",") if name.strip()))
    unknown = [name for name in found if name not in exported.NAMES]
    if unknown or not found:
        problem = f"there is no {unknown[0]}" if unknown else "names nothing"
        raise ConfigError(f"--what {raw}", problem, f"any of {', '.join(exported.NAMES)}")
    return found


def _day(name: str, raw: str | None) -> dt.date | None:
    try:
        return dt.date.fromisoformat(raw) if raw else None
    except ValueError as error:
        raise ConfigError(f"{name} {raw}", "is no day", "as 2026-01-31, in UTC") from error
