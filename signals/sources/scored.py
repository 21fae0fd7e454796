"""Many scorers: what workers take from the inbox, and the stream by which they hand it on with its score.

All who take are consumers of one group. What a worker has scored goes to `SCORED`, acknowledged and deleted in the
same step on the server, and only if nobody else has handed it on: so each entry is in one of the two, whoever dies.
The name has the inbox's in braces, so that in a cluster both lie in one slot.

The ids of the inbox are the order of all. Workers hand on in any order; up to `mark` everything is handed on, so who
takes from `SCORED` only what is not beyond it, by id, has the order in which it was sent.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import msgspec

from signals.model import Score
from signals.sources.inbox import GROUP, REJECTED, SERVICE, STREAM

if TYPE_CHECKING:
    import redis

SCORED = "{signals:inbox}:scored"
Place = tuple[int, int]
"""Where an entry stands in the inbox: its id, as two numbers."""
_OF, _VALUE = b"of", b"scored"
_PAGE = 1000
_EVERYWHERE: Place = (1 << 64, 0)

_HAND_ON = """\
local gone, handed = {}, 0
for at = 2, #ARGV, 2 do
  if redis.call('XACK', KEYS[1], ARGV[1], ARGV[at]) == 1 then
    redis.call('XADD', KEYS[2], '*', 'of', ARGV[at], 'scored', ARGV[at + 1])
    gone[#gone + 1] = ARGV[at]
  end
end
for at = 1, #gone, 1000 do
  redis.call('XDEL', KEYS[1], unpack(gone, at, math.min(at + 999, #gone)))
end
return {#gone, redis.call('XLEN', KEYS[2])}
"""
_FORGET = """\
local forgotten = 0
for _, row in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
  local one = {}
  for at = 1, #row, 2 do one[row[at]] = row[at + 1] end
  if one.pending == 0 and one.name ~= ARGV[2] and (one.idle > tonumber(ARGV[3]) or one.name == ARGV[4]) then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], one.name)
    forgotten = forgotten + 1
  end
end
return forgotten
"""
"""In one step, since a consumer's pending entries go with it: nobody may be given one in between."""


class Taken(NamedTuple):
    """An entry that was given to us."""

    entry_id: bytes
    fields: dict[bytes, bytes]


class Lost(NamedTuple):
    """An entry that someone was given and has not handed on for too long."""

    entry_id: bytes
    consumer: str
    deliveries: int
    """How often it was given to someone."""


class Scored(msgspec.Struct, frozen=True, array_like=True):
    """What is handed on of an entry."""

    fields: dict[bytes, bytes]
    """As it was sent: whoever stores it reads it as if there were no workers."""
    score: Score | None
    """Null where it takes something back, or nobody scored it."""
    maker: str
    """What made the score: model, words and code (`handed.maker`). Only the same makes the same bytes."""


class Ready(NamedTuple):
    """An entry of `SCORED` that may be taken now."""

    place: Place
    scored_id: bytes
    entry_id: bytes
    value: bytes
    """A `Scored`, packed."""


class Inbox(NamedTuple):
    """How the inbox stands."""

    waiting: int
    """Entries that were not handed on or stored."""
    pending: int
    """Those of them that someone was given."""
    scored: int
    """Handed on, and not stored yet."""
    rejected: int
    """Dead letters."""
    workers: int
    """Workers that were heard of lately."""


def take_new(client: "redis.Redis", name: str, count: int, block_ms: int | None = None) -> list[Taken]:
    """Up to so many entries that nobody was given yet."""
    return _given(client.xreadgroup(GROUP, name, {STREAM: ">"}, count=count, block=block_ms))


def take_own(client: "redis.Redis", name: str, count: int) -> list[Taken]:
    """Entries that this consumer was given before and never handed on; asking also tells that it lives."""
    return _given(client.xreadgroup(GROUP, name, {STREAM: "0"}, count=count))


def lost(client: "redis.Redis", idle_s: float, count: int) -> list[Lost]:
    """Entries given to someone at least so long ago, the first first."""
    ms = int(idle_s * 1000)
    rows = cast(Any, client.xpending_range(STREAM, GROUP, min="-", max="+", count=count, idle=ms))
    return [Lost(row["message_id"], row["consumer"].decode(), row["times_delivered"]) for row in rows]


def claim(client: "redis.Redis", name: str, entry: Lost, idle_s: float) -> list[Taken]:
    """Take over an entry, unless another was quicker: then nothing."""
    claimed = cast(Any, client.xclaim(STREAM, GROUP, name, int(idle_s * 1000), [entry.entry_id]))
    return [Taken(entry_id, fields) for entry_id, fields in claimed if fields is not None]


def hand_on(client: "redis.Redis", done: Sequence[tuple[bytes, Scored]]) -> tuple[int, int]:
    """Hand these on; how many that were, less those that another had handed on, and how many wait there now."""
    pack = msgspec.msgpack.Encoder().encode
    words = [word for entry_id, scored in done for word in (entry_id, pack(scored))]
    handed, waiting = cast(Any, client.eval(_HAND_ON, 2, STREAM, SCORED, GROUP, *words))
    return int(handed), int(waiting)


def mark(client: "redis.Redis") -> Place:
    """Up to where everything is in `SCORED`, or among the dead letters. To be asked for before `ready`."""
    groups = {row["name"]: row["last-delivered-id"] for row in cast(Any, client.xinfo_groups(STREAM))}
    last = _place(groups.get(GROUP.encode(), b""))
    first = cast(Any, client.xpending(STREAM, GROUP))["min"]
    if first is not None:
        milliseconds, number = _place(first)
        return milliseconds, number - 1
    # A group that was just made anew has given nobody anything: all there is, is left over.
    return last if last != (0, 0) or client.xlen(STREAM) else _EVERYWHERE


def ready(client: "redis.Redis", upto: Place) -> list[Ready]:
    """What may be taken, in the order in which it was sent."""
    return sorted(one for one in _all(client) if one.place <= upto)


def drop(client: "redis.Redis", taken: Sequence[Ready]) -> None:
    """Delete what was stored."""
    if taken:
        client.xdel(SCORED, *(one.scored_id for one in taken))


def left(client: "redis.Redis") -> bool:
    """Whether anything was handed on and not taken; what we may not look at, nobody hands on to us."""
    from redis.exceptions import NoPermissionError

    try:
        return bool(client.xlen(SCORED))
    except NoPermissionError:
        return False


def newest(client: "redis.Redis") -> bytes:
    """Id of the last that was handed on."""
    rows = cast(Any, client.xrevrange(SCORED, count=1))
    return rows[0][0] if rows else b"0-0"


def look(client: "redis.Redis", silence_s: float) -> Inbox:
    """How it stands; workers count that were heard of within so long. Raises redis.RedisError."""
    from redis.exceptions import ResponseError

    waiting, handed, rejected = (int(cast(Any, client.xlen(name))) for name in (STREAM, SCORED, REJECTED))
    try:
        rows = cast(Any, client.xinfo_consumers(STREAM, GROUP))
    except ResponseError as error:
        if "no such key" not in str(error) and not str(error).startswith("NOGROUP"):
            raise
        rows = []
    others = [row for row in rows if row["name"] != SERVICE.encode()]
    heard = sum(row["idle"] <= silence_s * 1000 for row in others)
    return Inbox(waiting, sum(row["pending"] for row in rows), handed, rejected, heard)


def forget(client: "redis.Redis", idle_s: float, ended: str = "") -> int:
    """Drop consumers that were silent for so long, or have ended, and hold nothing; how many that were."""
    words = (GROUP, SERVICE, int(idle_s * 1000), ended)
    return int(cast(Any, client.eval(_FORGET, 1, STREAM, *words)))


def _given(answer: Any) -> list[Taken]:
    """The entries of an answer; those deleted by others since have no fields, and nothing of them is left to do."""
    return [Taken(entry_id, fields or {}) for entry_id, fields in (answer[0][1] if answer else ())]


def _all(client: "redis.Redis") -> Iterator[Ready]:
    after = "-"
    while rows := cast(Any, client.xrange(SCORED, min=after, count=_PAGE)):
        for scored_id, fields in rows:
            of = fields.get(_OF, b"")
            yield Ready(_place(of), scored_id, of, fields.get(_VALUE, b""))
        after = f"({rows[-1][0].decode()}"


def _place(entry_id: bytes | str) -> Place:
    text = entry_id.decode() if isinstance(entry_id, bytes) else entry_id
    milliseconds, _, number = text.partition("-")
    return (int(milliseconds), int(number)) if milliseconds.isdecimal() and number.isdecimal() else (0, 0)
