"""Stories: repeats lose novelty, other figures are other news, and nothing is grouped with what came later."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signals.model import Headline
from signals.stories import MIN_OVERLAP, Member, Placement, StoryIndex
from signals.text import normal_title, numbers

from .conftest import DAY, HOUR, MINUTE, NOW, SECOND, make_headline, news, steady

WINDOW = 2 * DAY
RATES = "Bank of Japan raises its policy rate to 1.0% as expected"
JAPANESE = "日銀、政策金利を1.0%に引き上げ 全員一致で決定"


def index(*members: Member) -> StoryIndex:
    """An index of a two-day window."""
    return StoryIndex(WINDOW.total_seconds(), members)


def place_all(*told: tuple[str, dt.datetime]) -> list[Placement]:
    """Places of these titles, told one after another, each by a source of its own."""
    stories = index()
    return [
        stories.place(make_headline(title, at, headline_id=f"{number:02}", source=f"source-{number}", url=None))
        for number, (title, at) in enumerate(told)
    ]


def test_a_first_telling_begins_a_story() -> None:
    """What was not told before is wholly new."""
    (place,) = place_all((RATES, NOW))
    assert place == Placement(
        story_id=place.story_id,
        revision=1,
        first_known_at=NOW,
        headline_ids=("00",),
        novelty=1.0,
        mentions_24h=1,
        n_sources=1,
    )


@pytest.mark.parametrize(
    ("title", "again"),
    [
        (RATES, RATES),
        (RATES, "BANK OF JAPAN RAISES ITS POLICY RATE TO 1.0% AS EXPECTED"),
        (RATES, "Bank of Japan raises its policy rate to 1.0%, as expected - Reuters"),
        (RATES, "As expected, Bank of Japan raises its key policy rate to 1.0%"),
        (
            "a b c d e f g h i j k l m n o p q r",
            "a b c d e f g h i j k l m n o p q r never heard",
        ),  # 18 of 20 words, the rarest not among them
        (JAPANESE, JAPANESE),
        (JAPANESE, "日銀　政策金利を１．０％に引き上げ、全員一致で決定 - Bloomberg"),
        (JAPANESE, "日銀、政策金利を1.0%に引き上げ 全員一致で決定へ"),
    ],
)
def test_a_repeat_joins_the_story(title: str, again: str) -> None:
    """The same words in another order, case, width or with a word more are the same event."""
    first, second = place_all((title, NOW), (again, NOW + HOUR))
    assert second.story_id == first.story_id
    assert (second.revision, second.novelty, second.headline_ids) == (2, 0.5, ("00", "01"))
    assert (second.first_known_at, second.n_sources, second.mentions_24h) == (NOW, 2, 2)


@pytest.mark.parametrize(
    ("title", "other"),
    [
        (RATES, RATES.replace("1.0%", "1.25%")),
        (RATES, "Bank of Japan keeps its policy rate at 0.75% as expected"),
        ("US retail sales rise 0.5% in May, Commerce Department says", "US retail sales rise 0.5% in May 2026"),
        ("Japan output -0.5% in May against a forecast", "Japan output 0.5% in May against a forecast"),
        (JAPANESE, JAPANESE.replace("1.0", "0.75")),
        (JAPANESE, "日銀、政策金利を1.0%に据え置き 賛成多数で決定"),
        (RATES, JAPANESE),
        ("", ""),
        ("!", "?"),
    ],
)
def test_other_words_or_numbers_are_another_story(title: str, other: str) -> None:
    """Numbers that differ, even by their sign, or enough other words, tell another event; no words tell nothing."""
    first, second = place_all((title, NOW), (other, NOW + HOUR))
    assert second.story_id != first.story_id
    assert second.novelty == 1.0


def test_novelty_falls_with_every_telling() -> None:
    """The second telling is half as new, the third a third, the fourth a quarter."""
    places = place_all(*((RATES, NOW + n * MINUTE) for n in range(4)))
    assert [place.novelty for place in places] == [1.0, 0.5, 0.3333, 0.25]
    assert [place.revision for place in places] == [1, 2, 3, 4]


def test_the_window_is_closed_at_both_ends() -> None:
    """A repeat joins up to the window's end, a second later it is news again."""
    assert place_all((RATES, NOW), (RATES, NOW + WINDOW))[1].revision == 2
    assert place_all((RATES, NOW), (RATES, NOW + WINDOW + SECOND))[1].revision == 1


def test_a_story_ends_with_its_window_however_often_it_is_told() -> None:
    """The window begins with the first telling: repeats do not prolong it, and the next story counts from one."""
    places = place_all(*((RATES, NOW + n * DAY) for n in range(6)))
    assert [place.revision for place in places] == [1, 2, 3, 1, 2, 3]
    assert places[3].story_id == places[5].story_id != places[2].story_id
    assert places[5].first_known_at == NOW + 3 * DAY


def test_mentions_count_a_day_back() -> None:
    """Mentions are those of the last 24 hours, the headline's own among them."""
    places = place_all((RATES, NOW), (RATES, NOW + DAY), (RATES, NOW + DAY + SECOND))
    assert [place.mentions_24h for place in places] == [1, 2, 2]


def test_sources_count_once() -> None:
    """One source that repeats itself is one source."""
    stories = index()
    for number in range(3):
        place = stories.place(make_headline(RATES, NOW + number * MINUTE, headline_id=str(number), source="wire"))
    assert (place.n_sources, place.mentions_24h) == (1, 3)


def test_a_late_arrival_is_not_grouped_with_what_was_known_after_it() -> None:
    """History that comes in behind the present begins its own story, and tells nothing of what followed."""
    later, earlier = place_all((RATES, NOW), (RATES, NOW - HOUR))
    assert earlier.story_id != later.story_id
    assert (earlier.novelty, earlier.headline_ids) == (1.0, ("01",))


def test_a_late_arrival_stands_where_it_was_known() -> None:
    """Between two tellings a third that comes late knows the first of them, not the second."""
    places = place_all((RATES, NOW), (RATES, NOW + HOUR), (RATES, NOW + MINUTE), (RATES, NOW + 2 * HOUR))
    assert places[2].headline_ids == ("00", "02")
    assert places[3].headline_ids == ("00", "02", "01", "03")


BASE = " ".join(first + second for first in "abcd" for second in "efghijklmno")
ONE, OTHER = f"{BASE} one two three", f"{BASE} four five six"
"""44 of 50 words in common: two stories, near each other."""


@pytest.mark.parametrize("titles", [(ONE, OTHER), (OTHER, ONE)])
def test_the_likest_story_is_joined(titles: tuple[str, str]) -> None:
    """Of two stories alike enough the likest takes the headline, told first or last."""
    like_other = f"{BASE} one four five"  # 45 of 50 words with the one, 46 of 48 with the other
    first, second, place = place_all((titles[0], NOW), (titles[1], NOW + MINUTE), (like_other, NOW + HOUR))
    assert first.story_id != second.story_id
    assert place.story_id == (first if titles[0] == OTHER else second).story_id


def test_the_latest_of_equally_like_stories_is_joined() -> None:
    """Equally like, the story told last takes the headline; told at one moment, the greater id: never chance."""
    between = f"{BASE} one four"
    for titles in ((ONE, OTHER), (OTHER, ONE)):
        for later in (MINUTE, 0 * MINUTE):
            _, second, place = place_all((titles[0], NOW), (titles[1], NOW + later), (between, NOW + HOUR))
            assert place.story_id == second.story_id


def is_near(headline: Headline) -> bool:
    """Whether it bears on the pair: here, three in four do."""
    return sum(headline.headline_id.encode()) % 4 > 0


def test_what_does_not_bear_on_the_pair_is_repeated_by_its_very_words_only() -> None:
    """Nobody was told of it, so what is much like it is news; its own words again are still its repeat."""
    far = make_headline(ONE, headline_id="far")
    for title, repeats in ((f"{BASE} one four", False), (ONE, True)):
        stories = index()
        first = stories.place(far, near=False)
        second = stories.place(make_headline(title, NOW + HOUR, headline_id="near", source="other", url=None))
        assert (second.story_id == first.story_id) is repeats


def told_before(headlines: list[Headline], places: list[Placement]) -> list[Member]:
    """What a store remembers of them."""
    return [
        Member(h.known_at, h.headline_id, place.story_id, h.source, h.title, h.url, is_near(h))
        for h, place in zip(headlines, places, strict=True)
    ]


@steady
@given(news(pages=True), st.booleans())
def test_an_index_carried_on_equals_one_built_anew(headlines: list[Headline], in_order: bool) -> None:
    """Whether it lived through all or was handed what was told within its window before: the places are the same."""
    if in_order:
        headlines.sort(key=lambda h: (h.known_at, h.headline_id))
    carried = index()
    places = [carried.place(headline, near=is_near(headline)) for headline in headlines]
    for number, headline in enumerate(headlines):
        members = told_before(headlines[:number], places[:number])
        known_at = headline.known_at
        near = [member for member in members if known_at - WINDOW <= member.known_at <= known_at]
        for told in (reversed(near), members):
            assert index(*told).place(headline, near=is_near(headline)) == places[number]


def figures(headline: Headline) -> set[str]:
    """The numbers of its title."""
    return set(numbers(normal_title(headline.title)))


def overlap(one: str, other: str) -> float:
    """The share of words in common."""
    a, b = set(normal_title(one).split()), set(normal_title(other).split())
    return len(a & b) / len(a | b)


@steady
@given(news())
def test_the_index_finds_what_comparing_all_would(headlines: list[Headline]) -> None:
    """A headline joins the likest open story if any is alike enough: no short cut misses one."""
    stories = index()
    told: list[tuple[Headline, Placement]] = []
    for headline in headlines:
        place = stories.place(headline)
        alike = [
            (overlap(h.title, headline.title), h.known_at, h.headline_id, before.story_id)
            for h, before in told
            if h.known_at <= headline.known_at <= before.first_known_at + WINDOW
            and overlap(h.title, headline.title) >= MIN_OVERLAP
            and (figures(h) <= figures(headline) or figures(headline) <= figures(h))
        ]
        assert place.story_id == max(alike)[-1] if alike else place.revision == 1
        told.append((headline, place))


@steady
@given(news())
def test_a_story_holds_nothing_known_later(headlines: list[Headline]) -> None:
    """Each place tells of headlines known by then alone, oldest first, within one window."""
    known = {headline.headline_id: headline.known_at for headline in headlines}
    stories = index()
    for headline in headlines:
        place = stories.place(headline)
        times = [known[headline_id] for headline_id in place.headline_ids]
        assert times == sorted(times)
        assert times[0] == place.first_known_at >= headline.known_at - WINDOW
        assert times[-1] == headline.known_at
        assert len(times) == place.revision
