"""The schedule of `signals serve`: APScheduler fires, the runner runs, every miss is put on record."""

import datetime as dt
from collections.abc import Mapping

from apscheduler.events import EVENT_JOB_MAX_INSTANCES, EVENT_JOB_MISSED, JobExecutionEvent, JobSubmissionEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from jobs.runner import Runner, Trigger
from jobs.settings import Job

CHAINED = {"ingest": "publish", "inbox": "publish"}
"""What follows at once: signals must not wait for the next tick."""
_AT_ONCE = ("heartbeat", "ingest", "inbox", "prices")
"""Jobs that also run as the service starts."""


def build(runner: Runner, jobs: Mapping[str, Job], now: dt.datetime) -> BackgroundScheduler:
    """A scheduler, not yet started, with every enabled job on its interval (UTC)."""
    scheduler = BackgroundScheduler(
        timezone=dt.UTC,
        # One thread a job and one to spare: a slow job delays no other.
        executors={"default": ThreadPoolExecutor(len(jobs) + 1)},
        job_defaults={"coalesce": True, "max_instances": 1},
    )
    for name, job in jobs.items():
        if job.enabled:
            first = now if name in _AT_ONCE else now + dt.timedelta(seconds=job.every_s)
            scheduler.add_job(
                fire,
                "interval",
                (runner, name),
                id=name,
                seconds=job.every_s,
                misfire_grace_time=job.grace_s,
                next_run_time=first,
            )
    scheduler.add_listener(lambda event: _missed(runner, event), EVENT_JOB_MISSED | EVENT_JOB_MAX_INSTANCES)
    return scheduler


def fire(runner: Runner, name: str, trigger: Trigger = "schedule") -> None:
    """Run a job, and at once what follows it if it found something."""
    run = runner.run(name, trigger)
    if name in CHAINED and (run.counts.get("new") or run.counts.get("withdrawn")):
        runner.run(CHAINED[name], "chain")


def _missed(runner: Runner, event: JobExecutionEvent | JobSubmissionEvent) -> None:
    if isinstance(event, JobSubmissionEvent):
        for due in event.scheduled_run_times:
            runner.skipped(event.job_id, due)
    else:
        runner.missed(event.job_id, event.scheduled_run_time)
