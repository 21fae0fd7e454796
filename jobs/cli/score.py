"""`signals score`: score headlines from arguments, a file or standard input."""

import datetime as dt
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.box import SIMPLE
from rich.markup import escape
from rich.table import Table

from jobs.cli import archive, options
from jobs.cli.tables import SIGN
from signals.errors import ConfigError
from signals.model import Headline, Score
from signals.text import plain, script_lang

_BATCH = 1000
_NO_TIME = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("score", epilog='Example: signals score "BOJ hikes to 1.0%" "Dollar General raises outlook"')(score)


def score(
    context: typer.Context,
    texts: Annotated[list[str] | None, typer.Argument(metavar="[TEXT]...", help="Headlines.")] = None,
    file: Annotated[Path | None, typer.Option("--file", metavar="F", help="A file of headlines, one a line.")] = None,
    to: Annotated[
        Path | None,
        typer.Option("--to", metavar="DIR", help="TEXT is a Parquet file or folder: its scores go there."),
    ] = None,
    processes: archive.Processes = None,
    cluster: archive.Cluster = None,
    memory: archive.Memory = archive.MEMORY,
    rows_per_part: archive.RowsPerPart = None,
    evidence: Annotated[
        bool, typer.Option("--evidence", help="With --to: the words behind each score, too, at three times the work.")
    ] = False,
    renew: Annotated[
        bool, typer.Option("--renew", help="With --to: score anew files that changed, drop what is gone.")
    ] = False,
    columns: archive.Columns = None,
    zone: archive.Zone = None,
    delay: archive.Delay = None,
    source: archive.Source = archive.SOURCE,
    as_json: options.Json = False,
    config: options.Config = None,
) -> None:
    """Score headlines: given as arguments, in a file, or on standard input, one a line.

    up = the USD/JPY price is expected to rise. Every answer shows the words that made it.

    With --to an archive is scored: Parquet of any size, of `signals export` or with a title and a published time, part
    by part on all cores or on a Dask cluster (whose workers reach both folders by the same paths). Stopped at any
    moment, the same command goes on: finished parts are not done again. The files are the same byte for byte wherever
    they are made. Exit code 1: some file or row could not be read; the others are there.
    """
    if to is not None:
        from jobs.cli.score_archive import Asked, score_archive

        where = archive.place(processes, cluster, memory)
        reading = archive.reading(columns, zone, delay, source)
        asked = Asked(_one(texts, file), to, where, reading, rows_per_part, evidence, renew)
        score_archive(options.settings(context, config), asked, as_json=as_json)
        return
    from jobs.training import load_in_place

    model = load_in_place(options.settings(context, config))
    lines = _lines(texts, file)
    while batch := list(islice(lines, _BATCH)):
        scores = model.score([_headline(number, text) for number, text in enumerate(batch)])
        if as_json:
            for text, one in zip(batch, scores, strict=True):
                sys.stdout.write(_json(text, one) + "\n")
        else:
            options.console().print(_table(batch, scores))


def _one(texts: list[str] | None, file: Path | None) -> Path:
    if file or len(texts or ()) != 1:
        raise ConfigError("--to", "takes one dataset", "signals score DATASET --to DIR")
    return Path((texts or [""])[0])


def _lines(texts: list[str] | None, file: Path | None) -> Iterator[str]:
    if texts and file:
        raise ConfigError("signals score", "takes headlines or --file, not both", "leave one out")
    if texts:
        yield from (text.encode("utf-8", "replace").decode() for text in texts)
    elif file:
        try:
            with file.open(encoding="utf-8", errors="replace") as lines:
                yield from (line.rstrip("\r\n") for line in lines if line.strip())
        except OSError as error:
            raise ConfigError(str(file), f"cannot be read: {error.strerror}", "name a text file") from error
    else:
        if sys.stdin.isatty():
            print("one headline a line, Ctrl-D to end:", file=sys.stderr)
        sys.stdin.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
        yield from (line.rstrip("\r\n") for line in sys.stdin if line.strip())


def _headline(number: int, text: str) -> Headline:
    return Headline(
        headline_id=str(number),
        source="command line",
        url=None,
        title=text,
        lang=script_lang(text),
        source_published_at=None,
        known_at=_NO_TIME,
    )


def _json(text: str, one: Score) -> str:
    first = (
        "relevance",
        "relevant",
        "direction",
        "p_up",
        "p_flat",
        "p_down",
        "usd_effect",
        "jpy_effect",
        "topics",
        "lang",
    )
    then = ("evidence", "intercept", "abstained", "abstain_reason", "model_id")
    told = {"text": text} | {name: getattr(one, name) for name in (*first, *then)}
    return msgspec.json.encode(told).decode()


def _table(texts: list[str], scores: list[Score]) -> Table:
    table = Table(caption=SIGN, caption_justify="left", box=SIMPLE, padding=(0, 1))
    for name in ("relevance", "direction", "p up/flat/down", "USD leg", "JPY leg", "topic"):
        table.add_column(name, no_wrap=True)
    table.add_column("headline", overflow="fold")
    table.add_column("because", overflow="fold")
    for text, one in zip(texts, scores, strict=True):
        said = f"? {one.abstain_reason}" if one.abstained else one.direction if one.relevant else "irrelevant"
        because = ", ".join(f"{piece.text} {piece.weight:+.2f}" for piece in one.evidence[:3] if piece.span)
        table.add_row(
            f"{one.relevance:.2f}",
            said,
            f"{one.p_up:.2f} {one.p_flat:.2f} {one.p_down:.2f}",
            f"{one.usd_effect:+.2f}",
            f"{one.jpy_effect:+.2f}",
            " ".join(one.topics),
            escape(plain(text)),
            escape(because),
        )
    return table
