"""The schedule of `signals serve`: APScheduler fires, the runner runs, every miss is put on record."""

import datetime as dt
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from apscheduler.events import EVENT_JOB_MAX_INSTANCES, EVENT_JOB_MISSED, JobExecutionEvent, JobSubmissionEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from jobs.claims import OVERLAP
from jobs.follow import Following
from jobs.runner import Runner
from jobs.settings import Job

_AT_ONCE = ("heartbeat", "ingest", "inbox", "prices", "watchdog")
"""Jobs that also run as the service starts."""
_STEPPED = dt.timedelta(seconds=1)
"""Less than that is no clock that was set: NTP turns it a little all the time."""


class Pace:
    """When each job was last due, and how long the scheduler has started nothing though something was.

    Parameters
    ----------
    every_s : the intervals of the jobs that are scheduled.
    """

    def __init__(self, every_s: Iterable[float]) -> None:
        self._shortest_s = min(every_s, default=None)
        self._last = time.monotonic()
        self.due_at: dict[str, dt.datetime] = {}
        """When the run of each job that was started last had been due, UTC."""

    def started(self, job: str, due_at: dt.datetime) -> None:
        """The scheduler started a run, or tried to."""
        self._last = time.monotonic()
        self.due_at[job] = due_at

    def idle_s(self) -> float:
        """Seconds beyond the shortest interval since it last did; below zero while all is well, or nothing is due."""
        return -1.0 if self._shortest_s is None else time.monotonic() - self._last - self._shortest_s


class _Pool(ThreadPoolExecutor):  # type: ignore[misc]
    """Threads for the runs; notes when each was due, which APScheduler does not tell the job."""

    def __init__(self, threads: int, pace: Pace) -> None:
        super().__init__(threads)
        self._pace = pace

    def submit_job(self, job: Any, run_times: list[dt.datetime]) -> None:
        """Start a run."""
        self._pace.started(job.id, run_times[-1])
        super().submit_job(job, run_times)


def build(
    runner: Runner,
    following: Following,
    jobs: Mapping[str, Job],
    clock: Callable[[], dt.datetime],
    pace: Pace | None = None,
) -> BackgroundScheduler:
    """A scheduler, not yet started, with every enabled job on its interval (UTC)."""
    now, kept = clock(), pace or Pace(())
    scheduler = BackgroundScheduler(
        timezone=dt.UTC,
        # One thread a job and one to spare: a slow job delays no other.
        executors={"default": _Pool(len(jobs) + 1, kept)},
        job_defaults={"coalesce": True, "max_instances": 1},
    )
    for name, job in jobs.items():
        if job.enabled:
            first = now if name in _AT_ONCE else now + dt.timedelta(seconds=job.every_s)
            scheduler.add_job(
                lambda name: following.fire(name, "schedule", kept.due_at.get(name)),
                "interval",
                (name,),
                id=name,
                seconds=job.every_s,
                misfire_grace_time=job.grace_s,
                next_run_time=first,
            )
    scheduler.add_listener(lambda event: _missed(runner, clock(), event), EVENT_JOB_MISSED | EVENT_JOB_MAX_INSTANCES)
    return scheduler


def recall(scheduler: BackgroundScheduler, every_s: Mapping[str, float], now: dt.datetime) -> tuple[str, ...]:
    """Let no job wait longer than its interval from now (UTC) on; the names of those that would have.

    A clock that is set back leaves the scheduler waiting for the time that it had planned, as long as the clock was
    set back by. Nothing waits for a scheduler that has ended.
    """
    if not scheduler.running:
        return ()
    latest = {name: now + dt.timedelta(seconds=every) for name, every in every_s.items()}
    waiting = [job.id for job in scheduler.get_jobs() if job.next_run_time - latest[job.id] > _STEPPED]
    for name in waiting:
        scheduler.modify_job(name, next_run_time=latest[name])  # wakes it up
    return tuple(waiting)


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
