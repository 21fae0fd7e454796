"""The bytes of a feed to text, and the text to clean XML, so that the parser meets no surprise."""

import codecs
import html
import re
from html.entities import html5
from typing import NamedTuple

from w3lib.encoding import html_body_declared_encoding, http_content_type_encoding, read_bom, to_unicode

_DECLARATION = re.compile(r"\s*<\?xml[^>]*\?>")
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ROOT = re.compile(r"<[A-Za-z_]")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_REFERENCE = re.compile(r"&(?:#(?P<number>\d{1,7}|[xX][0-9a-fA-F]{1,6});|(?P<name>[A-Za-z]\w{0,30});)?")
_BARE = re.compile(r"&(?![#A-Za-z])")
_XML_NAMES = ("amp", "lt", "gt", "quot", "apos")
_MANY_ATTRIBUTES = re.compile(
    r"""(?P<tag><[A-Za-z_:][\w:.-]*+)(?:\s++[^\s=<>"']++\s*+=\s*+(?:"[^"<]*+"|'[^'<]*+')){100,}+"""
)
"""feedparser takes the square of their number in time; a tag of a feed has ten at most."""
_PROLOG = (("<!--", "-->"), ("<?", "?>"))
_HEAD = 4096

_NO_CHARSETS = frozenset({"idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape", "unicode-escape",
                          "raw-unicode-escape", "utf-7"})  # fmt: skip
"""Names that Python knows as encodings of text though no document is written in them."""
_LETTERS = re.compile("[^\x00-\x7f\udc80-\udcff]+")
_STRAYS = re.compile("[\udc80-\udcff]+")
"""Runs of bytes that are no UTF-8, as `surrogateescape` shows them."""
_UTF8 = ("utf-8", "utf-8-sig")
_WIDE = ("utf-16", "utf-32")
_KANA = re.compile("[\u3041-\u30ff]")
_JAPANESE = ("euc_jp", "cp932")
_TO_ASCII = re.compile(rb"\x1b\([BJ]")
"""Ends what `ESC $` begins in ISO-2022-JP."""
_ODD = re.compile("[\uff61-\uff9f\ufffd\ue000-\uf8ff]")
"""What one of them gives for the other's bytes."""
_CARELESS = "cp1252"
_THREE_BYTES = "\u0800"


class Decoded(NamedTuple):
    """A document's text."""

    text: str
    note: str
    """What was not as the document says of itself; empty where all was."""


def clean_xml(text: str) -> str:
    """The document from its root element on, without characters that XML forbids.

    The prolog goes because of its DOCTYPE: feeds need none, and entities declared there can be made
    to grow without bound. HTML's entities become letters and a bare ampersand (`S&P`) a proper one:
    with either, a document is no XML, and lenient parsers garble it.
    """
    return resolve_references(_MANY_ATTRIBUTES.sub(r"\g<tag>", _NO_XML.sub("", _from_root(text))))


def resolve_references(xml: str) -> str:
    """References to what XML knows only; twice does no more than once."""
    first, *sections = xml.split("<![CDATA[")  # inside of which an ampersand is an ampersand
    pieces = [_without_bare(first)]
    for section in sections:
        inside, end, outside = section.partition("]]>")
        pieces += ["<![CDATA[", inside, end, _without_bare(outside)]
    return "".join(pieces)


def _without_bare(xml: str) -> str:
    return _REFERENCE.sub(_resolved, _BARE.sub("&amp;", xml))


def _resolved(reference: re.Match[str]) -> str:
    """An ampersand and what follows it, as XML knows it."""
    text, number, name = reference[0], reference["number"], reference["name"]
    if number:
        letter = html.unescape(text)
        if letter > "\x7f":
            return _NO_XML.sub("", letter)
        return text if letter >= " " or letter in ("\t", "\r", "\n") else ""
    if name in _XML_NAMES:
        return text
    letters = html5.get(f"{name};")  # of which some are markup again: LT, AMP
    return html.escape(letters) if letters else "&amp;" + text[1:]


def decoded(body: bytes, content_type: str) -> Decoded:
    """The text of a document: UTF-8 where it is that, else what its byte order mark, XML declaration or header says.

    Headers come last because servers send a fixed charset for every file they have. Labels are read as
    browsers do (Shift_JIS is Windows-31J), and a stray byte costs one character only. One that claims to be
    UTF-8 and is not, or claims nothing, is guessed at, with a note.
    """
    wide = read_bom(body)[0] or _wide_without_mark(body[:4])
    if wide and wide.startswith(_WIDE):
        return _counted(body.decode(wide, "replace").removeprefix("\ufeff"))
    if body.isascii() and b"\x1b" not in body:
        return Decoded(body.decode("ascii"), "")
    try:
        if b"\x1b" not in body:
            return Decoded(body.decode("utf-8-sig"), "")
    except UnicodeDecodeError:
        pass  # then it is in another encoding, or broken: below
    declared = html_body_declared_encoding(body)
    label = _charset(declared) or (None if declared in _UTF8 else _charset(http_content_type_encoding(content_type)))
    if label is None:
        return _guessed(body)
    letters, runs = _as_utf8(body)
    if _speaks_against(label, letters, runs):
        return _counted(body.decode("utf-8-sig", "replace"))
    return _counted(to_unicode(body, label))


def _wide_without_mark(start: bytes) -> str | None:
    """UTF-16 as an XML document shows it by its first two characters (XML 1.0, appendix F)."""
    if len(start) == 4 and start[0:2] == b"<\0" and start[2] and not start[3]:
        return "utf-16-le"
    return "utf-16-be" if len(start) == 4 and start[0:2] == b"\0<" and not start[2] and start[3] else None


def _as_utf8(body: bytes) -> tuple[str, int]:
    """The letters beyond ASCII that are UTF-8, and how many runs of bytes are not."""
    text = body.decode("utf-8", "surrogateescape")
    return "".join(_LETTERS.findall(text)), len(_STRAYS.findall(text))


def _speaks_against(label: str, letters: str, runs: int) -> bool:
    """Whether so many letters are UTF-8 that a label must be wrong. Many servers write Latin-1 or ASCII on anything."""
    if label == _CARELESS:
        return len(letters) > runs
    return sum(letter >= _THREE_BYTES for letter in letters) > 3 * runs


def _charset(name: str | None) -> str | None:
    """A label that can be right of a document whose bytes are no UTF-8 and not wide, else null."""
    if not name or name.startswith(_WIDE) or name in _UTF8 or name in _NO_CHARSETS:
        return None
    return name if codecs.lookup(name)._is_text_encoding else None  # base64 and the like are none


def _guessed(body: bytes) -> Decoded:
    """A document that claims to be UTF-8, or nothing: that with some strays, Japanese, or what browsers take it for.

    What is UTF-8 of a Japanese text in another encoding looks like two-byte letters, and its kana show it.
    """
    if body.isascii():
        if body.count(b"\x1b$") != len(_TO_ASCII.findall(body)):  # escapes of something else
            return Decoded(body.decode("ascii"), "")
        return Decoded(body.decode("iso2022_jp", "replace"), "its text is unlabelled: read as iso2022_jp")
    letters, runs = _as_utf8(body)
    long = sum(letter >= _THREE_BYTES for letter in letters)
    if long < runs:
        readings = [(name, body.decode(name, "replace")) for name in _JAPANESE]
        name, text = min(readings, key=lambda reading: len(_ODD.findall(reading[1])))
        beyond = sum(letter > "\x7f" for letter in text)
        if 10 * len(_KANA.findall(text)) > beyond > 20 * len(_ODD.findall(text)):
            return Decoded(text, f"its text is not UTF-8: read as {name}")
        if len(letters) + 9 * long < runs:  # three bytes that go together by chance are rare
            return Decoded(body.decode("cp1252", "replace"), "its text is not UTF-8: read as windows-1252")
    return _counted(body.decode("utf-8-sig", "replace"))


def _counted(text: str) -> Decoded:
    unread = text.count("\ufffd")
    return Decoded(text, f"{unread} characters of its text cannot be read" if unread else "")


def is_html(text: str) -> bool:
    """Whether a document is a web page: a login form or an error page in the place of a feed."""
    head = _DECLARATION.sub("", text[:_HEAD], count=1)
    return _COMMENT.sub("", head).lstrip("\ufeff \t\r\n").lower().startswith(("<!doctype html", "<html"))


def _from_root(text: str) -> str:
    """Cut off declaration, comments, instructions and DOCTYPE; step by step, for one pattern could backtrack."""
    at = 0
    while True:
        at = _skip_space(text, at)
        end = next((text.find(close, at) + len(close) for start, close in _PROLOG if text.startswith(start, at)), -1)
        if end < 3:  # none of them, or one without an end
            break
        at = end
    if text[at : at + 9].upper() == "<!DOCTYPE":
        subset, close = text.find("[", at), text.find(">", at)
        if -1 < subset < close:
            at = max(text.find("]", subset), at)
    root = _ROOT.search(text, at)
    return text[root.start() :] if root else ""


def _skip_space(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n\ufeff":
        at += 1
    return at
