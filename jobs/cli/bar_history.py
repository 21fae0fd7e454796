"""What `signals import --bars` does and shows."""

import contextlib
import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pandas as pd
from rich.markup import escape

from jobs import bar_history
from jobs.bar_history import Found, Opened, Options
from jobs.cli import options as shared
from jobs.cli.importing import opened_app, progress, read_columns, read_source, read_span, read_zone
from jobs.settings import Settings
from signals.errors import ConfigError
from signals.prices.history import MENDS

_UNITS = ((86_400, "d"), (3600, "h"), (60, "m"))


def read_options(
    columns: str | None, form: str | None, encoding: str | None, zone: str | None, source: str, length: str | None
) -> Options:
    """The options as written. Raises ConfigError."""
    span = read_span("--length", length)
    if span == dt.timedelta(0):
        raise ConfigError(f"--length {length}", "is no length of a bar", "1m, 1h or 4h")
    return Options(read_columns(columns), form, encoding, read_zone(zone), read_source(source), span)


def from_files(settings: Settings, asked: Options, files: Sequence[Path], *, dry_run: bool, as_json: bool) -> bool:
    """Import files one after the other; whether each gave anything."""
    useful = True
    with opened_app(settings) as app:
        for path in files:
            opened = bar_history.open_file(path, asked)
            with contextlib.closing(opened.rows), progress(path.name) as tell:
                found = bar_history.read(app, opened, asked, tell)
                if not dry_run:
                    bar_history.keep(app, found, asked.source, tell)
            useful &= not found.counts.rows or not found.judged.rows.empty
            (_out if as_json else _show)(opened, found, asked, dry_run)
    return useful


def _show(opened: Opened, found: Found, asked: Options, dry_run: bool) -> None:
    screen, counts, rows = shared.console(), found.counts, found.judged.rows
    pairs = ", ".join(f"{field}={'+'.join(names)}" for field, names in opened.columns.names.items())
    unused = f"; not used: {', '.join(opened.unused)}" if opened.unused else ""
    how = "as stated" if asked.length else "the commonest distance of two rows"
    lines = [str(opened.path), f"  columns   {pairs}{unused}", f"  a bar is  {span(found.judged.length)} ({how})"]
    if len(rows):
        last = rows.index[-1] + found.judged.length
        lines.append(f"  they span {rows.index[0]:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC, source {asked.source}")
    refused = sum(one.count for one in counts.refused.values())
    kept = f"{len(rows):,} good" if dry_run else f"{counts.new:,} new, {counts.known:,} known before"
    lines.append(f"  {counts.rows:,} rows: {kept}, {refused:,} refused")
    for reason, one in sorted(counts.refused.items(), key=lambda pair: -pair[1].count):
        named = ", ".join(f"{row:,}" for row in one.rows) + (", ..." if one.count > len(one.rows) else "")
        mend = f" - {MENDS[reason]}" if reason in MENDS else ""
        lines.append(f"  ! {one.count:,} refused: {reason} (row {named}){mend}")
    if dry_run:
        lines.append("  nothing stored: this was a dry run")
    for line in lines:
        screen.print(escape(line), soft_wrap=True)


def _out(opened: Opened, found: Found, asked: Options, dry_run: bool) -> None:
    told = {
        "name": str(opened.path),
        "columns": {field: "+".join(names) for field, names in opened.columns.names.items()},
        "unused": opened.unused,
        "source": asked.source,
        "length_s": int(found.judged.length.total_seconds()),
        "dry_run": dry_run,
        "good": len(found.judged.rows),
    } | msgspec.to_builtins(found.counts)
    print(msgspec.json.encode(told).decode())


def span(length: pd.Timedelta) -> str:
    """`1h`, `90s`: in the largest unit that divides it."""
    seconds = int(length.total_seconds())
    return next((f"{seconds // size}{unit}" for size, unit in _UNITS if seconds % size == 0), f"{seconds}s")
