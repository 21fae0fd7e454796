"""The jobs of the service by name: what each does and how long it may take."""

import datetime as dt
import functools
import importlib
import pkgutil
from collections.abc import Callable, Mapping

from jobs import traces
from jobs.app import App
from jobs.claims import Claims
from jobs.heartbeat import Pulse
from jobs.pauses import Pauses
from jobs.records import Records
from jobs.runner import QUIET, Report, Run, Runner, Task

NAMES = {
    "ingest": "read the sources that are due and store new headlines",
    "inbox": "store the headlines that were pushed into Redis",
    "prices": "keep closed USD/JPY bars",
    "publish": "score waiting headlines, join prices, send signals to Redis",
    "scorecard": "say what came of each signal, once its horizon is reached",
    "train": "fit a new model if the corpus has changed",
    "retention": "thin what is kept beyond its time",
    "heartbeat": "tell the channel what the service knows of itself",
    "watchdog": "judge what is fresh; open, repeat and close alerts",
}
"""Every job and what it does, in the order of a day's importance."""


_BODIES = {
    "ingest": "jobs.ingest:ingest",
    "inbox": "jobs.inbox:inbox",
    "prices": "jobs.prices:prices",
    "publish": "jobs.publish:publish",
    "scorecard": "jobs.scorecard:scorecard",
    "train": "jobs.training:train_job",
    "retention": "jobs.retention:retention",
}
"""Where each body is found when it first runs: what the jobs import takes seconds, which `jobs list` need not wait."""


def runner_for(
    app: App, next_runs: Callable[[], Mapping[str, dt.datetime | None]] = dict, *, retries: bool = False
) -> Runner:
    """A runner of all jobs over these parts; it and others of the same home never run a job at once."""
    tasks: dict[str, Task] = {name: functools.partial(_call, where, app) for name, where in _BODIES.items()}
    history = Records(app.store, app.clock)
    tasks["heartbeat"] = Pulse(app, next_runs, history.settle)
    tasks["watchdog"] = _watchdog(app, next_runs)
    timeouts = {name: getattr(app.settings.jobs, name).timeout_s for name in tasks}
    claims = Claims(tasks, app.settings.home / "locks", free=QUIET)
    app.hold(claims)
    bodies = {name: (task, timeouts[name]) for name, task in tasks.items()}
    return Runner(bodies, history, app.clock, claims=claims, next_runs=next_runs, retries=retries)


def warm() -> None:
    """Import what the jobs need, which takes seconds, before they are run."""
    for where in (*_BODIES.values(), "jobs.watchdog:"):
        importlib.import_module(where.partition(":")[0])


def pauses_for(app: App) -> Pauses:
    """What pauses these jobs and lets them go on, without a runner."""
    return Pauses(app.store, app.clock, NAMES)


def _watchdog(app: App, next_runs: Callable[[], Mapping[str, dt.datetime | None]]) -> Task:
    """The watchdog, which remembers from run to run; made at its first."""
    made: list[Task] = []

    def judge(run: Run) -> Report:
        if not made:
            from jobs.watchdog import Watchdog

            made.append(Watchdog(app, next_runs))
        return made[0](run)

    return judge


def _call(where: str, app: App, run: Run) -> Report:
    with traces.span(f"job {where.rpartition(':')[2]}", run_id=run.run_id, trigger=run.trigger):
        report: Report = pkgutil.resolve_name(where)(app, run)
    return report
