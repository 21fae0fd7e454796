"""Headlines that tell the same event become one story; repeats lose novelty.

Two headlines tell the same event when enough of what they say is the same and nothing is at odds: no other
figure, name, month or direction. A page whose title was changed stays in its story. A story takes headlines
in for one window after its first; what is said later begins a new one. So the place of a headline depends
only on what was known within the window before it, however the index came about: carried on from headline
to headline, or built anew from what a store remembers.
"""

import bisect
import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import NamedTuple

from signals.model import Headline
from signals.text import Gist, plain_gist, stable_id

MIN_OVERLAP = 0.9
"""Share of words in common (Jaccard) from which two titles tell one event, where words are compared as they stand."""
PAGE_OVERLAP = 0.3
"""The same of two titles of one page: less than this is another item under an address that a feed uses for all."""
DAY = dt.timedelta(days=1)


class Member(NamedTuple):
    """A headline already in a story: what grouping needs to remember of it."""

    known_at: dt.datetime
    headline_id: str
    story_id: str
    source: str
    title: str
    url: str | None = None


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


class _Told(NamedTuple):
    member: Member
    title: Gist


class StoryIndex:
    """The stories told so far.

    A headline is compared only with those known no later than itself and no more than `window_s` before.

    Parameters
    ----------
    members : told before, in any order.
    gist : what of a title is compared.
    min_overlap : share of words in common (Jaccard) from which two titles tell one event.
    """

    def __init__(
        self,
        window_s: float,
        members: Iterable[Member] = (),
        *,
        gist: Callable[[str], Gist] = plain_gist,
        min_overlap: float = MIN_OVERLAP,
    ) -> None:
        self._window = dt.timedelta(seconds=window_s)
        self._gist = gist
        self._min_overlap = min_overlap
        self._by_word: defaultdict[str, list[_Told]] = defaultdict(list)  # each in the order of `Member`
        self._by_page: defaultdict[tuple[str, str], list[_Told]] = defaultdict(list)  # likewise
        self._stories: defaultdict[str, list[Member]] = defaultdict(list)  # likewise
        self._founded: dict[str, dt.datetime] = {}
        for member in sorted(members, key=_order):
            self._remember(_Told(member, gist(member.title)))

    def place(self, headline: Headline) -> Placement:
        """Put a headline into the story it repeats, or begin one; remembers it."""
        title = self._gist(headline.title)
        page = self._page(headline, title)
        found = page or self._nearest(title, headline.known_at)
        story_id = found.story_id if found else _story_id(headline.headline_id)
        member = Member(
            headline.known_at, headline.headline_id, story_id, headline.source, headline.title, headline.url
        )
        self._remember(_Told(member, title))
        told = [m for m in self._stories[story_id] if m.known_at <= headline.known_at]
        mended = page or (found if title.corrects else None)
        return Placement(
            story_id=story_id,
            revision=len(told),
            first_known_at=told[0].known_at,
            headline_ids=tuple(m.headline_id for m in told),
            novelty=round(1 / len(told), 4),
            mentions_24h=sum(headline.known_at - m.known_at <= DAY for m in told),
            n_sources=len({m.source for m in told}),
            corrects=mended.headline_id if mended else None,
        )

    def _remember(self, told: _Told) -> None:
        member = told.member
        bisect.insort(self._stories[member.story_id], member, key=_order)
        if member.story_id == _story_id(member.headline_id):
            self._founded[member.story_id] = member.known_at
        for word in told.title.words:
            bisect.insort(self._by_word[word], told, key=_member_order)
        if member.url:
            bisect.insort(self._by_page[member.source, member.url], told, key=_member_order)

    def _page(self, headline: Headline, title: Gist) -> Member | None:
        """The last headline of the same page, if it had another title and its story is open."""
        told = self._by_page.get((headline.source, headline.url or ""), [])
        for earlier in reversed(self._within(told, headline.known_at)):
            changed = earlier.title.normal != title.normal and _overlap(earlier.title, title) >= PAGE_OVERLAP
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
