"""`signals replay`: history through the live code path, and whether it gives what was told."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.markup import escape

from jobs.cli import options, research

_NOTHING_ELSE = "the same model and policy must give the same bytes: is the code another, or were rows changed?"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("replay", epilog="Example: signals replay --set policy.novelty_min=0.4 --to replayed")(run)


def run(
    context: typer.Context,
    since: research.Since = None,
    until: research.Until = None,
    model: research.Model = None,
    changes: research.Set = None,
    to: Annotated[
        Path | None, typer.Option("--to", metavar="DIR", help="Write the signals there, as signals.parquet.")
    ] = None,
    scores: Annotated[
        Path | None, typer.Option("--scores", metavar="DIR", help="Take scores from there: of `signals score --to`.")
    ] = None,
    report: Annotated[Path | None, typer.Option("--report", metavar="FILE", help="Write a page of HTML.")] = None,
    check: Annotated[
        bool, typer.Option("--check-lookahead", help="Cut the archive at some moments: does that change what was said?")
    ] = False,
    as_json: options.Json = False,
    config: options.Config = None,
) -> None:
    """Run the archive through the live code path and compare it with what was told, byte for byte.

    Headlines are taken in the steps and at the times in which they were taken live, with the prices known then;
    what has not been scored yet follows at the end. All of the archive is replayed, since stories go on:
    --from and --until narrow what --to writes. With another --model or --set policy... it says what that one would have
    told. Exit code 1: the same model and policy gave something else than was told, or looked ahead.

    Stories are made one after the other, in one process. Scores can be made beforehand on many: `signals score` of an
    export, then --scores; the bytes are the same.
    """
    from jobs import replaying  # what it needs takes a second to load
    from jobs.app import App
    from jobs.history import FIRST, LAST

    settings = options.settings(context, config)
    policy = research.changed("policy", settings.policy, research.assignments(changes, ("policy",))["policy"])
    low, high = research.span(since, until)
    asked = replaying.Asked(low or FIRST, high or LAST, model, policy, scores)
    if to is not None:
        _writable(to)
    with contextlib.closing(App(settings)) as app, research.stoppable():
        with research.progress("replay") as tell:
            done = replaying.run(app, asked, framed=to is not None, tell=tell)
        written = _write(done.frame, to)
        checked = None
        if check:
            with research.progress("look-ahead") as tell:
                checked = replaying.check_lookahead(app, asked, tell=tell)
    if as_json:
        print(msgspec.json.encode(_told(done, checked, written)).decode())
    else:
        screen = options.console()
        for line in (*_lines(done, written), *research.looked(checked)):
            screen.print(escape(line), soft_wrap=True)
    if report is not None:
        _page(report, done, [*_lines(done, written), *research.looked(checked)])
    if (done.by_the_same and done.comparison.different) or (checked and checked.differences):
        raise typer.Exit(1)


def _lines(done: Any, written: Path | None) -> Iterator[str]:
    yield (
        f"replayed {done.headlines:,} headlines in {done.steps:,} steps: {done.signals:,} signals,"
        f" {done.retractions:,} retractions, {done.indexes:,} indexes"
    )
    yield f"model {done.model_id}, policy {done.policy_id}"
    if done.prescored is not None:
        yield f"{done.prescored:,} scores had been made beforehand"
    yield from _compared(done)
    if done.waited.news or done.waited.history:
        yield str(done.waited)
    if written is not None:
        yield f"written: {written} ({len(done.frame):,} signals)"


def _compared(done: Any) -> Iterator[str]:
    found = done.comparison
    if not found.same + found.different:
        yield "nothing was told yet that this could be compared with"
    elif not done.by_the_same:
        others = sorted(found.told_by - {(done.model_id, done.policy_id)})
        names = "; ".join(f"model {model}, policy {policy}" for model, policy in others)
        yield f"this is not what was told: that was by {names}"
        yield f"  {found.same:,} messages are the same, {found.different:,} are not"
    elif found.different:
        count = found.same + found.different
        yield f"! {found.different:,} of {count:,} messages are not what was told: {_NOTHING_ELSE}"
        yield from (f"  {line}" for line in found.first)
    else:
        others = found.same - found.signals
        yield f"{found.signals:,} signals and {others:,} other messages, all the same byte for byte as they were told"


def _told(done: Any, checked: Any, written: Path | None) -> dict[str, Any]:
    names = ("headlines", "steps", "signals", "retractions", "indexes", "model_id", "policy_id", "prescored")
    found = done.comparison
    return {name: getattr(done, name) for name in names} | {
        "by_the_same": done.by_the_same,
        "same": found.same,
        "different": found.different,
        "first_differences": found.first,
        "told_by": sorted(found.told_by),
        "waited": {"news": done.waited.news, "imported": done.waited.history, "scored_at": done.waited.at},
        "written": None if written is None else str(written),
        "lookahead": None
        if checked is None
        else {
            "cuts": checked.cuts,
            "compared": checked.compared,
            "differences": [one._asdict() for one in checked.differences],
        },
    }


def _writable(folder: Path) -> None:
    """Before the work, not after it. Raises OSError, ConfigError."""
    from signals.research.files import needs_pyarrow

    needs_pyarrow()
    research.folder(folder)


def _write(frame: Any, folder: Path | None) -> Path | None:
    if folder is None:
        return None
    from signals.research.files import write_signals

    path = folder / "signals.parquet"
    write_signals(frame, path)
    return path


def _page(path: Path, done: Any, lines: list[str]) -> None:
    from signals.research.report import heading, page, table

    rows = [(name, f"{getattr(done, name):,}") for name in ("headlines", "steps", "signals", "retractions", "indexes")]
    parts = [table(("replayed", ""), rows), heading("Against what was told"), table(("",), [(one,) for one in lines])]
    path.write_text(page("Replay", parts), encoding="utf-8")
