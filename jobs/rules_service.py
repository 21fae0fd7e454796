"""Rules for the service itself: schedule, store, Redis and the way to it, machine, model."""

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from jobs.finding import STOPPED_S, Finding, Severity, known, since_s
from jobs.mends import mend_of
from jobs.objectives import Freshness
from jobs.observed import Observed
from jobs.services import SILENT, STANDS_BY, sentence
from jobs.spans import span

_MB = 1_000_000
_DRIFT_TOLD_S = 60
"""How long a late start is told of."""


def scheduler(observed: Observed, objectives: Freshness) -> Iterator[Finding]:
    """By this process' own schedule where it has one, else by the last runs on record."""
    planned = [job for job in observed.jobs if job.next_run_at is not None]
    mend = "restart `signals serve`; the log's last lines say what it did"
    if planned:
        late_s = {job.name: (observed.at - job.next_run_at).total_seconds() for job in planned if job.next_run_at}
        ahead_s = min(-late_s[job.name] - job.every_s for job in planned)
        worst = max(late_s, key=lambda name: late_s[name])
        if max(late_s.values()) > STOPPED_S:
            since = observed.at - dt.timedelta(seconds=late_s[worst])
            text = f"Scheduler stopped (no job was started since {since:%H:%M:%S} UTC)"
            yield Finding("scheduler", "critical", since, text, mend)
        elif ahead_s > STOPPED_S:
            text = f"Scheduler waits for {span(ahead_s)} (the clock was set back)"
            yield Finding("scheduler", "critical", observed.at, text, "restart `signals serve`")
        elif (drift := _drift(observed, late_s)).late_s > objectives.service.drift_s:
            text = f"Scheduler {span(drift.late_s)} late (job {drift.job})"
            yield Finding("scheduler", "warning", observed.at, text, "see what keeps it: load, memory, a slow disk")
        return
    if not known(observed):
        return
    begun = [job.last_run.started_at for job in observed.jobs if job.last_run is not None]
    quickest_s = min((job.every_s for job in observed.jobs if job.enabled and not job.paused), default=STOPPED_S)
    if begun and since_s(observed, max(begun)) > max(STOPPED_S, 4 * quickest_s):
        since = max(begun)
        text = f"Scheduler stopped (no job has run for {span(since_s(observed, since))})"
        yield Finding("scheduler", "critical", since, text, "start `signals serve`")


class _Drift(NamedTuple):
    late_s: float
    job: str


def _drift(observed: Observed, late_s: Mapping[str, float]) -> _Drift:
    """The job that is the latest: due and not started, or started late of late.

    While the clock was set forward of late, or the machine slept, starts tell nothing: all that was due meanwhile is
    late by that, and `clock` says so.
    """
    found = [_Drift(seconds, name) for name, seconds in late_s.items()]
    if observed.clock_jump_s is not None and observed.clock_jump_s > 0:
        return max(found)
    for job in observed.jobs:
        run = job.last_run
        if run is not None and run.attempt == 1 and since_s(observed, run.started_at) <= _DRIFT_TOLD_S:
            found.append(_Drift(run.drift_s or 0.0, job.name))
    return max(found)


def store(observed: Observed, _: Freshness) -> Iterator[Finding]:
    """A store that cannot be read or written."""
    if observed.store_fault is not None:
        since = observed.store_fault_since or observed.at
        text = f"Store fails for {span(since_s(observed, since))} ({observed.store_fault})"
        yield Finding("store", "critical", since, text, mend_of(observed.store_fault, "store"))


def broker(observed: Observed, _: Freshness) -> Iterator[Finding]:
    """Redis that does not serve, and what waits for it."""
    if observed.broker_fault is None:
        return
    since = observed.broker_fault_since or observed.at
    waiting = observed.channel.outbox_depth if observed.channel else 0
    wait = f": {waiting} signal{'s' * (waiting != 1)} wait{'s' * (waiting == 1)}" if waiting else ""
    text = f"Redis away for {span(since_s(observed, since))}{wait} ({observed.broker_fault})"
    yield Finding("broker", "critical", since, text, mend_of(observed.broker_fault, "broker"))


def channel(observed: Observed, objectives: Freshness) -> Iterator[Finding]:
    """Messages that wait too long, or are late when they are sent."""
    limits, way = objectives.channel, observed.channel
    if way is None or not known(observed):
        return
    oldest = way.oldest_unsent_at
    if oldest is not None and since_s(observed, oldest) > limits.unsent_s:
        text = f"Channel behind: {way.outbox_depth} signals wait for {span(since_s(observed, oldest))}"
        yield Finding("channel", "critical", oldest, text, "see `signals jobs history --job publish`")
    elif way.lag_s is not None and way.lag_s > limits.lag_s:
        text = f"Signals reach the channel {span(way.lag_s)} after their headlines"
        mend = "see how long `publish` takes in `signals jobs history --job publish`"
        yield Finding("channel", "warning", observed.at, text, mend)


def inbox(observed: Observed, _: Freshness) -> Iterator[Finding]:
    """Pushed news that workers should score: none lives, or they do not keep up."""
    seen = observed.inbox
    if seen is None or not seen.wanted:
        return
    if seen.waiting > seen.most:
        text = f"Inbox behind: {seen.waiting} pushed headlines wait ({seen.workers} workers, {seen.scored} scored)"
        yield Finding("inbox", "warning", observed.at, text, "start more `signals work`, or see what the service does")
    elif not seen.workers:
        text = "No worker scores the inbox: the service does it by itself"
        yield Finding("inbox", "warning", observed.at, text, "start `signals work`; its log says why one ended")


def services(observed: Observed, _: Freshness) -> Iterator[Finding]:
    """A service that stood by, or led, and is heard of no more: nobody would take over."""
    silent = [one for one in observed.services if one.state == SILENT]
    if silent and known(observed) and all(one.state != STANDS_BY for one in observed.services):
        since = max(one.seen_at for one in silent)
        text = f"Nobody stands by ({sentence(observed.services, observed.at)})"
        yield Finding("services", "warning", since, text, mend_of("", "services"))


def disk(observed: Observed, objectives: Freshness) -> Iterator[Finding]:
    """Too little room in the home."""
    free, limit = observed.disk_free_bytes, objectives.service.disk_free_mb * _MB
    if free is not None and free < limit:
        text = f"Disk almost full: {free // _MB} MB free in the home"
        severity: Severity = "critical" if free < limit / 10 else "warning"
        yield Finding("disk", severity, observed.at, text, mend_of("full", "disk"))


def clock(observed: Observed, objectives: Freshness) -> Iterator[Finding]:
    """A clock that is off, or was set."""
    limit_s, offset_s, jump_s = objectives.service.clock_s, observed.clock_offset_s, observed.clock_jump_s
    if offset_s is not None and abs(offset_s) > limit_s:
        text = f"Clock {span(abs(offset_s))} {'ahead' if offset_s > 0 else 'behind'}"
    elif jump_s is not None and abs(jump_s) > limit_s:
        text = f"Clock was set {'forward' if jump_s > 0 else 'back'} by {span(abs(jump_s))} (or the machine slept)"
    else:
        return
    yield Finding("clock", "warning", observed.at, text, mend_of("", "clock"))


def model(observed: Observed, _: Freshness) -> Iterator[Finding]:
    """No model, or not the one of this home."""
    publish = next((job.last_run for job in observed.jobs if job.name == "publish"), None)
    if publish is not None and (publish.error or "").startswith("ModelError"):
        text = f"No model: nothing is scored ({publish.error})"
        yield Finding("model", "critical", publish.started_at, text, mend_of("", "model"))
    elif observed.model_fault is not None:
        text = f"Shipped model is used instead of the home's ({observed.model_fault})"
        yield Finding("model", "warning", observed.at, text, mend_of("", "model"))
