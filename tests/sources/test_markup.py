"""Foreign markup as text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signals.sources.markup import visible


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("A <b>hike</b>", "A hike"),
        ("A <b>hike</b>s", "A hikes"),
        ("S&amp;P 500", "S&P 500"), ("S&P 500", "S&P 500"), ("AT&amp;T <i>up</i> & away", "AT&T up & away"),
        ("USD < JPY", "USD < JPY"), ("USD<JPY", "USD<JPY"), ("a < b > c <b>d</b>", "a < b > c d"), ("1<2", "1<2"),
        ("<p>One.</p><p>Two.</p>", "One. Two."), ("One<br>two", "One two"),
        ("x<script>alert(1)</script><style>p{}</style><!-- note -->y", "xy"),
        ("<a href='javascript:alert(1)' onclick='x'>Read</a>", "Read"),
        ("&ldquo;no&rdquo; &#8211; &#x65E5;", "“no” – 日"), ("&nbsp;a&nbsp;b\n c ", "a b c"),
        ("a\x00b\u202ec\u202cd\u200be\ufefff", "abcdef"), ("日銀　利上げ", "日銀 利上げ"), ("", ""), ("<p></p>", ""),
        ("https://wire.example/a", "https://wire.example/a"), ("seeds.txt", "seeds.txt"),
    ],
)  # fmt: skip
def test_what_a_reader_would_see(markup: str, text: str) -> None:
    """Tags, scripts and invisible characters go; entities and comparison signs come out right."""
    assert visible(markup) == text


@given(st.text())
def test_any_text_gives_one_clean_line(markup: str) -> None:
    """Nothing breaks it, and what comes out has no control or direction-changing character."""
    found = visible(markup)
    assert found == " ".join(found.split())
    assert not any(ch in found for ch in "\u202a\u202b\u202c\u202d\u202e\u2066\u2069\u200b\x00\n")


def test_deep_and_long_markup_is_bounded() -> None:
    """A hundred thousand nested tags cost neither stack nor minutes."""
    assert visible("deep " + "<b>" * 100_000).startswith("deep")
