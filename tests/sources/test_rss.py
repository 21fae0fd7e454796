"""Feeds of every format: golden pairs, and what hostile or broken documents may not do."""

import datetime as dt
import gzip
from pathlib import Path

import aiohttp
import msgspec
import pytest

from signals.errors import SourceError
from signals.model import FeedState
from signals.sources import rss
from signals.sources.feed import Feed, Reading
from signals.sources.fetch import Fetched
from signals.text import headline_id

from .conftest import GOLDEN, NOW, Site, blank, clock, rss_feed

FEED = Feed(id="wire", kind="rss", url="https://wire.example/rss")


def parsed(body: bytes | str, content_type: str = "application/rss+xml", feed: Feed = FEED) -> Reading:
    """The reading of a body."""
    raw = body.encode() if isinstance(body, str) else body
    return rss.parse(feed, blank(feed), Fetched(200, raw, content_type, None, None, "https://wire.example/rss", NOW))


def document(*items: str) -> str:
    """An RSS 2.0 document."""
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>w</title>{"".join(items)}</channel></rss>'


def item(title: str = "Yen rises", **fields: str) -> str:
    """An RSS item; its fields are XML."""
    inside = "".join(f"<{name}>{value}</{name}>" for name, value in {"title": title, **fields}.items())
    return f"<item>{inside}</item>"


@pytest.mark.parametrize("path", sorted(p for p in GOLDEN.iterdir() if p.suffix != ".json"), ids=lambda p: p.name)
def test_each_format_gives_its_golden_headlines(path: Path) -> None:
    """RSS 0.91, 1.0, 2.0, Atom, Shift_JIS, EUC-JP and a cut-off document give what stands in the file beside them."""
    reading = parsed(path.read_bytes(), "text/xml")
    found = msgspec.json.encode({"headlines": reading.headlines, "notes": reading.notes})
    assert msgspec.json.decode(found) == msgspec.json.decode(Path(f"{path}.json").read_bytes())


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("shift_jis.xml", "text/xml; charset=ISO-8859-1"), ("euc_jp.xml", "text/html"), ("rss10.rdf", ""),
        ("atom.xml", "text/xml; charset=us-ascii"), ("rss20.xml", "application/xml; charset=windows-1252"),
        ("rss91", "nonsense"),
    ],
)  # fmt: skip
def test_a_wrong_header_does_not_garble_a_feed(name: str, content_type: str) -> None:
    """Many servers send one charset for everything: what the document says of itself, or shows, goes first."""
    body = (GOLDEN / name.replace("rss91", "rss091.xml")).read_bytes()
    assert parsed(body, content_type).headlines == parsed(body, "text/xml").headlines


def test_the_header_tells_the_charset_where_the_document_does_not() -> None:
    """Without a declaration the header is right; UTF-16 is known by its mark; one bad byte costs one character."""
    text = "<rss version='2.0'><channel><item><title>円安が進む</title></item></channel></rss>"
    assert parsed(text.encode("cp932"), "text/xml; charset=Shift_JIS").headlines[0].title == "円安が進む"
    assert parsed(text.encode("utf-16"), "text/xml").headlines[0].title == "円安が進む"
    declared = document(item("円安が進む")).replace('version="1.0"', 'version="1.0" encoding="Shift_JIS"')
    broken = declared.encode("cp932").replace(b"</title></item>", b"\xff</title></item>")
    assert parsed(broken, "text/xml").headlines[0].title.startswith("円安が進む")


def test_identity_comes_from_link_or_else_guid() -> None:
    """The link wins; without one the guid counts, whatever it looks like; the same item is one headline."""
    reading = parsed(
        document(
            item(link="https://wire.example/1?utm_source=x", guid="g"),
            item(link="https://wire.example/1"),
            item(guid="tag:wire,1"),
            item(guid="http://[not an address"),
            item(),
        )
    )
    ids = [headline.headline_id for headline in reading.headlines]
    assert len(ids) == len(set(ids)) == 4
    assert ids[0] == headline_id("wire", "https://wire.example/1", "Yen rises")
    assert ids[1] == headline_id("wire", "tag:wire,1", "Yen rises")
    assert ids[3] == headline_id("wire", None, "Yen rises")
    assert [headline.url for headline in reading.headlines[1:]] == [None, None, None]


@pytest.mark.parametrize(
    "link", ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "http://", "http://[x"]
)
def test_links_are_web_addresses_or_nothing(link: str) -> None:
    """A link that a console would make clickable is http or https."""
    assert parsed(document(item(link=link, guid="g"))).headlines[0].url is None


def test_titles_are_plain_text() -> None:
    """Control, zero-width and direction-changing characters and markup never reach a title."""
    title = "\u202eYen\u202c &lt;img src=x onerror=alert(1)&gt;ri\u200bses\x08 &amp;lt;b&amp;gt;"
    assert parsed(document(item(title))).headlines[0].title == "Yen rises <b>"


def test_all_items_are_known_at_receipt() -> None:
    """The time of receipt is the same for all; the publisher's own is kept beside it."""
    reading = parsed(document(item(pubDate="Fri, 13 Feb 2026 09:30:00 JST"), item("Other")))
    assert {headline.known_at for headline in reading.headlines} == {NOW}
    assert reading.headlines[0].source_published_at == dt.datetime(2026, 2, 13, 0, 30, tzinfo=dt.UTC)
    assert reading.headlines[1].source_published_at is None
    assert not any(headline.backfilled for headline in reading.headlines)


def test_a_date_in_the_future_is_flagged() -> None:
    """Five minutes ahead is a clock that differs; more is taken as undated, with a note."""
    dates = [(NOW + dt.timedelta(seconds=s)).strftime("%a, %d %b %Y %H:%M:%S GMT") for s in (300, 301)]
    reading = parsed(document(item("One", pubDate=dates[0]), item("Two", pubDate=dates[1])))
    assert [headline.source_published_at is None for headline in reading.headlines] == [False, True]
    assert len(reading.notes) == 1
    assert "Two" in reading.notes[0]


def test_the_language_is_the_rows_or_the_scripts() -> None:
    """A row may say the language; else the letters do."""
    assert parsed(document(item("ドル円が上昇"))).headlines[0].lang == "ja"
    french = msgspec.structs.replace(FEED, lang="fr")
    assert parsed(document(item("ドル円が上昇")), feed=french).headlines[0].lang == "fr"


def test_two_hundred_items() -> None:
    """A long feed comes through whole and in order."""
    reading = parsed(document(*(item(f"Headline {n}", link=f"https://wire.example/{n}") for n in range(200))))
    assert [headline.title for headline in reading.headlines] == [f"Headline {n}" for n in range(200)]


@pytest.mark.slow
def test_an_archive_in_the_place_of_a_feed_is_cut() -> None:
    """Beyond the limit nothing is read, and a note says so."""
    reading = parsed(document(*(item(f"Headline {n}") for n in range(rss.MAX_ITEMS + 1))))
    assert len(reading.headlines) == rss.MAX_ITEMS
    assert len(reading.notes) == 1


def test_a_document_of_nothing_but_tags_is_too_large() -> None:
    """What would keep the parser busy for a minute is not given to it."""
    with pytest.raises(SourceError) as caught:
        parsed(document("<a>" * (rss.MAX_TAGS + 1)))
    assert caught.value.reason == "too_large"


def test_many_notes_are_counted() -> None:
    """A feed gone bad as a whole does not flood the record of a run."""
    reading = parsed(document("<item><link>https://wire.example/</link></item>" * 100))
    assert len(reading.notes) == 21
    assert "80 more" in reading.notes[-1]


def test_a_feed_without_entries_is_no_error() -> None:
    """A quiet publisher is not a broken one."""
    assert parsed(document()).headlines == ()
    assert parsed(document()).notes == ()
    assert parsed('<feed xmlns="http://www.w3.org/2005/Atom"><title>t</title></feed>').headlines == ()


@pytest.mark.parametrize(
    "body",
    [
        "<!DOCTYPE html><html><body><form action='/login'><input name='password'></form></body></html>",
        "\ufeff \n<!-- cached --><HTML><head><title>Sign in</title></head></HTML>",
        '<?xml version="1.0"?><!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0//EN" "x"><html xmlns="http://www.w3.org/1999/xhtml"/>',
        '{"items":[]}', "just text", "<urlset><url/></urlset>", "<", "<?xml", "\x00\x01", "<!--", "<!DOCTYPE x [",
    ],
)  # fmt: skip
def test_what_is_no_feed_is_said_to_be_none(body: str) -> None:
    """A log-in page, JSON, a sitemap or rubbish is an error, never "no news"."""
    with pytest.raises(SourceError) as caught:
        parsed(body, "text/html")
    assert caught.value.reason == "not_a_feed"


def test_an_empty_body_is_an_error() -> None:
    """A 200 without a byte is a fault of the server."""
    with pytest.raises(SourceError) as caught:
        parsed(b" \n")
    assert caught.value.reason == "empty_answer"


BILLION_LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
ENTITY_BOMBS = (
    f'<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY l0 "lol">{BILLION_LAUGHS}]>{document(item("&l9; Yen"))[21:]}',
    f'<!DOCTYPE rss [\n<!ENTITY l9 "{"x" * 100_000}">\n]>\n{document(item("&l9;" * 50_000))[21:]}',
    f'<!DOCTYPE a [ ]>\n<!DOCTYPE rss [\n<!ENTITY l9 "<rss {"x" * 9999}">\n]>\n{document(item("&l9;" * 50_000))[21:]}',
)


@pytest.mark.timeout(20)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("bomb", ENTITY_BOMBS, ids=["nested", "long", "hidden"])
def test_an_entity_bomb_does_not_go_off(bomb: str, encoding: str) -> None:
    """Entities that a document declares are never expanded, nested or long, in any encoding."""
    reading = parsed(bomb.encode(encoding))
    assert len(reading.headlines) == 1
    assert "lol" not in reading.headlines[0].title
    assert "xxx" not in reading.headlines[0].title


def test_an_entity_cannot_read_a_file(tmp_path: Path) -> None:
    """External entities stay outside."""
    (tmp_path / "secret").write_text("hunter2")
    body = f'<!DOCTYPE rss [<!ENTITY x SYSTEM "{(tmp_path / "secret").as_uri()}">]>{document(item("Yen &x;"))[21:]}'
    assert "hunter2" not in str(parsed(body))


def test_html_entities_and_bare_ampersands_are_read() -> None:
    """What is no XML but common is read as meant; inside CDATA, an ampersand is left as it is."""
    reading = parsed(
        document(
            item(
                "Q&A: S&P&nbsp;500 &eacute;tude &amp; Japan&#146;s &#8364;&#8;5 &unknown;",
                link="https://wire.example/?a=1&b=2",
            ),
            item("<![CDATA[R&D &amp; more]]>", link="<![CDATA[https://wire.example/?c=1&d=2]]>"),
            item("P&G", description="<![CDATA[a]]> b & c"),
        )
    )
    assert [headline.title for headline in reading.headlines] == [
        "Q&A: S&P 500 étude & Japan’s €5 &unknown;", "R&D & more", "P&G",
    ]  # fmt: skip
    assert [headline.url for headline in reading.headlines] == [
        "https://wire.example/?a=1&b=2", "https://wire.example/?c=1&d=2", None,
    ]  # fmt: skip
    assert reading.notes == ()


def test_malformed_documents_are_read_as_far_as_possible() -> None:
    """A tag that is never closed costs a note, not the feed."""
    reading = parsed(document(item("Yen rises", description="<p>unclosed"), item("Fed holds")))
    assert [headline.title for headline in reading.headlines] == ["Yen rises", "Fed holds"]
    assert "not well-formed" in reading.notes[0]


@pytest.mark.asyncio
async def test_reading_remembers_and_asks_again(site: Site, session: aiohttp.ClientSession) -> None:
    """What the server said is kept in the state; a 304 next time is "unchanged", and keeps it."""
    site.put("/rss", gzip.compress(document(item()).encode()), Content_Encoding="gzip", ETag='"v1"')
    feed = rss_feed(site.url("/rss"))
    first = await rss.read(feed, blank(feed), clock, session)
    assert [headline.title for headline in first.headlines] == ["Yen rises"]
    assert (first.state.etag, first.state.last_modified) == ('"v1"', None)
    site.put("/rss", status=304)
    again = await rss.read(feed, first.state, clock, session)
    assert again == Reading((), first.state, (), unchanged=True)
    assert site.requests[-1].headers["If-None-Match"] == '"v1"'


@pytest.mark.asyncio
async def test_old_validators_are_forgotten(site: Site, session: aiohttp.ClientSession) -> None:
    """A new document without validators leaves none: the old ones are another document's."""
    site.put("/rss", document(item()))
    feed = rss_feed(site.url("/rss"))
    reading = await rss.read(feed, FeedState(source="wire", etag='"old"', last_modified="old"), clock, session)
    assert (reading.state.etag, reading.state.last_modified) == (None, None)


@pytest.mark.asyncio
async def test_relative_links_start_where_the_feed_is(site: Site, session: aiohttp.ClientSession) -> None:
    """After a redirect they belong to the new place; the feed's password does not."""
    site.put("/rss", status=301, Location="/moved/rss")
    site.put("/moved/rss", document(item(link="story/1")))
    feed = rss_feed(site.url("/rss").replace("http://", "http://user:pass@"))
    reading = await rss.read(feed, blank(feed), clock, session)
    assert reading.headlines[0].url == site.url("/moved/story/1")


@pytest.mark.asyncio
async def test_without_a_session_it_opens_its_own(site: Site) -> None:
    """A single reading needs no set-up."""
    site.put("/rss", document(item()))
    feed = rss_feed(site.url("/rss"))
    assert len((await rss.read(feed, blank(feed), clock)).headlines) == 1
