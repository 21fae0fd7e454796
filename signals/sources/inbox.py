"""The push inbox: headlines that a paid wire, or a script of the user's, hands in itself.

They come as entries of a Redis stream, `XADD signals:inbox * headline '{"id": "7", "title": "..."}'`, or over
HTTP; `{"id": "7", "withdrawn": true}` takes one back. An entry is settled (acknowledged and deleted) only once
its headline is stored: what was taken and not settled, for whatever reason, is taken again. Entries that are no
headline go to the dead letters, `REJECTED`, with the reason. Many may take from it at once (`scored.py`).
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, cast

import msgspec
from msgspec import Meta

from signals.model import Headline
from signals.sources.dates import parse_date
from signals.sources.feed import Clock, Feed
from signals.sources.items import Item, headlines, own_address, web_url
from signals.sources.markup import visible
from signals.text import item_id

if TYPE_CHECKING:
    import redis

STREAM = "signals:inbox"
REJECTED = "signals:inbox:rejected"
FIELD = "headline"
"""Field of an entry that holds the JSON of a `Pushed`; an entry without it is read as the fields themselves."""
GROUP, SERVICE = "signals", "ingest"
"""The consumer group of all who take from the inbox, and the service's own name in it."""
MAX_BODY = 100_000
"""Characters of a body that are kept."""
_KEPT = 10_000
"""Dead letters; the oldest go first."""
_READ = 200


class Pushed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A headline as its sender writes it. The same `id` with the same title is the same headline, once and for all;
    with another title it is a correction.
    """

    id: Annotated[str, Meta(min_length=1, max_length=300)]
    title: Annotated[str, Meta(max_length=2000)] = ""
    withdrawn: bool = False
    """The sender takes back what it sent by this `id`; nothing else is needed then."""
    source: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_.-]{0,40}$")] = "inbox"
    summary: str = ""
    body: str = ""
    url: str | None = None
    lang: Annotated[str, Meta(pattern=r"^[a-z]{2}$")] | None = None
    published_at: str | None = None
    """Any form of date that feeds use, with its zone; null where unknown."""

    def __post_init__(self) -> None:
        if not self.title.strip() and not self.withdrawn:
            raise ValueError("Object missing required field `title`")


class Handed(NamedTuple):
    """What was handed in: a headline, or the item that is withdrawn; neither where it can't be used."""

    headline: Headline | None
    withdraws: str
    """`item_id` of what is taken back; empty where nothing is."""
    notes: tuple[str, ...]
    """What could not be used of it."""
    known_at: dt.datetime
    """When it became known, UTC."""


class Entry(NamedTuple):
    """One entry of the stream, and what was handed in by it; null where it can't be read."""

    entry_id: bytes
    handed: Handed | None
    notes: tuple[str, ...]
    fields: dict[bytes, bytes]


def handed_in(pushed: Pushed, known_at: dt.datetime) -> Handed:
    """What is stored of it, known at `known_at` (UTC)."""
    if pushed.withdrawn:
        return Handed(None, item_id(pushed.source, own_address(None, pushed.id)), (), known_at)
    item = Item(
        title=pushed.title,
        summary=pushed.summary,
        link=None,  # the sender's id is the identity, not the address
        own_id=pushed.id,
        date=pushed.published_at or "",
        published_at=parse_date(pushed.published_at),
    )
    made, notes = headlines([item], Feed(id=pushed.source, kind="inbox", lang=pushed.lang), known_at)
    if not made:
        return Handed(None, "", tuple(notes), known_at)
    body = visible(pushed.body)[:MAX_BODY]
    headline = msgspec.structs.replace(made[0], url=web_url(pushed.url), body=body)
    return Handed(headline, "", tuple(notes), known_at)


def take(client: "redis.Redis", clock: Clock) -> Iterator[list[Entry]]:
    """Batches of entries, first those taken before and never settled; settle each batch before the next.

    `client` must not decode responses. Raises redis.RedisError.
    """
    join(client)
    after = "0"
    while after:
        answer = cast(Any, client.xreadgroup(GROUP, SERVICE, {STREAM: after}, count=_READ))
        entries = answer[0][1] if answer else []
        if entries:
            yield [read(entry_id, fields or {}, clock()) for entry_id, fields in entries]
        else:
            after = ">" if after == "0" else ""


def settle(client: "redis.Redis", entries: Sequence[Entry], consumer: str = SERVICE, deliveries: int = 1) -> None:
    """Acknowledge and delete these entries, in one step; before that keep those that were no headline in `REJECTED`.

    Not all in one step, because in a cluster the two streams lie apart: a kill between leaves a reject there twice.
    """
    for entry in filter(rejected, entries):
        reject(client, entry.entry_id, entry.fields, "; ".join(entry.notes), consumer, deliveries)
    pipe = client.pipeline(transaction=True)
    pipe.xack(STREAM, GROUP, *(entry.entry_id for entry in entries))
    pipe.xdel(STREAM, *(entry.entry_id for entry in entries))
    pipe.execute()


def reject(
    client: "redis.Redis", entry_id: bytes, fields: dict[bytes, bytes], reason: str, consumer: str, deliveries: int = 1
) -> None:
    """Put an entry among the dead letters: why, what it was, who had it last, and how often it was given to someone."""
    told = {"reason": reason, "inbox_id": entry_id, "consumer": consumer, "deliveries": deliveries}
    client.xadd(REJECTED, cast(Any, fields | {name.encode(): value for name, value in told.items()}), maxlen=_KEPT)


def rejected(entry: Entry) -> bool:
    """Whether nothing of it can be used."""
    return entry.handed is None or not (entry.handed.headline or entry.handed.withdraws)


def join(client: "redis.Redis") -> None:
    """Make the group where it is missing."""
    from redis.exceptions import ResponseError

    try:
        client.xgroup_create(STREAM, GROUP, id="0", mkstream=True)
    except ResponseError as error:
        if not str(error).startswith("BUSYGROUP"):
            raise


def read(entry_id: bytes, fields: dict[bytes, bytes], known_at: dt.datetime) -> Entry:
    """What an entry hands in, known at a UTC time."""
    where = f"inbox entry {entry_id.decode()}"
    try:
        handed = handed_in(_pushed(fields), known_at)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        return Entry(entry_id, None, (f"{where}: {error}",), fields)
    return Entry(entry_id, handed, tuple(f"{where}: {note}" for note in handed.notes), fields)


def _pushed(fields: dict[bytes, bytes]) -> Pushed:
    if FIELD.encode() in fields:
        return msgspec.json.decode(fields[FIELD.encode()], type=Pushed)
    return msgspec.convert({name.decode(): value.decode() for name, value in fields.items()}, Pushed, strict=False)
