"""Sending: each message is one atomic step on the server, in order, and a repeat does nothing.

What is sent comes from the caller's outbox, which numbers it. Redis remembers the last number, so
that the caller may send again after any doubt. Ask `state()` where to go on; what changes after that
is an error, which asks for another look: `Behind` (Redis lost its tail, or a row was skipped) or
`Empty` (Redis was wiped: the caller chooses the first row and sets `restart`).
"""

import datetime as dt
import hashlib
from collections.abc import Sequence
from typing import Literal, NamedTuple, cast

import msgspec
import redis

from signals.delivery import script, wire
from signals.delivery.faults import FAULTS, address_of, broker_error
from signals.delivery.keys import LOG_MAXLEN, keys_of
from signals.delivery.signing import Signer
from signals.errors import BrokerError, MessageError

_CHUNK = 500
"""Rows in one round trip: about a megabyte."""


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


class Behind(BrokerError):
    """The row does not follow the last one in Redis; neither it nor any after it was sent.

    Parameters
    ----------
    where : the server.
    last_seq : of the last message in Redis: send again from the one after it.
    """

    def __init__(self, where: str, last_seq: int) -> None:
        super().__init__(where, f"its log ends with seq {last_seq}", "send again from the one after it")
        self.args = (where, last_seq)
        self.last_seq = last_seq


class Empty(BrokerError):
    """Redis holds no sequence, or that of another epoch; nothing was sent.

    Parameters
    ----------
    where : the server.
    """

    def __init__(self, where: str) -> None:
        super().__init__(where, "its log holds nothing of this epoch", "choose where to begin, and send with restart")
        self.args = (where,)


class Publisher:
    """Sends the messages of one pair.

    Parameters
    ----------
    redis_client : bytes in, bytes out (`decode_responses` off). Its own retries are harmless.
    pair : as in `keys_of`.
    sign : puts a signature into each message as it is sent; the outbox keeps messages without, so that a key
        can be changed. It must give the same bytes each time.
    """

    def __init__(self, redis_client: redis.Redis, pair: str = "usdjpy", *, sign: Signer | None = None) -> None:
        self._redis = redis_client
        self._sign = sign or bytes
        self._keys = keys_of(pair)
        self._snapshots = {wire.HEADLINE: self._keys.latest, wire.INDEX: self._keys.index}
        self._where = address_of(redis_client)
        self._sha = hashlib.sha1(script.PUBLISH.encode(), usedforsecurity=False).hexdigest()  # as EVALSHA wants it

    def publish(self, row: OutboxRow, *, now: dt.datetime, restart: bool = False) -> Literal["sent", "repeat"]:
        """Send one row, as `publish_many` does."""
        return "sent" if self.publish_many([row], now=now, restart=restart) else "repeat"

    def publish_many(self, rows: Sequence[OutboxRow], *, now: dt.datetime, restart: bool = False) -> int:
        """Send rows in their order, many in a round trip; returns how many were no repeats.

        No row overtakes another: once one is refused, the script refuses those after it too.

        Parameters
        ----------
        rows : of one epoch, by `seq`. Those that Redis has already are repeats and change nothing.
        now : UTC; with a row's `valid_until` it gives the life of the latest key.
        restart : let the first row begin a sequence where Redis holds none, or another epoch's.

        Raises
        ------
        Behind : a row does not follow the last one in Redis.
        Empty : Redis holds no sequence of this epoch, and `restart` is not set.
        MessageError : a retraction does not say of what.
        BrokerError : Redis cannot be reached or refuses. Rows before the fault may have been sent:
            sending all of them again is safe.
        """
        sent = done = 0
        while done < len(rows):
            for answer in self._send(rows[done : done + _CHUNK], now, restart and done == 0):
                if isinstance(answer, redis.exceptions.NoScriptError):
                    break  # the server dropped its scripts: go on from here, with the script's text
                sent += self._was_sent(answer)
                done += 1
        return sent

    def state(self) -> tuple[str, int] | None:
        """Epoch and `seq` of the last message in Redis; null where there is none.

        Raises
        ------
        BrokerError : Redis cannot be reached, refuses, or holds something else under that key.
        """
        try:
            value = cast(bytes | None, self._redis.get(self._keys.seq))
        except FAULTS as exc:
            raise broker_error(self._where, exc) from exc
        if value is None:
            return None
        place = wire.place_of(value)
        if place is None:
            raise self._foreign()
        return place.epoch, place.seq

    def heartbeat(self, event: bytes) -> int:
        """Send a heartbeat to whoever listens now; returns to how many.

        Raises
        ------
        BrokerError : Redis cannot be reached or refuses.
        """
        try:
            return int(self._redis.publish(self._keys.channel, self._sign(event)))
        except FAULTS as exc:
            raise broker_error(self._where, exc) from exc

    def _send(self, rows: Sequence[OutboxRow], now: dt.datetime, restart: bool) -> list[object]:
        pipe = self._redis.pipeline(transaction=False)
        for number, row in enumerate(rows):
            arguments = self._arguments(row, now, restart and number == 0)
            # The text once in each round trip: the server may have been restarted since. Clusters have no `eval` here.
            call = ("EVAL", script.PUBLISH) if number == 0 else ("EVALSHA", self._sha)
            pipe.execute_command(*call, 4, *arguments)  # type: ignore[no-untyped-call]
        try:
            return list(pipe.execute(raise_on_error=False))
        except FAULTS as exc:
            raise broker_error(self._where, exc) from exc

    def _arguments(self, row: OutboxRow, now: dt.datetime, restart: bool) -> tuple[str | bytes | int, ...]:
        snapshot = self._snapshots.get(row.type)
        ttl_ms = 0 if snapshot is None else (row.valid_until - now) // dt.timedelta(milliseconds=1)
        state = msgspec.json.encode(wire.Place(epoch=row.epoch, seq=row.seq))
        retracted = _retracted_id(row) if row.type == wire.RETRACTION else ""
        keys, event = self._keys, self._sign(row.event)
        return (
            *(keys.log, snapshot or keys.latest, keys.seq, keys.latest),
            *(keys.channel, event, row.epoch, row.seq, state, LOG_MAXLEN, ttl_ms, int(restart), retracted),
        )

    def _was_sent(self, answer: object) -> bool:
        if isinstance(answer, FAULTS):
            raise broker_error(self._where, answer) from answer
        match answer:
            case [b"sent", _]:
                return True
            case [b"repeat", _]:
                return False
            case [b"behind", int(last_seq)]:
                raise Behind(self._where, last_seq)
            case [b"empty", _]:
                raise Empty(self._where)
        raise self._foreign()

    def _foreign(self) -> BrokerError:
        return BrokerError(f"{self._where} key {self._keys.seq}", "holds no sequence of ours", "delete the key")


def _retracted_id(row: OutboxRow) -> str:
    try:
        return msgspec.json.decode(row.event, type=_Naming).data.signal_id
    except msgspec.MsgspecError as exc:
        raise MessageError(f"outbox row {row.seq}", f"is a retraction that names no signal: {exc}") from exc
