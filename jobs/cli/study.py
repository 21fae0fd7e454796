"""`signals study`: what the price did around the moment we knew."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer
from rich.box import SIMPLE
from rich.table import Table

from jobs.cli import options, research
from signals.errors import ConfigError

if TYPE_CHECKING:
    import pandas as pd

    from signals.research.studied import Studied

_SHOWN = 12


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("study", epilog="Example: signals study --allow-backfilled --report study.html --to study/")(study)


def study(
    context: typer.Context,
    since: research.Since = None,
    until: research.Until = None,
    signals_from: research.SignalsFrom = "store",
    bars: research.Bars = None,
    model: research.Model = None,
    sets: research.Set = None,
    allow_backfilled: research.AllowBackfilled = False,
    latency_s: Annotated[
        float,
        typer.Option(
            "--latency",
            metavar="SECONDS",
            min=0,
            max=604_800,
            help="From when it was told until an order could be sent.",
        ),
    ] = 2,
    horizon_s: Annotated[
        int | None,
        typer.Option(
            "--horizon", metavar="SECONDS", min=1, max=5 * 86_400, help="Of outcomes.", show_default="each signal's own"
        ),
    ] = None,
    flat_band_bp: Annotated[
        float | None,
        typer.Option("--flat-band-bp", metavar="BP", min=0, help="Within it the price is flat.", show_default="usual"),
    ] = None,
    report: Annotated[
        Path | None, typer.Option("--report", metavar="F.html", help="Write a report with pictures.")
    ] = None,
    to: Annotated[Path | None, typer.Option("--to", metavar="DIR", help="Write the tables as Parquet files.")] = None,
    as_json: options.Json = False,
    config: options.Config = None,
) -> None:
    """Study what the price did around the moment we knew: paths, what had moved before, IC by horizon, surprises.

    Every figure has a 95% interval by whole days and says how many signals it rests on. Imported history is
    backfilled: its times were reconstructed, so it takes --allow-backfilled.
    """
    from jobs.app import App
    from signals.research import studied

    settings = options.settings(context, config)
    policy = research.changed("policy", settings.policy, research.assignments(sets, ["policy"])["policy"])
    _reserve(report, to)
    with closing(App(settings)) as app, research.stoppable():
        history = research.load(
            app, since=since, until=until, signals_from=signals_from, bars=bars, model=model, policy=policy,
            allow_backfilled=allow_backfilled,
        )  # fmt: skip
    found = studied.run(history.signals, history.bars, studied.Asked(latency_s, horizon_s, flat_band_bp))
    written = _written(found, history.notes, report, to)
    if as_json:
        print(msgspec.json.encode(_object(found, history.notes, history.inputs)).decode())
    else:
        _show(found, history.notes, written)


def _reserve(report: Path | None, to: Path | None) -> None:
    """What cannot be written is told of before the work."""
    if report:
        try:
            from signals.research import pictures_study  # noqa: F401
        except ModuleNotFoundError as error:
            raise ConfigError("--report", f"{error.name} is not installed", "pip install -e .[research]") from error
        research.reserve(report)
    if to:
        try:
            import pyarrow  # noqa: F401
        except ModuleNotFoundError as error:
            raise ConfigError("--to", f"{error.name} is not installed", "pip install -e .[research]") from error
        research.folder(to)


def _written(found: "Studied", notes: Sequence[str], report: Path | None, to: Path | None) -> list[str]:
    lines = []
    if to:
        from signals.research.files import write_tables

        write_tables(found.tables, to)
        lines.append(f"tables: {to}/{{{','.join(found.tables)}}}.parquet")
    if report:
        from signals.research.study_page import study_page

        report.write_text(study_page(found, notes), encoding="utf-8")
        lines.append(f"report: {report}")
    return lines


def _show(found: "Studied", notes: Sequence[str], written: Sequence[str]) -> None:
    from signals.research.studied import findings, resolution

    screen = options.console()
    screen.print(
        f"{found.n:,} signals on {found.days:,} days; 95% intervals in brackets, by whole days", soft_wrap=True
    )
    for line in notes:
        screen.print(f"  {line}", markup=False, soft_wrap=True)
    screen.print(f"  {resolution(found.length_s)}\n", markup=False, soft_wrap=True)
    for line in findings(found):
        screen.print(f"- {line}", markup=False, soft_wrap=True)
    screen.print(_by_topic(found.moved_before, found.around_s))
    for line in written:
        screen.print(line, markup=False, soft_wrap=True)


def _by_topic(moved: "pd.DataFrame", around_s: int) -> Table:
    from signals.research.studied import from_row, span, told

    table = Table(box=SIMPLE, padding=(0, 1), title="moves as called, bp", title_justify="left")
    head = ("topic", "n", "days", f"{span(around_s)} before", f"{span(around_s)} after", "share before", "next open")
    for name in head:
        table.add_column(name, no_wrap=True, justify="left" if name == "topic" else "right")
    topics = moved[(moved["by"] == "topic") & (moved["n"] > 0)].sort_values("n", ascending=False, kind="stable")
    for _, row in topics.head(_SHOWN).iterrows():
        cells = [told(from_row(row, f"{part}_bp", f"{part}_low", f"{part}_high")) for part in ("before", "after")]
        cells.append(told(from_row(row, "share", "share_low", "share_high"), 0, 100, "%"))
        cells.append(told(from_row(row, "traded_bp", "traded_low", "traded_high")))
        table.add_row(
            row["group"], f"{row['n']:.0f}", f"{row['days']:.0f}", *(one.replace("[", "\\[") for one in cells)
        )
    return table


def _object(found: "Studied", notes: Sequence[str], inputs: Mapping[str, str]) -> dict[str, Any]:
    from signals.research.studied import findings, resolution

    tables = {name: found.tables[name] for name in ("moved_before", "ic", "ic_months", "reliability", "surprises")}
    return {
        "signals": found.n,
        "days": found.days,
        "bar_s": found.length_s,
        "notes": [*notes, resolution(found.length_s)],
        "inputs": inputs,
        "findings": findings(found),
        "calls": found.calls._asdict() | {name: _interval(getattr(found.calls, name)) for name in _INTERVALS},
        **{name: table.to_dict("records") for name, table in tables.items()},
    }


_INTERVALS = ("hit_rate", "brier", "skill")


def _interval(one: Any) -> dict[str, Any]:
    return dict(one._asdict())
