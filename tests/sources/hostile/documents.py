"""Sound feeds of three formats, item by item, with what must be read of each."""

import datetime as dt
from html import escape
from random import Random
from typing import NamedTuple

from ..conftest import NOW

SUBJECTS = (
    "Yen", "Dollar", "BOJ", "Fed", "S&P 500", "Japan's CPI", "Q&A: Ueda", "USD/JPY", "日銀", "ドル円",
    "Société Générale",
    "“Carry”", "1 < 2: JGB", "Résumé", "市場",
)  # fmt: skip
VERBS = (
    "rises",
    "falls",
    "holds at 0.75%",
    "cuts -> traders wait",
    "が上昇",
    "を据え置き、円安が進む",
    "– déjà vu",
    "& more",
)


class Sound(NamedTuple):
    """An item, and what of it must come through."""

    xml: str
    title: str
    url: str
    published_at: dt.datetime


class Document(NamedTuple):
    """A feed in parts, so that one can be damaged."""

    head: str
    items: tuple[Sound, ...]
    tail: str
    encoding: str = "utf-8"

    def declared(self) -> str:
        """Its XML declaration."""
        return f'<?xml version="1.0" encoding="{self.encoding}"?>\n'


def _cdata(chance: Random, text: str) -> str:
    return f"<![CDATA[{text}]]>" if chance.random() < 0.3 and "<" not in text else escape(text)


def _teaser(chance: Random) -> str:
    html = "<p>Traders &amp; banks<br/>wait <!-- ad --> for <a href='/x?a=1&amp;b=2'>more</a></p>"
    return chance.choice((escape(html), f"<![CDATA[{html}]]>", "Plain words", "日銀の決定を待つ"))


def _rss_item(chance: Random, title: str, url: str, at: dt.datetime) -> str:
    return (
        f"<item><title>{_cdata(chance, title)}</title><link>{escape(url)}</link>"
        f"<description>{_teaser(chance)}</description><guid isPermaLink='false'>{escape(url)}</guid>"
        f"<pubDate>{at:%a, %d %b %Y %H:%M:%S} GMT</pubDate></item>\n"
    )


def _rdf_item(chance: Random, title: str, url: str, at: dt.datetime) -> str:
    return (
        f'<item rdf:about="{escape(url)}">\n<title>{_cdata(chance, title)}</title>\n<link>{escape(url)}</link>\n'
        f"<description>{_teaser(chance)}</description><dc:date>{at:%Y-%m-%dT%H:%M:%SZ}</dc:date></item>"
    )


def _atom_entry(chance: Random, title: str, url: str, at: dt.datetime) -> str:
    return (
        f'<entry><id>{escape(url)}</id><title type="text">{_cdata(chance, title)}</title>'
        f'<link rel="alternate" href="{escape(url)}"/><updated>{at:%Y-%m-%dT%H:%M:%SZ}</updated>'
        f'<summary type="html">{escape(_teaser(chance)) if chance.random() < 0.5 else "Words"}</summary></entry>\n'
    )


FORMATS = {
    "rss": (
        '<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>Wire</title>'
        "<link>https://wire.example/</link><description>News</description>",
        _rss_item,
        "</channel></rss>\n",
    ),
    "rdf": (
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"\n'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/"><channel rdf:about="https://wire.example/"><title>Wire</title>'
        "<link>https://wire.example/</link><items><rdf:Seq/></items></channel>",
        _rdf_item,
        "</rdf:RDF>",
    ),
    "atom": (
        '<feed xmlns="http://www.w3.org/2005/Atom"><title>Wire</title><id>urn:wire</id>'
        "<updated>2026-02-14T00:00:00Z</updated>",
        _atom_entry,
        "</feed>",
    ),
}


def document(chance: Random, form: str, count: int, subjects: tuple[str, ...] = SUBJECTS) -> Document:
    """A feed of `count` different items."""
    head, item, tail = FORMATS[form]
    items = []
    for number in range(count):
        title = f"{chance.choice(subjects)} {chance.choice(VERBS)} {number}"
        url = f"https://wire.example/{number}?a=1&b={number}"
        at = NOW - dt.timedelta(seconds=chance.randrange(60, 10**6))
        items.append(Sound(item(chance, title, url, at), title, url, at))
    return Document(head, tuple(items), tail)
