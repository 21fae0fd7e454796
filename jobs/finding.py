"""A finding, and what all rules ask of a look."""

import datetime as dt
from typing import Literal, NamedTuple

from jobs.observed import Observed

Severity = Literal["warning", "critical"]

STOPPED_S = 60
"""A schedule this late, or a watchdog this silent, is dead; what was read so long ago is not judged."""
_LEAST_ENDS, _MENDED = 6, 5
"""So many ends make a share; so many good ones in a row and it is over."""


class Finding(NamedTuple):
    """Something that is not as it should be."""

    key: str
    """What: `source:ID`, `job:NAME`, `sources`, `prices`, `channel`, `inbox`, `broker`, `store`, `scheduler`, `disk`,
    `clock`, `services`, `model`. One finding a key."""
    severity: Severity
    since: dt.datetime
    """UTC; as far back as is known."""
    text: str
    """One line: what, for how long, and in brackets why. No secrets."""
    mend: str
    """What a person can do."""


def since_s(observed: Observed, at: dt.datetime) -> float:
    """Seconds from a UTC time to the look, never below zero."""
    return max(0.0, (observed.at - at).total_seconds())


def known(observed: Observed) -> bool:
    """Whether what the store says is of now."""
    return observed.read_at is not None and since_s(observed, observed.read_at) <= STOPPED_S


def fails_too_often(recent: str, most: float) -> bool:
    """Whether more than this share of the last ends were bad, and it is not over yet."""
    enough = len(recent) >= _LEAST_ENDS and "x" in recent[-_MENDED:]
    return enough and recent.count("x") / len(recent) > most


def share(recent: str) -> str:
    """`7 of its last 12 times`."""
    return f"{recent.count('x')} of its last {len(recent)} times"
