"""The bytes of a feed to clean UTF-8 XML, so that the parser meets no surprise."""

import html
import re
from html.entities import html5

from w3lib.encoding import html_body_declared_encoding, html_to_unicode

_DECLARATION = re.compile(r"\s*<\?xml[^>]*\?>")
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_ROOT = re.compile(r"<[A-Za-z_]")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_REFERENCE = re.compile(r"&(?:#(?P<number>\d{1,7}|[xX][0-9a-fA-F]{1,6});|(?P<name>[A-Za-z]\w{0,30});)?")
_XML_NAMES = ("amp", "lt", "gt", "quot", "apos")
_PROLOG = (("<!--", "-->"), ("<?", "?>"))
_HEAD = 4096


def clean_xml(body: bytes, content_type: str) -> bytes:
    """The document from its root element on, in UTF-8, without characters that XML forbids.

    The prolog goes because of its DOCTYPE: feeds need none, and entities declared there can be made
    to grow without bound. HTML's entities become letters and a bare ampersand (`S&P`) a proper one:
    with either, a document is no XML, and lenient parsers garble it.
    """
    text = _NO_XML.sub("", _from_root(decoded(body, content_type)))
    first, *sections = text.split("<![CDATA[")  # inside of which an ampersand is an ampersand
    pieces = [_REFERENCE.sub(_resolved, first)]
    for section in sections:
        inside, end, outside = section.partition("]]>")
        pieces += ["<![CDATA[", inside, end, _REFERENCE.sub(_resolved, outside)]
    return b'<?xml version="1.0" encoding="utf-8"?>\n' + "".join(pieces).encode("utf-8", "replace")


def _resolved(reference: re.Match[str]) -> str:
    """An ampersand and what follows it, as XML knows it."""
    text, number, name = reference[0], reference["number"], reference["name"]
    if number:
        letter = html.unescape(text)
        if letter > "\x7f":
            return letter
        return text if letter >= " " or letter in ("\t", "\r", "\n") else ""
    return text if name in _XML_NAMES else html5.get(f"{name};") or "&amp;" + text[1:]


def decoded(body: bytes, content_type: str) -> str:
    """The text of a document: UTF-8 where it is that, else what its byte order mark, XML declaration or header says.

    Headers come last because servers send a fixed charset for every file they have. Labels are read as
    browsers do (Shift_JIS is Windows-31J), and a stray byte costs one character only.
    """
    if not body.isascii():
        try:
            return body.decode("utf-8-sig")
        except UnicodeDecodeError:
            pass  # then it is in another encoding: below
    declared = html_body_declared_encoding(body)
    return html_to_unicode(None if declared else content_type, body, default_encoding="utf-8")[1]


def is_html(body: bytes, content_type: str) -> bool:
    """Whether a document is a web page: a login form or an error page in the place of a feed."""
    head = _DECLARATION.sub("", decoded(body[:_HEAD], content_type), count=1)
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
