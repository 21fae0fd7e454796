"""Headlines that tell the same event become one story; repeats lose novelty.

Two headlines tell the same event when enough of what they say is the same and nothing is at odds: no other
figure, name, month or direction. An item whose title was changed stays in its story. A story takes headlines
in for one window after its first; what is said later begins a new one. So the place of a headline depends
only on what was known within the window before it, however the index came about: carried on from headline
to headline, or built anew from what a store remembers.
"""

import bisect
import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from signals.model import Headline, Withdrawal
from signals.text import Gist, plain_gist, stable_id

MIN_OVERLAP = 0.9
"""Share of words in common (Jaccard) from which two titles tell one event, where words are compared as they stand."""
ITEM_OVERLAP = 0.3
"""The same of two titles of one item: less than this is another item under an address that a feed uses for all."""
DAY = dt.timedelta(days=1)
_NEVER = object()


class Member(NamedTuple):
    """A headline already in a story: what grouping needs to remember of it."""

    known_at: dt.datetime
    headline_id: str
    story_id: str
    source: str
    title: str
    item_id: str = ""


class Standing(NamedTuple):
    """The signal that stands for a story: the last that was made of it."""

    signal_id: str
    headline_id: str
    valid_until: dt.datetime


class Placement(NamedTuple):
    """Where a headline went: its story, and what had been said before it."""

    story_id: str
    revision: int
    first_known_at: dt.datetime
    headline_ids: tuple[str, ...]
    novelty: float
    mentions_24h: int
    n_sources: int
    corrects: str | None = None
    """The headline that this one mends: the page had another title, or this title says so."""
    withdraws: bool = False
    """It takes the story back, and tells nothing itself."""
    standing: Standing | None = None
    """What stood for the story until now."""
    retracted: bool = False
    """The story's signal was taken back, and none made since."""


class _Told(NamedTuple):
    member: Member
    title: Gist


class StoryIndex:
    """The stories told so far.

    A headline is compared only with those known no later than itself and no more than `window_s` before.

    Parameters
    ----------
    members : told before, in any order.
    standing : what stands for each story; null for one whose signal was retracted.
    gist : what of a title is compared.
    min_overlap : share of words in common (Jaccard) from which two titles tell one event.
    """

    def __init__(
        self,
        window_s: float,
        members: Iterable[Member] = (),
        standing: Mapping[str, Standing | None] = MappingProxyType({}),
        *,
        gist: Callable[[str], Gist] = plain_gist,
        min_overlap: float = MIN_OVERLAP,
    ) -> None:
        self._window = dt.timedelta(seconds=window_s)
        self._gist = gist
        self._min_overlap = min_overlap
        self._by_word: defaultdict[str, list[_Told]] = defaultdict(list)  # each in the order of `Member`
        self._by_item: defaultdict[str, list[_Told]] = defaultdict(list)  # likewise
        self._by_headline: dict[str, Member] = {}
        self._stories: defaultdict[str, list[Member]] = defaultdict(list)  # likewise
        self._founded: dict[str, dt.datetime] = {}
        self._standing = dict(standing)
        self._in_order: list[_Told] = []
        for member in sorted(members, key=_order):
            self._remember(_Told(member, gist(member.title)))

    def place(self, headline: Headline) -> Placement:
        """Put a headline into the story it repeats, or begin one; remembers it."""
        title = self._gist(headline.title)
        changed = self._changed(headline, title)
        found = changed or self._nearest(title, headline.known_at)
        story_id = found.story_id if found else _story_id(headline.headline_id)
        member = Member(
            headline.known_at, headline.headline_id, story_id, headline.source, headline.title, headline.item_id
        )
        self._remember(_Told(member, title))
        told = [m for m in self._stories[story_id] if m.known_at <= headline.known_at]
        mended = changed or (found if title.corrects else None)
        return Placement(
            story_id=story_id,
            revision=len(told),
            first_known_at=told[0].known_at,
            headline_ids=tuple(m.headline_id for m in told),
            novelty=round(1 / len(told), 4),
            mentions_24h=sum(headline.known_at - m.known_at <= DAY for m in told),
            n_sources=len({m.source for m in told}),
            corrects=mended.headline_id if mended else None,
            withdraws=title.withdraws,
            standing=self._standing.get(story_id),
            retracted=self._standing.get(story_id, _NEVER) is None,
        )

    def stand(self, story_id: str, standing: Standing | None) -> None:
        """From now on this signal stands for the story; null: none does, its signal was retracted."""
        self._standing[story_id] = standing

    def forget(self, before: dt.datetime) -> None:
        """Drop what was known before this UTC time: it is too old to bear on anything known a window later."""
        old = self._in_order[: bisect.bisect_left(self._in_order, before, key=_known_at)]
        del self._in_order[: len(old)]
        _drop_oldest(self._by_word, (word for told in old for word in told.title.words))
        _drop_oldest(self._by_item, (told.member.item_id for told in old if told.member.item_id))
        _drop_oldest(self._stories, (told.member.story_id for told in old))
        for told in old:
            self._by_headline.pop(told.member.headline_id, None)
            if told.member.story_id not in self._stories:
                self._founded.pop(told.member.story_id, None)
                self._standing.pop(told.member.story_id, None)

    def withdrawn(self, withdrawal: Withdrawal) -> tuple[str, Standing] | None:
        """The story and the signal that falls with a headline; null where none does.

        It falls if it is the headline's own, and, where the headline only vanished from a list, if no other item
        tells the story.
        """
        since = withdrawal.known_at - self._window
        own = self._by_headline.get(withdrawal.headline_id)
        standing = self._standing.get(own.story_id) if own else None
        if own is None or own.known_at < since or standing is None or standing.headline_id != own.headline_id:
            return None
        told = [m for m in self._stories[own.story_id] if since <= m.known_at <= withdrawal.known_at]
        if withdrawal.reason == "vanished" and any(not own.item_id or m.item_id != own.item_id for m in told):
            return None
        return own.story_id, standing

    def _remember(self, told: _Told) -> None:
        member = told.member
        bisect.insort(self._in_order, told, key=_member_order)
        bisect.insort(self._stories[member.story_id], member, key=_order)
        if member.story_id == _story_id(member.headline_id):
            self._founded[member.story_id] = member.known_at
        for word in told.title.words:
            bisect.insort(self._by_word[word], told, key=_member_order)
        self._by_headline[member.headline_id] = member
        if member.item_id:
            bisect.insort(self._by_item[member.item_id], told, key=_member_order)

    def _changed(self, headline: Headline, title: Gist) -> Member | None:
        """The last headline of the same item, if it had another title and its story is open."""
        told = self._by_item.get(headline.item_id, [])
        for earlier in reversed(self._within(told, headline.known_at)):
            changed = earlier.title.normal != title.normal and _overlap(earlier.title, title) >= ITEM_OVERLAP
            if changed and self._open(earlier.member.story_id, headline.known_at):
                return earlier.member
        return None

    def _nearest(self, title: Gist, at: dt.datetime) -> Member | None:
        """The likest headline of an open story; of equally like ones the last known."""
        alike = [
            (1.0 if told.title.normal == title.normal else _overlap(told.title, title), told.member)
            for told in self._candidates(title, at)
            if told.title.normal == title.normal or self._same(told.title, title)
        ]
        open_ones = [(overlap, member) for overlap, member in alike if self._open(member.story_id, at)]
        return max(open_ones, key=lambda found: (found[0], _order(found[1])))[1] if open_ones else None

    def _same(self, told: Gist, title: Gist) -> bool:
        """Enough in common and nothing at odds; a correction is at odds with what it corrects."""
        return _overlap(told, title) >= self._min_overlap and (title.corrects or not _at_odds(told, title))

    def _candidates(self, title: Gist, at: dt.datetime) -> Iterable[_Told]:
        """All that may overlap by `min_overlap`.

        They share at least that part of the words, so of any few more words than the other part they share
        one at least: the rarest will do (the prefix filter of Chaudhuri et al., ICDE 2006).
        """
        enough = len(title.words) - int(self._min_overlap * len(title.words)) + 1
        rarest = sorted(title.words, key=lambda word: (len(self._by_word.get(word, ())), word))[:enough]
        found: dict[Member, _Told] = {}
        for word in rarest:
            found.update((item.member, item) for item in self._within(self._by_word.get(word, []), at))
        return found.values()

    def _within(self, told: list[_Told], at: dt.datetime) -> list[_Told]:
        low = bisect.bisect_left(told, at - self._window, key=_known_at)
        return told[low : bisect.bisect_right(told, at, key=_known_at)]

    def _open(self, story_id: str, at: dt.datetime) -> bool:
        founded = self._founded.get(story_id)  # null: so long ago that it was not even handed in
        return founded is not None and at - founded <= self._window


def _drop_oldest(lists: dict[str, list[Any]], keys: Iterable[str]) -> None:
    """Take from the list of each key its oldest, as often as the key is named, and empty lists altogether."""
    for key, count in Counter(keys).items():
        del lists[key][:count]
        if not lists[key]:
            del lists[key]


def _story_id(first_headline_id: str) -> str:
    return stable_id("story", first_headline_id)


def _overlap(one: Gist, other: Gist) -> float:
    common = len(one.words & other.words)
    total = len(one.words) + len(other.words) - common
    return common / total if total else 0.0


def _at_odds(one: Gist, other: Gist) -> bool:
    """Does anything tell them apart, however alike they are?"""
    if one.marks != other.marks or not (one.figures <= other.figures or other.figures <= one.figures):
        return True
    asked = ((one.names, other.names), (one.times, other.times))
    answered = ((one.senses[question], other.senses[question]) for question in one.senses.keys() & other.senses.keys())
    return any(a and b and not a & b for a, b in (*asked, *answered))


def _order(member: Member) -> tuple[dt.datetime, str]:
    return member.known_at, member.headline_id


def _member_order(told: _Told) -> tuple[dt.datetime, str]:
    return _order(told.member)


def _known_at(told: _Told) -> dt.datetime:
    return told.member.known_at
