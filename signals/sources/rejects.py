"""Dead letters: entries of the inbox that nobody could use, with the reason, and the way back into the inbox."""

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from signals.sources.inbox import FIELD, REJECTED, STREAM

if TYPE_CHECKING:
    import redis

_PAGE = 500
_OURS = ("reason", "inbox_id", "consumer", "deliveries")
"""What `inbox.reject` adds to the fields that were sent."""


class Reject(NamedTuple):
    """One dead letter."""

    rejected_id: str
    """Its own id, by which it is redriven."""
    rejected_at: dt.datetime
    """UTC, by the clock of its Redis."""
    sent_at: dt.datetime | None
    """When it came into the inbox, by the same clock; null where that was not kept."""
    reason: str
    consumer: str
    """Who had it last."""
    deliveries: int
    """How often it was given to someone."""
    text: str
    """What was sent, as far as it can be read."""


def count(client: "redis.Redis") -> int:
    """How many there are."""
    return int(cast(Any, client.xlen(REJECTED)))


def newest(client: "redis.Redis", limit: int) -> list[Reject]:
    """The newest first."""
    return [_reject(*row) for row in cast(Any, client.xrevrange(REJECTED, count=limit))]


def redrive(client: "redis.Redis", rejected_ids: Sequence[str]) -> list[str]:
    """Put these back into the inbox, as they were sent; gives those that there are none of.

    First into the inbox, then out of here: a kill between leaves one in both, and its headline is stored once all
    the same.
    """
    missing = []
    for rejected_id in rejected_ids:
        found = cast(Any, client.xrange(REJECTED, min=rejected_id, max=rejected_id))
        if found:
            _back(client, *found[0])
        else:
            missing.append(rejected_id)
    return missing


def redrive_all(client: "redis.Redis") -> int:
    """Put back all that there are now, the oldest first; how many that were."""
    last = cast(Any, client.xrevrange(REJECTED, count=1))
    done = 0
    while last and (rows := cast(Any, client.xrange(REJECTED, max=last[0][0], count=_PAGE))):
        for row in rows:
            _back(client, *row)
        done += len(rows)
    return done


def _back(client: "redis.Redis", rejected_id: bytes, fields: dict[bytes, bytes]) -> None:
    sent = {name: value for name, value in fields.items() if name.decode(errors="replace") not in _OURS}
    if sent:
        client.xadd(STREAM, cast(Any, sent))
    client.xdel(REJECTED, rejected_id)


def _reject(rejected_id: bytes, fields: dict[bytes, bytes]) -> Reject:
    told = {name.decode(errors="replace"): value.decode(errors="replace") for name, value in fields.items()}
    sent_id = told.get("inbox_id")
    tried = told.get("deliveries", "1")
    return Reject(
        rejected_id=rejected_id.decode(),
        rejected_at=_at(rejected_id.decode()),
        sent_at=_at(sent_id) if sent_id else None,
        reason=told.get("reason", ""),
        consumer=told.get("consumer", ""),
        deliveries=int(tried) if tried.isdecimal() else 1,
        text=" ".join(_said(told)),
    )


def _said(told: dict[str, str]) -> Iterator[str]:
    if FIELD in told:
        yield told[FIELD]
    yield from (f"{name}={value}" for name, value in told.items() if name not in (*_OURS, FIELD))


def _at(entry_id: str) -> dt.datetime:
    milliseconds = entry_id.partition("-")[0]
    return dt.datetime.fromtimestamp(int(milliseconds) / 1000 if milliseconds.isdecimal() else 0, dt.UTC)
