"""The jobs of the service by name: what each does and how long it may take."""

import datetime as dt
import functools
from collections.abc import Callable, Mapping

from jobs.app import App
from jobs.heartbeat import Pulse
from jobs.ingest import ingest
from jobs.prices import prices
from jobs.publish import publish
from jobs.retention import retention
from jobs.runner import Runner, Task
from jobs.training import train_job

NAMES = {
    "ingest": "read the sources that are due and store new headlines",
    "prices": "keep closed USD/JPY bars",
    "publish": "score waiting headlines, join prices, send signals to Redis",
    "train": "fit a new model if the corpus has changed",
    "retention": "thin what is kept beyond its time",
    "heartbeat": "tell the channel what the service knows of itself",
}
"""Every job and what it does, in the order of a day's importance."""


def runner_for(app: App, next_runs: Callable[[], Mapping[str, dt.datetime | None]] = dict) -> Runner:
    """A runner of all jobs over these parts."""
    bodies = {"ingest": ingest, "prices": prices, "publish": publish, "train": train_job, "retention": retention}
    tasks: dict[str, Task] = {name: functools.partial(body, app) for name, body in bodies.items()}
    tasks["heartbeat"] = Pulse(app, next_runs)
    timeouts = {name: getattr(app.settings.jobs, name).timeout_s for name in tasks}
    return Runner({name: (task, timeouts[name]) for name, task in tasks.items()}, app.store, app.clock)
