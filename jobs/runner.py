"""Runs jobs, one at a time each, under a deadline, and puts every run on record whatever becomes of it."""

import datetime as dt
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple, Protocol

import msgspec
import structlog

from jobs.causes import in_one_line
from jobs.claims import Claims
from jobs.logs import logger
from jobs.pauses import Pauses
from jobs.records import BY_ITSELF, Records
from jobs.retries import Backoff
from jobs.worker import ASIDE_S, Active, Worker, Working
from signals.errors import DeadlineError, SignalsError, StoreError
from signals.model import JobRun, Outcome, Pause
from signals.store import Store

Trigger = Literal["schedule", "manual", "chain", "cycle"]
QUIET = frozenset({"heartbeat", "watchdog"})
"""Jobs so frequent that their good runs are logged for the file only. Scheduled ones never wait for the store, and
none is tried again: its next run is due.
"""


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
            raise DeadlineError(f"job {self._job}", _over(self._timeout_s), _SLOW)


RESTS = "it is paused: `signals jobs resume` lets it go on"
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


Made = Report | BaseException | None
"""What became of an attempt: what it did, what it raised; null where its time is up and its thread is at work still."""


class Runner:
    """Runs the jobs it was given by name.

    Parameters
    ----------
    tasks : each job's body and its `timeout_s`.
    history : where runs are put on record: one, or the store for one of its own.
    clock : gives the UTC time.
    claims : what keeps runs of a job apart; null: only those of this process are.
    next_runs : gives each job's next scheduled time, UTC: by then every retry has ended.
    retries : whether failed runs are tried again, as `retries.RULES` says.
    """

    def __init__(
        self,
        tasks: Mapping[str, tuple[Task, float]],
        history: Store | Records,
        clock: Callable[[], dt.datetime],
        *,
        claims: Claims | None = None,
        next_runs: Callable[[], Mapping[str, dt.datetime | None]] = dict,
        retries: bool = False,
    ) -> None:
        self._tasks = tasks
        self._clock = clock
        self._claims = claims or Claims(tasks)
        self._next_runs = next_runs
        self._retries = retries
        self._failing: set[str] = set()
        self._ending = threading.Event()
        self._working = Working()
        self.history = history if isinstance(history, Records) else Records(history, clock)
        self.watchers: list[Callable[[JobRun], object]] = []
        """Told of each run as it ends, in its thread: they neither wait nor raise, as `deque.append`."""
        self.pauses = Pauses(self.history.store, clock, tasks)

    def run(self, job: str, trigger: Trigger, scheduled_at: dt.datetime | None = None) -> JobRun:
        """Run a job now and wait for it, again where that may help; the last attempt. Never raises for what it did.

        What follows another job waits for a run that is under way; it is there for what that one may not have seen.
        A paused job is run by hand only: what its schedule asks for leaves no row.
        """
        if trigger in BY_ITSELF and self.pauses.hold(job):
            return msgspec.structs.replace(self._new(job, trigger, scheduled_at), outcome="skipped", error=RESTS)
        try:
            other = self._claims.take(job, self._tasks[job][1] if trigger == "chain" else 0)
        except StoreError as fault:
            return self.put_down(job, trigger, "failed", in_one_line(fault), scheduled_at=scheduled_at)
        if other is not None:
            return self.put_down(job, trigger, "skipped", other, scheduled_at=scheduled_at)
        backoff = self._backoff(job)
        while True:
            ended, made = self._attempt(self._new(job, trigger, scheduled_at, backoff.attempt), backoff)
            wait_s = backoff.next_after(made) if isinstance(made, BaseException) else None
            if wait_s is None or self._ending.wait(wait_s):
                break
        if made is not None:  # else its thread has the claim until it ends
            self._claims.give_back(job)
        (self._failing.add if ended.outcome == "failed" else self._failing.discard)(job)
        return ended

    def pause(self, job: str, for_s: float | None = None, why: str = "") -> Pause:
        """Let a job rest from its next tick on, as `Pauses.pause` does."""
        return self.pauses.pause(job, for_s, why)

    def resume(self, job: str) -> bool:
        """Let a job go on, as `Pauses.resume` does."""
        return self.pauses.resume(job)

    def paused(self) -> dict[str, Pause]:
        """The pauses that hold now, by job."""
        return self.pauses.standing()

    def active(self) -> tuple[Active, ...]:
        """The runs under way, each with how far it is beyond its time."""
        return self._working.active()

    def end(self) -> None:
        """Wait for no other attempt any more."""
        self._ending.set()

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
        record = self._new(job, trigger, scheduled_at, since=since)
        return self._told(record, _log_of(record), outcome, error, self.history.owe)

    def _new(
        self,
        job: str,
        trigger: Trigger,
        scheduled_at: dt.datetime | None,
        attempt: int = 1,
        since: dt.datetime | None = None,
    ) -> JobRun:
        return JobRun(
            run_id=uuid.uuid4().hex[:12], job=job, trigger=trigger, scheduled_at=scheduled_at,
            started_at=since or self._clock(), attempt=attempt,
        )  # fmt: skip

    def _backoff(self, job: str) -> Backoff:
        """What bounds the attempts of a run that begins now."""
        budget_s, due = self._tasks[job][1], self._next_runs().get(job)
        if due is not None:
            budget_s = min(budget_s, (due - self._clock()).total_seconds())
        return Backoff(budget_s, allowed=self._retries and job not in QUIET and job not in self._failing)

    def _attempt(self, record: JobRun, backoff: Backoff) -> tuple[JobRun, Made]:
        task, timeout_s = self._tasks[record.job]
        if record.attempt > 1:
            timeout_s = backoff.remaining_s()
        log = _log_of(record)
        try:
            self._working.on(record, ASIDE_S)
            if not _is_aside(record):
                self.history.begin(record, timeout_s)
        except StoreError as fault:  # the history is told later, not tried again at once
            self._working.off(record.run_id)
            return self._told(record, log, "failed", in_one_line(fault), self.history.owe), fault
        (log.debug if record.job in QUIET else log.info)(
            "job.start", trigger=record.trigger, attempt=record.attempt, drift_s=record.drift_s
        )
        try:
            made = self._work(record, task, timeout_s, log)
        except KeyboardInterrupt:
            self._told(record, log, "failed", "stopped by Ctrl-C", self.history.end)
            raise
        if made is not None:
            self._working.on(record, ASIDE_S)
        ended = self._finish(record, log, made or DeadlineError(f"job {record.job}", _over(timeout_s), _SLOW))
        if made is not None:
            self._working.off(record.run_id)
        return ended, made

    def _work(self, record: JobRun, task: Task, timeout_s: float, log: structlog.stdlib.BoundLogger) -> Made:
        run = Run(record.run_id, record.trigger, Deadline(record.job, timeout_s), log)

        def late() -> None:
            self._working.off(record.run_id)
            self._claims.give_back(record.job)

        self._working.on(record, timeout_s)
        return Worker(f"job-{record.run_id}", lambda: task(run), late).wait(timeout_s)

    def _finish(self, record: JobRun, log: structlog.stdlib.BoundLogger, made: Report | BaseException) -> JobRun:
        keep = self.history.owe if _is_aside(record) else self.history.end
        if isinstance(made, Report):
            record = msgspec.structs.replace(record, counts=dict(made.counts), notes=made.notes)
            return self._told(record, log, "partial" if made.notes else "ok", None, keep)
        if not isinstance(made, SignalsError):  # not one of ours: a defect, whose traceback belongs in the log
            log = log.bind(exc_info=made)
        return self._told(record, log, "failed", in_one_line(made), keep)

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
        for watcher in self.watchers:
            watcher(ended)
        return ended


def _log_of(record: JobRun) -> structlog.stdlib.BoundLogger:
    return logger().bind(run_id=record.run_id, job=record.job)


def _over(timeout_s: float) -> str:
    return f"ran longer than its timeout of {timeout_s:g} s"


def _is_aside(record: JobRun) -> bool:
    """Whether it never waits for the store: its row is written with the next one, or by its own next run."""
    return record.job in QUIET and record.trigger == "schedule"
