"""Foreign markup to plain text."""

import html
import re

from bs4 import BeautifulSoup
from bs4.exceptions import ParserRejectedMarkup

from signals.text import plain

MAX_MARKUP = 50_000
"""Characters looked at: a teaser is a few hundred; what comes after this many is not read."""

# Some of Python's releases drop a tag that is never closed, and the rest of the title with it.
_NOT_A_TAG = re.compile(r"<(?!(?:[A-Za-z/?]|!(?!\[))[^<>]*>)")
_TAG = re.compile(r"<[^<>]*>")
_MARKED_SECTION = re.compile(r"<!\[CDATA\[|\]\]>|<!\[[^<>\[\]]*\]>")
"""HTML knows none; Python's parser gives up the whole text over one that it does not know."""
_BREAKS = frozenset(
    {"p", "br", "div", "li", "ul", "ol", "tr", "td", "th", "table", "blockquote", "figure", "figcaption", "hr",
     "h1", "h2", "h3", "h4", "h5", "h6"}
)  # fmt: skip
"""Elements that part words even where no space is written."""


def visible(markup: str) -> str:
    """One line of the text that a reader would see: no tags, scripts or comments; entities read; `USD < JPY` kept."""
    markup = markup[:MAX_MARKUP]
    if "<" not in markup:
        return plain(html.unescape(markup))
    markup = _NOT_A_TAG.sub("&lt;", _MARKED_SECTION.sub("", markup))
    try:
        soup = BeautifulSoup(markup, "html.parser")
    except ParserRejectedMarkup:  # then without its finer points
        return plain(html.unescape(_TAG.sub(" ", markup)))
    for element in soup.find_all(True):
        if element.name in _BREAKS:
            element.insert_before(" ")
            element.insert_after(" ")
    return plain(soup.get_text())
