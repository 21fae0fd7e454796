"""Rules for what the service works on: sources, jobs, prices."""

from collections.abc import Iterator

from jobs.finding import STOPPED_S, Finding, Severity, fails_too_often, known, share, since_s
from jobs.mends import mend_of
from jobs.objectives import Freshness
from jobs.observed import JobSeen, Observed, SourceSeen
from jobs.spans import span
from signals.market.hours import open_time

_LEAST_AGE_S = 300
_LIVE_JOBS = frozenset({"ingest", "publish", "heartbeat", "watchdog"})
"""Without these nobody is told anything."""
_RARE_S = 3600
_MANY = 3
"""So many sources down, and more than half of them, have one cause."""


def sources(observed: Observed, objectives: Freshness) -> Iterator[Finding]:
    """Each source that is down, fails too often or tells late; and all of them, where none over the network answers."""
    if observed.sources is None or not known(observed):
        return
    asked = [one for one in observed.sources if one.enabled]
    down = [one for one in asked if one.remote and _is_down(observed, one, objectives)]
    for one in asked:
        yield from _source(observed, one, objectives)
    remote = [one for one in asked if one.remote]
    if len(down) >= _MANY and 2 * len(down) > len(remote):
        since = max(one.last_success_at or observed.at for one in down)
        number = f"All {len(down)}" if len(down) == len(remote) else f"{len(down)} of {len(remote)}"
        text = f"{number} sources down for {span(since_s(observed, since))}"
        severity: Severity = "critical" if len(down) == len(remote) else "warning"
        yield Finding("sources", severity, since, text, "is this machine on the network, and its proxy right?")


def _age_limit_s(source: SourceSeen, objectives: Freshness) -> int:
    return objectives.of_source(source.id).age_s or max(3 * source.every_s, _LEAST_AGE_S)


def _is_down(observed: Observed, source: SourceSeen, objectives: Freshness) -> bool:
    """It fails, and its last answer is too old. One that was not asked (it wished so, or ingest stands) is not down."""
    if not source.failures:
        return False
    last = source.last_success_at
    return last is None or since_s(observed, last) > _age_limit_s(source, objectives)


def _source(observed: Observed, source: SourceSeen, objectives: Freshness) -> Iterator[Finding]:
    limits, key = objectives.of_source(source.id), f"source:{source.id}"
    why = f" ({source.last_error})" if source.last_error else ""
    if _is_down(observed, source, objectives):
        since = source.last_success_at
        text = f"{source.id} down for {span(since_s(observed, since))}" if since else f"{source.id} never answered"
        yield Finding(key, "warning", since or observed.at, text + why, mend_of(source.last_error or "", "source"))
    elif fails_too_often(source.recent, limits.error_share):
        text = f"{source.id} failed {share(source.recent)}{why}"
        yield Finding(key, "warning", observed.at, text, mend_of(source.last_error or "", "source"))
    elif limits.lag_s and source.lag_s is not None and source.lag_s > limits.lag_s:
        text = f"{source.id} tells news {span(source.lag_s)} late"
        mend = f"its publisher is slow: allow it more (freshness.sources.{source.id}.lag_s), or ask another source"
        yield Finding(key, "warning", observed.at, text, mend)


def jobs(observed: Observed, objectives: Freshness) -> Iterator[Finding]:
    """Each enabled job that does not end well; one that is paused is meant to stand."""
    if not known(observed):
        return
    for job in observed.jobs:
        if job.enabled and not job.paused:
            yield from _job(observed, job, objectives)


def _job(observed: Observed, job: JobSeen, objectives: Freshness) -> Iterator[Finding]:
    limits, last = objectives.of_job(job.name), job.last_run
    severity: Severity = "critical" if job.name in _LIVE_JOBS else "warning"
    why, mend = f" ({last.error})" if last and last.error else "", f"see `signals jobs history --job {job.name}`"
    begun = [at for at in (job.last_ok_at, observed.started_at) if at is not None]
    limit_s = max(limits.rounds * job.every_s, job.every_s + job.timeout_s, STOPPED_S)
    if begun and since_s(observed, max(begun)) > limit_s:
        held = job.running_since is not None
        verb = "has been running" if held else "has not succeeded"
        since = job.running_since or max(begun)
        text = f"{job.name} {verb} for {span(since_s(observed, since))}{why}"
        yield Finding(f"job:{job.name}", severity, since, text, mend)
    elif job.every_s >= _RARE_S and last is not None and last.outcome == "failed":
        yield Finding(f"job:{job.name}", severity, last.started_at, f"{job.name} failed{why}", mend)
    elif fails_too_often(job.recent, limits.error_share):
        yield Finding(f"job:{job.name}", severity, observed.at, f"{job.name} failed {share(job.recent)}{why}", mend)


def prices(observed: Observed, objectives: Freshness) -> Iterator[Finding]:
    """Bars too old, counted in time of open market: in a closed week nothing is asked of prices."""
    if not observed.prices or not observed.market_open or not known(observed):
        return
    source = observed.prices[0].source
    closes = [one.last_close_at for one in observed.prices if one.source == source and one.last_close_at]
    job = next((job.last_run for job in observed.jobs if job.name == "prices"), None)
    notes = [note.partition(": ")[2] for note in job.notes if note.startswith(source)] if job else []
    why, mend = f" ({notes[0]})" if notes else "", mend_of(notes[0] if notes else "", "prices")
    limit_s = objectives.of_price(source).age_s
    if not closes:
        if job is not None:
            yield Finding("prices", "warning", observed.at, f"No USD/JPY prices from {source} yet{why}", mend)
    elif open_time(max(closes), observed.at).total_seconds() > limit_s:
        age = span(since_s(observed, max(closes)))
        yield Finding("prices", "warning", max(closes), f"USD/JPY prices {age} old{why}", mend)
