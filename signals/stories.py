"""Headlines that tell the same event become one story; repeats lose novelty.

Two headlines tell the same event when they stand within the story window, their numbers are the same
and their words nearly are. Candidates come from an index of words, the verdict from an exact check.
"""

import datetime as dt
from collections import Counter, defaultdict, deque
from collections.abc import Iterable
from typing import NamedTuple

from signals.model import Headline
from signals.text import normal_title, numbers, stable_id

MIN_OVERLAP = 0.8
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


class StoryIndex:
    """The stories of a bounded window, in the order they were learned.

    A headline is compared only with those known no later than itself and no more than `window_s` before.
    """

    def __init__(self, window_s: float, members: Iterable[Member] = ()) -> None:
        self._window = dt.timedelta(seconds=window_s)
        self._by_word: defaultdict[str, deque[Member]] = defaultdict(deque)
        self._stories: defaultdict[str, list[Member]] = defaultdict(list)
        for member in sorted(members):
            self._remember(member)

    def place(self, headline: Headline) -> Placement:
        """Put a headline into the story it repeats, or begin one; remembers it."""
        found = self._nearest(headline)
        story_id = found.story_id if found else stable_id("story", headline.headline_id)
        self._remember(
            Member(headline.known_at, headline.headline_id, story_id, headline.source, headline.title)
        )
        told = [m for m in self._stories[story_id] if m.known_at <= headline.known_at]
        recent = [m for m in told if headline.known_at - m.known_at <= DAY]
        return Placement(
            story_id=story_id,
            revision=len(told),
            first_known_at=min(m.known_at for m in told),
            headline_ids=tuple(m.headline_id for m in told),
            novelty=round(1 / len(told), 4),
            mentions_24h=len(recent),
            n_sources=len({m.source for m in told}),
        )

    def _remember(self, member: Member) -> None:
        self._stories[member.story_id].append(member)
        for word in _words(member.title):
            self._by_word[word].append(member)

    def _nearest(self, headline: Headline) -> Member | None:
        words = _words(headline.title)
        figures = numbers(normal_title(headline.title))
        shared: Counter[Member] = Counter()
        for word in words:
            shared.update(m for m in self._alive(word, headline.known_at) if m.known_at <= headline.known_at)
        best: tuple[float, Member] | None = None
        for member, common in shared.items():
            theirs = _words(member.title)
            overlap = common / (len(words) + len(theirs) - common)
            same = overlap >= MIN_OVERLAP and numbers(normal_title(member.title)) == figures
            if same and (best is None or (overlap, member.known_at) > (best[0], best[1].known_at)):
                best = (overlap, member)
        return best[1] if best else None

    def _alive(self, word: str, at: dt.datetime) -> Iterable[Member]:
        return [m for m in self._by_word.get(word, ()) if at - m.known_at <= self._window]


def _words(title: str) -> frozenset[str]:
    normal = normal_title(title)
    if normal.isascii():
        return frozenset(normal.split())
    return frozenset(normal[i : i + 2] for i in range(len(normal) - 1)) or frozenset({normal})
