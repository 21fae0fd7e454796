"""The report of a backtest: the answer, pictures, figures with their intervals, and exactly what it was made of."""

import math
from collections.abc import Mapping, Sequence

import msgspec
import pandas as pd

from signals.research import pictures
from signals.research.appraisal import Appraisal, verdict
from signals.research.interval import Interval
from signals.research.report import heading, lead, notes, page, paragraph, table

_GROUP_NAMES = {
    "exit_reason": "how positions ended",
    "side": "side",
    "topic": "topic",
    "source": "source",
    "hour": "hour of entry",
}
_SHOWN = 12


def backtest_page(found: Appraisal, said: Sequence[str], inputs: Mapping[str, str], more: Sequence[str] = ()) -> str:
    """The report as one HTML page.

    Parameters
    ----------
    said : what was left out, assumed or checked, a line each.
    inputs : what the backtest was made of, by name: hashes, ids, versions.
    more : parts of the study of the same signals, to stand after the pictures.
    """
    days = found.daily.index
    span = f"{days[0]:%Y-%m-%d} to {days[-1]:%Y-%m-%d}"
    parts = [lead(verdict(found)), notes(said)]
    if len(found.backtest.trades):
        parts += [
            pictures.equity_picture(found.daily, found.gross_daily),
            pictures.placebo_picture(found.panel.runs, found.net_bp.value, "bp a trade, net of costs"),
            pictures.monthly_picture(found.daily),
        ]
    parts += [*more, heading("Figures, with 95% intervals by whole days"), _figures(found), _costs(found)]
    parts += [heading("Placebo"), _placebo(found), heading("Signals that were not traded"), _refused(found)]
    parts += [heading("Where it came from"), *_groups(found.groups)]
    parts += [heading("Rules and costs"), _rules(found), heading("Made of"), _made_of(inputs)]
    return page(f"Backtest, USD/JPY, {span}", parts)


def told(one: Interval, digits: int = 2, scale: float = 1.0, unit: str = "") -> str:
    """`+1.20 (0.31 to 2.09)`; bounds that could not be taken are said to be missing."""
    if not math.isfinite(one.value):
        return "unknown"
    value = f"{one.value * scale:+.{digits}f}{unit}"
    if not math.isfinite(one.low):
        return f"{value} (no interval: {one.units} days)"
    return f"{value} ({one.low * scale:+.{digits}f} to {one.high * scale:+.{digits}f})"


def figures(found: Appraisal) -> list[tuple[str, str]]:
    """Name and text of each figure, the most important first."""
    summary, deflated = found.summary, found.deflated
    return [
        ("net of costs, a trade", told(found.net_bp, unit=" bp")),
        ("before costs, a trade", told(found.gross_bp, unit=" bp")),
        ("trades", f"{summary.trades:,} of {summary.signals:,} signals"),
        ("hit rate, net", told(found.hit_rate, 0, 100, "%").replace("+", "")),
        ("net result", f"{summary.net_percent:+.2f}% of the capital, {summary.net_jpy:+,.0f} JPY"),
        ("largest drawdown", f"{summary.max_drawdown_percent:.2f}% of the capital"),
        ("Sharpe ratio, a year", told(found.sharpe)),
        ("chance that it is above 0", _chance(deflated.probability)),
        (f"the same, trials counted ({deflated.trials})", _chance(deflated.deflated)),
        ("profit factor", f"{summary.profit_factor:.2f}"),
        ("bars with a position", f"{summary.exposure_share:.1%}"),
        ("turnover", f"{summary.turnover_usd:,.0f} USD"),
    ]


def _chance(value: float) -> str:
    return "unknown" if math.isnan(value) else f"{value:.0%}"


def _figures(found: Appraisal) -> str:
    return table(("", ""), figures(found), wrap=True)


def _costs(found: Appraisal) -> str:
    summary = found.summary
    rows = [
        (name, f"{jpy:+,.0f}", f"{jpy / max(summary.trades, 1):+,.0f}")
        for name, jpy in (
            ("before costs", summary.gross_jpy),
            ("spread", -summary.spread_jpy),
            ("slippage", -summary.slippage_jpy),
            ("rollover", summary.rollover_jpy),
            ("net", summary.net_jpy),
        )
    ]
    return table(("JPY", "all trades", "a trade"), rows)


def _placebo(found: Appraisal) -> str:
    runs, rows = found.panel.runs, []
    for row in found.panel.standing.to_dict("records"):
        figures = runs.loc[runs["kind"] == row["kind"], "figure"].dropna()
        central = f"{figures.quantile(0.025):+.2f} to {figures.quantile(0.975):+.2f}" if len(figures) > 1 else "-"
        mean = f"{figures.mean():+.2f}" if len(figures) else "-"
        runs_of = f"{row['n']:,}" + (f" (and {row['undefined']:,} without a trade)" if row["undefined"] else "")
        rows.append((row["kind"], runs_of, mean, central, f"{row['at_least']:,}", f"{row['p_value']:.3f}"))
    rows.append(("the signals as they were", "1", f"{found.net_bp.value:+.2f}", "-", "-", "-"))
    return table(("bp a trade, net", "runs", "mean", "central 95%", "as good or better", "p"), rows)


def _refused(found: Appraisal) -> str:
    rows = [(reason.replace("_", " "), f"{count:,}") for reason, count in found.summary.not_traded.items() if count]
    return table(("why", "signals"), rows) if rows else paragraph("Every signal was traded.")


def _groups(groups: pd.DataFrame) -> list[str]:
    parts = []
    for by, title in _GROUP_NAMES.items():
        most = groups[groups["by"] == by].sort_values("trades", ascending=False, kind="stable").head(_SHOWN)
        rows = [
            (
                str(row["group"]).replace("_", " "),
                f"{row['trades']:,}",
                _bounds(row["net_bp"], row["low"], row["high"]),
                f"{row['net_jpy']:+,.0f}",
            )
            for row in most.to_dict("records")
        ]
        if len(rows) > 1:
            parts.append(table((title, "trades", "bp a trade, net", "JPY, net"), rows))
    return parts


def _bounds(value: float, low: float, high: float) -> str:
    return f"{value:+.2f}" + (f" ({low:+.2f} to {high:+.2f})" if math.isfinite(low) else "")


def _rules(found: Appraisal) -> str:
    rules = msgspec.to_builtins(found.backtest.rules)
    costs = msgspec.to_builtins(found.backtest.costs)
    spread = costs.pop("spread_pips")
    costs["spread_pips"] = f"{min(spread)} to {max(spread)} by hour of the week" if len(spread) > 1 else spread[0]
    rates = costs.pop("rates")
    costs["rates"] = f"{len(rates)} from {rates[0]['since']}" if rates else "none: no rollover"
    return table(("", ""), [(name, "-" if value is None else str(value)) for name, value in (rules | costs).items()])


def _made_of(inputs: Mapping[str, str]) -> str:
    return table(("", ""), list(inputs.items()), wrap=True)
