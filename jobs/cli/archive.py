"""What commands over archives share: where the work is done, how much memory it may take, how a file is read."""

import contextlib
import os
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from signals.errors import ConfigError

if TYPE_CHECKING:
    from signals.research.scoring_part import Reading
    from signals.research.spread import Place

_UNITS = {"": 0, "k": 10, "m": 20, "g": 30, "t": 40}
_SIZE = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)\s*([kmgt]?)(?:i?b)?", re.IGNORECASE)

Processes = Annotated[
    int | None, typer.Option("--processes", min=1, max=1024, help="Of this machine.", show_default="one a core")
]
Cluster = Annotated[
    str | None,
    typer.Option("--cluster", "--dask", metavar="tcp://HOST:PORT", help="Work on this Dask cluster (extra scale)."),
]
Memory = Annotated[
    str,
    typer.Option("--memory-per-process", metavar="SIZE", help="One that takes more is ended, and its part done anew."),
]
MEMORY = "1GiB"
RowsPerPart = Annotated[
    int | None,
    typer.Option(
        "--rows-per-part", min=1, max=10_000_000, help="Done, or lost by a kill, at once.", show_default="20000"
    ),
]
Columns = Annotated[
    str | None, typer.Option("--columns", metavar="FIELD=COLUMN,...", help="As for import, of files not exported here.")
]
Zone = Annotated[str | None, typer.Option("--zone", metavar="ZONE", help="As for import.")]
Delay = Annotated[str | None, typer.Option("--delay", metavar="SPAN", help="As for import.", show_default="60s")]
Source = Annotated[str, typer.Option("--source", metavar="ID", help="As for import.")]
SOURCE = "import"


def place(processes: int | None, cluster: str | None, memory: str = MEMORY) -> "Place":
    """Where the work is done. Raises ConfigError."""
    from signals.research.spread import Place

    if processes and cluster:
        raise ConfigError("--processes, --cluster", "are two places for one work", "give one of them")
    return Place(processes or len(os.sched_getaffinity(0)), cluster, size(memory, "--memory-per-process"))


def size(text: str, option: str) -> int:
    """Bytes of `512MiB`, `1.5GiB`, `2g`; units are of 1,024. Raises ConfigError that names the option."""
    found = _SIZE.fullmatch(text.strip())
    if not found:
        raise ConfigError(option, f"{text!r} is no size", "as 512MiB or 1.5GiB")
    return int(float(found[1]) * (1 << _UNITS[found[2].lower()]))


def reading(columns: str | None, zone: str | None, delay: str | None, source: str) -> "Reading":
    """How files that are no export are read. Raises ConfigError."""
    from jobs.cli.importing import read_columns, read_source, read_span, read_zone
    from signals.research.scoring_part import Reading
    from signals.sources.history import NAMES

    stated = read_columns(columns)
    fields = tuple((field, stated[field]) for field in NAMES if field in stated)
    unknown = next((name for name in stated if name not in NAMES), None)
    if unknown:
        raise ConfigError(f"--columns {unknown}={stated[unknown]}", "no such field", f"one of {', '.join(NAMES)}")
    span = read_span("--delay", delay)
    return Reading(fields, read_source(source), None if span is None else span.total_seconds(), read_zone(zone))


@contextlib.contextmanager
def progress(name: str) -> Iterator[Any]:
    """A bar on a terminal, none in a pipe; told of `score_dataset.Progress`."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    screen = Console(stderr=True)
    text = TextColumn("{task.fields[parts]}  {task.fields[rows]:,} headlines  {task.fields[speed]}")
    bar = Progress(
        TextColumn(name), BarColumn(), text, TimeRemainingColumn(elapsed_when_finished=True),
        console=screen, disable=not screen.is_terminal, transient=True,
    )  # fmt: skip
    with bar:
        task = bar.add_task(name, total=1, parts="", rows=0, speed="")

        def tell(far: Any) -> None:
            if not far.new_rows:
                bar.reset(task, completed=far.rows, total=far.of_rows or 1)  # what was there took no time
            elapsed = bar.tasks[0].elapsed or 0
            speed = f"{far.new_rows / elapsed:,.0f}/s" if elapsed and far.new_rows else ""
            parts = f"{far.parts:,} of {far.of_parts:,} parts"
            bar.update(task, completed=far.rows, total=far.of_rows or 1, parts=parts, rows=far.rows, speed=speed)

        yield tell
