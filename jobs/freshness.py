"""What is fresh and what is not: objectives against one look at the service. Pure: no clock, no store, no network.

A finding says what is wrong at this very moment; for how long it must be before someone is told is the matter of
`alerting`. Several findings may have one cause: `roots` leaves the causes.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence

from jobs import rules_parts, rules_service
from jobs.finding import STOPPED_S, Finding, Severity
from jobs.objectives import Freshness
from jobs.observed import Observed
from jobs.spans import span

__all__ = ["Finding", "Severity", "alive", "judge", "not_alive", "roots", "sentence"]

_NAMED = 2
_RULES: tuple[Callable[[Observed, Freshness], Iterator[Finding]], ...] = (
    rules_service.scheduler,
    rules_service.store,
    rules_service.broker,
    rules_service.channel,
    rules_service.inbox,
    rules_service.services,
    rules_service.disk,
    rules_service.clock,
    rules_service.model,
    rules_parts.sources,
    rules_parts.jobs,
    rules_parts.prices,
)


def judge(observed: Observed, objectives: Freshness) -> list[Finding]:
    """All that is wrong, the worst first.

    What the store has not said since a minute is not judged: then `store` says why.
    """
    found = [one for rule in _RULES for one in rule(observed, objectives)]
    return sorted(found, key=_rank)


def alive(observed: Observed) -> bool:
    """Whether schedule and watchdog go on: false means that nobody here would notice anything."""
    return not_alive(observed) is None


def not_alive(observed: Observed) -> str | None:
    """Why not, in one line; null where they do."""
    stopped = next(rules_service.scheduler(observed, Freshness()), None)
    if stopped is not None and stopped.severity == "critical":
        return stopped.text
    watchdog = next((job for job in observed.jobs if job.name == "watchdog"), None)
    if watchdog is None or not watchdog.enabled or watchdog.paused:
        return None
    begun = [at for at in (observed.judged_at, observed.started_at) if at is not None]
    if not begun:
        return "Watchdog has never judged"
    silent_s = (observed.at - max(begun)).total_seconds()
    limit_s = max(STOPPED_S, 4 * watchdog.every_s)
    return f"Watchdog silent for {span(silent_s)}" if silent_s > limit_s else None


def roots(findings: Sequence[Finding]) -> list[Finding]:
    """The findings that no other one explains, in the same order."""
    found = {one.key: one for one in findings}
    return [one for one in findings if not explained(one.key, found)]


def explained(key: str, found: Mapping[str, Finding]) -> bool:
    """Whether one of the findings is the cause of what this key stands for."""
    return any(
        key.startswith(under)
        for cause, under in _EXPLAINS.items()
        if cause in found and cause != key and not (cause in _STILL_WORKS and found[cause].severity == "warning")
    )


_EXPLAINS: dict[str, tuple[str, ...]] = {
    "sources": ("source:",),
    "store": ("job:", "channel", "sources", "source:", "prices"),
    "scheduler": ("job:", "channel", "sources", "source:", "prices"),
    "broker": ("channel", "inbox", "job:publish", "job:heartbeat", "job:inbox", "job:watchdog"),
    "inbox": ("job:inbox",),
    "model": ("job:publish",),
    "job:ingest": ("sources", "source:"),
    "job:prices": ("prices",),
}
"""What a cause explains: findings whose keys begin so."""
_STILL_WORKS = frozenset({"scheduler", "model"})
"""Causes that explain nothing while they are a warning: one job that began late, a model that stands in for another."""

_ORDER = (
    "scheduler",
    "store",
    "disk",
    "broker",
    "sources",
    "channel",
    "inbox",
    "job:",
    "model",
    "prices",
    "source:",
    "services",
    "clock",
)


def _rank(finding: Finding) -> tuple[bool, int, dt.datetime]:
    place = next(n for n, key in enumerate(_ORDER) if finding.key.startswith(key))
    return finding.severity != "critical", place, finding.since


def sentence(observed: Observed, findings: Sequence[Finding]) -> str:
    """The state in one sentence: the worst two causes, or that all is quiet."""
    if worst := roots(findings):
        more = f", and {len(worst) - _NAMED} more" if len(worst) > _NAMED else ""
        return "; ".join(one.text.partition(" (")[0] for one in worst[:_NAMED]) + more
    if observed.sources is None:
        return "Starting: nothing is known yet"
    asked = sum(one.enabled and one.last_success_at is not None for one in observed.sources)
    if not asked and any(one.enabled for one in observed.sources):
        return "Starting: no source has been asked yet"
    last = observed.last_headline_at
    heard = f"last headline {span((observed.at - last).total_seconds())} ago" if last else "no headline yet"
    closed = "" if observed.market_open else ", market closed"
    return f"Quiet: {asked} source{'s' * (asked != 1)} fresh, {heard}{closed}"
