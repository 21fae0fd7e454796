"""`signals import`: history in: headlines from files or from GDELT's archive, bars from files."""

from pathlib import Path
from typing import Annotated

import typer

from jobs.cli import options
from jobs.settings import Settings
from signals.errors import ConfigError

FIELDS = "title, published_at, known_at, url, id, source, summary, body, lang"
BAR_FIELDS = "open_at, close_at, open, high, low, close"
FORMATS = "csv, tsv, jsonl, json, parquet"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("import", epilog="Example: signals import history.csv --columns title=head,published_at=when")(run)


def run(
    context: typer.Context,
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="[F]...", help="CSV, TSV, JSON, JSONL, Parquet; or a folder of them.")
    ] = None,
    columns: Annotated[
        str | None,
        typer.Option("--columns", metavar="FIELD=COLUMN,...", help=f"Which column is what: {FIELDS}."),
    ] = None,
    zone: Annotated[
        str | None, typer.Option("--zone", metavar="ZONE", help="Whose time it is where a date names no zone.")
    ] = None,
    delay: Annotated[
        str | None,
        typer.Option("--delay", metavar="SPAN", help="From a published time until it was known.", show_default="60s"),
    ] = None,
    source: Annotated[
        str, typer.Option("--source", metavar="ID", help="Source of rows that name none; of bars.")
    ] = "import",
    bars: Annotated[
        bool, typer.Option("--bars", help=f"The files hold bars of USD/JPY; their fields: {BAR_FIELDS}.")
    ] = False,
    length: Annotated[
        str | None,
        typer.Option("--length", metavar="SPAN", help="Of a bar.", show_default="commonest distance of two rows"),
    ] = None,
    form: Annotated[
        str | None, typer.Option("--format", metavar="FORMAT", help=f"{FORMATS}, if the name does not tell.")
    ] = None,
    encoding: Annotated[
        str | None, typer.Option("--encoding", metavar="NAME", help="Of text files.", show_default="utf-8")
    ] = None,
    query: Annotated[str | None, typer.Option("--gdelt", metavar="QUERY", help="Search GDELT's archive.")] = None,
    since: Annotated[str | None, typer.Option("--from", metavar="DATE", help="Of the search, UTC.")] = None,
    until: Annotated[str | None, typer.Option("--to", metavar="DATE", help="Of the search, not included.")] = None,
    url: Annotated[
        str | None, typer.Option("--gdelt-url", metavar="URL", help="Another address of GDELT's DOC API.")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Read anew what was imported before.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show how it is understood; store nothing.")] = False,
    as_json: options.Json = False,
    config: options.Config = None,
) -> None:
    """Bring in historical headlines: CSV, TSV, JSON, JSONL, Parquet (also .gz), or a search of GDELT's archive.

    With --bars: bars of USD/JPY. Each row is checked and each refusal counted; they count as learned now.

    When a headline counts as known: at its first-seen time, if a column is mapped to known_at; else at its
    published time plus --delay (60 s); of GDELT, 15 minutes after GDELT saw it, which stands for the published
    time, too, as an upper bound. All are marked backfilled. Rows without a usable date are refused and counted.

    A folder is each of its files, by their paths. Stopped at any moment, the same command goes on from there. Imported
    headlines are scored by the publish job once no news waits; their signals stay in the store and are not sent to
    Redis.
    """
    if bool(files) == bool(query):
        raise ConfigError("signals import", "needs files, or --gdelt QUERY", "signals import history.csv")
    from jobs.cli import importing  # what it needs takes half a second to load

    settings = options.settings(context, config)
    if bars:
        _bars(settings, query, (columns, form, encoding, zone, source, length), files or [], dry_run, as_json)
        return
    if length:
        raise ConfigError(f"--length {length}", "is of bars", "with --bars")
    asked = importing.Asked(
        importing.read_options(columns, form, encoding, zone, source, delay), again, dry_run, as_json
    )
    if query:
        useful = importing.from_gdelt(settings, asked, query, since, until, url)
    else:
        useful = importing.from_files(settings, asked, files or [])
    if not useful:
        raise typer.Exit(1)


def _bars(
    settings: Settings,
    query: str | None,
    asked: tuple[str | None, str | None, str | None, str | None, str, str | None],
    files: list[Path],
    dry_run: bool,
    as_json: bool,
) -> None:
    if query:
        raise ConfigError("--bars", "GDELT has none", "signals import prices.csv --bars")
    from jobs.cli import bar_history

    read = bar_history.read_options(*asked)
    if not bar_history.from_files(settings, read, files, dry_run=dry_run, as_json=as_json):
        raise typer.Exit(1)
