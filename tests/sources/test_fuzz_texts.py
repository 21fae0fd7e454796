"""Hostile dates, markup, documents, articles and headers: nothing breaks, and what is right comes through."""

import datetime as dt
import time
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signals.sources.article import parse_article
from signals.sources.dates import YEARS, ZONES, parse_date
from signals.sources.decode import clean_xml, decoded, is_html
from signals.sources.manners import freshness_s, retry_after_s
from signals.sources.markup import MAX_MARKUP, visible
from signals.sources.salvage import malformed, pieces
from signals.text import plain

from .conftest import NOW
from .hostile.damage import BIG, SNIPPETS, spoil

FUZZ = settings(max_examples=300, deadline=None, derandomize=True, database=None)
DATES = (
    "Fri, 13 Feb 2026 09:30:00 +0900 (JST)", "2026-02-13T09:30:00.25+09:00", "13-Feb-26 09:30:00 GMT",
    "20260213T093000Z",
    "2026年2月13日(金) 午後6時30分", "令和8年2月13日 9時30分", "Feb 13, 2026, 9:30 p.m. ET",
    "Fri Feb 13 09:30:00 JST 2026",
)  # fmt: skip
PARTS = st.sampled_from(
    [part for date in DATES for part in date.replace("(", " ( ").split()]
    + ["PM", "Z", "+99:99", "-2500", "0", "٣", "²", "e9"]
)
NEAR_DATES = st.lists(PARTS, max_size=7).map(" ".join)
HEADER = st.one_of(st.text(max_size=30), st.from_regex(r"\A(max-age|s-maxage|Age)=\"?[0-9²٣]{0,40}\"?\Z"), NEAR_DATES)
SOUP = st.lists(st.sampled_from(SNIPPETS) | st.text(max_size=5), max_size=12).map("".join)


def sound_date(raw: str, **options: object) -> bool:
    """Whether a text gives null, or an aware UTC time of this age."""
    at = parse_date(raw, **options)  # type: ignore[arg-type]
    return at is None or (at.tzinfo is dt.UTC and at.year in YEARS)


@FUZZ
@given(st.text(max_size=60) | NEAR_DATES, st.booleans())
def test_any_date_gives_a_time_or_nothing(raw: str, day: bool) -> None:
    """Near-dates and any text: null, or aware, UTC and of this age; never an error."""
    assert sound_date(raw, date_only=day)
    assert sound_date(raw, zone=dt.timezone(dt.timedelta(hours=-12)), date_only=day)


@pytest.mark.slow
@pytest.mark.parametrize("run", range(2))
def test_many_damaged_dates(run: int) -> None:
    """20,000 dates in all, damaged letter by letter: as above."""
    chance = Random(run)
    for _ in range(10_000):
        raw = list(chance.choice(DATES))
        for _ in range(chance.randint(1, 4)):
            raw[chance.randrange(len(raw))] = chance.choice(
                ("", "0", "9", ":", "-", " ", "+", "Z", "年", "\x00", "٣", "²", "99999")
            )
        assert sound_date("".join(raw), date_only=True), "".join(raw)


@FUZZ
@given(
    st.datetimes(dt.datetime(1990, 1, 2), dt.datetime(2100, 12, 30), timezones=st.just(dt.UTC)),
    st.sampled_from([*ZONES]),
    st.sampled_from(
        ["%a, %d %b %Y %H:%M:%S", "%d %b %Y %H:%M", "%Y-%m-%d %H:%M:%S", "%Y/%m/%d %H:%M", "%B %d, %Y %I:%M %p"]
    ),
)
def test_a_right_date_in_any_zone_comes_back(at: dt.datetime, name: str, form: str) -> None:
    """Written in a form that feeds use and in a zone of the table, a time is read as itself."""
    local = at.astimezone(dt.timezone(dt.timedelta(hours=ZONES[name])))
    seconds = at.second if "%S" in form else 0
    assert parse_date(f"{local.strftime(form)} {name}") == at.replace(second=seconds, microsecond=0)


@FUZZ
@given(
    st.datetimes(dt.datetime(1990, 1, 2), dt.datetime(2100, 12, 30), timezones=st.just(dt.UTC)),
    st.integers(-14 * 60, 14 * 60),
)
def test_a_right_offset_comes_back(at: dt.datetime, minutes: int) -> None:
    """RFC 822 and ISO 8601 with any offset in use give the time they were made from."""
    local = at.replace(microsecond=0).astimezone(dt.timezone(dt.timedelta(minutes=minutes)))
    assert parse_date(local.strftime("%a, %d %b %Y %H:%M:%S %z")) == at.replace(microsecond=0)
    assert parse_date(local.isoformat()) == at.replace(microsecond=0)


@FUZZ
@given(SOUP)
def test_any_markup_gives_one_plain_line(markup: str) -> None:
    """Tags, sections and entities, never closed or nested at random: plain text, and the same again when read again."""
    assert visible(markup) == plain(visible(markup))
    assert "Yen rises" in visible(f"Yen rises {markup}")


@pytest.mark.slow
def test_much_markup() -> None:
    """20,000 texts of markup, damaged as items are: plain, each in time."""
    chance = Random(7)
    for _ in range(20_000):
        found = visible(spoil(chance, "<p>Yen <b>rises</b> &amp; <a href='x'>falls</a><br/></p>"))
        assert found == plain(found)


@pytest.mark.parametrize("number", range(len(BIG)))
def test_large_markup_takes_no_time(number: int) -> None:
    """What is large or made to be tried over and over ends within a second."""
    markup = (BIG[number]() * 20)[:MAX_MARKUP]
    started = time.thread_time()
    visible(markup)
    assert time.thread_time() - started < 2


@pytest.mark.parametrize(
    "unit", ["<a b='", '<a b="x', "<!--", "<!-- x", "<![", "<?", "</", "<script>", "<a ", "&#", "<b>"]
)
def test_markup_without_an_end_takes_no_time(unit: str) -> None:
    """A beginning that never ends, thousands of times, is not looked for each time anew."""
    started = time.thread_time()
    visible(unit * (MAX_MARKUP // len(unit)))
    assert time.thread_time() - started < 2


@FUZZ
@given(st.binary(max_size=200) | SOUP.map(lambda text: text.encode("utf-8", "replace")), st.text(max_size=20))
def test_any_bytes_are_some_text(raw: bytes, content_type: str) -> None:
    """Decoding, cleaning and taking apart never fail; what is cleaned has no letter that XML forbids."""
    text = decoded(raw, content_type).text
    xml = clean_xml(f"<rss>{text}</rss>")
    is_html(text)
    assert not any(letter < " " and letter not in "\t\r\n" for letter in xml)
    assert all(piece.xml.startswith("<") for piece in pieces(xml))
    malformed(xml)


@FUZZ
@given(st.text(alphabet=st.characters(exclude_characters="<>&\x00", exclude_categories=["Cs", "Cc"]), max_size=50))
def test_clean_text_stays(text: str) -> None:
    """What is sound already is not touched, but for letters that XML forbids."""
    xml = f"<rss>{text}</rss>".replace("\ufffe", "").replace("\uffff", "")
    assert clean_xml(xml) == xml
    assert not malformed(xml)


@FUZZ
@given(
    SOUP
    | st.lists(
        st.sampled_from(["Forex", "Summary:", "• a", "2026-02-13 09:30:00", "Yen rises", "", "Related Articles"])
    ).map("\n".join)
)
def test_any_document_is_an_article_or_has_no_title(text: str) -> None:
    """Only a ValueError, and parts that are plain lines."""
    try:
        article = parse_article(text)
    except ValueError:
        return
    lines = [article.title, article.subtitle or "x", *article.bullets, *article.body]
    assert all(line and line == plain(line) for line in lines)


@FUZZ
@given(HEADER, HEADER, HEADER, HEADER)
def test_any_headers_give_seconds_or_nothing(control: str, expires: str, after: str, age: str) -> None:
    """Whatever a server writes: null, or seconds that are not negative and that a time can be added to."""
    headers = {"Cache-Control": control, "Expires": expires, "Retry-After": after, "Age": age}
    for seconds in (freshness_s(headers, NOW), retry_after_s(headers, NOW)):
        assert seconds is None or seconds >= 0


@pytest.mark.parametrize("digits", ["9" * 5000, "²", "٣", "1" * 400])
def test_numbers_that_are_none(digits: str) -> None:
    """Digits beyond what a number can hold, or that are none in ASCII, say nothing or are bounded."""
    headers = {"Cache-Control": f"max-age={digits}", "Age": digits, "Retry-After": digits}
    for seconds in (freshness_s(headers, NOW), retry_after_s(headers, NOW)):
        assert seconds is None or 0 <= seconds < 10**12
