"""Signals and runs as tables for people."""

import datetime as dt
from collections.abc import Iterable

from rich.box import SIMPLE
from rich.markup import escape
from rich.table import Table

from signals.model import JobRun, Signal

_ARROW = {"up": "[green]▲ up[/]", "down": "[red]▼ down[/]", "flat": "■ flat"}
_OUTCOME = {"ok": "green", "partial": "yellow", "failed": "red", "missed": "red", "skipped": "yellow", "running": "cyan"}
_COLUMNS = {"known at": 11, "call": 9, "up/flat/down": 14, "USD": 5, "JPY": 5, "price": 7, "state": 16}
SIGN = "up = USD/JPY price rises (dollar stronger, yen weaker)"


def direction(signal: Signal) -> str:
    """Arrow and word; what abstains says so."""
    return "? unknown" if signal.abstained else _ARROW[signal.direction]


def signals_table(signals: Iterable[Signal], now: dt.datetime, title: str) -> Table:
    """One row a signal; times are UTC, prices JPY per USD, legs + where that currency strengthens."""
    table = Table(title=title, caption=SIGN, title_justify="left", caption_justify="left", box=SIMPLE, padding=(0, 1))
    for name, width in _COLUMNS.items():
        table.add_column(name, no_wrap=True, min_width=width)
    table.add_column("headline", overflow="ellipsis", no_wrap=True, ratio=1, min_width=24)
    for s in signals:
        table.add_row(
            f"{s.known_at:%m-%d %H:%M}",
            direction(s),
            f"{s.p_up:.2f} {s.p_flat:.2f} {s.p_down:.2f}",
            f"{s.usd_effect:+.2f}",
            f"{s.jpy_effect:+.2f}",
            "-" if s.ref_price is None else f"{s.ref_price:.2f}{'*' if s.stale else ' '}",
            state(s, now),
            escape(s.title),
        )
    return table


def state(signal: Signal, now: dt.datetime) -> str:
    """`live 42m`, or `expired`, and whether its time was reconstructed."""
    left_s = (signal.valid_until - now).total_seconds()
    return (f"live {age(left_s)}" if left_s > 0 else "expired") + (", archive" if signal.backfilled else "")


def age(seconds: float) -> str:
    """Seconds in the largest fitting unit."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds / size:.0f}{unit}"
    return f"{seconds:.0f}s"


def runs_table(runs: Iterable[JobRun]) -> Table:
    """One row a run, newest first."""
    table = Table(box=SIMPLE, padding=(0, 1))
    for name in ("run", "job", "why", "started (UTC)", "took", "outcome"):
        table.add_column(name, no_wrap=True)
    table.add_column("counts")
    table.add_column("error or notes", overflow="fold")
    for run in runs:
        table.add_row(
            run.run_id,
            run.job,
            run.trigger,
            f"{run.started_at:%Y-%m-%d %H:%M:%S}",
            "-" if run.duration_s is None else f"{run.duration_s:.2f}s",
            outcome(run.outcome),
            counted(run.counts),
            run.error or (f"{len(run.notes)} notes: {run.notes[0]}" if run.notes else ""),
        )
    return table


def outcome(word: str) -> str:
    """The outcome in its colour."""
    return f"[{_OUTCOME[word]}]{word}[/]"


def counted(counts: dict[str, int]) -> str:
    """`3 new, 1 failed`: the counts that are not zero."""
    return ", ".join(f"{value} {name.replace('_', ' ')}" for name, value in counts.items() if value) or "-"
