"""Ways in which feeds are broken: what is put in, where, and how the whole is written in bytes."""

import re
from collections.abc import Callable
from random import Random

from .documents import Document

SNIPPETS = (
    # references
    "&", "&&", "& ", "&;", "&#;", "&#0;", "&#8;", "&#xD800;", "&#xFFFF;", "&#1114112;", "&#99999999999;", "&bogus;",
    "&LT;", "&AMP;", "&lt;b&gt;", "&amp;lt;script&amp;gt;", "&nbsp;", "&quot", "&amp;amp;amp;", "&NotEqualTilde;",
    # sections that never end, or never began
    "<![CDATA[", "]]>", "<![CDATA[]]", "<![cdata[x]]>", "<![CDATA[a]]>b]]>",
    "<![CDATA[<![CDATA[x]]>]]>", "<!--", "-->",
    "<!-- a -- b -->", "<!--->", "<!-->", "<!---->", "<?php echo 1", "?>", "<?", "<?xml version='1.0'?>", "<!", "<!>",
    "<!DOCTYPE html>", '<!DOCTYPE x [<!ENTITY a "b">]>', '<!ENTITY a "b">', "<![IGNORE[x]]>", "<![",
    "]]", "<!ELEMENT",
    # tags
    "<b>", "</b>", "<b/>", "<br>", "<p>", "</p>", "<B>x</b>", "<>", "</>", "<", ">", "< b>", "</ b>",
    "<1>", "<-", "<日>",
    "<b", "</b", "<b x", "<b x=", "<b x='", '<b x="', '<a href="x>', "<a href=x>y</a>", "<a b='1' b='2'/>", "<a:b>",
    "<a:b/>", "</a:b>", "<a:b:c/>", "<:a/>", "<a:/>", "<_/>", "<x xmlns=''>", "<x xmlns='urn:x'/>", "<x xmlns:y=''/>",
    "<x xml:base='javascript:x'/>", "<x xml:base='http://['/>", "<x xml:lang='&'/>", "<xml>", "<xmlns:a/>",
    # words of feeds
    "<title>", "</title>", "<title/>", "<title>x</title>", "<title type='xhtml'><div>x</div></title>", "<link>",
    "</link>", "<link/>", "<link href='http://['/>", "<guid>", "<guid/>", "<item>", "</item>",
    "<item/>", "<item ", "</item",
    "<items>", "<entry>", "</entry>", "<entry/>", "<channel>", "</channel>", "<rss>", "</rss>", "<feed>", "</feed>",
    "<rdf:RDF>", "</rdf:RDF>", "<image>", "</image>", "<textinput>", "<textInput/>", "<source>",
    "</source>", "<author>",
    "<author/>", "<content type='application/octet-stream'>!!!</content>", "<content type='xhtml'>", "<description>",
    "<content:encoded>", "<media:title>x</media:title>", "<media:content/>", "<itunes:image/>",
    "<geo:lat>x</geo:lat>",
    "<georss:point>1</georss:point>", "<where><gml:Point><pos>x", "<pubDate>never</pubDate>",
    "<dc:date>", "<dc:date/>",
    "<pubDate>Fri, 99 Foo 20266 99:99:99 XYZ</pubDate>", "<category>", "<category/>", "<enclosure/>",
    "<cloud/>", "<ttl>x</ttl>",
    "<psc:chapters><psc:chapter start='x'/>", "<media:rating/>", "<media:license/>",
    "<media:thumbnail/>", "<generator>",
    "<skipHours><hour>99</hour></skipHours>", "<published>x</published>", "<id/>", "<id></id>",
    "<summary type='x/y'>",
    "<content mode='base64'>////</content>", "<summary type='application/octet-stream'>x</summary>",
    "<expirationdate/>",
    # words of pages
    "<html>", "</html>", "<body>", "<head>", "<script>", "</script>", "<script>alert(1)</script>", "<style>", "<svg>",
    "<svg/>", "</svg>", "<svg xmlns='http://www.w3.org/2000/svg'>", "<math>", "<plaintext>",
    "<textarea>", "<iframe src=x>",
    "<noscript>", "<template>", "<table><td>", "<!DOCTYPE html><html><form action='/login'><input name='password'>",
    # letters
    "\x00", "\x01\x08\x0b\x1b", "\x7f\x80\x9f", "\u202e", "\u2066\u2069", "\u200b\u200f\ufeff",
    "\ufffe", "\uffff", "\ufffd",
    "\U000e0041\U000e007f", "\U0001f4a9", "e" + "\u0301" * 200, "\r", "\n\n", "\t", "\u2028\u2029\x85",
    "'", '"', "`", "\\",
    "%s%n{0}", "../../etc/passwd", "'; DROP TABLE headlines; --", "\r\nX-Header: 1", "ﷺ" * 50, "\u3000", "\xa0",
)  # fmt: skip
"""Short things that are put in, one at a time or several."""

BIG: tuple[Callable[[], str], ...] = (
    lambda: "x" * 60_000,
    lambda: "x y " * 20_000,
    lambda: "<b>" * 1500,
    lambda: "<b><i>" * 800 + "</i></b>" * 800,
    lambda: "<" * 2000,
    lambda: "&" * 5000,
    lambda: "&amp;" * 5000,
    lambda: "]]>" * 2000,
    lambda: "<!--" * 2000,
    lambda: "<![CDATA[" * 1000,
    lambda: "<a " + " ".join(f"a{n}='1'" for n in range(10_000)) + "/>",
    lambda: "<a " + "x='" * 3000 + ">",
    lambda: f"<x:{'y' * 20_000}>",
    lambda: "\u202e" * 20_000,
    lambda: "<?" * 2000,
    lambda: "<item>" * 300,
    lambda: "<title>" * 500,
)
"""Large things; rare, for each costs as much as a hundred others."""

BYTES = (b"\xff", b"\xc3", b"\xc3(", b"\xe3\x81", b"\xed\xa0\x80", b"\xed\xb0\x80", b"\xf4\x90\x80\x80",
         b"\xc0\x80", b"\x80" * 9,
         b"\xfe\xff", b"\xff\xfe", b"\xef\xbb\xbf", b"\x00", b"\x1b$B", b"\x92", b"\xa0",
         bytes(range(128, 256)))  # fmt: skip
"""Bytes that are no UTF-8, or a mark of another encoding."""

_MARK = "\U0010fff0"
"""Holds the place of bytes until the text is encoded."""

Written = tuple[bytes, str]
"""A document's bytes and its Content-Type."""

ENCODINGS: dict[str, tuple[str, str, str]] = {
    # name: encoding of the bytes, what the declaration says, what the header says (empty: nothing)
    "utf-8": ("utf-8", "utf-8", "text/xml; charset=utf-8"),
    "marked": ("utf-8-sig", "UTF-8", ""),
    "utf-16": ("utf-16", "utf-16", "text/xml"),
    "utf-16 unmarked": ("utf-16-le", "utf-16", ""),
    "utf-16 big": ("utf-16-be", "utf-16", "text/xml; charset=utf-16be"),
    "header lies": ("utf-8", "utf-8", "text/html; charset=iso-8859-1"),
    "declaration lies": ("utf-8", "iso-8859-1", "text/xml"),
    "declares shift_jis": ("utf-8", "Shift_JIS", ""),
    "declares utf-16": ("utf-8", "utf-16", "text/xml; charset=utf-16"),
    "declares ascii": ("utf-8", "us-ascii", "text/xml; charset=us-ascii"),
    "declares base64": ("utf-8", "base64", "text/xml; charset=rot13"),
    "declares utf-7": ("utf-8", "utf-7", "text/xml; charset=utf-7"),
    "declares nonsense": ("utf-8", "é\u0301 x'", 'text/xml; charset="'),
    "declares escapes": ("utf-8", "unicode_escape", "text/xml; charset=undefined"),
    "declares idna": ("utf-8", "idna", ";;;=;charset=punycode"),
}
"""How a document is written. The text of each can be told, whatever the labels say."""


UNDECIDABLE_IF_BROKEN = ("declaration lies", "declares shift_jis")
"""A wrong label and wrong bytes too: what little text there is may be either."""


def put_in(chance: Random, text: str, what: str) -> str:
    """`what` somewhere in a text: at a tag's edge, in what stands between two tags, or anywhere."""
    places = [match.end() for match in re.finditer(r">|<|[^<>]{3}", text)]
    at = chance.choice(places) if places and chance.random() < 0.8 else chance.randint(0, len(text))
    return text[:at] + what + text[at:]


def cut_out(chance: Random, text: str) -> str:
    """A text without some of it."""
    start = chance.randrange(len(text))
    return text[:start] + text[start + chance.choice((1, 1, 2, 5, 20, 100)) :]


def drop_tag(chance: Random, text: str) -> str:
    """A text without one of its tags."""
    tags = list(re.finditer(r"<[^>]*>", text))
    if not tags:
        return text
    tag = chance.choice(tags)
    return text[: tag.start()] + text[tag.end() :]


def spoil(chance: Random, text: str) -> str:
    """A piece of a document, damaged once or a few times."""
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        kind = chance.random()
        if kind < 0.7:
            text = put_in(chance, text, chance.choice(SNIPPETS))
        elif kind < 0.8:
            text = put_in(chance, text, _MARK)
        elif kind < 0.88:
            text = cut_out(chance, text) or "<"
        elif kind < 0.96 and "<" in text:
            text = drop_tag(chance, text) or "<"
        elif kind < 0.962:
            text = put_in(chance, text, chance.choice(BIG)())
        else:
            text += text[chance.randrange(len(text) or 1) :]
    return text


def written(chance: Random, made: Document, text: str, name: str) -> Written:
    """The bytes of a document's text under one of `ENCODINGS`, odd bytes in place of the marks."""
    encoding, declared, header = ENCODINGS[name]
    if name in UNDECIDABLE_IF_BROKEN:
        text = text.replace(_MARK, "")
    whole = made._replace(encoding=declared).declared() + text
    raw = whole.encode(encoding, "surrogatepass")
    odd = chance.choice(BYTES) * (2 if encoding.startswith("utf-16") else 1)
    for name in ("utf-8", "utf-16-le", "utf-16-be"):
        raw = raw.replace(_MARK.encode(name), odd)
    return raw, header
