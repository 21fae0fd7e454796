"""A replay against what was told: of news the bytes of each message, of imported history what the store keeps."""

from typing import Any

import msgspec
import sqlalchemy as sa

from jobs.publish import encode
from signals.model import PAIR, Index, Retraction, Signal
from signals.research.replay import Retold
from signals.store import signals, told
from signals.store.signals import Outgoing

SHOWN = 5
_PAGE = 1000


class _Ids(msgspec.Struct):
    """As much of a signal's `data` as says who made it."""

    model_id: str = ""
    policy_id: str = ""


class _Message(msgspec.Struct):
    data: _Ids


class Comparison:
    """Takes what a replay tells, in order, and counts what is the same.

    Parameters
    ----------
    conn : a transaction on the store that lasts as long as the replay.
    """

    def __init__(self, conn: sa.Connection) -> None:
        self._conn = conn
        self._epoch, self._last_seq = signals.channel_state(conn, PAIR)
        self._messages = told.messages(conn)
        self._seq = 0
        self._history: list[Signal | Retraction] = []
        self._of_history = 0
        self.same = self.different = 0
        """Messages, and what is kept of history."""
        self.signals = 0
        """Of those that are the same."""
        self.first: list[str] = []
        """The first differences, a line each."""
        self.told_by: set[tuple[str, str]] = set()
        """Model and policy of every signal that was told."""

    def take(self, one: Retold) -> None:
        """What the replay tells next."""
        if one.history:
            assert not isinstance(one.told, Index)
            self._history.append(one.told)
            if len(self._history) >= _PAGE:
                self._compare_history()
            return
        self._seq += 1
        was = next(self._messages, None)
        if was is None:
            self._differs(f"message {self._seq}: {_named(one.told)} is made, nothing was told")
            return
        self._hear(was)
        now = encode(one.at, one.told, self._epoch or "", self._seq).event
        if now == was.event:
            self._agrees(one.told)
        else:
            self._differs(f"message {self._seq}, {_named(one.told)}: {_fields(was.event, now)}")

    def end(self) -> None:
        """The replay tells no more."""
        self._compare_history()
        for was in self._messages:
            self._hear(was)
            self._differs(f"message {was.seq} was told, and is not made")
        missing = told.history_kept(self._conn) - self._of_history
        if missing > 0:
            self.different += missing
            self.first.append(f"{missing:,} signals of imported history were kept, and are not made")

    def _compare_history(self) -> None:
        kept = told.kept(self._conn, [one.signal_id for one in self._history])
        for one in self._history:
            data, retracted_at = kept.get(one.signal_id, (None, None))
            if isinstance(one, Retraction):
                same = retracted_at == one.retracted_at
            else:
                self._of_history += data is not None
                same = data == _as_kept(one)
                self.told_by |= {(data["model_id"], data["policy_id"])} if data else set()
            if same:
                self._agrees(one)
            else:
                self._differs(f"{_named(one)} of imported history: {_keys(data, one)}")
        self._history = []

    def _hear(self, was: Outgoing) -> None:
        if was.type == signals.TYPES[Signal]:
            ids = msgspec.json.decode(was.event, type=_Message).data
            self.told_by.add((ids.model_id, ids.policy_id))

    def _agrees(self, one: Signal | Retraction | Index) -> None:
        self.same += 1
        self.signals += isinstance(one, Signal)

    def _differs(self, line: str) -> None:
        self.different += 1
        if len(self.first) < SHOWN:
            self.first.append(line)


def _named(one: Signal | Retraction | Index) -> str:
    if isinstance(one, Index):
        return "index"
    if isinstance(one, Retraction):
        return f"retraction of {one.signal_id}"
    return f"signal {one.signal_id} ({one.title[:60]})"


def _fields(was: bytes, now: bytes) -> str:
    """What of two messages differs: `p_up was 0.5, is 0.4`."""
    old, new = (msgspec.json.decode(event) for event in (was, now))
    if old.get("type") != new.get("type"):
        return f"was {old.get('type')}, is {new.get('type')}"
    return _said({**old, **old["data"]}, {**new, **new["data"]})


def _keys(data: dict[str, Any] | None, one: Signal | Retraction) -> str:
    if data is None:
        return "none is kept"
    return "retracted at another time" if isinstance(one, Retraction) else _said(data, _as_kept(one))


def _as_kept(one: Signal) -> Any:
    """As it comes back from the store's JSON."""
    return msgspec.json.decode(msgspec.json.encode(one))


def _said(old: dict[str, Any], new: dict[str, Any]) -> str:
    names = [name for name in old if name != "data" and old[name] != new.get(name)]
    shown = [f"{name} was {_short(old[name])}, is {_short(new.get(name))}" for name in names[:3]]
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return "; ".join(shown) + more if shown else "the same values in other bytes"


def _short(value: object) -> str:
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= 60 else f"{text[:57]}..."
