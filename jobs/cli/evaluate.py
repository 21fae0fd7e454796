"""`signals evaluate`: measure the model in place on labelled rows, beside the baselines."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.box import SIMPLE
from rich.table import Table

from jobs.cli import options
from signals.errors import ConfigError

_FIGURES = ("accuracy", "macro_f1", "wrong_sign", "relevance_f1", "brier", "calibration_error")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("evaluate", epilog="Example: signals evaluate --data seeds/headlines/gate/gate.tsv --report gate.html")(
        evaluate
    )


def evaluate(
    context: typer.Context,
    data: Annotated[
        Path, typer.Option("--data", metavar="F.tsv", help="Rows: text, label up/flat/down, optional relevant.")
    ],
    model: Annotated[Path | None, typer.Option("--model", metavar="FILE", help="Another model file.")] = None,
    report: Annotated[
        Path | None, typer.Option("--report", metavar="F.html", help="Write a report with pictures.")
    ] = None,
    baselines: Annotated[bool, typer.Option(help="Run majority, VADER and TF-IDF on the same rows.")] = True,
    as_json: options.Json = False,
    config: options.Config = None,
) -> None:
    """Measure the model on labelled rows: accuracy, macro-F1, wrong sign, Brier, calibration error.

    Each with a 95% bootstrap interval, by topic and language, beside the baselines on the same rows.
    """
    from jobs.training import load_in_place
    from signals.scoring import evaluation
    from signals.scoring.corpus import read_corpus, read_rows
    from signals.scoring.model import ScoringModel

    settings = options.settings(context, config)
    rows = read_rows(data)
    if not rows:
        raise ConfigError(str(data), "holds no rows", "a header and at least one row, tab-separated")
    if report:
        report.touch()  # a place that cannot be written is told of before the work
    scorer = ScoringModel.load(model) if model else load_in_place(settings)
    given = evaluation.answers(*scorer.probabilities([row.text for row in rows]))
    found: dict[str, Any] = {"ours": evaluation.figures(rows, given)}
    missing: list[str] = []
    if baselines:
        train = read_corpus(settings.seeds.headlines)
        found |= _baselines(train, rows, missing)
    parts = {
        "topic": evaluation.by(rows, given, lambda row: row.topic or "-"),
        "language": evaluation.by(rows, given, lambda row: row.lang),
    }
    told = {"data": str(data), "rows": len(rows), "model_id": scorer.model_id, "figures": found, "by": parts}
    if as_json:
        print(msgspec.json.encode(told | {"missing_baselines": missing}).decode())
    else:
        _show(told, missing)
    if report:
        report.write_text(_report(told, rows, given), encoding="utf-8")
        if not as_json:
            options.console().print(f"report: {report}")


def _baselines(train: Sequence[Any], rows: Sequence[Any], missing: list[str]) -> dict[str, Any]:
    from signals.research.baselines import BASELINES
    from signals.scoring.evaluation import figures

    found = {}
    for name, judge in BASELINES.items():
        try:
            found[name] = figures(rows, judge(train, rows))
        except ModuleNotFoundError as error:
            missing.append(f"{name}: {error.name} is not installed; `pip install -e .[report]` adds it")
    return found


def _show(told: dict[str, Any], missing: list[str]) -> None:
    screen = options.console()
    screen.print(
        f"{told['rows']} rows of {told['data']}, model {told['model_id']}; 95% bootstrap intervals in brackets"
    )
    screen.print(_table("", [(name, None, found) for name, found in told["figures"].items()]))
    for what, groups in told["by"].items():
        if len(groups) > 1:
            screen.print(_table(what, [(name, count, found) for name, (count, found) in groups.items()]))
    for line in missing:
        screen.print(f"! {line}")


def _table(what: str, lines: Sequence[tuple[str, int | None, Any]]) -> Table:
    table = Table(box=SIMPLE, padding=(0, 1))
    table.add_column(what, no_wrap=True)
    table.add_column("rows", justify="right", no_wrap=True)
    for name in _FIGURES:
        table.add_column(name.replace("_", " "), no_wrap=True)
    for name, count, found in lines:
        table.add_row(name, str(count or ""), *(_cell(found.get(figure)) for figure in _FIGURES))
    return table


def _cell(figure: Any) -> str:
    if figure is None:
        return "-"
    interval = "" if figure.low is None else f" [{figure.low:.2f}, {figure.high:.2f}]".replace("[", "\\[")
    return f"{figure.value:.3f}{interval}"


def _report(told: dict[str, Any], rows: Sequence[Any], given: Any) -> str:
    try:
        from signals.research import report as html
    except ModuleNotFoundError as error:
        raise ConfigError("--report", f"{error.name} is not installed", "pip install -e .[report]") from error
    from signals.model import DIRECTIONS
    from signals.scoring.evaluation import confusion, reliability

    plain: Callable[[Any], str] = lambda figure: _cell(figure).replace("\\[", "[")  # noqa: E731
    header = ["", *(name.replace("_", " ") for name in _FIGURES)]
    tables = [html.table(header, [[who, *(plain(f.get(x)) for x in _FIGURES)] for who, f in told["figures"].items()])]
    for what, groups in told["by"].items():
        lines = [[f"{name} ({count})", *(plain(f.get(x)) for x in _FIGURES)] for name, (count, f) in groups.items()]
        tables += [html.heading(f"By {what}"), html.table(header, lines)]
    return html.page(
        f"Model {told['model_id']} on {told['rows']} rows of {told['data']}",
        [
            html.reliability_picture(reliability(rows, given.shares)),
            html.confusion_picture(confusion(rows, given), (*DIRECTIONS, "irrelevant")),
            html.heading("Figures, with 95% bootstrap intervals"),
            *tables,
        ],
    )
