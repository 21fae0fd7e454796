"""Pictures of a study: tables in, HTML out. Bands are 95% by whole FX days; where there are none, too few days."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure as Picture

from signals.research.report import image
from signals.research.studied import span

_OURS, _SECOND, _GREY = "#1f77b4", "#d62728", "#888888"
_MOST = 8
"""Groups of one picture: the largest."""
_EVERY = 5
"""Most points of a path that get a dot."""


def path_picture(paths: pd.DataFrame, by: str = "all", name: str = "all") -> str:
    """The mean path as called, its band, the median; one group of a table of `study.path_table`."""
    picture = Picture(figsize=(7, 4), layout="constrained")
    _path(picture.subplots(), paths[(paths["by"] == by) & (paths["group"] == name) & paths["signed"]], whole=True)
    return image(picture, f"Mean and median path of the price around known_at, signed by the call: {name}")


def path_pictures(paths: pd.DataFrame, by: str) -> str:
    """The largest groups side by side, on one scale."""
    mine = paths[(paths["by"] == by) & paths["signed"]]
    largest = mine.groupby("group", sort=True)["n"].max().sort_values(ascending=False, kind="stable")
    names = largest[largest > 0].index[:_MOST].tolist()
    if not names:
        return ""
    columns = min(4, len(names))
    rows = -(-len(names) // columns)
    picture = Picture(figsize=(3 * columns, 2.4 * rows), layout="constrained")
    every = picture.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    for axes, name in zip(every, names, strict=False):
        one = mine[mine["group"] == name]
        _path(axes, one, whole=False)
        axes.set_title(f"{name} (n {one['n'].max()})", fontsize=9)
    for axes in every[len(names) :]:
        axes.set_visible(False)
    return image(picture, f"Paths of the price around known_at, signed by the call, by {by}")


def decay_picture(coefficients: pd.DataFrame) -> str:
    """Rank correlation of signed strength by holding time, from the next open and from the price as of known_at."""
    picture = Picture(figsize=(7, 4), layout="constrained")
    axes = picture.subplots()
    mine = coefficients[coefficients["measure"] == "strength"]
    horizons = sorted(mine["horizon_s"].unique())
    for entry, colour, shift in (("next open", _OURS, -0.08), ("as of", _GREY, 0.08)):
        one = mine[mine["entry"] == entry]
        at = np.array([horizons.index(horizon) for horizon in one["horizon_s"]], float) + shift
        label = (
            "from the next open" if entry == "next open" else "from the price as of known_at: nobody could deal there"
        )
        _bars(axes, at, one["ic"], one["low"], one["high"], colour, label)
    axes.set_xticks(range(len(horizons)), [span(horizon) for horizon in horizons])
    axes.set(xlabel="held for", ylabel="rank correlation", title="Information coefficient by holding time")
    return _finished(picture, axes, "Information coefficient by holding time, with 95% bands")


def month_picture(months: pd.DataFrame, held_s: float) -> str:
    """The coefficient of each month that has rows enough."""
    picture = Picture(figsize=(7, 3), layout="constrained")
    axes = picture.subplots()
    mine = months[months["ic"].notna()]
    axes.bar(range(len(mine)), mine["ic"], color=np.where(mine["ic"] > 0, _OURS, _SECOND))
    every = max(1, len(mine) // 10)
    axes.set_xticks(range(0, len(mine), every), mine["month"].iloc[::every], rotation=45, fontsize=8)
    axes.axhline(0, color="black", linewidth=0.8)
    axes.set(ylabel="rank correlation", title=f"By month, from the next open, held {span(held_s)}")
    return image(picture, "Information coefficient by month")


def reliability_picture(table: pd.DataFrame) -> str:
    """How often the price went up (down) where we gave so much for it, with Wilson's bounds."""
    picture = Picture(figsize=(5, 5), layout="constrained")
    axes = picture.subplots()
    axes.plot([0, 1], [0, 1], color=_GREY, linewidth=1, linestyle="--", label="as often as said")
    for side, colour in (("up", _OURS), ("down", _SECOND)):
        one = table[table["side"] == side]
        _bars(axes, one["said"].to_numpy(float), one["came"], one["came_low"], one["came_high"], colour, f"p_{side}")
    axes.set(xlabel="probability given", ylabel="share of outcomes", xlim=(0, 1), ylim=(0, 1))
    axes.set_title("What the price did, by what was said")
    axes.legend(loc="upper left")
    return image(picture, "Reliability of the probabilities against outcomes of the price, with Wilson intervals")


def surprise_picture(table: pd.DataFrame) -> str:
    """Mean move in the direction of a surprise, by its size: around known_at, and from the next open."""
    mine = table[table["event"] == "all"]
    picture = Picture(figsize=(7, 4), layout="constrained")
    axes = picture.subplots()
    places = np.arange(len(mine), dtype=float)
    for move, colour, shift, label in (
        ("before", _GREY, -0.2, "before known_at"),
        ("around", _SECOND, 0.0, "after the price as of known_at"),
        ("traded", _OURS, 0.2, "from the next open"),
    ):
        _bars(axes, places + shift, mine[f"{move}_mean"], mine[f"{move}_low"], mine[f"{move}_high"], colour, label)
    axes.set_xticks(places, [f"{size}\n(n {n})" for size, n in zip(mine["size"], mine["n"], strict=True)])
    axes.set(xlabel="size of the surprise", ylabel="bp, + as the surprise said", title="Surprises and the price")
    return _finished(picture, axes, "Mean move in the direction of a surprise by its size, with 95% bands")


def _path(axes: Any, one: pd.DataFrame, *, whole: bool) -> None:
    one = one.sort_values("offset_s")
    minutes = one["offset_s"].to_numpy(float) / 60
    mark = "o" if len(one) <= _EVERY * 3 else None
    low, high = (one[f"mean_{end}"].where(one["offset_s"] != 0, 0.0) for end in ("low", "high"))
    axes.axvline(0, color=_GREY, linewidth=1)
    axes.axhline(0, color="black", linewidth=0.6)
    axes.fill_between(minutes, low, high, color=_OURS, alpha=0.2, linewidth=0)
    axes.plot(minutes, one["mean_bp"], color=_OURS, marker=mark, markersize=3, label="mean, 95% band")
    axes.plot(minutes, one["median_bp"], color=_SECOND, linewidth=1, linestyle="--", label="median")
    if whole:
        axes.set(xlabel="minutes from known_at", ylabel="bp, + as called", title="The price around the moment we knew")
        axes.legend(loc="upper left")


def _bars(axes: Any, at: Any, value: "Sequence[float] | Any", low: Any, high: Any, colour: str, label: str) -> None:
    middle, below, above = (np.asarray(part, float) for part in (value, low, high))
    reach = np.nan_to_num(np.maximum([middle - below, above - middle], 0))  # no bounds, no bar: a point alone
    axes.errorbar(at, middle, yerr=reach, fmt="o", color=colour, markersize=4, capsize=3, linewidth=1, label=label)


def _finished(picture: Picture, axes: Any, description: str) -> str:
    axes.axhline(0, color="black", linewidth=0.8)
    axes.legend(loc="best", fontsize=8)
    return image(picture, description)
