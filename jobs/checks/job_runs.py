"""The jobs: how the last run of each ended, which hang, and which are late in a service that runs."""

import datetime as dt

from jobs.checks.line import Line, fail, ok, warn
from jobs.checks.seen import Seen
from jobs.claims import OVERLAP
from jobs.settings import Job
from jobs.spans import span
from signals.model import JobRun, Pause

_GRACE_S = 60.0
"""How much longer than its timeout a run may be on record as running: so long its end may wait for the store."""
_LATE = 3
"""So many intervals without a run are late."""


def job_runs(seen: Seen) -> list[Line]:
    """A line a job that is not well; one for all that are."""
    from jobs.catalogue import NAMES

    kept = seen.store().kept
    if kept is None:
        return []
    running = seen.service() is not None
    now = seen.clock()
    judged = [
        _job(
            name, getattr(seen.settings.jobs, name), kept.latest.get(name), kept.pauses.get(name), now, running=running
        )
        for name in NAMES
    ]
    good = sum(line is None for line in judged)
    bad = [line for line in judged if line is not None]
    return [*([ok("jobs", f"{good} of {len(judged)} as they should be")] if good else []), *bad]


def _job(
    name: str, schedule: Job, last: JobRun | None, pause: Pause | None, now: dt.datetime, *, running: bool
) -> Line | None:
    check = f"job:{name}"
    if not schedule.enabled:
        return warn(check, "is turned off", f"jobs.{name}.enabled = true turns it on")
    if pause is not None:
        return warn(
            check, f"is paused{_until(pause)}: {pause.why or 'no reason given'}", f"`signals jobs resume {name}`"
        )
    if last is None:
        return None
    age_s = (now - last.started_at).total_seconds()
    show = f"`signals jobs show {last.run_id}` has its log"
    if last.outcome == "running" and running and age_s > schedule.timeout_s:
        text = f"has run for {span(age_s)}, longer than its timeout of {schedule.timeout_s} s"
        return fail(check, text, f"{show}; restart `signals serve` if it does not end")
    if last.outcome == "running" and not running and age_s > schedule.timeout_s + _GRACE_S:
        return warn(check, f"was interrupted {span(age_s)} ago", "the next `signals serve` takes it up again")
    if last.outcome == "skipped" and last.error == OVERLAP and running:
        text = f"hangs: {span(age_s)} ago it could not be started, since {OVERLAP}"
        return fail(
            check, text, "`signals jobs list` says since when; it is killed by itself, or restart `signals serve`"
        )
    if last.outcome in ("failed", "missed"):
        return warn(check, f"{last.outcome} {span(age_s)} ago: {last.error}", show)
    late_s = max(_LATE * schedule.every_s, schedule.every_s + schedule.timeout_s)
    if running and age_s > late_s:
        text = f"last began {span(age_s)} ago, and should every {schedule.every_s} s"
        return fail(check, text, "does the scheduler stand still? restart `signals serve` and keep its log")
    return None


def _until(pause: Pause) -> str:
    return f" until {pause.until:%Y-%m-%d %H:%M} UTC" if pause.until else ""
