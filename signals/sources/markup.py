"""Foreign markup to plain text."""

import html
import re

from bs4 import BeautifulSoup
from bs4.exceptions import ParserRejectedMarkup

from signals.text import plain

MAX_MARKUP = 50_000
"""Characters looked at: a teaser is a few hundred; what comes after this many is not read."""

# What follows takes out what Python's parser takes long over, gives up at, or in some releases drops the text after.
_MARKED_SECTION = re.compile(r"<!\[CDATA\[|\]\]>|<!\[[^<>\[\]]*\]>")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_NOT_A_TAG = re.compile(r"<(?!/?[A-Za-z][^<>]*>)")
_INSTRUCTION = re.compile(r"<[!?][^<>]*>")
_ATTRIBUTES = re.compile(
    r"""(<[/]?[A-Za-z][^\s<>/"']*+)(?:(?:[^<>"']++|"[^"<]*+"|'[^'<]*+')*+>|[^<>]*+>)"""  # the second: quotes left open
)
_TAG = re.compile(r"<[^<>]*>")
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
    markup = _bare(markup)
    try:
        soup = BeautifulSoup(markup, "html.parser")
    except ParserRejectedMarkup:  # then without its finer points
        return plain(html.unescape(_TAG.sub(" ", markup)))
    for element in soup.find_all(True):
        if element.name in _BREAKS:
            element.insert_before(" ")
            element.insert_after(" ")
    return plain(soup.get_text())


def _bare(markup: str) -> str:
    """Text and tags only, without attributes; what merely looks like a tag becomes text."""
    markup = _MARKED_SECTION.sub("", markup)
    head, end, tail = markup.rpartition("-->")  # comments that begin in the tail have no end
    markup = _INSTRUCTION.sub("", _COMMENT.sub("", head + end) + tail.replace("<!--", "&lt;!--"))
    return _ATTRIBUTES.sub(r"\1>", _NOT_A_TAG.sub("&lt;", markup))
