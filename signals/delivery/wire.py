"""The message: a CloudEvents 1.0 JSON object, its four types, and the way to bytes and back.

Encoding is deterministic: the same values give the same bytes, fields in the order of the contract.
Decoding trusts nothing: whatever is no message of ours raises `MessageError`. Fields that are not
known here are ignored, so that the schema may grow; so are whole types (`UnknownEvent`).
"""

import datetime as dt
from typing import Annotated, Final, Generic, Literal, NamedTuple, TypeVar

import msgspec
from msgspec import Meta

from signals.errors import MessageError
from signals.message import Index, Retraction, Signal
from signals.model import PAIR, Record
from signals.text import stable_id

HEADLINE: Final = "signals.headline.v1"
INDEX: Final = "signals.index.v1"
RETRACTION: Final = "signals.retraction.v1"
HEARTBEAT: Final = "signals.heartbeat.v1"

Sequence = Annotated[int, Meta(ge=0, le=2**53 - 1)]
"""Whole numbers that Lua and JavaScript still count exactly."""
Name = Annotated[str, Meta(min_length=1, max_length=200)]


class SourceState(Record, frozen=True, kw_only=True):
    """One source of headlines or prices, as a heartbeat tells it."""

    id: Name
    """As in the list of feeds."""
    state: Name
    """`ok`, `down`, `new` (not tried yet) or `unknown` (the store was never read); a text, for states made later."""
    last_success_at: dt.datetime | None
    """UTC; when it last gave an answer. Null where it never did."""
    error: str | None
    """Why it is down; an open text."""


class JobState(Record, frozen=True, kw_only=True):
    """One job, as a heartbeat tells it; `outcome` is that of the last run, null before the first."""

    job: Name
    """Name of the job, as `ingest`."""
    outcome: str | None
    """An `Outcome` (`ok`, `partial`, `failed`, …); a text, so that clients read outcomes made after them."""
    last_started_at: dt.datetime | None
    """UTC; null before the first run."""
    last_ended_at: dt.datetime | None
    """UTC; null before the first run, and while one runs."""
    next_run_at: dt.datetime | None
    """UTC; null where none is planned."""
    paused: bool = False
    """Whether someone paused it: then it runs only by hand."""
    running_since: dt.datetime | None = None
    """UTC; null where it is not running."""


class ServiceState(Record, frozen=True, kw_only=True):
    """One of the services that share the store, as a heartbeat tells it."""

    id: Name
    """Its name: that of its host and a few characters."""
    state: Name
    """`leads`, `stands by` or `silent`; a text, for states made later."""


class Heartbeat(Record, frozen=True, kw_only=True):
    """`data` of `signals.heartbeat.v1`: what makes silence explain itself."""

    last_seq: Sequence
    """`seq` of the last message in the log; 0 before the first."""
    sources: tuple[SourceState, ...]
    """Each source of headlines or prices."""
    jobs: tuple[JobState, ...]
    """Each job of the service."""
    started_at: dt.datetime
    """UTC; when the publisher started."""
    read_at: dt.datetime | None = None
    """UTC; when `last_seq`, the sources and the last runs were read from the store. Null where it was never read."""
    store_error: str | None = None
    """Why the store cannot be read or written just now: then what it said at `read_at` is told. Null where it can."""
    services: tuple[ServiceState, ...] = ()
    """The services that share the store, who leads first; empty where the store was never read."""


Data = Signal | Index | Retraction | Heartbeat
DataT = TypeVar("DataT", bound=Data, covariant=True)


class Event(msgspec.Struct, Generic[DataT], frozen=True, kw_only=True):
    """A message: the CloudEvents envelope, its place in the sequence, and the data of its type."""

    specversion: Literal["1.0"] = "1.0"
    """Of CloudEvents."""
    id: Name
    """Derived from the content: a repeat has the id of the first."""
    source: Name
    """Who sends: `/signals/usdjpy`."""
    type: Name
    """What `data` holds, and the version of its meaning."""
    subject: Name
    """The pair: `USDJPY`."""
    time: dt.datetime
    """UTC; when the message was made: a headline's `scored_at`."""
    datacontenttype: Literal["application/json"] = "application/json"
    """Of `data`."""
    dataschema: Name
    """Names the JSON Schema of the message."""
    epoch: Name
    """Changes where the sequence starts anew."""
    seq: Sequence
    """Rises by one with each message of an epoch; a heartbeat repeats the last."""
    data: DataT
    """What the message says; its fields follow from `type`."""

    def __post_init__(self) -> None:
        if self.time.utcoffset() != dt.timedelta(0):
            raise ValueError(f"Event.time must be an aware UTC time, got {self.time!r}")


AnyEvent = Event[Data]
"""A message of any of the four types: ask `isinstance(event.data, Signal)`."""


class UnknownEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A message of a type made after this code: to be skipped, though it counts in the sequence."""

    specversion: Literal["1.0"]
    id: Name
    type: Name
    epoch: Name
    seq: Sequence


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a message stands in the sequence: readable even where the rest of it is not."""

    epoch: Name
    seq: Sequence


class Encoded(NamedTuple):
    """A message ready to be sent."""

    message_id: str
    event: bytes


TYPES: dict[str, type[Data]] = {HEADLINE: Signal, INDEX: Index, RETRACTION: Retraction, HEARTBEAT: Heartbeat}
"""The type of `data` for each `type` of message."""
_DECODERS = {name: msgspec.json.Decoder(Event[data]) for name, data in TYPES.items()}  # type: ignore[valid-type]
_HEAD = msgspec.json.Decoder(UnknownEvent)
_PLACE = msgspec.json.Decoder(Place)
_UNREADABLE = (msgspec.MsgspecError, UnicodeError, RecursionError)


def encode_signal(signal: Signal, *, epoch: str, seq: int) -> Encoded:
    """Message of a headline signal, as its id and its bytes.

    Raises
    ------
    MessageError : a text of the signal cannot be written as UTF-8 (half a surrogate pair).
    """
    message_id = stable_id("message", HEADLINE, signal.signal_id, signal.action)
    return _encode(HEADLINE, signal, message_id, signal.pair, signal.scored_at, epoch, seq)


def encode_retraction(retraction: Retraction, *, epoch: str, seq: int, pair: str = PAIR) -> Encoded:
    """Message of a retraction, as its id and its bytes."""
    message_id = stable_id("message", RETRACTION, retraction.signal_id)
    return _encode(RETRACTION, retraction, message_id, pair, retraction.retracted_at, epoch, seq)


def encode_index(index: Index, *, epoch: str, seq: int, at: dt.datetime, pair: str = PAIR) -> Encoded:
    """Message of the index as it stood at a UTC time, as its id and its bytes."""
    message_id = stable_id("message", INDEX, pair, at.isoformat(), index.value, index.n_signals, index.n_sources)
    return _encode(INDEX, index, message_id, pair, at, epoch, seq)


def encode_heartbeat(heartbeat: Heartbeat, *, epoch: str, now: dt.datetime, pair: str = PAIR) -> Encoded:
    """Message of a heartbeat sent at `now` (UTC). Its `seq` is the last one: heartbeats do not count.

    Raises
    ------
    MessageError : a text of it cannot be written as UTF-8.
    """
    message_id = stable_id("message", HEARTBEAT, pair, epoch, heartbeat.last_seq, now.isoformat())
    return _encode(HEARTBEAT, heartbeat, message_id, pair, now, epoch, heartbeat.last_seq)


def schema_id(kind: str) -> str:
    """Name of the schema of a message type, which stands in `dataschema`.

    >>> schema_id("signals.headline.v1")
    'urn:signals:headline:1'
    """
    _, name, version = kind.split(".")
    return f"urn:signals:{name}:{version.removeprefix('v')}"


def _encode(kind: str, data: Data, message_id: str, pair: str, time: dt.datetime, epoch: str, seq: int) -> Encoded:
    event = Event(
        id=message_id,
        source=f"/signals/{pair.lower()}",
        type=kind,
        subject=pair.upper(),
        time=time,
        dataschema=schema_id(kind),
        epoch=epoch,
        seq=seq,
        data=data,
    )
    try:
        return Encoded(message_id, msgspec.json.encode(event))
    except UnicodeError as exc:
        raise MessageError(f"message {message_id}", "holds text that is not Unicode") from exc


def decode(message: bytes) -> AnyEvent | UnknownEvent:
    """Read a message; `UnknownEvent` where its type was made after this code.

    Raises
    ------
    MessageError : not JSON, not UTF-8, a field missing or of another type, a number out of its
        range, a time without UTC. It names the field.
    """
    try:
        head = _HEAD.decode(message)
        decoder = _DECODERS.get(head.type)
        return head if decoder is None else decoder.decode(message)
    except _UNREADABLE as exc:
        raise MessageError("message", f"is none of ours: {exc}") from exc


def place_of(message: bytes) -> Place | None:
    """Epoch and `seq` of a message that may be broken otherwise; null where even they cannot be read."""
    try:
        return _PLACE.decode(message)
    except _UNREADABLE:
        return None
