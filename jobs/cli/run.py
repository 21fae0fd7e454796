"""`signals run`: one full cycle, shown step by step."""

import logging
from collections.abc import Iterable

import typer
from rich.console import Console
from rich.markup import escape

from jobs import logs
from jobs.app import App
from jobs.catalogue import runner_for
from jobs.cli import options
from jobs.cli.tables import counted, outcome, signals_table
from signals.model import JobRun
from signals.store import signals as kept

CYCLE = ("ingest", "inbox", "prices", "publish")
_SHOWN = 20
_STEPS = {
    "ingest": "1 ingest    headlines from every source",
    "inbox": "2 inbox     headlines pushed into Redis",
    "prices": "3 prices    closed USD/JPY bars",
    "publish": "4 publish   score, join prices, send to Redis",
}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("run", epilog="Example: signals run")(run)


def run(context: typer.Context, config: options.Config = None) -> None:
    """Do one full cycle - ingest, score, join prices, publish - and show the signals it published.

    Needs no server, no key and no network: what can't be reached is named, and the shipped articles
    are handled all the same. Exits 0 unless a step failed altogether.
    """
    settings = options.settings(context, config)
    screen = options.console()
    app = App(settings)
    try:
        logs.configure(settings.home, level=logging.ERROR)  # the steps below tell what happened
        runner = runner_for(app)
        done = [_shown(screen, runner.run(job, "cycle"), job) for job in CYCLE]
        _results(screen, app, done[-1])
    finally:
        app.close()
    if any(one.outcome == "failed" for one in done):
        raise typer.Exit(1)


def _shown(screen: Console, done: JobRun, job: str) -> JobRun:
    try:
        _show(screen, done, job)
    except SystemExit:  # rich's answer to a reader who has left; the cycle goes on without them
        screen.quiet = True
    return done


def _show(screen: Console, done: JobRun, job: str) -> None:
    took = f"{done.duration_s:.1f} s" if done.duration_s is not None else ""
    screen.print(
        f"[bold]{_STEPS[job]}[/]  {outcome(done.outcome)}  {counted(done.counts)}  [dim]{took}[/]", soft_wrap=True
    )
    for line in _grouped(done.notes):
        screen.print(f"    [yellow]![/] {escape(line)}", soft_wrap=True)
    if done.error:
        screen.print(f"    [red]x[/] {escape(done.error)}", soft_wrap=True)


def _grouped(notes: Iterable[str]) -> list[str]:
    """`boj, fed: unreachable (…)`: sources that failed for one reason on one line."""
    names: dict[str, list[str]] = {}
    for note in notes:
        name, _, reason = note.partition(": ")
        names.setdefault(reason, []).append(name)
    return [f"{', '.join(who)}: {reason}" for reason, who in names.items()]


def _results(screen: Console, app: App, published: JobRun) -> None:
    count = published.counts.get("signals", 0)
    now = app.clock()
    with app.store.read() as conn:
        shown = kept.recent(conn, limit=min(count, _SHOWN) or _SHOWN)
    if not shown:
        screen.print("\nno signal yet: no headline about USD/JPY has come in")
        return
    title = f"{count} new signals published" if count else "Nothing new to publish; the latest signals are"
    if count > len(shown):
        title += f", the newest {len(shown)} of them"
    screen.print()
    screen.print(signals_table(shown, now, title, screen.width))
    if any(signal.stale and signal.ref_price for signal in shown):
        screen.print("\n* stale price: older than policy.stale_after_s, or a daily reference rate of the ECB")
    if any(signal.backfilled for signal in shown):
        screen.print(
            "archive: made from articles at their own time, not witnessed live; such signals have long expired"
        )
    screen.print(
        "\nNext:  signals watch --since 1h   what is on the channel    signals jobs history   every run"
        '\n       signals serve              keep it running           signals score "BOJ hikes to 1.0%"'
    )
