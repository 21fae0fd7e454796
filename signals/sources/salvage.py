"""A document that is no XML, item by item: what is wrong with one item costs no other."""

import re
from typing import NamedTuple
from urllib.parse import urlsplit
from xml.parsers import expat

from signals.sources.decode import resolve_references

MAX_BROKEN = 50_000
"""Characters of a malformed item that are read: lenient parsers take long where they look for what never comes."""
MAX_ITEM_TAGS = 3_000
"""Tags of a sound item, or around all items: feedparser takes the square of a number of categories in time."""

_NAME = r"(?:[\w.-]+:)?(?:item|entry)(?=[\s/<>])"
_BOUNDARY = re.compile(rf"<(?P<end>/)?{_NAME}", re.IGNORECASE)
_SECTIONS = {"<![CDATA[": "]]>", "<!--": "-->", "<?": "?>"}
_TOKEN = re.compile(rf"<!\[CDATA\[|<!--|<\?|<(?P<end>/)?{_NAME}", re.IGNORECASE)
_ROOT = re.compile(r"<(?P<name>(?:[\w.-]+:)?(?:rss|rdf|feed))(?=[\s>])[^<>]*>", re.IGNORECASE)
_ROOT_WITHIN = 20_000
_TITLE_END = re.compile(r"</(?:[\w.-]+:)?title\s*>", re.IGNORECASE)
_END = re.compile(r"</(?:[\w.-]+:)?(?:rss|rdf|feed|channel)\s*>", re.IGNORECASE)
_BASE = re.compile(r"base\s*=\s*([\"'])(?P<base>[^\"'<]*)\1", re.IGNORECASE)
_CDATA = re.compile(r"<!\[CDATA\[(?:[^\]]++|\](?!\]>))*+\]\]>")
_NOWHERE = 1 << 62


class Piece(NamedTuple):
    """One item's part of a document."""

    xml: str
    closed: bool
    """Whether its end tag is there."""


class Frame(NamedTuple):
    """What stands around the items: the root element's tags, and with them its namespaces."""

    start: str
    end: str

    def around(self, *items: str) -> str:
        """A document of these items."""
        return "".join((self.start, *items, self.end))


def malformed(xml: str) -> str:
    """Why a text is no XML document (namespaces included); empty where it is one."""
    parser = expat.ParserCreate("utf-8", " ")
    try:
        parser.Parse(xml.encode("utf-8", "replace"), True)
    except expat.ExpatError as error:
        return str(error)
    return ""


def misleads(xml: str) -> bool:
    """Whether it has a base address that is none: feedparser then loses the links of all that follows."""
    return any(_is_no_address(found["base"]) for found in _BASE.finditer(xml))


def _is_no_address(base: str) -> bool:
    try:
        urlsplit(base)
    except ValueError:
        return True
    return False


def frame(xml: str) -> Frame:
    """The root element of a document, or a plain one where that itself is broken."""
    found = _ROOT.search(xml, 0, _ROOT_WITHIN)
    if found:
        own = Frame(found[0], f"</{found['name']}>")
        if not malformed(own.around()):
            return own
    return Frame('<rss version="2.0">', "</rss>")


def channel(xml: str) -> str:
    """What a document says before its first item."""
    first = _BOUNDARY.search(xml)
    return xml[: first.start()] if first else xml


def pieces(xml: str) -> list[Piece]:
    """The items of a document in their order, also of one in which tags, comments or sections are never closed.

    An item goes from its start tag to its end tag, or to the next start where that is missing.
    """
    found: list[Piece] = []
    ahead = _Ahead(xml)
    start, at = -1, 0
    while token := _TOKEN.search(xml, at):
        at = token.end()
        if token[0] in _SECTIONS:
            at = _after_section(ahead, token, inside=start >= 0)
        elif token["end"]:
            if start >= 0:
                found.append(Piece(f"{xml[start:at]}>", closed=True))
            start = -1
        else:
            if start >= 0:
                found.append(Piece(xml[start : token.start()], closed=False))
            start = token.start()
    if start >= 0:
        found.append(Piece(xml[start:], closed=False))
    return found


def heavy(xml: str, found: list[Piece]) -> bool:
    """Whether an item, or what stands around them all, has more tags than any parser should be given at once."""
    around = xml.count("<") - sum(piece.xml.count("<") for piece in found)
    return around > MAX_ITEM_TAGS or any(is_heavy(piece) for piece in found)


def is_heavy(piece: Piece) -> bool:
    """The same of one item; what stands in its sections is text."""
    return piece.xml.count("<") > MAX_ITEM_TAGS and _CDATA.sub("", piece.xml).count("<") > MAX_ITEM_TAGS


def readable(piece: Piece) -> str | None:
    """A malformed item as a lenient parser can read it; null where its title has no end.

    Half a headline may say the opposite of the whole.
    """
    xml = resolve_references(piece.xml[:MAX_BROKEN])
    if not (piece.closed and len(piece.xml) <= MAX_BROKEN) and not _TITLE_END.search(xml):
        return None
    for opening, closing in _SECTIONS.items():
        if xml.count(opening) != xml.count(closing):
            xml = xml.replace(opening, "").replace(closing, "")
    return xml


def cut_off(found: list[Piece]) -> bool:
    """Whether the document ends in the midst of its last item."""
    return bool(found) and not found[-1].closed and not _END.search(found[-1].xml)


class _Ahead:
    """Where things stand next in a text. Asked for ever later places, it goes over the text once for each thing."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._next: dict[str, int] = {}
        self._boundary: re.Match[str] | None = None
        self._no_boundary_from = _NOWHERE

    def of(self, what: str, at: int) -> int:
        """The next place of `what` at or after `at`; `_NOWHERE` where there is none."""
        if self._next.get(what, -1) < at:
            place = self._text.find(what, at)
            self._next[what] = _NOWHERE if place < 0 else place
        return self._next[what]

    def boundary(self, at: int) -> re.Match[str] | None:
        """The next start or end of an item."""
        if at >= self._no_boundary_from:
            return None
        if self._boundary is None or self._boundary.start() < at:
            self._boundary = _BOUNDARY.search(self._text, at)
            if self._boundary is None:
                self._no_boundary_from = at
        return self._boundary


def _after_section(ahead: _Ahead, token: re.Match[str], inside: bool) -> int:
    """Where to read on after the start of a section: behind its end, or behind its start where it has no end.

    The end that is found belongs to another one if a section begins before it in another item, or if the
    item in which this one began has ended before it.
    """
    opening, at = token[0], token.end()
    end = ahead.of(_SECTIONS[opening], at)
    if end == _NOWHERE:
        return at
    boundary = ahead.boundary(at)
    if boundary and boundary.start() < end:
        again = ahead.of(opening, at)
        if again < end or (inside and boundary["end"]):
            return at
    return end + len(_SECTIONS[opening])
