"""The services that share the store: who leads, and whether another could take over."""

from jobs.checks.line import Line, ok, warn
from jobs.checks.seen import Seen
from jobs.services import LEADS, SILENT, sentence


def services(seen: Seen) -> list[Line]:
    """One line; nothing where there is no service."""
    kept = seen.store().kept
    if kept is None or not kept.services:
        return []
    text = sentence(kept.services, seen.clock())
    states = [one.state for one in kept.services]
    if LEADS not in states:
        return [warn("services", text, "start `signals serve`, or see why those that run cannot write to the store")]
    if SILENT in states:
        mend = "start it again; one that is gone for good is forgotten after a day"
        return [warn("services", text, mend)]
    return [ok("services", text)]
