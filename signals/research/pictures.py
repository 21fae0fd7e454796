"""Pictures of a backtest: numbers in, a figure of the page out."""

import matplotlib.dates as mdates
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Picture

from signals.research.report import image

BLUE, RED, GREY, GREEN = "#1f5fa8", "#b3261e", "#777777", "#2e7d32"
_WIDE = 7.2
"""Inches: on a phone's 390 pixels the words can still be read."""
_DARK = 0.7
"""Of the largest value: from there on white figures are read better than black ones."""


def equity_picture(daily: pd.Series, gross: pd.Series) -> str:
    """Cumulative return with its drawdown below.

    Parameters
    ----------
    daily, gross : net and gross returns by FX day (dates without a zone), as shares of the capital.
    """
    net, bare = 100 * daily.cumsum(), 100 * gross.cumsum()
    under = net - np.maximum.accumulate(np.maximum(net.to_numpy(), 0.0))
    picture = Picture(figsize=(_WIDE, 4.4), layout="constrained")
    top, bottom = picture.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    top.plot(bare.index, bare.to_numpy(), color=GREY, linewidth=1, label="before costs")
    top.plot(net.index, net.to_numpy(), color=BLUE, linewidth=1.5, label="net of costs")
    top.axhline(0, color="black", linewidth=0.6)
    top.set(ylabel="% of capital", title="Equity, and how far below its high")
    top.legend(loc="best", frameon=False)
    bottom.fill_between(under.index, under.to_numpy(), 0, color=RED, alpha=0.5, linewidth=0)
    bottom.set(ylabel="drawdown, %")
    _dates(bottom)
    last, deep = float(net.iloc[-1]), float(under.min())
    return image(
        picture,
        f"Equity curve: it ends at {last:+.2f}% of the capital net of costs, {deep:.2f}% below its high at the worst",
        "Returns are added up, not compounded: each trade's size is fixed by the rules, whatever was earned before.",
    )


def monthly_picture(daily: pd.Series) -> str:
    """Net return of each month, a row a year.

    Parameters
    ----------
    daily : net returns by FX day, as shares of the capital.
    """
    when = pd.DatetimeIndex(daily.index)
    table = (100 * daily).groupby([when.year, when.month]).sum().unstack().reindex(columns=range(1, 13))
    values = table.to_numpy(dtype=float)
    most = float(np.nanmax(np.abs(values))) or 1.0
    picture = Picture(figsize=(_WIDE, 1 + 0.36 * len(table)), layout="constrained")
    axes = picture.subplots()
    axes.imshow(values, cmap="RdBu", vmin=-most, vmax=most, aspect="auto")
    axes.set_xticks(range(12), ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"])
    axes.set_yticks(range(len(table)), [str(year) for year in table.index])
    for row, column in np.argwhere(np.isfinite(values)):
        ink = "white" if abs(values[row, column]) > _DARK * most else "black"
        axes.text(column, row, f"{values[row, column]:+.2f}", ha="center", va="center", fontsize=7, color=ink)
    axes.set(title="Net return by month, % of capital")
    return image(picture, f"Net return by month over {len(table)} years; the figures stand in the cells")


def placebo_picture(placebo: pd.DataFrame, real: float, unit: str) -> str:
    """The real figure among those of signals that can know nothing.

    Parameters
    ----------
    placebo : columns `kind` and `figure`, a row a run.
    real : the figure of the signals as they were.
    unit : what the figure is, for the axis.
    """
    placebo = placebo.dropna(subset="figure")  # those that traded nothing; the table says how many
    picture = Picture(figsize=(_WIDE, 3.2), layout="constrained")
    axes = picture.subplots()
    kinds = list(dict.fromkeys(placebo["kind"]))
    bins = np.histogram_bin_edges([*placebo["figure"], real], bins=30)
    drawn = [placebo.loc[placebo["kind"] == kind, "figure"].to_numpy() for kind in kinds]
    axes.hist(drawn, bins=bins.tolist(), stacked=True, label=kinds)
    axes.axvline(real, color=RED, linewidth=2, label="the signals as they were")
    axes.set(xlabel=unit, ylabel="runs", title="Placebo: shuffled, shifted, flipped signals, and the real ones")
    axes.legend(frameon=False)
    beaten = float((placebo["figure"] < real).mean())
    return image(
        picture,
        f"Placebo panel: the real figure, {real:+.2f} {unit}, is higher than {beaten:.0%} of {len(placebo)} placebos",
        "Where the red line lies among the bars, the signals did no better than the same number of signals at random.",
    )


def _dates(axes: Axes) -> None:
    locator = mdates.AutoDateLocator()  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(mdates.ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
