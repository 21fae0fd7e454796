"""`signals jobs`: the jobs, their history, one run with its log, or a run by hand."""

import datetime as dt
from typing import Annotated, Any

import msgspec
import typer
from rich.box import SIMPLE
from rich.markup import escape
from rich.table import Table

from jobs import logs
from jobs.app import App
from jobs.catalogue import NAMES, runner_for
from jobs.cli import options
from jobs.cli.tables import counted, outcome, runs_table
from jobs.runner import QUIET
from signals.errors import ConfigError
from signals.model import JobRun
from signals.store import runs

jobs = typer.Typer(help="The jobs: last runs, outcomes, counts, log lines.", rich_markup_mode=None)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(jobs, name="jobs", epilog="Example: signals jobs history --job ingest")


@jobs.callback(invoke_without_command=True)
def default(context: typer.Context, as_json: options.Json = False, config: options.Config = None) -> None:
    """The jobs: last runs, outcomes, counts, log lines. Without a word after it: the list."""
    context.obj = config or context.obj
    if context.invoked_subcommand is None:
        list_jobs(context, as_json)


@jobs.command("list", epilog="Example: signals jobs list --json")
def list_jobs(context: typer.Context, as_json: options.Json = False, config: options.Config = None) -> None:
    """Every job: its schedule, its last run, and when the next is due in a service that runs."""
    app = App(options.settings(context, config))
    with app.store.read() as conn:
        latest = runs.latest(conn)
    table = Table(box=SIMPLE, padding=(0, 1))
    for name in ("job", "every", "last run (UTC)", "next due", "took", "outcome", "counts", "does"):
        table.add_column(name, no_wrap=name != "does")
    for name, does in NAMES.items():
        schedule = getattr(app.settings.jobs, name)
        run = latest.get(name)
        due = run.started_at + dt.timedelta(seconds=schedule.every_s) if run and schedule.enabled else None
        if as_json:
            _out(
                {
                    "job": name,
                    "every_s": schedule.every_s,
                    "enabled": schedule.enabled,
                    "last_run": run and _told(run),
                    "next_run_at": due,
                }
            )
        table.add_row(
            name,
            f"{schedule.every_s}s" if schedule.enabled else "off",
            f"{run.started_at:%Y-%m-%d %H:%M:%S}" if run else "never",
            f"{due:%H:%M:%S}" if due else "-",
            f"{run.duration_s:.2f}s" if run and run.duration_s is not None else "-",
            outcome(run.outcome) if run else "-",
            counted(run.counts) if run else "-",
            does,
        )
    if not as_json:
        options.console().print(table)
    app.close()


@jobs.command("history", epilog="Example: signals jobs history --job publish --limit 5")
def history(
    context: typer.Context,
    job: Annotated[str | None, typer.Option("--job", metavar="NAME", help="Only this job's runs.")] = None,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, max=100_000, help="How many.")] = 30,
    as_json: options.Json = False,
    config: options.Config = None,
) -> None:
    """The newest runs first. Good runs of the heartbeat are left out unless asked for by --job."""
    if job is not None:
        _known(job)
    app = App(options.settings(context, config))
    with app.store.read() as conn:
        found = runs.recent(conn, job=job, without=() if job else sorted(QUIET), limit=limit)
    app.close()
    if as_json:
        for run in found:
            _out(_told(run))
    elif found:
        options.console().print(runs_table(found))
    else:
        options.console().print("no run on record yet: `signals run` does one of each")


@jobs.command("show", epilog="Example: signals jobs show 3f2a")
def show(
    context: typer.Context,
    run_id: Annotated[str, typer.Argument(metavar="RUN_ID", help="A run's id, or its beginning.")],
    as_json: options.Json = False,
    config: options.Config = None,
) -> None:
    """One run: what it counted, what failed, and its log lines."""
    settings = options.settings(context, config)
    app = App(settings)
    with app.store.read() as conn:
        run = runs.find(conn, run_id)
    app.close()
    if run is None:
        raise ConfigError("RUN_ID", f"no one run begins with {run_id!r}", "`signals jobs history` lists them")
    lines = list(logs.lines_of(settings.home, run.run_id))
    if as_json:
        _out(_told(run) | {"log": lines})
        return
    screen = options.console()
    screen.print(runs_table([run]))
    for note in run.notes:
        screen.print(f"  ! {escape(note)}")
    for line in lines:
        screen.print(escape(msgspec.json.encode(line).decode()), soft_wrap=True)


@jobs.command("run", epilog="Example: signals jobs run ingest")
def run_one(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help=f"One of {', '.join(NAMES)}.")],
    as_json: options.Json = False,
    config: options.Config = None,
) -> None:
    """Run one job now, in this process."""
    _known(name)
    settings = options.settings(context, config)
    app = App(settings)
    try:
        logs.configure(settings.home)
        done = runner_for(app).run(name, "manual")
    finally:
        app.close()
    if as_json:
        _out(_told(done))
    else:
        options.console().print(runs_table([done]))
    if done.outcome == "failed":
        raise typer.Exit(1)


def _known(name: str) -> None:
    if name not in NAMES:
        raise ConfigError("NAME", f"there is no job {name!r}", f"one of {', '.join(NAMES)}")


def _told(run: JobRun) -> dict[str, Any]:
    return msgspec.structs.asdict(run) | {"duration_s": run.duration_s}


def _out(told: dict[str, Any]) -> None:
    print(msgspec.json.encode(told).decode())
