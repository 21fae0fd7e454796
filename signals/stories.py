"""Headlines that tell the same event become one story; repeats lose novelty.

Whether two titles tell the same event, a `Language` says; here stands which are compared, and what follows. An
item whose title was changed stays in its story. A story takes headlines in for one window after its first; what
is said later begins a new one. So the place of a headline depends only on what was known within the window before
it, however the index came about: carried on from headline to headline, or built anew from what a store remembers.

Of the titles in the window only those are compared that share telling words, the newest of them: so a headline costs
the same however many are kept.
"""

import bisect
import datetime as dt
import heapq
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol, TypeVar

from signals.model import Headline, Withdrawal
from signals.text import PlainTitle, plain_title, stable_id

MIN_OVERLAP = 0.9
"""Share of words in common (Jaccard) from which two titles tell one event, where words are compared as they stand."""
ITEM_OVERLAP = 0.15
"""The same of two titles of one item: less than this is another item under an address that a feed uses for all."""
NEWEST = 120
"""Of the titles that share a word, so many are looked at."""
DAY = dt.timedelta(days=1)
_NEVER = object()
_EXACT = "\x00"
"""Before a normal form, where it stands among the words."""


class Read(Protocol):
    """A title as it is compared."""

    @property
    def normal(self) -> str:
        """Titles whose normal form is the same are the same, however little they say."""

    @property
    def keys(self) -> Mapping[str, float]:
        """The words by which its likes are found, and how much each tells."""

    @property
    def total(self) -> float:
        """The sum of what they tell."""

    @property
    def corrects(self) -> bool:
        """It says of itself that it mends an earlier one."""

    @property
    def withdraws(self) -> bool:
        """It says of itself that it takes an earlier one back."""


ReadT = TypeVar("ReadT", bound=Read)


class Language(Protocol[ReadT]):
    """How titles are read and compared."""

    same_from: float
    """Likeness from which two titles tell one event."""
    mends_from: float
    """The same where the later one says that it corrects an earlier one."""
    reach: float
    """Share of a title's telling words that another must have to be compared."""
    most: int
    """How many are compared: those that share most."""

    def read(self, title: str) -> ReadT:
        """The title as it is compared."""

    def likeness(self, one: ReadT, others: Sequence[ReadT]) -> list[float]:
        """How alike a title is to each of the others; the same whichever comes first. Infinite: nothing is more."""


class Words:
    """The plainest language: titles are alike by the words they share, and no number may differ."""

    same_from = mends_from = reach = MIN_OVERLAP
    most = 10**6

    def read(self, title: str) -> PlainTitle:
        """Its words and numbers."""
        return plain_title(title)

    def likeness(self, one: PlainTitle, others: Sequence[PlainTitle]) -> list[float]:
        """Jaccard index of the words, 0 where numbers are at odds."""
        return [
            1.0
            if one.normal == other.normal
            else _overlap(one, other) * (one.numbers <= other.numbers or other.numbers <= one.numbers)
            for other in others
        ]


class Member(NamedTuple):
    """A headline already in a story: what grouping needs to remember of it."""

    known_at: dt.datetime
    headline_id: str
    story_id: str
    source: str
    title: str
    item_id: str = ""
    near: bool = True
    """Its likes may be found by it; else only what has its very words, or is the same item."""


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


class _Told:
    """A headline as it is remembered; two are the same only if they are one."""

    __slots__ = ("member", "order", "title")

    def __init__(self, member: Member, title: Any) -> None:
        self.member = member
        self.order = _order(member)
        self.title = title


_Alike = tuple[float, tuple[dt.datetime, str], Member]


class StoryIndex:
    """The stories told so far.

    A headline is compared only with those known no later than itself and no more than `window_s` before.

    Parameters
    ----------
    members : told before, in any order.
    standing : what stands for each story; null for one whose signal was retracted.
    language : how titles are read and compared.
    """

    def __init__(
        self,
        window_s: float,
        members: Iterable[Member] = (),
        standing: Mapping[str, Standing | None] = MappingProxyType({}),
        *,
        language: Language[Any] | None = None,
    ) -> None:
        self._window = dt.timedelta(seconds=window_s)
        self._language: Language[Any] = language or Words()
        self._by_word: defaultdict[str, list[_Told]] = defaultdict(list)  # each in the order of `Member`
        self._by_item: defaultdict[str, list[_Told]] = defaultdict(list)  # likewise
        self._by_headline: dict[str, Member] = {}
        self._stories: defaultdict[str, list[Member]] = defaultdict(list)  # likewise
        self._founded: dict[str, dt.datetime] = {}
        self._standing = dict(standing)
        self._in_order: list[_Told] = []
        for member in sorted(members, key=_order):
            self._remember(_Told(member, self._language.read(member.title)))

    def place(self, headline: Headline, *, near: bool = True) -> Placement:
        """Put a headline into the story it repeats, or begin one; remembers it.

        Without `near` only the very same words count as a repeat, of it and by it: enough for what is no news of ours,
        quick, and light to remember. Corrections and withdrawals are always looked for.
        """
        title = self._language.read(headline.title)
        near = near or title.withdraws
        changed = self._changed(headline, title)
        found = changed or self._nearest(title, headline.known_at, near=near or title.corrects)
        story_id = found.story_id if found else _story_id(headline.headline_id)
        member = Member(
            headline.known_at, headline.headline_id, story_id, headline.source, headline.title, headline.item_id, near
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

    def told(self, member: Member) -> None:
        """Remember a headline that another put into its story; one that is remembered already changes nothing."""
        if member.headline_id not in self._by_headline:
            self._remember(_Told(member, self._language.read(member.title)))

    def stand(self, story_id: str, standing: Standing | None) -> None:
        """From now on this signal stands for the story; null: none does, its signal was retracted."""
        self._standing[story_id] = standing

    def forget(self, before: dt.datetime) -> None:
        """Drop what was known before this UTC time: it is too old to bear on anything known a window later."""
        old = self._in_order[: bisect.bisect_left(self._in_order, before, key=_known_at)]
        del self._in_order[: len(old)]
        _drop_oldest(self._by_word, (word for told in old for word in _found_by(told)))
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
        _append(self._in_order, told)
        bisect.insort(self._stories[member.story_id], member, key=_order)
        if member.story_id == _story_id(member.headline_id):
            self._founded[member.story_id] = member.known_at
        for word in _found_by(told):
            _append(self._by_word[word], told)
        self._by_headline[member.headline_id] = member
        if member.item_id:
            _append(self._by_item[member.item_id], told)

    def _changed(self, headline: Headline, title: Read) -> Member | None:
        """The last headline of the same item, if it had another title and its story is open."""
        told = self._by_item.get(headline.item_id, [])
        for earlier in reversed(self._within(told, headline.known_at)):
            changed = earlier.title.normal != title.normal and _overlap(earlier.title, title) >= ITEM_OVERLAP
            if changed and self._open(earlier.member.story_id, headline.known_at):
                found: Member = earlier.member
                return found
        return None

    def _nearest(self, title: Read, at: dt.datetime, *, near: bool) -> Member | None:
        """The likest headline of an open story; of equally like ones the last known."""
        language = self._language
        enough = language.mends_from if title.corrects else language.same_from
        alike = self._alike(title, self._same(title, at), at)
        if near and not any(likeness == math.inf for likeness, *_ in alike):  # nothing is more alike
            alike += self._alike(title, self._candidates(title, at), at)
        return max((one for one in alike if one[0] >= enough), default=(0.0, None, None))[2]

    def _alike(self, title: Read, told: Iterable[_Told], at: dt.datetime) -> list[_Alike]:
        """How alike each of these is whose story is open, each with its order."""
        compared = [one for one in told if self._open(one.member.story_id, at)]
        found = self._language.likeness(title, [one.title for one in compared])
        return [(likeness, one.order, one.member) for likeness, one in zip(found, compared, strict=True)]

    def _candidates(self, title: Read, at: dt.datetime) -> list[_Told]:
        """Those that share most of what tells."""
        shared: defaultdict[_Told, float] = defaultdict(float)
        for word, weight in title.keys.items():
            for told in self._newest(word, at):
                shared[told] += weight
        enough = self._language.reach * title.total
        near = [(share, told.order, told) for told, share in shared.items() if share >= enough]
        return [told for *_, told in heapq.nlargest(self._language.most, near)]

    def _same(self, title: Read, at: dt.datetime) -> list[_Told]:
        """Those of the very same words."""
        return self._newest(_EXACT + title.normal, at) if title.normal else []

    def _newest(self, word: str, at: dt.datetime) -> list[_Told]:
        """The newest titles with a word, of those known by `at` and within the window before it."""
        told = self._by_word.get(word)
        if not told:
            return []
        high = len(told) if told[-1].member.known_at <= at else bisect.bisect_right(told, at, key=_known_at)
        low, since = max(0, high - NEWEST), at - self._window
        if low < high and told[low].member.known_at < since:
            low = bisect.bisect_left(told, since, low, high, key=_known_at)
        return told[low:high]

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


def _found_by(told: _Told) -> Iterable[str]:
    """The words by which it is found."""
    exact = _EXACT + told.title.normal
    return (*told.title.keys, exact) if told.member.near else (exact,)


def _story_id(first_headline_id: str) -> str:
    return stable_id("story", first_headline_id)


def _overlap(one: Read, other: Read) -> float:
    """Share of what tells that both have, of all that either has."""
    shared = sum(weight for word, weight in one.keys.items() if word in other.keys)
    total = one.total + other.total - shared
    return shared / total if total else 0.0


def _append(told: list[_Told], one: _Told) -> None:
    """Keep the list in the order of its members; as a rule the newest comes last."""
    if not told or told[-1].order <= one.order:
        told.append(one)
    else:
        bisect.insort(told, one, key=lambda each: each.order)


def _order(member: Member) -> tuple[dt.datetime, str]:
    return member.known_at, member.headline_id


def _known_at(told: _Told) -> dt.datetime:
    return told.member.known_at
