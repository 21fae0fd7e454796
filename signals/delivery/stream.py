"""The log as a reader uses it: where to begin, what comes next, what came before. Steps, no network."""

import datetime as dt
import re

from signals.delivery.journal import Entry, Reader
from signals.delivery.keys import EVENT_FIELD
from signals.delivery.steps import Ask, Steps
from signals.errors import ConfigError

Start = str | dt.timedelta | dt.datetime
"""`new`, `all`, an age, an aware time, or the id of the last message already seen."""

BEGINNING = "0-0"
PAGE = 200
"""Entries asked for at once."""
_ID = re.compile(r"\d{1,20}(-\d{1,20})?", re.ASCII)
_Raw = tuple[bytes | None, dict[bytes, bytes] | None]
_FIELD = EVENT_FIELD.encode()


def check_start(start: Start) -> None:
    """See that a place to begin is one.

    Raises
    ------
    ConfigError : it is none.
    """
    if isinstance(start, dt.datetime):
        if start.utcoffset() is None:
            raise ConfigError("start", f"{start!r} has no time zone", "give an aware time")
        return
    if isinstance(start, dt.timedelta) or start in ("new", "all"):
        return
    if _ID.fullmatch(start) and max(order(start)) < 2**64:
        return
    mend = "give new, all, an age, a time, or an id as 1700000000000-0"
    raise ConfigError("start", f"{start!r} is no place in the log", mend)


def id_at(start: dt.timedelta | dt.datetime, now: dt.datetime) -> str:
    """The id behind which entries of that time or later stand; an age counts back from `now` (UTC)."""
    if isinstance(start, dt.timedelta):
        ms = int(now.timestamp() * 1000) - start // dt.timedelta(milliseconds=1)
    else:
        ms = int(start.timestamp() * 1000)
    return f"{ms - 1}-{2**64 - 1}" if ms > 0 else BEGINNING


class Log:
    """One stream, read from a position onwards.

    Parameters
    ----------
    reader : reads the entries.
    key : name of the stream.
    """

    def __init__(self, reader: Reader, key: str) -> None:
        self._reader = reader
        self._key = key
        self.position = BEGINNING
        """Id of the last entry read."""
        self._witnessed = False
        """Whether the position is an entry's, not a time's."""
        self.resumed = False
        """Whether reading goes on behind a message seen before."""

    def seek(self, start: Start, now: dt.datetime) -> Steps[Entry | None]:
        """Go to where reading begins; the entry that stands just there, if the log still has it.

        `now` (UTC) is what an age counts back from.
        """
        if isinstance(start, dt.timedelta | dt.datetime):
            self.position = id_at(start, now)
            return None
        if start in ("all", "0", BEGINNING):
            return None
        entry = yield from self._last_until("+" if start == "new" else start)
        self.position = start if start != "new" else entry.stream_id if entry else BEGINNING
        self._witnessed = True
        self.resumed = start != "new"
        moved = yield from self.settle()
        return None if moved else entry

    def after(self, block_ms: int) -> Steps[list[Entry]]:
        """Entries after the position, waiting for one as long as told (0: not at all)."""
        wait = ("BLOCK", block_ms) if block_ms else ()
        answer = yield Ask("XREAD", "COUNT", PAGE, *wait, "STREAMS", self._key, self.position)
        return [self._entry(raw) for _, entries in answer or () for raw in entries if raw[0] is not None]

    def move_to(self, entry: Entry) -> None:
        """Go on behind an entry: it is done with."""
        self.position = entry.stream_id
        self._witnessed = True

    def settle(self) -> Steps[bool]:
        """Go back to the beginning where the log ends before our position: it is another log by now."""
        if not self._witnessed or self.position == BEGINNING:
            return False
        top = yield from self._last_until("+")
        if top is not None and order(top.stream_id) >= order(self.position):
            return False
        self.position, self._witnessed = BEGINNING, False
        return True

    def ahead(self, behind: str) -> Steps[list[Entry]]:
        """A page of entries behind an id, without moving there."""
        answer = yield Ask("XRANGE", self._key, f"({behind}", "+", "COUNT", PAGE)
        return self._entries(answer)

    def back(self, before: str, count: int = PAGE) -> Steps[list[Entry]]:
        """A page of entries before an id (`+`: from the end on), newest first."""
        answer = yield Ask("XREVRANGE", self._key, before if before == "+" else f"({before}", "-", "COUNT", count)
        return self._entries(answer)

    def recall(self, epoch: str, low: int, high: int, before: str) -> Steps[list[tuple[int, Entry]]]:
        """Entries with `seq` from `low` to `high` that stand before an id, in the order of `seq`."""
        found: dict[int, Entry] = {}
        while entries := (yield from self.back(before)):
            for entry in entries:
                place = entry.place
                if place is None or (place.epoch == epoch and place.seq > high):
                    continue
                if place.epoch != epoch or place.seq < low:
                    return sorted(found.items())
                found[place.seq] = entry
            if len(found) > high - low:
                break
            before = entries[-1].stream_id
        return sorted(found.items())

    def _last_until(self, stream_id: str) -> Steps[Entry | None]:
        entries = self._entries((yield Ask("XREVRANGE", self._key, stream_id, "-", "COUNT", 1)))
        return entries[0] if entries else None

    def _entries(self, answer: list[_Raw] | None) -> list[Entry]:
        return [self._entry(raw) for raw in answer or () if raw[0] is not None]

    def _entry(self, raw: _Raw) -> Entry:
        return entry_of(self._reader, raw)


def entry_of(reader: Reader, raw: _Raw) -> Entry:
    """Read a stream entry as redis-py gives it."""
    stream_id, fields = raw
    return reader.entry((stream_id or b"").decode(), (fields or {}).get(_FIELD))


def order(stream_id: str) -> tuple[int, int]:
    """Ids in the order of the log.

    >>> order("5-1") < order("10-0")
    True
    """
    milliseconds, _, number = stream_id.partition("-")
    return int(milliseconds), int(number or 0)
