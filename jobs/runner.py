"""Runs jobs, one at a time each, under a deadline, and puts every run on record whatever becomes of it."""

import contextlib
import datetime as dt
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple, Protocol

import msgspec
import structlog

from jobs.logs import logger
from signals.errors import DeadlineError, SignalsError, StoreError
from signals.model import JobRun, Outcome
from signals.store import Store, runs

Trigger = Literal["schedule", "manual", "chain", "cycle"]
QUIET = frozenset({"heartbeat"})
"""Jobs so frequent that their successful runs are logged at debug level only: in the file, not on the screen."""


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


_RECORDED_WITHIN_S = 60
_OWED = 1000
"""Ended runs that are kept for the history while it cannot be written."""
_OVERLAP = "the run before it has not ended"
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
    store : keeps the history.
    clock : gives the UTC time.
    """

    def __init__(self, tasks: Mapping[str, tuple[Task, float]], store: Store, clock: Callable[[], dt.datetime]) -> None:
        self._tasks = tasks
        self._store = store
        self._clock = clock
        self._busy = {name: threading.Lock() for name in tasks}
        self._owed: deque[JobRun] = deque(maxlen=_OWED)

    def run(self, job: str, trigger: Trigger, scheduled_at: dt.datetime | None = None) -> JobRun:
        """Run a job now and wait for it; never raises for what the job did."""
        task, timeout_s = self._tasks[job]
        record = self._new(job, trigger, scheduled_at)
        log = logger().bind(run_id=record.run_id, job=job)
        if not self._busy[job].acquire(blocking=False):
            return self._record(record, log, "skipped", error=_OVERLAP)
        try:
            self._begin(record, timeout_s)
        except StoreError as fault:
            self._busy[job].release()
            return self._not_begun(record, log, fault)
        (log.debug if job in QUIET else log.info)("job.start", trigger=trigger)
        run = Run(record.run_id, trigger, Deadline(job, timeout_s), log)
        try:
            outcome = self._execute(task, run, self._busy[job], timeout_s)
        except KeyboardInterrupt:
            self._record(record, log, "failed", error="stopped by Ctrl-C")
            raise
        return self._finish(record, log, outcome)

    def missed(self, job: str, scheduled_at: dt.datetime) -> JobRun:
        """Put on record that a run due at `scheduled_at` never started: its time had passed."""
        late_s = (self._clock() - scheduled_at).total_seconds()
        error = f"due at {scheduled_at:%H:%M:%S} UTC, {late_s:.0f} s ago: later than its grace_s allows"
        return self._without_running(job, scheduled_at, "missed", error)

    def skipped(self, job: str, scheduled_at: dt.datetime) -> JobRun:
        """Put on record that a run due at `scheduled_at` did not start: the one before it had not ended."""
        return self._without_running(job, scheduled_at, "skipped", _OVERLAP)

    def _without_running(self, job: str, scheduled_at: dt.datetime, outcome: Outcome, error: str) -> JobRun:
        record = self._new(job, "schedule", scheduled_at)
        return self._record(record, logger().bind(run_id=record.run_id, job=job), outcome, error=error)

    def _new(self, job: str, trigger: Trigger, scheduled_at: dt.datetime | None) -> JobRun:
        run_id = uuid.uuid4().hex[:12]
        return JobRun(run_id=run_id, job=job, trigger=trigger, scheduled_at=scheduled_at, started_at=self._clock())

    def _begin(self, record: JobRun, timeout_s: float) -> None:
        with self._store.write() as conn:
            # A run this old has either ended or been killed: a live one is recorded at its timeout.
            stale_s = timeout_s + _RECORDED_WITHIN_S
            runs.close_interrupted(conn, [record.job], self._clock(), older_than_s=stale_s)
            runs.begin(conn, record)

    def _not_begun(self, record: JobRun, log: structlog.stdlib.BoundLogger, fault: StoreError) -> JobRun:
        """A run that could not even be put on record: the history is told later, not tried again at once."""
        error, now = f"StoreError: {fault}", max(self._clock(), record.started_at)
        ended = msgspec.structs.replace(record, ended_at=now, outcome="failed", error=error)
        self._owed.append(ended)
        log.error("job.end", outcome=ended.outcome, duration_s=ended.duration_s, counts=ended.counts, error=error)
        return ended

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
        if isinstance(made, Report):
            return self._record(record, log, "partial" if made.notes else "ok", report=made)
        if not isinstance(made, SignalsError):  # not one of ours: a defect, whose traceback belongs in the log
            log = log.bind(exc_info=made)
        return self._record(record, log, "failed", error=f"{type(made).__name__}: {made}")

    def _record(
        self,
        record: JobRun,
        log: structlog.stdlib.BoundLogger,
        outcome: Outcome,
        *,
        report: Report | None = None,
        error: str | None = None,
    ) -> JobRun:
        ended = msgspec.structs.replace(
            record,
            ended_at=max(self._clock(), record.started_at),
            outcome=outcome,
            counts=dict(report.counts) if report else {},
            notes=report.notes if report else (),
            error=error,
        )
        try:
            self._write(ended)
        except StoreError as fault:  # the run is over all the same: the log has it now, and the history once it can
            error = f"{error + '; ' if error else ''}not in the history yet: {fault}"
            ended = msgspec.structs.replace(ended, outcome="failed", error=error)
        write: Any = log.error if error else log.debug if record.job in QUIET else log.info
        write("job.end", outcome=ended.outcome, duration_s=ended.duration_s, counts=ended.counts, error=error)
        return ended

    def _write(self, ended: JobRun) -> None:
        """Put an ended run into the history, and with it those that could not be when they ended."""
        taken = [ended]
        with contextlib.suppress(IndexError):
            while True:
                taken.append(self._owed.popleft())
        try:
            with self._store.write() as conn:
                for one in taken:
                    runs.finish(conn, one)
        except StoreError:
            self._owed.extend(taken)
            raise
