"""Items that left a source's list while older ones stayed: what its publisher took back without a word.

Lists forget their oldest items, show some twice, and are cut short by a bad moment of their server. So an item
counts as gone only where the list is in the order of its dates, several older items are still in it, and the item
was missed before, some minutes ago. Where much is gone at once, the list has changed, not the news.
"""

import datetime as dt
import itertools
from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

from signals.model import Headline

CONFIRM = dt.timedelta(minutes=3)
"""How long an item must have been missing: servers behind one address do not all have the same list."""
MIN_OLDER = 3
"""Items older than the missing one that must still be there: fewer may be pinned to the list's end."""
MAX_SHARE = 0.2
"""Of a list's items; where more are gone at once, it is another list."""


class Kept(Protocol):
    """A headline of the source that its list may still hold."""

    @property
    def headline_id(self) -> str: ...  # noqa: D102
    @property
    def item_id(self) -> str: ...  # noqa: D102
    @property
    def source_published_at(self) -> dt.datetime: ...  # noqa: D102
    @property
    def missing_at(self) -> dt.datetime | None:
        """Since when its item is missing; null while it is there."""


class Looked(NamedTuple):
    """What a list says of the headlines that it gave before, by id."""

    missing: list[str]
    """Not there for the first time."""
    back: list[str]
    """There again."""
    vanished: list[str]
    """Gone."""


def still_missing(kept: Iterable[Kept], now: dt.datetime) -> Looked:
    """The same where the source says that its list is as it was: what was missing then is missing still."""
    gone = [one.headline_id for one in kept if one.missing_at and now - one.missing_at >= CONFIRM]
    return Looked([], [], gone)


def look(listed: Sequence[Headline], kept: Iterable[Kept], now: dt.datetime) -> Looked:
    """Compare a list, in its publisher's order, with what it held before; `now` is UTC."""
    looked = Looked([], [], [])
    dates = [headline.source_published_at for headline in listed]
    known = [date for date in dates if date is not None]
    if len(known) < len(dates) or any(a < b for a, b in itertools.pairwise(known)):
        return looked  # not in the order of dates: nothing can be told from a gap
    there = {headline.item_id for headline in listed}
    reach = known[-MIN_OLDER] if len(known) >= MIN_OLDER else None
    for one in kept:
        if one.item_id in there:
            if one.missing_at:
                looked.back.append(one.headline_id)
        elif reach and one.source_published_at > reach:
            if one.missing_at is None:
                looked.missing.append(one.headline_id)
            elif now - one.missing_at >= CONFIRM:
                looked.vanished.append(one.headline_id)
    if len(looked.missing) + len(looked.vanished) > max(1, MAX_SHARE * len(listed)):
        return Looked([], looked.back, [])
    return looked
