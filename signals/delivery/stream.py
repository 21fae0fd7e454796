"""The log as a reader uses it: where to begin, what comes next, what came before."""

import datetime as dt
import re
from collections.abc import Callable, Iterator
from typing import cast

import redis

from signals.delivery.journal import Entry, read_entry
from signals.delivery.keys import EVENT_FIELD
from signals.errors import ConfigError

Start = str | dt.timedelta
"""`new`, `all`, an age, or the id of the last message already seen."""

BEGINNING = "0-0"
_ID = re.compile(r"\d{1,20}(-\d{1,20})?")
_PAGE = 200
_Raw = tuple[bytes, dict[bytes, bytes]]
_FIELD = EVENT_FIELD.encode()


def check_start(start: Start) -> None:
    """See that a place to begin is one.

    Raises
    ------
    ConfigError : it is none.
    """
    if isinstance(start, dt.timedelta) or start in ("new", "all"):
        return
    if _ID.fullmatch(start) and max(_order(start)) < 2**64:
        return
    mend = "give new, all, an age, or an id as 1700000000000-0"
    raise ConfigError("start", f"{start!r} is no place in the log", mend)


class Log:
    """One stream, read from a position onwards.

    Parameters
    ----------
    client : gives the connected redis-py client.
    key : name of the stream.
    """

    def __init__(self, client: Callable[[], redis.Redis], key: str) -> None:
        self._client = client
        self._key = key
        self.position = BEGINNING
        """Id of the last entry read."""
        self._witnessed = False
        """Whether the position is an entry's, not a time's."""
        self.resumed = False
        """Whether reading goes on behind a message seen before."""

    def seek(self, start: Start, now: dt.datetime) -> Entry | None:
        """Go to where reading begins; the entry that stands just there, if the log still has it.

        `now` (UTC) is what an age counts back from.
        """
        if isinstance(start, dt.timedelta):
            age_ms = start // dt.timedelta(milliseconds=1)
            self.position = f"{max(0, int(now.timestamp() * 1000) - age_ms)}-0"
            return None
        if start in ("all", "0", BEGINNING):
            return None
        entry = self._last_until("+" if start == "new" else start)
        self.position = start if start != "new" else entry.stream_id if entry else BEGINNING
        self._witnessed = True
        self.resumed = start != "new"
        return None if self.settle() else entry

    def after(self, block_ms: int) -> Iterator[Entry]:
        """Entries after the position, waiting for one as long as told (0: not at all); moves on with each."""
        answer = self._client().xread({self._key: self.position}, count=_PAGE, block=block_ms or None)
        for _, entries in cast(list[tuple[bytes, list[_Raw]]], answer):
            for entry in map(_entry, entries):
                yield entry
                self.position = entry.stream_id
                self._witnessed = True

    def settle(self) -> bool:
        """Go back to the beginning where the log ends before our position: it is another log by now."""
        if not self._witnessed or self.position == BEGINNING:
            return False
        top = self._last_until("+")
        if top is not None and _order(top.stream_id) >= _order(self.position):
            return False
        self.position, self._witnessed = BEGINNING, False
        return True

    def recall(self, epoch: str, low: int, high: int, before: str) -> list[tuple[int, Entry]]:
        """Entries with `seq` from `low` to `high` that stand before an id, in the order of `seq`."""
        found: dict[int, Entry] = {}
        for entry in self._backwards(before):
            place = entry.place
            if place is None or (place.epoch == epoch and place.seq > high):
                continue
            if place.epoch != epoch or place.seq < low:
                break
            found[place.seq] = entry
            if len(found) > high - low:
                break
        return sorted(found.items())

    def _backwards(self, before: str) -> Iterator[Entry]:
        while entries := self._page_down(f"({before}", _PAGE):
            yield from map(_entry, entries)
            before = entries[-1][0].decode()

    def _last_until(self, stream_id: str) -> Entry | None:
        entries = self._page_down(stream_id, 1)
        return _entry(entries[0]) if entries else None

    def _page_down(self, until: str, count: int) -> list[_Raw]:
        return cast(list[_Raw], self._client().xrevrange(self._key, until, "-", count=count))


def _entry(raw: tuple[bytes, dict[bytes, bytes]]) -> Entry:
    stream_id, fields = raw
    return read_entry(stream_id.decode(), fields.get(_FIELD))


def _order(stream_id: str) -> tuple[int, int]:
    milliseconds, _, number = stream_id.partition("-")
    return int(milliseconds), int(number or 0)
