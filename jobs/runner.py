"""Runs jobs, one at a time each, under a deadline, and puts every run on record whatever becomes of it."""

import datetime as dt
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple, Protocol

import msgspec
import structlog

from jobs.logs import logger
from jobs.records import Records
from signals.errors import DeadlineError, SignalsError, StoreError
from signals.model import JobRun, Outcome
from signals.store import Store

Trigger = Literal["schedule", "manual", "chain", "cycle"]
QUIET = frozenset({"heartbeat", "watchdog"})
"""Jobs so frequent that their good runs are logged for the file only. Scheduled ones never wait for the store."""


class Report(NamedTuple):
    """What a job did. Any note makes the run `partial`: a part of it failed or was degraded."""

    counts: Mapping[str, int]
    notes: tuple[str, ...] = ()


class Deadline:
    """The moment by which a run must be over; work between I/O asks it before it commits anything."""

    def __init__(self, job: str, timeout_s: float) -> None:
        self._job = job
        self._timeout_s = timeout_s
        self._end = time.monotonic() + timeout_s

    def remaining_s(self) -> float:
        """Seconds left, never below zero."""
        return max(0.0, self._end - time.monotonic())

    def check(self) -> None:
        """Raise `DeadlineError` once the time is up."""
        if not self.remaining_s():
            raise DeadlineError(f"job {self._job}", f"ran longer than its timeout of {self._timeout_s:g} s", _SLOW)


OVERLAP = "the run before it has not ended"
_SLOW = "raise timeout_s in config/signals.toml, or see what it waits for in `signals jobs show RUN_ID`"


class Run(NamedTuple):
    """What a job is told about its own run."""

    run_id: str
    trigger: Trigger
    deadline: Deadline
    log: structlog.stdlib.BoundLogger


class Task(Protocol):
    """A job's body."""

    def __call__(self, run: Run, /) -> Report:
        """Do the work; raise to fail."""


class Runner:
    """Runs the jobs it was given by name.

    Parameters
    ----------
    tasks : each job's body and its `timeout_s`.
    history : where runs are put on record: one, or the store for one of its own.
    clock : gives the UTC time.
    """

    def __init__(
        self, tasks: Mapping[str, tuple[Task, float]], history: Store | Records, clock: Callable[[], dt.datetime]
    ) -> None:
        self._tasks = tasks
        self._clock = clock
        self._busy = {name: threading.Lock() for name in tasks}
        self.history = history if isinstance(history, Records) else Records(history, clock)

    def run(self, job: str, trigger: Trigger, scheduled_at: dt.datetime | None = None) -> JobRun:
        """Run a job now and wait for it; never raises for what the job did.

        What follows another job waits for a run that is under way; it is there for what that one may not have seen.
        """
        task, timeout_s = self._tasks[job]
        if not self._busy[job].acquire(timeout=timeout_s if trigger == "chain" else 0):
            return self.put_down(job, trigger, "skipped", OVERLAP, scheduled_at=scheduled_at)
        record = self._new(job, trigger, scheduled_at)
        log = logger().bind(run_id=record.run_id, job=job)
        try:
            if not _is_aside(record):
                self.history.begin(record, timeout_s)
        except StoreError as fault:  # the history is told later, not tried again at once
            self._busy[job].release()
            return self._told(record, log, "failed", f"StoreError: {fault}", self.history.owe)
        (log.debug if job in QUIET else log.info)("job.start", trigger=trigger)
        run = Run(record.run_id, trigger, Deadline(job, timeout_s), log)
        try:
            made = self._execute(task, run, self._busy[job], timeout_s)
        except KeyboardInterrupt:
            self._told(record, log, "failed", "stopped by Ctrl-C", self.history.end)
            raise
        return self._finish(record, log, made)

    def put_down(
        self,
        job: str,
        trigger: Trigger,
        outcome: Outcome,
        error: str,
        *,
        scheduled_at: dt.datetime | None = None,
        since: dt.datetime | None = None,
    ) -> JobRun:
        """Put on record a run that never was, or since a UTC time was not: at once, whatever the store does."""
        record = self._new(job, trigger, scheduled_at, since)
        return self._told(record, logger().bind(run_id=record.run_id, job=job), outcome, error, self.history.owe)

    def _new(
        self, job: str, trigger: Trigger, scheduled_at: dt.datetime | None, since: dt.datetime | None = None
    ) -> JobRun:
        started_at = since or self._clock()
        run_id = uuid.uuid4().hex[:12]
        return JobRun(run_id=run_id, job=job, trigger=trigger, scheduled_at=scheduled_at, started_at=started_at)

    def _execute(self, task: Task, run: Run, busy: threading.Lock, timeout_s: float) -> Report | BaseException:
        made: list[Report | BaseException] = []

        def body() -> None:
            try:
                made.append(task(run))
            except Exception as error:  # noqa: BLE001 - whatever a job raises is its outcome, and on record
                made.append(error)
            finally:
                busy.release()

        # A thread of its own, so that a hung job holds up nobody; daemonic, so that it can't hold up the end either.
        worker = threading.Thread(target=body, name=f"job-{run.run_id}", daemon=True)
        worker.start()
        worker.join(timeout_s)
        if made:
            return made[0]
        return DeadlineError(f"job {run.run_id}", f"ran longer than its timeout of {timeout_s:g} s", _SLOW)

    def _finish(self, record: JobRun, log: structlog.stdlib.BoundLogger, made: Report | BaseException) -> JobRun:
        keep = self.history.owe if _is_aside(record) else self.history.end
        if isinstance(made, Report):
            record = msgspec.structs.replace(record, counts=dict(made.counts), notes=made.notes)
            return self._told(record, log, "partial" if made.notes else "ok", None, keep)
        if not isinstance(made, SignalsError):  # not one of ours: a defect, whose traceback belongs in the log
            log = log.bind(exc_info=made)
        return self._told(record, log, "failed", f"{type(made).__name__}: {made}", keep)

    def _told(
        self,
        record: JobRun,
        log: structlog.stdlib.BoundLogger,
        outcome: Outcome,
        error: str | None,
        keep: Callable[[JobRun], None],
    ) -> JobRun:
        """The run with its end, kept and logged."""
        ended_at = max(self._clock(), record.started_at)
        ended = msgspec.structs.replace(record, ended_at=ended_at, outcome=outcome, error=error)
        try:
            keep(ended)
        except StoreError as fault:  # the run is over all the same: the log has it now, and the history once it can
            error = f"{error + '; ' if error else ''}not in the history yet: {fault}"
            ended = msgspec.structs.replace(ended, outcome="failed", error=error)
        write: Any = log.error if error else log.debug if record.job in QUIET else log.info
        write("job.end", outcome=ended.outcome, duration_s=ended.duration_s, counts=ended.counts, error=error)
        return ended


def _is_aside(record: JobRun) -> bool:
    """Whether it never waits for the store: its row is written with the next one, or by its own next run."""
    return record.job in QUIET and record.trigger == "schedule"
