"""`signals jobs`: the jobs, their history, one run with its log, or a run by hand."""

from typing import Annotated, Any, get_args

import msgspec
import typer
from rich.markup import escape

from jobs import logs
from jobs.app import App
from jobs.catalogue import NAMES, runner_for
from jobs.cli import options
from jobs.cli.listing import list_jobs
from jobs.cli.pausing import pause, resume
from jobs.cli.tables import runs_table, told
from jobs.runner import QUIET
from signals.errors import ConfigError
from signals.model import Outcome
from signals.store import runs

OUTCOMES: tuple[str, ...] = get_args(Outcome)

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


jobs.command("list", epilog="Example: signals jobs list --json")(list_jobs)
jobs.command("pause", epilog='Example: signals jobs pause train --for 2h --why "new corpus is being labelled"')(pause)
jobs.command("resume", epilog="Example: signals jobs resume train")(resume)


@jobs.command("history", epilog="Example: signals jobs history --job publish --limit 5")
def history(
    context: typer.Context,
    job: Annotated[str | None, typer.Option("--job", metavar="NAME", help="Only this job's runs.")] = None,
    outcome: Annotated[
        str | None, typer.Option("--outcome", metavar="WORD", help=f"Only those that ended so: {', '.join(OUTCOMES)}.")
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="AGE", help="Only those that began within: 30s, 15m, 1h, 2d.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, max=100_000, help="How many.")] = 30,
    as_json: options.Json = False,
    config: options.Config = None,
) -> None:
    """The newest runs first. Good runs of the heartbeat are left out unless asked for by --job."""
    if job is not None:
        _known(job)
    if outcome is not None and outcome not in OUTCOMES:
        raise ConfigError("--outcome", f"{outcome!r} is no outcome", f"one of {', '.join(OUTCOMES)}")
    span = options.span(since, "--since") if since else None
    app = App(options.settings(context, config))
    after = app.clock() - span if span else None
    with app.store.read() as conn:
        without = () if job else sorted(QUIET)
        found = runs.recent(conn, job=job, outcome=outcome, since=after, without=without, limit=limit)
    app.close()
    if as_json:
        for run in found:
            _out(told(run))
    elif found:
        options.console().print(runs_table(found))
    else:
        asked = job or outcome or since
        options.console().print(
            "no such run on record" if asked else "no run on record yet: `signals run` does one of each"
        )


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
        _out(told(run) | {"log": lines})
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
    """Run one job now, in this process, paused or not; unless the service or someone else is running it just now."""
    _known(name)
    settings = options.settings(context, config)
    app = App(settings)
    try:
        logs.configure(settings.home)
        done = runner_for(app).run(name, "manual")
    finally:
        app.close()
    if as_json:
        _out(told(done))
    else:
        options.console().print(runs_table([done]))
    if done.outcome in ("failed", "skipped"):
        raise typer.Exit(1)


def _known(name: str) -> None:
    if name not in NAMES:
        raise ConfigError("NAME", f"there is no job {name!r}", f"one of {', '.join(NAMES)}")


def _out(record: dict[str, Any]) -> None:
    print(msgspec.json.encode(record).decode())
