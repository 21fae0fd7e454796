"""`signals jobs list`: every job, its last run, and how it stands in a service that runs."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec
import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from jobs import standing
from jobs.app import App
from jobs.catalogue import NAMES
from jobs.cli import options
from jobs.cli.tables import counted, late, outcome, told
from jobs.services import sentence, services
from jobs.settings import Job
from jobs.standing import Standing
from jobs.worker import ASIDE_S
from signals.model import PAIR, JobRun, Pause
from signals.store import leases, pauses, runs

_FRESH_S = 10.0
"""What a service said longer ago is told with its age."""


class _Row(NamedTuple):
    """One job as it stands; times UTC."""

    name: str
    schedule: Job
    last: JobRun | None
    pause: Pause | None
    running_since: dt.datetime | None
    next_run_at: dt.datetime | None

    def told(self) -> dict[str, Any]:
        """For programs."""
        return {
            "job": self.name,
            "every_s": self.schedule.every_s,
            "enabled": self.schedule.enabled,
            "last_run": self.last and told(self.last),
            "next_run_at": self.next_run_at,
            "paused": self.pause,
            "running_since": self.running_since,
        }

    def state(self) -> str:
        """For people: what it is at, or why it is at nothing."""
        if self.running_since is not None:
            return f"[cyan]running since {self.running_since:%H:%M:%S}[/]"
        if self.pause is not None:
            until = f" until {self.pause.until:%m-%d %H:%M}" if self.pause.until else ""
            return f"[yellow]paused{until}[/]{f': {escape(self.pause.why)}' if self.pause.why else ''}"
        if not self.schedule.enabled:
            return "off"
        return f"next {self.next_run_at:%H:%M:%S}" if self.next_run_at else "-"


def list_jobs(context: typer.Context, as_json: options.Json = False, config: options.Config = None) -> None:
    """Every job: its schedule, its last run, and whether it runs, is paused, or when it is due.

    What is due is told by the service of this home; where none runs, nothing is.
    """
    app = App(options.settings(context, config))
    now = app.clock()
    said, lives = standing.read(app.settings.home), standing.runs(app.settings.home)
    with app.store.read() as conn:
        latest, paused, open_runs = runs.latest(conn), pauses.standing(conn, now), runs.running(conn)
        seen = services(leases.read(conn, PAIR), leases.members(conn), now)
    app.close()
    schedules = {name: getattr(app.settings.jobs, name) for name in NAMES}
    since = _running(open_runs, said, lives, schedules, now)
    next_runs = said.next_runs if said else {}
    rows = [
        _Row(
            name,
            schedule,
            latest.get(name),
            paused.get(name),
            since.get(name),
            None if name in paused else next_runs.get(name),
        )
        for name, schedule in schedules.items()
    ]
    if as_json:
        for row in rows:
            print(msgspec.json.encode(row.told()).decode())
    else:
        _show(options.console(), rows, _of_service(said, lives, now), sentence(seen, now) if len(seen) > 1 else "")


def _running(
    open_runs: list[JobRun], said: Standing | None, lives: bool, schedules: Mapping[str, Job], now: dt.datetime
) -> dict[str, dt.datetime]:
    """Since when each job runs: what the service says, and what others put on record and can be at still."""
    found = {
        run.job: run.started_at
        for run in open_runs
        if run.job in schedules
        and (lives or run.trigger in ("manual", "cycle"))
        and (now - run.started_at).total_seconds() <= schedules[run.job].timeout_s + ASIDE_S
    }
    return found | {run.job: run.started_at for run in (said.active if said else ())}


def _of_service(said: Standing | None, lives: bool, now: dt.datetime) -> str:
    """One line on where `next` comes from."""
    if not lives:
        return "No service runs on this home, so nothing is due: `signals serve` starts one."
    if said is None:
        return "A service runs, and has not said yet what is due: it is starting, or cannot write to its home."
    age_s = (now - said.at).total_seconds()
    old = f" That is what it said {age_s:.0f} s ago: does it hang?" if age_s > _FRESH_S else ""
    return f"The service runs since {said.started_at:%Y-%m-%d %H:%M:%S} UTC (process {said.pid}).{old}"


def _show(screen: Console, rows: list[_Row], *lines: str) -> None:
    table = Table(box=SIMPLE, padding=(0, 1))
    for name in ("job", "every", "last run (UTC)", "late", "took", "outcome", "counts", "state", "does"):
        table.add_column(name, no_wrap=name not in ("counts", "state", "does"))
    for row in rows:
        run = row.last
        table.add_row(
            row.name,
            f"{row.schedule.every_s}s",
            f"{run.started_at:%Y-%m-%d %H:%M:%S}" if run else "never",
            late(run) if run else "-",
            f"{run.duration_s:.2f}s" if run and run.duration_s is not None else "-",
            outcome(run.outcome) if run else "-",
            counted(run.counts) if run else "-",
            row.state(),
            NAMES[row.name],
        )
    screen.print(table)
    for line in filter(None, lines):
        screen.print(line, soft_wrap=True)
