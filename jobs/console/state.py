"""How things stand, as the page tells it: the sentence, what is wrong, every source, every job."""

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from jobs import services
from jobs.freshness import Finding, judge, roots, sentence
from jobs.observed import JobSeen, Observed, observe
from jobs.pauses import NEVER
from signals.model import Pause

if TYPE_CHECKING:
    from jobs.routes import Parts

OLD = dt.timedelta(seconds=10)
"""What the store said before is told with the time it was read."""


def state(parts: "Parts") -> dict[str, Any]:
    """One look at the service, judged; within a second, whatever hangs. What could not be read is null."""
    observed = observe(parts.app, parts.next_runs)
    findings = judge(observed, parts.app.settings.freshness)
    paused = parts.runner.paused() if parts.runner is not None and observed.store_fault is None else {}
    read_at = observed.read_at
    return {
        "sentence": sentence(observed, findings),
        "severity": severity(observed, findings),
        "services": services.sentence(observed.services, observed.at) if len(observed.services) > 1 else None,
        "leads": observed.leads,
        "findings": [one._asdict() for one in roots(findings)],  # of fourteen sources that are down, one line
        "read_at": read_at if read_at is not None and observed.at - read_at > OLD else None,
        "sources": None if observed.sources is None else [one._asdict() for one in observed.sources],
        "jobs": [_job(one, paused.get(one.name)) for one in observed.jobs],
        "prices": None if observed.prices is None else [one._asdict() for one in observed.prices],
        "channel": observed.channel and observed.channel._asdict(),
        "inbox": observed.inbox and observed.inbox._asdict(),
        "market_open": observed.market_open,
        "model_id": observed.model_id,
        "store_fault": observed.store_fault,
        "broker_fault": observed.broker_fault,
        "may_act": parts.runner is not None and parts.following is not None,
    }


def severity(observed: Observed, findings: Sequence[Finding]) -> str:
    """The worst of them; `unknown` where nothing could be read, `ok` where nothing is wrong."""
    if findings:
        return "critical" if any(one.severity == "critical" for one in findings) else "warning"
    return "unknown" if observed.sources is None else "ok"


def _job(seen: JobSeen, pause: Pause | None) -> dict[str, Any]:
    told = seen._asdict() | {"paused": seen.paused or pause is not None, "can_rest": seen.name not in NEVER}
    return told | {"paused_until": pause.until if pause else None, "why": pause.why if pause else None}
