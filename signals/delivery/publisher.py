"""Sending: each message, or short run of them, is one atomic step on the server; a repeat does nothing.

What is sent comes from the caller's outbox, which numbers it. Redis remembers the last number, so
that the caller may send again after any doubt. Ask `state()` where to go on; what changes after that
is an error, which asks for another look: `Behind` (Redis lost its tail, or a row was skipped) or
`Empty` (Redis was wiped: the caller chooses the first row and sets `restart`).
"""

import datetime as dt
import hashlib
import itertools
from collections.abc import Iterator, Sequence
from typing import Literal, cast

import redis

from signals.delivery import script, wire
from signals.delivery.faults import FAULTS, address_of, broker_error
from signals.delivery.keys import LOG_MAXLEN, keys_of
from signals.delivery.outbox import OutboxRow, place, retracted_id, runs, unix_ms
from signals.delivery.signing import Signer
from signals.errors import BrokerError

_CHUNK = 512
"""Rows in one round trip: about a megabyte."""
_LATEST, _INDEX = 2, 3
"""Places of the snapshot keys among the script's keys."""
_Call = tuple[str, str]
_BY_TEXT: _Call = ("EVAL", script.PUBLISH)
_BY_SHA: _Call = ("EVALSHA", hashlib.sha1(script.PUBLISH.encode(), usedforsecurity=False).hexdigest())
_SNAPSHOTS = {wire.HEADLINE: _LATEST, wire.INDEX: _INDEX}


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


class Overtaken(BrokerError):
    """A service with a greater fencing token sends by now; nothing was sent.

    Parameters
    ----------
    where : the server.
    token : the greater one.
    """

    def __init__(self, where: str, token: int) -> None:
        super().__init__(where, f"is written by a newer leader (token {token})", "")
        self.args = (where, token)
        self.token = token


class Publisher:
    """Sends the messages of one pair.

    Parameters
    ----------
    redis_client : bytes in, bytes out (`decode_responses` off). Its own retries are harmless.
    pair : as in `keys_of`.
    sign : puts a signature into each message as it is sent; the outbox keeps messages without, so that a key
        can be changed. It must give the same bytes each time.
    token : of who leads among several services; 0: it is not fenced, as one that sends by hand.
    """

    def __init__(
        self, redis_client: redis.Redis, pair: str = "usdjpy", *, sign: Signer | None = None, token: int = 0
    ) -> None:
        self._redis = redis_client
        self._token = token
        self._sign = sign or bytes
        self._keys = keys_of(pair)
        self._where = address_of(redis_client)
        self._by_sha = _BY_SHA

    def publish(self, row: OutboxRow, *, now: dt.datetime, restart: bool = False) -> Literal["sent", "repeat"]:
        """Send one row, as `publish_many` does."""
        return "sent" if self.publish_many([row], now=now, restart=restart) else "repeat"

    def publish_many(self, rows: Sequence[OutboxRow], *, now: dt.datetime, restart: bool = False) -> int:
        """Send rows in their order, many in a round trip; returns how many were no repeats.

        No row overtakes another: once one is refused, the script refuses those after it too.

        Parameters
        ----------
        rows : of one epoch, by `seq`. Those that Redis has already are repeats and change nothing.
        now : UTC; what is over by then, or by the server's clock when it gets there, is in no latest key.
        restart : let the first row begin a sequence where Redis holds none, or another epoch's.

        Raises
        ------
        Behind : a row does not follow the last one in Redis.
        Empty : Redis holds no sequence of this epoch, and `restart` is not set.
        Overtaken : a greater token leads.
        MessageError : a retraction does not say of what.
        BrokerError : Redis cannot be reached or refuses. Rows before the fault may have been sent:
            sending all of them again is safe.
        """
        sent = done = 0
        call = self._by_sha
        while done < len(rows):
            parts = list(runs(rows[done : done + _CHUNK]))
            answers = self._send(parts, now, restart and done == 0, call)
            call = self._by_sha
            for run, answer in zip(parts, answers, strict=True):
                if isinstance(answer, redis.exceptions.NoScriptError):
                    call = _BY_TEXT  # the server does not know the script, or not any more: go on from here
                    break
                sent += self._sent(answer)
                done += len(run)
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
            raise self._foreign(self._keys.seq)
        return place.epoch, place.seq

    def heartbeat(self, event: bytes) -> int:
        """Send a heartbeat to whoever listens now; returns to how many.

        Raises
        ------
        Overtaken : a greater token leads.
        BrokerError : Redis cannot be reached or refuses.
        """
        if self._token:
            words = (1, self._keys.leader, self._token, self._keys.channel, self._sign(event))
            return self._sent(self._send_one(["EVAL", script.BEAT, *words]))
        try:
            return int(self._redis.publish(self._keys.channel, self._sign(event)))
        except FAULTS as exc:
            raise broker_error(self._where, exc) from exc

    def leader(self) -> int:
        """The greatest token that has sent; 0 where none did. Raises BrokerError."""
        try:
            return int(cast(bytes | None, self._redis.get(self._keys.leader)) or 0)
        except ValueError as exc:
            raise self._foreign(self._keys.leader) from exc
        except FAULTS as exc:
            raise broker_error(self._where, exc) from exc

    def _send(self, runs: Sequence[Sequence[OutboxRow]], now: dt.datetime, restart: bool, call: _Call) -> list[object]:
        if len(runs) == 1:  # as live news comes: a pipeline costs as much as the answer takes
            return [self._send_one([*call, *self._arguments(runs[0], now, restart)])]
        pipe = self._redis.pipeline(transaction=False)
        for number, run in enumerate(runs):
            arguments = self._arguments(run, now, restart and number == 0)
            # As words, for clusters have no `eval` here. The text once: what follows it finds the script there.
            words = call if number == 0 else self._by_sha
            pipe.execute_command(*words, *arguments)  # type: ignore[no-untyped-call]
        try:
            return list(pipe.execute(raise_on_error=False))
        except FAULTS as exc:
            raise broker_error(self._where, exc) from exc

    def _send_one(self, words: list[str | bytes | int]) -> object:
        try:
            return self._redis.execute_command(*words)  # type: ignore[no-untyped-call]
        except redis.exceptions.NoScriptError as exc:
            return exc
        except FAULTS as exc:
            raise broker_error(self._where, exc) from exc

    def _arguments(self, run: Sequence[OutboxRow], now: dt.datetime, restart: bool) -> list[str | bytes | int]:
        keys, first = self._keys, run[0]
        return [
            *(5, keys.log, keys.latest, keys.index, keys.seq, keys.leader),
            *(keys.channel, first.epoch, first.seq),
            *(place(first.epoch, first.seq - 1), place(first.epoch, run[-1].seq)),
            *(LOG_MAXLEN, int(restart), len(run), self._token),
            *(self._sign(row.event) for row in run),
            *itertools.chain.from_iterable(_snapshots(run, now)),
        ]

    def _sent(self, answer: object) -> int:
        if isinstance(answer, FAULTS):
            raise broker_error(self._where, answer) from answer
        match answer:
            case [b"sent", int(count)]:
                return count
            case [b"behind", int(last_seq)]:
                raise Behind(self._where, last_seq)
            case [b"empty", _]:
                raise Empty(self._where)
            case [b"fenced", int(token)]:
                raise Overtaken(self._where, token)
        raise self._foreign(self._keys.seq)

    def _foreign(self, key: str) -> BrokerError:
        return BrokerError(f"{self._where} key {key}", "holds nothing of ours", "delete the key")


def _snapshots(run: Sequence[OutboxRow], now: dt.datetime) -> Iterator[tuple[int, int, int | str]]:
    """What the script is to do with the snapshot keys, as its last words."""
    for number, row in enumerate(run, start=1):
        if row.type == wire.RETRACTION:
            yield number, 0, retracted_id(row)
        elif row.type in _SNAPSHOTS and row.valid_until > now:
            yield number, _SNAPSHOTS[row.type], unix_ms(row.valid_until)
