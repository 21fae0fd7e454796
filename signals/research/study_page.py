"""The report of a study: one HTML file, pictures first."""

from collections.abc import Sequence
from html import escape

import pandas as pd

from signals.research import pictures_study as pictures
from signals.research.report import heading, page, table
from signals.research.studied import Studied, findings, from_row, resolution, shown, span, told

_LEAST_SHOWN = 10
"""Releases of an event and size; fewer stand in the file alone."""


def study_page(found: Studied, notes: Sequence[str]) -> str:
    """The whole page; `notes` say what the history is and what was left out."""
    around = span(found.around_s)
    parts = [
        _list([*findings(found), resolution(found.length_s)]),
        pictures.path_picture(found.paths),
        pictures.decay_picture(found.ic),
        heading("By topic"),
        pictures.path_pictures(found.paths, "topic"),
        heading(f"How much had moved before we knew ({around} before, {around} after), bp as called"),
        table(*_moved(found.moved_before)),
        heading("From the next open, and from the price as of known_at"),
        table(*_coefficients(found.ic)),
        pictures.month_picture(found.ic_months, found.around_s),
        heading("Probabilities against the price"),
        pictures.reliability_picture(found.reliability),
        table(*_reliability(found.reliability)),
    ]
    if len(found.surprises):
        parts += [
            heading("Figures against what was expected"),
            pictures.surprise_picture(found.surprises),
            table(*_surprises(found.surprises, around)),
        ]
    parts += [heading("By direction"), pictures.path_pictures(found.paths, "direction")]
    parts += [heading("What this rests on"), _list([*notes, *_cautions(found)])]
    return page(f"Study of {found.n:,} signals on {found.days:,} days", parts)


def in_short(found: Studied) -> list[str]:
    """The parts that go into another report of the same signals: the path, the decay, the probabilities."""
    return [
        heading("What the price did around the moment we knew"),
        _list([*findings(found), resolution(found.length_s)]),
        pictures.path_picture(found.paths),
        pictures.decay_picture(found.ic),
        pictures.reliability_picture(found.reliability),
    ]


def _cautions(found: Studied) -> list[str]:
    few = int((~_worth(found.surprises)).sum()) if len(found.surprises) else 0
    shown_rows = len(found.moved_before) + len(found.ic) + 3 * len(found.surprises)
    return [
        "Bounds are 95%, by drawing whole FX days: signals of one day hang together. Fewer than 10 days get none.",
        f"{shown_rows} means and correlations are tabled here: one in twenty would look clear of 0 by chance alone.",
        f"Events and sizes of fewer than {_LEAST_SHOWN} releases are not shown: {few}; the file of --to has them.",
        "Prices are mid prices of bars; no cost is taken off. Paths do not cross holes in the bars.",
        "Flat band of an outcome: half a spread, or a quarter of the usual move of the 20 days before, if larger; "
        "--flat-band-bp sets another.",
        "Size of a surprise: in spreads of that event's own earlier surprises, not of later ones; small to 0.5, usual "
        "to 1.5, large above.",
    ]


def _moved(moved: pd.DataFrame) -> tuple[list[str], list[list[str]]]:
    rows = [
        [
            f"{row['by']}: {row['group']}" if row["by"] != "all" else "all",
            f"{row['n']:.0f}",
            f"{row['days']:.0f}",
            *(
                told(from_row(row, f"{part}_bp", f"{part}_low", f"{part}_high"))
                for part in ("before", "after", "total")
            ),
            told(from_row(row, "share", "share_low", "share_high"), 0, 100, "%"),
            told(from_row(row, "traded_bp", "traded_low", "traded_high")),
        ]
        for _, row in moved.iterrows()
        if row["n"]
    ]
    return ["calls", "n", "days", "before", "after", "together", "share before", "from the next open"], rows


def _coefficients(coefficients: pd.DataFrame) -> tuple[list[str], list[list[str]]]:
    rows = [
        [
            f"{row['entry']}, {span(row['horizon_s'])}",
            str(row["measure"]),
            f"{row['n']:.0f}",
            told(from_row(row, "ic", "low", "high"), 3),
            told(from_row(row, "mean_bp", "mean_low", "mean_high")),
        ]
        for _, row in coefficients.iterrows()
    ]
    return ["entry, held for", "measure", "n", "rank correlation", "mean bp as called"], rows


def _reliability(bins: pd.DataFrame) -> tuple[list[str], list[list[str]]]:
    rows = [
        [
            f"p_{row['side']} {row['low']:.1f} to {row['high']:.1f}",
            f"{row['n']:.0f}",
            shown(row["said"], 2),
            shown(row["came"], 2),
            f"{shown(row['came_low'], 2)} to {shown(row['came_high'], 2)}",
        ]
        for _, row in bins.iterrows()
    ]
    return ["given", "n", "mean given", "came", "Wilson"], rows


def _surprises(surprises: pd.DataFrame, around: str) -> tuple[list[str], list[list[str]]]:
    rows = [
        [
            f"{row['event']}, {row['size']}",
            f"{row['n']:.0f}",
            f"{row['days']:.0f}",
            *(told(from_row(row, f"{move}_mean", f"{move}_low", f"{move}_high")) for move in ("before", "around")),
            f"{shown(row['around_agreed'] * 100, 0)}% of {row['around_agreed_n']:.0f}",
            told(from_row(row, "traded_mean", "traded_low", "traded_high")),
        ]
        for _, row in surprises[_worth(surprises)].iterrows()
    ]
    head = ["event, size", "n", "days", f"{around} before, bp", f"{around} after, bp"]
    return [*head, "as we called", "from the next open, bp"], rows


def _worth(surprises: pd.DataFrame) -> "pd.Series[bool]":
    return (surprises["event"] == "all") | (surprises["n"] >= _LEAST_SHOWN)


def _list(lines: Sequence[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>"
