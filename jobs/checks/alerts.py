"""The alerts that are open, and whether what is to be sent of them can be."""

from jobs.checks.line import Line, ok, warn
from jobs.checks.seen import Seen
from jobs.spans import span


def alerts(seen: Seen) -> list[Line]:
    """A line an open alert."""
    kept = seen.store().kept
    if kept is None:
        return []
    now = seen.clock()
    lines = [
        warn(
            f"alert:{one.key}", f"open for {span((now - (one.opened_at or now)).total_seconds())}: {one.text}", one.mend
        )
        for one in kept.alerts
    ]
    return lines or [ok("alerts", "none is open")]
