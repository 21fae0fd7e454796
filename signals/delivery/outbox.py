"""What is to be sent: the rows of the caller's outbox, and the short runs of them that are one step on the server."""

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from signals.delivery import wire
from signals.errors import MessageError

RUN_ROWS = 64
"""Most rows of one step: the server does nothing else meanwhile, for some 0.3 ms."""
RUN_BYTES = 256 * 1024
"""A step is no longer once it has so much."""

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MS = dt.timedelta(milliseconds=1)


class OutboxRow(NamedTuple):
    """A message as the outbox keeps it."""

    epoch: str
    seq: int
    message_id: str
    type: str
    event: bytes
    valid_until: dt.datetime
    """UTC: until when it may stand in the latest key."""


class _Named(msgspec.Struct, frozen=True):
    signal_id: str


class _Naming(msgspec.Struct, frozen=True):
    """A message, read only for the signal that its data names."""

    data: _Named


def runs(rows: Sequence[OutboxRow]) -> Iterator[Sequence[OutboxRow]]:
    """The same rows in their order, cut into runs that follow one another without a hole, none too long."""
    begin = size = 0
    for end, row in enumerate(rows):
        before = rows[end - 1]
        follows = row.seq == before.seq + 1 and row.epoch == before.epoch
        if end > begin and not (follows and end - begin < RUN_ROWS and size < RUN_BYTES):
            yield rows[begin:end]
            begin, size = end, 0
        size += len(row.event)
    if rows:
        yield rows[begin:]


def unix_ms(at: dt.datetime) -> int:
    """Whole milliseconds since 1970, as Redis counts them."""
    return (at - _EPOCH) // _MS


def retracted_id(row: OutboxRow) -> str:
    """The signal that a retraction takes back.

    Raises
    ------
    MessageError : it names none.
    """
    try:
        return msgspec.json.decode(row.event, type=_Naming).data.signal_id
    except msgspec.MsgspecError as exc:
        raise MessageError(f"outbox row {row.seq}", f"is a retraction that names no signal: {exc}") from exc


def place(epoch: str, seq: int) -> bytes:
    """What Redis remembers once the row of this number is sent, to the byte."""
    return msgspec.json.encode(wire.Place(epoch=epoch, seq=seq))
