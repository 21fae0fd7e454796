"""Normal forms and identities: what two printings of one thing share, the same everywhere and always."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signals.text import (
    TRACKING_PARAMETERS,
    canonical_url,
    fold,
    headline_id,
    normal_title,
    numbers,
    original_spans,
    plain,
    script_lang,
    stable_id,
)

from .conftest import steady

BIDI = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
MARKS = "\u061c\u200e\u200f"
ZERO_WIDTH = "\u00ad\u180e\u200b\u200c\u200d\u2060\ufeff\U000e0001\U000e0041"
NASTY = "\x00\t\n\x0b\r\x1b\x7f\x85\u2028\u3000\u202e\u2066\ud800" + MARKS + ZERO_WIDTH
any_text = st.text(st.one_of(st.characters(), st.sampled_from(NASTY)), max_size=30)


@steady
@given(any_text)
def test_plain_text_is_visible_and_one_line(text: str) -> None:
    """No control, direction-changing or zero-width character is left, no half of a pair, no doubled space."""
    line = plain(text)
    assert not [c for c in line if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp")]
    assert not [c for c in line if unicodedata.bidirectional(c) in BIDI or c in MARKS + ZERO_WIDTH]
    assert line == " ".join(line.split())
    assert line.encode().decode() == line


@pytest.mark.parametrize("char", MARKS + ZERO_WIDTH + "\u202a\u202e\u2066\u2069\x00\x1b\x7f\ud800", ids=ascii)
def test_each_unseen_character_is_dropped(char: str) -> None:
    """What turns the reading direction, takes no room or is no character leaves no trace."""
    assert plain(f"yen{char}dollar") == "yendollar"


@steady
@given(any_text)
def test_plain_text_is_plain_already(text: str) -> None:
    """Doing it twice changes nothing more."""
    assert plain(plain(text)) == plain(text)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Yen\u202e slides", "Yen slides"),
        ("BOJ\x00 hi\u200bkes", "BOJ hikes"),
        ("Fed\r\nholds\x0brates\x85again", "Fed holds rates again"),
        ("  日銀\u3000利上げ ", "日銀 利上げ"),
        ("Yen\udc9d falls", "Yen falls"),
        ("Yen 🇯🇵 ¥157", "Yen 🇯🇵 ¥157"),
    ],
)
def test_plain_keeps_words_apart_and_letters_together(text: str, line: str) -> None:
    """What parts words becomes a space; what is never seen becomes nothing; the rest stays."""
    assert plain(text) == line


SAME_TITLES = [
    ("BOJ hikes rates to 1.0% - Reuters", "BOJ Hikes Rates to 1.0%"),
    ("BOJ hikes rates to 1.0% | By Investing.com", "BOJ hikes rates to 1.0%"),
    ("Ｆｅｄ holds， as expected", "Fed holds as expected!"),
    ("Japan's finance minister: “no comment”", "Japan’s finance minister - no comment"),
    ("日銀、利上げを決定 - Bloomberg", "日銀　利上げを決定"),
    ("Output −0.5% in May", "Output -0.5% in May"),
    ("鉱工業生産 前月比▲0.5%", "鉱工業生産 前月比 －0.5％"),
]


@pytest.mark.parametrize(("one", "other"), SAME_TITLES)
def test_printings_of_one_headline_share_a_normal_title(one: str, other: str) -> None:
    """Source, case, width, quotes and punctuation do not make another headline."""
    assert normal_title(one) == normal_title(other) != ""


OTHER_TITLES = [
    ("Output -0.5% in May", "Output 0.5% in May"),
    ("GDP ▲0.5%", "GDP 0.5%"),
    ("BOJ hikes to 1.0%", "BOJ hikes to 10%"),
    ("US CPI - Higher Than Expected", "US CPI - Lower Than Expected"),
    ("BREAKING - Fed Cuts Rates", "BREAKING - Fed Hikes Rates"),
    ("日銀、利上げ", "日銀、利下げ"),
]


@pytest.mark.parametrize(("one", "other"), OTHER_TITLES)
def test_headlines_of_two_events_have_two_normal_titles(one: str, other: str) -> None:
    """A sign, a decimal point or the news behind a dash is never folded away."""
    assert normal_title(one) != normal_title(other)


@pytest.mark.parametrize(
    ("title", "found"),
    [
        ("BOJ hikes to 1.0% from 0.75%", ("0.75", "1.0")),
        ("CPI -0.5% vs +0.3%", ("0.3", "minus0.5")),
        ("Fed range 4.25-4.5%, 10-year at ４.２％", ("10", "4.2", "4.25", "4.5")),
        ("Core ▲1.5% －2%", ("minus1.5", "minus2")),
        ("No figure", ()),
    ],
)
def test_numbers_of_a_title(title: str, found: tuple[str, ...]) -> None:
    """All numbers with their signs, in an order of their own; a range's dash is no sign."""
    assert numbers(normal_title(title)) == found


@pytest.mark.parametrize("name", TRACKING_PARAMETERS)
def test_each_tracking_parameter_is_dropped(name: str) -> None:
    """Where a reader came from makes no other page."""
    assert canonical_url(f"https://example.org/a?{name}=x&id=7") == "https://example.org/a?id=7"


@pytest.mark.parametrize(
    ("url", "same"),
    [
        ("https://example.org/a?b=2&a=1#top", "https://example.org/a?a=1&b=2"),
        (" HTTPS://Example.ORG/a ", "https://example.org/a"),
        ("https://example.org/a?id=7&utm_source=x&utm_medium=y", "https://example.org/a?id=7"),
        ("https://example.org", "https://example.org/"),
        ("https://example.org/日銀", "https://example.org/%E6%97%A5%E9%8A%80"),
    ],
)
def test_one_page_has_one_address(url: str, same: str) -> None:
    """Parameters are sorted, the fragment is dropped, host and escapes are written one way."""
    assert canonical_url(url) == same
    assert canonical_url(same) == same


def test_what_a_page_is_stays_in_its_address() -> None:
    """Paths and parameters that choose the page are kept, even those that look like tracking."""
    assert canonical_url("https://example.org/a?id=1") != canonical_url("https://example.org/a?id=2")
    assert canonical_url("https://example.org/A") != canonical_url("https://example.org/a")
    assert canonical_url("https://example.org/?reference=1") == "https://example.org/?reference=1"


@pytest.mark.parametrize(
    ("made", "pinned"),
    [
        (stable_id("a", "b"), "f04cdced9736a69da610"),
        (stable_id("story", None, 3), "810a0b4826fc54f749ec"),
        (stable_id("日銀"), "d3b244d35e6fe7f9029e"),
        (
            headline_id("boj", "https://example.org/a?utm_source=x&b=2&a=1", "BOJ Hikes Rates to 1.0% - Reuters"),
            "e3133bac29860b0e3147",
        ),
        (headline_id("boj", None, "日銀、利上げ"), "3e620e440e82529c15fe"),
    ],
)
def test_ids_are_the_same_for_ever(made: str, pinned: str) -> None:
    """Identities on file and in streams stay valid: a change here would send every old signal again."""
    assert made == pinned


def test_ids_know_their_parts() -> None:
    """Parts do not run into one another, and each counts."""
    assert stable_id("ab", "c") != stable_id("a", "bc") != stable_id("abc")
    assert headline_id("boj", "https://example.org/1", "t") != headline_id("boj", "https://example.org/2", "t")
    assert headline_id("boj", None, "t") != headline_id("fed", None, "t")
    assert headline_id("boj", None, "BOJ hikes") == headline_id("boj", "", "boj  HIKES!")


def test_ids_take_any_text() -> None:
    """Even half a character, which no encoding takes, has an identity."""
    assert len(stable_id("\ud800")) == 20


@pytest.mark.parametrize(
    ("text", "lang"),
    [
        ("BOJ hikes", "en"), ("", "en"), ("¥157 €3", "en"), ("La BCE relève ses taux", "en"),
        ("日銀が利上げ", "ja"), ("ﾄﾞﾙ安", "ja"), ("日銀、政策据置", "ja"),
        ("米国債利回上昇", "ja"), ("円安", "ja"), ("財務省介入", "ja"), ("美联储加息", "zh"), ("央行降息", "zh"),
        ("한국은행 금리 인상", "ko"), ("Банк России", "ru"), ("البنك المركزي", "ar"),
    ],
)  # fmt: skip
def test_language_by_script(text: str, lang: str) -> None:
    """Letters tell the language; Chinese characters with Japanese words are Japanese, without them Chinese."""
    assert script_lang(text) == lang


# Characters whose folded form is longer or shorter, or depends on the next, among plain ones.
SHIFTY = "aB %ＡＢ％ßﬁİ㌔½™…é日銀\u3000ｶﾞﾊﾟ\u0301¨"
shifty = st.text(st.one_of(st.sampled_from(SHIFTY), st.characters(exclude_categories=["Cs"])), max_size=25)


@steady
@given(shifty)
def test_spans_of_words_fold_to_the_words(text: str) -> None:
    """Every word of the folded text is found in the text itself, whole and with nothing beside it."""
    folded, after = fold(text), 0
    for word in folded.split():
        start = folded.index(word, after)
        after = start + len(word)
        low, high = original_spans(text, [(start, after)])[0]
        assert 0 <= low < high <= len(text)
        assert fold(text[low:high]) == word


@steady
@given(shifty, st.data())
def test_spans_hold_the_slice(text: str, data: st.DataObject) -> None:
    """The span of any stretch folds to that stretch, or to the whole characters it cuts into."""
    folded = fold(text)
    start = data.draw(st.integers(0, len(folded)))
    end = data.draw(st.integers(start, len(folded)))
    low, high = original_spans(text, [(start, end)])[0]
    assert 0 <= low <= high <= len(text)
    assert folded[start:end].strip() in fold(text[low:high])


@steady
@given(st.text(st.characters(codec="ascii", categories=["L", "N", "P"]), min_size=1, max_size=25), st.data())
def test_spans_of_plain_text_are_the_slice(text: str, data: st.DataObject) -> None:
    """Where each character stands for itself, so does each position."""
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    assert original_spans(text, [(start, end)])[0] == (start, end)


@pytest.mark.parametrize(
    ("text", "folded", "piece"),
    [
        ("ＢＯＪ hikes", "boj", "ＢＯＪ"),
        ("  Fed　　ﬁrm on Ｒates ", "rates", "Ｒates"),
        ("ﬁ a  b", "a", "a"),  # one character more, one space less: the lengths agree, the places do not
        ("Straße dollar", "dollar", "dollar"),
        ("ｶﾞｿﾘﾝ 値上げ", "ガソリン", "ｶﾞｿﾘﾝ"),
        ("café\u0301 x", "x", "x"),
        ("résume\u0301 up", "résumé", "résume\u0301"),
    ],
)
def test_span_of_a_folded_word(text: str, folded: str, piece: str) -> None:
    """Full-width letters, ligatures, doubled spaces and accents before a word do not shift its span."""
    start = fold(text).index(folded)
    low, high = original_spans(text, [(start, start + len(folded))])[0]
    assert text[low:high] == piece
