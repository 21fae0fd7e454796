"""The report of a sweep: what holds out of sample, the best of what was tried, a map, and every point."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure as Picture

from signals.research.pictures import equity_picture
from signals.research.report import heading, image, lead, notes, page, paragraph, table
from signals.research.swept import Swept, cautions, header, lines, rows, shown, under

_DARK = 0.7
_WIDE = 7.2
_CELLS = 400
"""More figures than that cannot be read in their cells."""


def sweep_page(found: Swept, said: Sequence[str], inputs: Mapping[str, str]) -> str:
    """The report as one HTML page.

    Parameters
    ----------
    said : what was left out, assumed or counted, a line each.
    inputs : what the sweep was made of, by name.
    """
    first, *more = lines(found)
    parts = [lead(first), *(paragraph(line) for line in more), notes([*cautions(found), *said])]
    if found.forward:
        parts += [heading("Out of sample"), *_walked(found)]
    if len(found.points[0].values) == 2:
        parts += [heading("In sample, by both values"), heat_picture(found)]
    count = f"{len(found.points):,} points, the best first: each was tried, and each counts as a trial"
    parts += [heading("Every point, in sample"), table(header(found), rows(found), count)]
    parts += [heading("Made of"), table(("", ""), list(inputs.items()), wrap=True)]
    return page(f"Sweep of {len(found.points):,} points, USD/JPY", parts)


def heat_picture(found: Swept) -> str:
    """Sharpe ratios of a grid with two axes: the first downwards, the second to the right."""
    down, right = (list(dict.fromkeys(point.values[axis][1] for point in found.points)) for axis in (0, 1))
    names = [key for key, _ in found.points[0].values]
    values = np.array([one.sharpe for one in found.figures]).reshape(len(down), len(right))
    most = float(np.abs(values[np.isfinite(values)]).max(initial=0.0)) or 1.0
    picture = Picture(figsize=(_WIDE, min(9.0, 1.4 + 0.42 * len(down))), layout="constrained")
    axes = picture.subplots()
    drawn = axes.imshow(values, cmap="RdBu", vmin=-most, vmax=most, aspect="auto")
    axes.set_xticks(range(len(right)), [shown(value) for value in right], rotation=90 if len(right) > 12 else 0)
    axes.set_yticks(range(len(down)), [shown(value) for value in down])
    axes.set(xlabel=names[1], ylabel=names[0], title="Sharpe ratio a year, net of costs, in sample")
    picture.colorbar(drawn, ax=axes)
    for row, column in np.argwhere(np.isfinite(values)) if values.size <= _CELLS else ():
        ink = "white" if abs(values[row, column]) > _DARK * most else "black"
        axes.text(column, row, f"{values[row, column]:+.2f}", ha="center", va="center", fontsize=8, color=ink)
    return image(
        picture,
        f"Heat map of Sharpe ratios by {names[0]} and {names[1]}; the figures stand in the table of all points",
        "A lone bright cell among dull ones is likely luck; a broad bright field may be more. Empty: no trades.",
    )


def _walked(found: Swept) -> list[str]:
    parts = []
    for one in found.forward:
        if one.trades:
            parts.append(equity_picture(one.returns, one.gross))
        chosen = [
            (
                f"{row['train_from']:%Y-%m-%d} to {row['train_to']:%Y-%m-%d}",
                f"{row['test_from']:%Y-%m-%d} to {row['test_to']:%Y-%m-%d}",
                ", ".join(shown(value) for _, value in found.points[row["choice"]].values)
                if row["choice"] >= 0
                else "-",
                f"{row['train_sharpe']:+.2f}",
                f"{row['train_trades']:,}",
                f"{row['test_trades']:,}",
            )
            for row in one.choices.to_dict("records")
        ]
        named = ("chosen on", "traded on", "choice", "Sharpe in training", "trades in training", "trades in test")
        parts.append(table(named, chosen, under(one, found)))
    return parts
