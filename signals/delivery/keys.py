"""Names and bounds of everything in Redis: the only place where they are written."""

import msgspec

from signals.model import PAIR

EVENT_FIELD = "event"
"""Field of a stream entry that holds the message."""

LOG_MAXLEN = 100_000
"""Entries kept in the log, approximately: the server trims whole nodes, never below this."""

HEARTBEAT_EVERY_S = 5
"""Seconds between two heartbeats of a healthy publisher."""

HEARTBEAT_DEADLINE_S = 15
"""Seconds without a heartbeat after which a client reports silence: three missed ones."""

ALERTS = "signals.alerts"
"""PUBLISH: what is wrong with the service itself (`alert`)."""

DEFAULT_PORT = 6379
"""TCP port of the embedded server on 127.0.0.1."""


class Keys(msgspec.Struct, frozen=True, kw_only=True):
    """What one pair has in Redis. The braces keep its keys in one cluster slot."""

    channel: str
    """PUBLISH: every message."""
    log: str
    """Stream: every message but heartbeats, in field `event`."""
    latest: str
    """String with an expiry: the last headline signal that may still be acted on."""
    index: str
    """String with an expiry: the last index."""
    seq: str
    """String: `{"epoch": …, "seq": N}` of the last message in the log."""
    leader: str
    """String: the fencing token of the service that sends; one with a smaller token is refused."""


def keys_of(pair: str = PAIR) -> Keys:
    """Names for a pair, written in any case.

    >>> keys_of("USDJPY").log
    'signals:{usdjpy}:log'
    """
    name = pair.lower()
    stem = f"signals:{{{name}}}"
    return Keys(
        channel=f"signals.{name}",
        log=f"{stem}:log",
        latest=f"{stem}:latest",
        index=f"{stem}:index",
        seq=f"{stem}:seq",
        leader=f"{stem}:leader",
    )
