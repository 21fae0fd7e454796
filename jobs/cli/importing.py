"""What `signals import` does and shows."""

import asyncio
import contextlib
import datetime as dt
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from jobs import importing
from jobs.app import App
from jobs.cli import options
from jobs.importing import Counts, Done, Options, Plan, Tell
from jobs.settings import Settings
from signals.errors import ConfigError
from signals.model import Headline
from signals.sources import gdelt
from signals.sources.dates import parse_date
from signals.sources.history import REASONS, source_name
from signals.sources.tables import files_in

_SHOWN = 5
_SPAN = re.compile(r"(\d+)(s|m|h|d)?")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


class Asked(NamedTuple):
    """What was asked for on the command line."""

    options: Options
    again: bool
    dry_run: bool
    as_json: bool


def read_options(
    columns: str | None, form: str | None, encoding: str | None, zone: str | None, source: str, delay: str | None
) -> Options:
    """The options as written. Raises ConfigError."""
    return Options(
        read_columns(columns), form, encoding, read_zone(zone), read_source(source), read_span("--delay", delay)
    )


def from_files(settings: Settings, asked: Asked, files: Sequence[Path]) -> bool:
    """Import files one after the other; whether each gave anything."""
    with opened_app(settings) as app:
        told = Told(asked.as_json)
        for path in files:
            if path.is_dir():
                _folder(app, path, asked, told)
            else:
                _file(app, path, asked, told)
    return not told.useless


def from_gdelt(
    settings: Settings, asked: Asked, query: str, since: str | None, until: str | None, url: str | None
) -> bool:
    """Import what GDELT finds; whether it was of any use."""
    with opened_app(settings) as app:
        told = Told(asked.as_json)
        _search(app, _searched(app, query, since, until, url or gdelt.API), asked, told)
    return not told.useless


@contextlib.contextmanager
def opened_app(settings: Settings) -> Iterator[App]:
    """The app while an import runs; Ctrl-C ends it with one line."""
    app = App(settings)
    try:
        yield app
    except KeyboardInterrupt:
        print("signals: stopped: the same command goes on from here", file=sys.stderr)
        raise typer.Exit(1) from None
    finally:
        app.close()


def _folder(app: App, folder: Path, asked: Asked, told: "Told") -> None:
    """Each file of a folder; one that cannot be read is told of, and costs only itself."""
    for path in files_in(folder):
        try:
            _file(app, path, asked, told)
        except ConfigError as error:
            print(f"signals: {error}", file=sys.stderr)
            told.useless = True


def _file(app: App, path: Path, asked: Asked, told: "Told") -> None:
    opened = importing.open_file(path, asked.options)
    with contextlib.closing(opened.rows):
        told.plan(opened.plan)
        if asked.dry_run:
            told.preview(opened.plan, *importing.first_of_file(app, opened, _SHOWN))
            return
        with progress(path.name) as tell:
            done = importing.import_file(app, opened, again=asked.again, tell=tell)
    told.done(done)


def _search(app: App, search: gdelt.Search, asked: Asked, told: "Told") -> None:
    plan = importing.search_plan(search, asked.options)
    told.plan(plan)
    if asked.dry_run:
        told.preview(plan, *asyncio.run(importing.first_of_search(app, search, plan, asyncio.sleep, _SHOWN)))
        return
    with progress("GDELT") as tell:
        done = asyncio.run(importing.import_search(app, search, plan, asyncio.sleep, again=asked.again, tell=tell))
    told.done(done)


class Told:
    """What is told of imports: for people or, one object each, for programs."""

    def __init__(self, as_json: bool) -> None:
        self._json = as_json
        self._screen = options.console()
        self.useless = False
        """There was something, and nothing of it could be used."""

    def plan(self, plan: Plan) -> None:
        """How the columns are understood."""
        if self._json:
            return
        pairs = ", ".join(f"{field}={column}" for field, column in plan.columns.items())
        unused = f"; not used: {', '.join(plan.unused)}" if plan.unused else ""
        self._print(f"{plan.name}\n  columns   {pairs}{unused}\n  known at  {_rule(plan)}")

    def preview(self, plan: Plan, found: Sequence[Headline], counts: Counts) -> None:
        """The first headlines as understood."""
        self.useless |= counts.rows > 0 and not found
        if self._json:
            self._out(plan, counts, dry_run=True, headlines=found)
            return
        for one in found:
            self._print(f"  {one.known_at:%Y-%m-%d %H:%M:%S} UTC  {one.source}  {one.lang}  {one.title}")
        self._refusals(counts)
        self._print("  nothing stored: this was a dry run")

    def done(self, done: Done) -> None:
        """What came of it."""
        counts = done.counts
        self.useless |= counts.rows > 0 and not counts.new + counts.known
        if self._json:
            self._out(done.plan, counts, resumed_at=done.resumed_at, done_before=done.before)
            return
        if done.before:
            self._print("  imported before: nothing to do (--again reads it anew)")
        elif done.resumed_at:
            self._print("  went on where it was stopped; the counts are of the whole")
        refused = sum(one.count for one in counts.refused.values())
        self._print(f"  {counts.rows:,} rows: {counts.new:,} new, {counts.known:,} known before, {refused:,} refused")
        self._refusals(counts)
        if counts.maybe_cut:
            times = ", ".join(counts.maybe_cut[:_SHOWN])
            more = len(counts.maybe_cut) - _SHOWN
            self._print(f"  ! GDELT may have more than it gives at {times}{f' and {more} more' if more > 0 else ''}")
        if counts.new and not done.before:
            self._print(
                "  Next: `signals serve` scores them when no news waits; `signals jobs run publish`, some of them"
            )

    def _refusals(self, counts: Counts) -> None:
        for reason, one in sorted(counts.refused.items(), key=lambda pair: -pair[1].count):
            rows = ", ".join(f"{row:,}" for row in one.rows) + (", ..." if one.count > len(one.rows) else "")
            mend = f" - {REASONS[reason]}" if REASONS[reason] else ""
            self._print(f"  ! {one.count:,} refused: {reason} (row {rows}){mend}")

    def _print(self, text: str) -> None:
        self._screen.print(escape(text), soft_wrap=True)

    def _out(self, plan: Plan, counts: Counts, **more: Any) -> None:
        told = {"name": plan.name, "import_id": plan.import_id, "columns": plan.columns, "unused": plan.unused}
        told |= {"known_at": _rule(plan)} | msgspec.to_builtins(counts) | more
        print(msgspec.json.encode(told).decode())


def _rule(plan: Plan) -> str:
    if "known_at" in plan.columns:
        return f"as {plan.columns['known_at']} says"
    what = "GDELT saw it" if plan.columns["published_at"] == "seendate" else "published"
    return f"when {what} + {plan.terms.delay.total_seconds():g} s"


@contextlib.contextmanager
def progress(name: str) -> Iterator[Tell]:
    """A progress bar on a terminal, none in a pipe."""
    screen = Console(stderr=True)
    text = TextColumn("{task.completed:>4.0%}  {task.fields[rows]:,} rows")
    with Progress(
        TextColumn(escape(name)), BarColumn(), text, TimeRemainingColumn(),
        console=screen, disable=not screen.is_terminal, transient=True,
    ) as bar:  # fmt: skip
        task = bar.add_task(name, total=1.0, rows=0)
        yield lambda share, counts: bar.update(task, completed=share, rows=counts.rows)


def read_columns(raw: str | None) -> Mapping[str, str]:
    """`--columns`: column by field. Raises ConfigError."""
    found: dict[str, str] = {}
    for pair in (raw or "").split(",") if raw else ():
        field, equals, column = (part.strip() for part in pair.partition("="))
        if not equals or not column:
            raise ConfigError(f"--columns {raw}", f"{pair!r} is no FIELD=COLUMN", "title=headline,published_at=date")
        found[field] = column
    return found


def read_zone(raw: str | None) -> dt.tzinfo | None:
    """`--zone`. Raises ConfigError."""
    try:
        return ZoneInfo(raw) if raw else None
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigError(f"--zone {raw}", "no such time zone", "an IANA name such as Asia/Tokyo or UTC") from error


def read_source(raw: str) -> str:
    """`--source`. Raises ConfigError."""
    if source_name(raw) != raw:
        raise ConfigError(f"--source {raw!r}", "no name for a source", "small letters, digits, . and - only")
    return raw


def read_span(name: str, raw: str | None) -> dt.timedelta | None:
    """A span of time as `15m`, that an option of this name was given. Raises ConfigError."""
    if raw is None:
        return None
    match = _SPAN.fullmatch(raw)
    if not match or len(match[1]) > 7:
        raise ConfigError(f"{name} {raw}", "is no span of time", "60s, 15m, 2h or 1d")
    return dt.timedelta(seconds=int(match[1]) * _SECONDS[match[2] or "s"])


def _searched(app: App, query: str, since: str | None, until: str | None, url: str) -> gdelt.Search:
    start, end = (_day(name, raw) for name, raw in (("--from", since), ("--to", until)))
    if not start < end:
        raise ConfigError(f"--to {until}", "is not after --from", "it is not included: the day after the last")
    if end > app.clock():
        raise ConfigError(f"--to {until}", "lies in the future", "history only: today at most")
    return gdelt.Search(query, start, end, url)


def _day(name: str, raw: str | None) -> dt.datetime:
    if raw is None:
        raise ConfigError(name, "is missing", "--gdelt needs --from and --to")
    found = parse_date(raw, zone=dt.UTC, date_only=True)
    if found is None:
        raise ConfigError(f"{name} {raw}", "is no date", "2024-01-31, or 2024-01-31T12:00Z")
    return found
