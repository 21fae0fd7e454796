"""What `signals sweep` shows and writes."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE
from rich.markup import escape
from rich.table import Table

from jobs.cli import options

if TYPE_CHECKING:
    import pandas as pd

    from signals.research.swept import Swept

SHOWN = 20
"""Points on the screen; all are in the files."""


def show(found: "Swept", said: Sequence[str], written: Sequence[str]) -> None:
    """The answer, what is to be known of it, and the best points."""
    from signals.research.swept import cautions, header, lines, rows

    screen = options.console()
    for line in lines(found):
        screen.print(f"[bold]{escape(line)}[/]")
    screen.print()
    for line in (*cautions(found), *said):
        screen.print(f"  {line}", markup=False)
    table = Table(box=SIMPLE, padding=(0, 1), caption_justify="left")
    for name in header(found):
        table.add_column(name, justify="right", overflow="fold")
    for row in rows(found, SHOWN):
        table.add_row(*row)
    if len(found.points) > SHOWN:
        table.caption = f"the best {SHOWN} of {len(found.points):,}: --to and --report have all"
    screen.print(table)
    for line in written:
        screen.print(line, markup=False)


def told(found: "Swept", said: Sequence[str], inputs: Mapping[str, str]) -> dict[str, Any]:
    """The same for programs, with every point."""
    from signals.research.swept import cautions, lines, objects, under

    points = objects(found)
    return {
        "verdict": lines(found),
        "notes": [*cautions(found), *said],
        "inputs": inputs,
        "out_of_sample": [
            {
                "costs": under(one, found),
                "sharpe": one.sharpe._asdict(),
                "net_bp": one.net_bp._asdict(),
                "trades": one.trades,
                "choices": _dated(one.choices).to_dict("records"),
            }
            for one in found.forward
        ],
        "tried": len(points),
        "best": points[found.best] if found.best >= 0 else None,
        "deflated": None if found.deflated is None else found.deflated._asdict(),
        "points": points,
    }


def _dated(choices: "pd.DataFrame") -> "pd.DataFrame":
    days = ("train_from", "train_to", "test_from", "test_to")
    return choices.assign(**{name: choices[name].dt.strftime("%Y-%m-%d") for name in days})


def written(
    found: "Swept", said: Sequence[str], inputs: Mapping[str, str], report: Path | None, to: Path | None
) -> list[str]:
    """Write what was asked for, and say where it is."""
    lines = []
    if to:
        import pandas as pd

        tables = {"points": found.table}
        if found.forward:
            choices = {number: one.choices for number, one in enumerate(found.forward)}
            days = {number: one.returns.to_frame() for number, one in enumerate(found.forward)}
            tables["choices"] = pd.concat(choices, names=["costs", "test"]).reset_index()
            tables["days"] = pd.concat(days, names=["costs", "day"]).reset_index()
        from signals.research.files import write_tables

        write_tables(tables, to)
        lines.append(f"tables: {to}/{{{','.join(tables)}}}.parquet")
    if report:
        from signals.research.sweep_page import sweep_page

        report.write_text(sweep_page(found, said, inputs), encoding="utf-8")
        lines.append(f"report: {report}")
    return lines
