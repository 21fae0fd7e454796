"""What left a list: a publisher that took an item back, and everything that only looks like it."""

import datetime as dt

import pytest

from signals.model import Headline
from signals.sources.vanished import CONFIRM, Looked, look, still_missing

from .conftest import NOW

MINUTE = dt.timedelta(minutes=1)
BEFORE = NOW - CONFIRM


def listed(*ages: int, undated: bool = False) -> list[Headline]:
    """A list of items so many minutes old; an item is named by its age."""
    return [
        Headline(
            headline_id=f"h{age}",
            item_id=f"i{age}",
            source="wire",
            url=None,
            title=f"News {age}",
            lang="en",
            source_published_at=None if undated else NOW - age * MINUTE,
            known_at=NOW,
        )
        for age in ages
    ]


class Was:
    """A headline that the list held before."""

    def __init__(self, age: int, missing_at: dt.datetime | None = None) -> None:
        self.headline_id, self.item_id = f"h{age}", f"i{age}"
        self.source_published_at, self.missing_at = NOW - age * MINUTE, missing_at


LIST = (1, 2, 4, 5, 6, 7)


def test_an_item_taken_from_the_middle_is_missed_first_and_gone_later() -> None:
    """Only an item that stays away for minutes, between older ones that stay, was taken back."""
    assert look(listed(*LIST), [Was(3), Was(2)], NOW) == Looked(["h3"], [], [])
    assert look(listed(*LIST), [Was(3, NOW - MINUTE)], NOW) == Looked([], [], [])
    assert look(listed(*LIST), [Was(3, BEFORE)], NOW) == Looked([], [], ["h3"])


def test_a_list_that_stays_as_it_was_confirms_what_it_lacked() -> None:
    """Most servers answer 304 from then on: nothing else would ever tell."""
    kept = [Was(2), Was(3, BEFORE), Was(4, NOW - MINUTE)]
    assert still_missing(kept, NOW) == Looked([], [], ["h3"])


def test_an_item_that_comes_back_was_never_gone() -> None:
    """A server that was behind for a moment costs nothing."""
    assert look(listed(*LIST), [Was(4, BEFORE)], NOW) == Looked([], ["h4"], [])


@pytest.mark.parametrize(
    ("ages", "kept"),
    [
        (LIST, 8),  # older than all: the list forgets its oldest
        ((1, 2, 900, 901), 3),  # but two are older: they may be pinned to the end
        ((900, 1, 2, 4, 5, 6), 3),  # pinned to the top: not in the order of dates
        ((6, 2, 5, 1, 7, 4), 3),  # shuffled
        ((1, 2), 3),
        ((), 3),
    ],
)
def test_what_a_list_may_lose_by_itself_is_not_gone(ages: tuple[int, ...], kept: int) -> None:
    """Aged out, pinned, shuffled, short or empty lists tell nothing."""
    assert look(listed(*ages), [Was(kept, BEFORE)], NOW) == Looked([], [], [])


def test_a_list_without_dates_tells_nothing() -> None:
    """Nobody can say what is older in it."""
    assert look(listed(*LIST, undated=True), [Was(3, BEFORE)], NOW) == Looked([], [], [])


def test_where_much_is_gone_the_list_has_changed() -> None:
    """A site that shows another section, or half of its list, has taken nothing back."""
    gone = [Was(3, BEFORE), *(Was(age, BEFORE) for age in (2, 4))]
    assert look(listed(1, 5, 6, 7, 8), gone, NOW) == Looked([], [], [])
