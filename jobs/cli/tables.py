"""Signals and runs as tables for people."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

import msgspec
from rich.box import SIMPLE
from rich.markup import escape
from rich.table import Table

from signals.message import Signal
from signals.model import JobRun

_ARROW = {"up": "[green]▲ up[/]", "down": "[red]▼ down[/]", "flat": "■ flat"}
_OUTCOME = {
    "ok": "green",
    "partial": "yellow",
    "failed": "red",
    "missed": "red",
    "skipped": "yellow",
    "running": "cyan",
}
_COLUMNS = {"known at": 11, "call": 9, "up/flat/down": 14, "USD": 5, "JPY": 5, "price": 7, "state": 16}
_LEAST_TITLE = 24
_LATE_S = 1.0
"""A run that began later than this is shown as late."""
SIGN = "up = USD/JPY price rises (dollar stronger, yen weaker)"


def direction(signal: Signal) -> str:
    """Arrow and word; what abstains says so."""
    return "? unknown" if signal.abstained else _ARROW[signal.direction]


def signals_table(signals: Iterable[Signal], now: dt.datetime, title: str, width: int) -> Table:
    """One row a signal, `width` columns wide; times UTC, prices JPY per USD, legs + where that currency gains."""
    table = Table(
        title=title, caption=SIGN, title_justify="left", caption_justify="left", box=None, padding=(0, 2, 0, 0)
    )
    for name, wide in _COLUMNS.items():
        table.add_column(name, no_wrap=True, width=wide)
    taken = sum(wide + 2 for wide in _COLUMNS.values()) + 4
    table.add_column("headline", overflow="ellipsis", no_wrap=True, width=max(_LEAST_TITLE, width - taken))
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
            run.trigger if run.attempt == 1 else f"{run.trigger}, try {run.attempt}",
            f"{run.started_at:%Y-%m-%d %H:%M:%S}{f' +{late(run)}' if (run.drift_s or 0) >= _LATE_S else ''}",
            "-" if run.duration_s is None else f"{run.duration_s:.2f}s",
            outcome(run.outcome),
            counted(run.counts),
            escape(run.error or _noted(run.notes)),
        )
    return table


def late(run: JobRun) -> str:
    """By how much it began after it was due; `-` where it was not on the schedule."""
    return "-" if run.drift_s is None else f"{run.drift_s:.2f}s"


def told(run: JobRun) -> dict[str, Any]:
    """A run for programs."""
    return msgspec.structs.asdict(run) | {"duration_s": run.duration_s, "drift_s": run.drift_s}


def _noted(notes: tuple[str, ...]) -> str:
    """The first note in short, and how many more there are: `jobs show` has them whole."""
    if not notes:
        return ""
    more = f", and {len(notes) - 1} more" if len(notes) > 1 else ""
    return notes[0].partition(" (")[0] + more


def outcome(word: str) -> str:
    """The outcome in its colour."""
    return f"[{_OUTCOME[word]}]{word}[/]"


def counted(counts: dict[str, int]) -> str:
    """`3 new, 1 failed`: the counts that are not zero."""
    return ", ".join(f"{value} {name.replace('_', ' ')}" for name, value in counts.items() if value) or "-"
