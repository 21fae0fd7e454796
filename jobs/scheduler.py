"""The schedule of `signals serve`: APScheduler fires, the runner runs, every miss is put on record."""

import datetime as dt
from collections.abc import Callable, Mapping

from apscheduler.events import EVENT_JOB_MAX_INSTANCES, EVENT_JOB_MISSED, JobExecutionEvent, JobSubmissionEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from jobs.claims import OVERLAP
from jobs.follow import Following
from jobs.runner import Runner
from jobs.settings import Job

_AT_ONCE = ("heartbeat", "ingest", "inbox", "prices", "watchdog")
"""Jobs that also run as the service starts."""


def build(
    runner: Runner, following: Following, jobs: Mapping[str, Job], clock: Callable[[], dt.datetime]
) -> BackgroundScheduler:
    """A scheduler, not yet started, with every enabled job on its interval (UTC)."""
    now = clock()
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
                following.fire,
                "interval",
                (name,),
                id=name,
                seconds=job.every_s,
                misfire_grace_time=job.grace_s,
                next_run_time=first,
            )
    scheduler.add_listener(lambda event: _missed(runner, clock(), event), EVENT_JOB_MISSED | EVENT_JOB_MAX_INSTANCES)
    return scheduler


def _missed(runner: Runner, now: dt.datetime, event: JobExecutionEvent | JobSubmissionEvent) -> None:
    """Put down what did not start. The scheduler itself waits for this: it must not wait for a locked store."""
    if isinstance(event, JobSubmissionEvent):
        for due in event.scheduled_run_times:
            runner.put_down(event.job_id, "schedule", "skipped", OVERLAP, scheduled_at=due)
        return
    due = event.scheduled_run_time
    late_s = (now - due).total_seconds()
    error = f"due at {due:%H:%M:%S} UTC, {late_s:.0f} s ago: later than its grace_s allows"
    runner.put_down(event.job_id, "schedule", "missed", error, scheduled_at=due)
