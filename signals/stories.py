"""Headlines that tell the same event become one story; repeats lose novelty.

Two headlines tell the same event when their numbers are the same and their words nearly are. A story
takes headlines in for one window after its first; what is said later begins a new one. So the place of
a headline depends only on what was known within the window before it, however the index came about:
carried on from headline to headline, or built anew from what a store remembers.
"""

import bisect
import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from signals.model import Headline
from signals.text import normal_title, numbers, stable_id

MIN_OVERLAP = 0.9
"""Share of words in common (Jaccard) from which two headlines with the same numbers tell one event."""
DAY = dt.timedelta(days=1)


class Member(NamedTuple):
    """A headline already in a story: what grouping needs to remember of it."""

    known_at: dt.datetime
    headline_id: str
    story_id: str
    source: str
    title: str


class Placement(NamedTuple):
    """Where a headline went: its story, and what had been said before it."""

    story_id: str
    revision: int
    first_known_at: dt.datetime
    headline_ids: tuple[str, ...]
    novelty: float
    mentions_24h: int
    n_sources: int


class _Title(NamedTuple):
    """What of a title is compared."""

    words: frozenset[str]
    figures: tuple[str, ...]


class _Told(NamedTuple):
    member: Member
    title: _Title


class StoryIndex:
    """The stories told so far.

    A headline is compared only with those known no later than itself and no more than `window_s` before.
    """

    def __init__(self, window_s: float, members: Iterable[Member] = ()) -> None:
        self._window = dt.timedelta(seconds=window_s)
        self._by_word: defaultdict[str, list[_Told]] = defaultdict(list)  # each in the order of `Member`
        self._stories: defaultdict[str, list[Member]] = defaultdict(list)  # likewise
        self._founded: dict[str, dt.datetime] = {}
        for member in sorted(members):
            self._remember(_Told(member, _title(member.title)))

    def place(self, headline: Headline) -> Placement:
        """Put a headline into the story it repeats, or begin one; remembers it."""
        title = _title(headline.title)
        found = self._nearest(title, headline.known_at)
        story_id = found.story_id if found else _story_id(headline.headline_id)
        member = Member(headline.known_at, headline.headline_id, story_id, headline.source, headline.title)
        self._remember(_Told(member, title))
        told = [m for m in self._stories[story_id] if m.known_at <= headline.known_at]
        return Placement(
            story_id=story_id,
            revision=len(told),
            first_known_at=told[0].known_at,
            headline_ids=tuple(m.headline_id for m in told),
            novelty=round(1 / len(told), 4),
            mentions_24h=sum(headline.known_at - m.known_at <= DAY for m in told),
            n_sources=len({m.source for m in told}),
        )

    def _remember(self, told: _Told) -> None:
        member = told.member
        bisect.insort(self._stories[member.story_id], member)
        if member.story_id == _story_id(member.headline_id):
            self._founded[member.story_id] = member.known_at
        for word in told.title.words:
            bisect.insort(self._by_word[word], told, key=_member)

    def _nearest(self, title: _Title, at: dt.datetime) -> Member | None:
        """The likest headline of an open story; of equally like ones the last known."""
        best: tuple[float, Member] | None = None
        for told in self._candidates(title, at):
            common = len(title.words & told.title.words)
            overlap = common / (len(title.words) + len(told.title.words) - common)
            same = overlap >= MIN_OVERLAP and told.title.figures == title.figures
            if same and self._open(told.member.story_id, at) and (best is None or (overlap, told.member) > best):
                best = overlap, told.member
        return best[1] if best else None

    def _candidates(self, title: _Title, at: dt.datetime) -> Iterable[_Told]:
        """All that may overlap by `MIN_OVERLAP`.

        They share at least that part of the words, so of any few more words than the other part they share
        one at least: the rarest will do (the prefix filter of Chaudhuri et al., ICDE 2006).
        """
        enough = len(title.words) - int(MIN_OVERLAP * len(title.words)) + 1
        rarest = sorted(title.words, key=lambda word: (len(self._by_word.get(word, ())), word))[:enough]
        found: dict[Member, _Told] = {}
        for word in rarest:
            told = self._by_word.get(word, [])
            low = bisect.bisect_left(told, at - self._window, key=_known_at)
            high = bisect.bisect_right(told, at, key=_known_at)
            found.update((item.member, item) for item in told[low:high])
        return found.values()

    def _open(self, story_id: str, at: dt.datetime) -> bool:
        founded = self._founded.get(story_id)  # null: so long ago that it was not even handed in
        return founded is not None and at - founded <= self._window


def _story_id(first_headline_id: str) -> str:
    return stable_id("story", first_headline_id)


def _title(title: str) -> _Title:
    normal = normal_title(title)
    return _Title(_words(normal), numbers(normal))


def _words(normal: str) -> frozenset[str]:
    if normal.isascii():
        return frozenset(normal.split())
    return frozenset(normal[i : i + 2] for i in range(len(normal) - 1)) or frozenset({normal})


def _member(told: _Told) -> Member:
    return told.member


def _known_at(told: _Told) -> dt.datetime:
    return told.member.known_at
