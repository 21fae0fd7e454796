"""Documents of megabytes made to be slow: time grows with their size, not with its square."""

import time
from contextlib import suppress

import pytest

from signals.errors import SourceError
from signals.sources.rss import MAX_ITEMS

from .hostile.cases import read

SIZE = 600_000
BOUND_S = 20.0
"""Of this thread, however busy the machine is. Each takes a few; the square of what is repeated would take minutes."""

UNITS = (
    "<", "&", "<![CDATA[", "]]>", "<!--", "<?", "<!", "<![", "<b>", "<b></b>", "<a b='", '<a "', " base='", "&eacute;",
    "<title>", " a='1'", "<a<b>", "<!-- x -->", "<!DOCTYPE [", "&#1", "あ", "\0",
)  # fmt: skip
ITEMS = (
    "<item>", "<item></item>", "</item>", "<item><![CDATA[", "<![CDATA[</item><item>", "<!--</item><item>",
    "<?</item><item>", "<item><title>x</b></title></item>", "<item><title>x</title></item>",
)  # fmt: skip


def took_s(body: str) -> float:
    """Seconds of this thread until a body is read, or said to be no feed or too large."""
    started = time.thread_time()
    with suppress(SourceError):
        read(body.encode(), "text/xml")
    return time.thread_time() - started


@pytest.mark.slow
@pytest.mark.parametrize("unit", UNITS)
def test_what_is_repeated_takes_its_size_in_time(unit: str) -> None:
    """In a document, a channel, one title and many: seconds."""
    many, some = unit * (SIZE // len(unit)), unit * (30_000 // len(unit))
    titles = f"<item><title>{some}</title></item>" * (SIZE // 30_000)
    for body in (
        many,
        f"<rss><channel>{many}",
        f"<rss><item><title>{many}</title></item></rss>",
        f"<rss>{titles}</rss>",
    ):
        assert took_s(body) < BOUND_S


@pytest.mark.slow
@pytest.mark.parametrize("unit", ITEMS)
def test_items_that_never_end_take_their_size_in_time(unit: str) -> None:
    """Starts, ends and sections of items, thousands of them: seconds."""
    assert took_s(f"<rss><channel>{unit * (SIZE // len(unit))}") < BOUND_S


@pytest.mark.slow
@pytest.mark.parametrize(
    "tags",
    [
        "<a {}/>".format(" ".join(f"a{n}='1'" for n in range(150_000))),
        "<a {}/>".format(" ".join(f"a{n}='>'" for n in range(150_000))),
        "".join(f"<a xmlns:p{n}='urn:{n}'/>" for n in range(50_000)),
        "".join("<a {}/>".format(" ".join(f"xmlns:p{m}x{n}='u'" for n in range(90))) for m in range(1_000)),
        "".join(f"<a xmlns:p{n}='u'>" for n in range(20_000)) + "</a>" * 20_000,
        "<b>" * 90_000 + "</b>" * 90_000,
        "<category>a</category>" * 60_000,
        "".join(f"<category>a{n}</category>" for n in range(60_000)),
        "<author>a &lt;x@y.example&gt;</author>" * 30_000,
        "<enclosure url='https://wire.example/'/>" * 60_000,
        "<content type='xhtml'><div>x</div></content>" * 30_000,
        "<link href='http://[' rel='x'/>" * 60_000,
        "<pubDate>{}</pubDate>".format("9 " * 60) * 10_000,
    ],
    ids=["attributes", "odd attributes", "namespaces", "many namespaces", "deep namespaces", "deep", "categories",
         "different categories", "authors", "enclosures", "contents", "links", "dates"],
)  # fmt: skip
def test_one_huge_item_costs_no_other(tags: str) -> None:
    """Whatever is in it, the item beside it is read, in seconds."""
    body = f"<rss><channel><item><title>Huge</title>{tags}</item><item><title>Yen rises</title></item></channel></rss>"
    assert took_s(body) < BOUND_S
    assert "Yen rises" in [headline.title for headline in read(body.encode(), "text/xml").headlines]


@pytest.mark.slow
@pytest.mark.parametrize("broken", ["", "<b>"])
def test_ten_thousand_items(broken: str) -> None:
    """So many are read, also where each of them is broken; the one beyond the bound is not, and that is noted."""
    items = [f"<item><title>Yen moves {n}</title><guid>g{n}</guid>{broken}</item>" for n in range(MAX_ITEMS + 1)]
    reading = read(f"<rss><channel>{''.join(items)}</channel></rss>".encode(), "text/xml")
    assert [headline.title for headline in reading.headlines] == [f"Yen moves {n}" for n in range(MAX_ITEMS)]
    assert "the rest is not read" in reading.notes[0]
    assert len(reading.notes) == 1 + bool(broken)
