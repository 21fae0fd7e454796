"""Folders of articles, as archives and as inboxes."""

import datetime as dt
import os
from pathlib import Path

import pytest

from signals.errors import ConfigError, SourceError
from signals.model import FeedState
from signals.sources import articles
from signals.sources.article import Article, parse_article
from signals.sources.feed import Feed, Reading

from .conftest import NOW

SEEDS = Path(__file__).parents[2] / "seeds" / "articles"
AT = dt.datetime(2026, 2, 13, 0, 26, tzinfo=dt.UTC)

FULL = """Forex

Yen climbs as Tokyo warns


2026-02-13 00:26:00

Officials sharpen their words.

Summary:

  • USD/JPY falls to 157.20

  • Ministry keeps all options open

The yen rose on Friday.

Traders said that more may follow.

A trader looks at a screen in Tokyo

Share this article

Related Articles

Fed holds rates. Dollar rises on Thursday as yields climb.

Back to top button"""
PARTS = Article(
    "Forex", "Yen climbs as Tokyo warns", AT, "Officials sharpen their words.",
    ("USD/JPY falls to 157.20", "Ministry keeps all options open"),
    ("The yen rose on Friday.", "Traders said that more may follow."),
)  # fmt: skip


def without(*lines: str) -> str:
    """The full document without some lines."""
    return "\n".join(line for line in FULL.split("\n") if line.strip() not in lines)


def folder_feed(path: Path, **fields: object) -> Feed:
    """A row for a folder."""
    return Feed(**{"id": "desk", "kind": "articles", "path": path, "delay_s": 60, **fields})  # type: ignore[arg-type]


async def read(feed: Feed, state: FeedState | None = None, now: dt.datetime = NOW) -> Reading:
    """Read a folder."""
    return await articles.read(feed, state or FeedState(source=feed.id), lambda: now)


def test_a_full_document_comes_apart() -> None:
    """Section, title, time, subtitle, bullets and body are found; caption, buttons and links are dropped."""
    assert parse_article(FULL) == PARTS


BULLETS = ("Summary:", "• USD/JPY falls to 157.20", "• Ministry keeps all options open")
BODY = ("The yen rose on Friday.", "Traders said that more may follow.")
CAPTION = "A trader looks at a screen in Tokyo"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (without("Forex"), PARTS._replace(section=None)),
        (without("2026-02-13 00:26:00"), PARTS._replace(published_at=None)),
        (without("Forex", "2026-02-13 00:26:00"), PARTS._replace(section=None, published_at=None)),
        (without("Officials sharpen their words."), PARTS._replace(subtitle=None)),
        (without("Officials sharpen their words.", "2026-02-13 00:26:00"),
         PARTS._replace(subtitle=None, published_at=None)),
        (without(*BULLETS), PARTS._replace(bullets=())),
        (without(*BULLETS[1:]), PARTS._replace(bullets=())),
        (without("Summary:"), PARTS),
        (without(*BODY), PARTS._replace(body=())),
        (without(CAPTION), PARTS),
        (without("Share this article", "Related Articles"), PARTS._replace(
            body=(*BODY, CAPTION, "Fed holds rates. Dollar rises on Thursday as yields climb."))),
        (FULL.split("\n\nA trader")[0], PARTS),
        (FULL.replace("\n", "\r\n"), PARTS),
        (FULL.replace("\n\n", "\n"), PARTS),
        ("\ufeff" + FULL, PARTS),
        (FULL.replace("2026-02-13 00:26:00", "2026-02-13T09:26:00+09:00"), PARTS),
        (FULL.replace("2026-02-13 00:26:00", "2026-02-31 99:26:00"), PARTS._replace(published_at=None)),
        (FULL.replace("Yen climbs", "Y\u202een\u200b climbs\x07"), PARTS),
        ("Yen climbs as Tokyo warns", Article(None, "Yen climbs as Tokyo warns", None, None, (), ())),
        ("2026-02-13 00:26:00\nYen climbs", Article(None, "Yen climbs", AT, None, (), ())),
        ("Yen climbs\n2026-02-13 00:26:00", Article(None, "Yen climbs", AT, None, (), ())),
        ("Central Banks\nBOJ hikes", Article("Central Banks", "BOJ hikes", None, None, (), ())),
        ("為替\n日銀、利上げを決定\n2026年2月13日 9時26分\n円は上昇した。",
         Article("為替", "日銀、利上げを決定", AT.replace(hour=9), None, (), ("円は上昇した。",))),
        ("日銀、利上げを決定\n\n円は対ドルで上昇した。\n\n市場は驚いた。",
         Article(None, "日銀、利上げを決定", None, "円は対ドルで上昇した。", (), ("市場は驚いた。",))),
    ],
)  # fmt: skip
def test_any_part_but_the_title_may_be_missing(text: str, expected: Article) -> None:
    """Each part is found, or found missing, without moving the others; line ends and marks do not matter."""
    if "2026-02-13T09:26:00+09:00" in text:
        expected = expected._replace(published_at=AT)
    assert parse_article(text) == expected


@pytest.mark.parametrize(
    "text", ["", "\n \n", "Summary:\n• one", "Related Articles\nBack to top button", "2026-02-13 00:26:00"]
)
def test_without_a_title_there_is_no_article(text: str) -> None:
    """Nothing is taken for a title that is none."""
    with pytest.raises(ValueError, match="no title"):
        parse_article(text)


def test_sentences_that_look_like_furniture_stay() -> None:
    """A paragraph is not dropped for the words it begins with."""
    text = FULL.replace(
        BODY[0], "Read more closely, the statement of the Bank of Japan says that it will not be rushed."
    )
    assert len(parse_article(text).body) == 2


@pytest.mark.parametrize("path", sorted(SEEDS.glob("*.txt")), ids=lambda path: path.name[:3])
def test_every_shipped_article_comes_apart(path: Path) -> None:
    """Section, title, time and body are found in each; nothing of the page is left."""
    article = parse_article(path.read_text(encoding="utf-8"))
    assert article.section
    assert len(article.title.split()) > 5
    assert article.published_at
    assert (article.subtitle is None) == path.name.startswith("010")
    assert (article.bullets == ()) == path.name.startswith("003")
    assert len(article.body) >= 5
    assert all(paragraph.rstrip('”"')[-1] in ".?!" for paragraph in article.body)


@pytest.mark.asyncio
async def test_an_archives_documents_are_known_after_their_own_time(tmp_path: Path) -> None:
    """Known at its own time plus the stated delay, and marked as reconstructed."""
    (tmp_path / "a 1#.txt").write_text(FULL, encoding="utf-8")
    (tmp_path / "README.md").write_text("not an article")
    (tmp_path / "readme.txt").write_text("not an article")
    (tmp_path / ".hidden.txt").write_text("not an article")
    (headline,) = (await read(folder_feed(tmp_path))).headlines
    assert headline.known_at == AT + dt.timedelta(seconds=60)
    assert headline.source_published_at == AT
    assert headline.backfilled
    assert headline.title == PARTS.title
    assert headline.summary == " ".join([PARTS.subtitle or "", *PARTS.bullets])
    assert headline.body == "\n".join(PARTS.body)
    assert (headline.source, headline.lang, headline.url) == ("desk", "en", None)


@pytest.mark.asyncio
async def test_an_undated_document_of_an_archive_is_known_now(tmp_path: Path) -> None:
    """Its time is not invented."""
    (tmp_path / "a.txt").write_text(without("2026-02-13 00:26:00"), encoding="utf-8")
    (headline,) = (await read(folder_feed(tmp_path))).headlines
    assert (headline.known_at, headline.source_published_at, headline.backfilled) == (NOW, None, True)


@pytest.mark.asyncio
async def test_an_inboxes_documents_are_known_now(tmp_path: Path) -> None:
    """Witnessed, not reconstructed; a date in the future is flagged."""
    (tmp_path / "a.txt").write_text(FULL, encoding="utf-8")
    (tmp_path / "b.txt").write_text(FULL.replace("2026-02-13", "2026-02-15"), encoding="utf-8")
    reading = await read(folder_feed(tmp_path, mode="inbox"))
    assert [headline.known_at for headline in reading.headlines] == [NOW, NOW]
    assert [headline.source_published_at for headline in reading.headlines] == [AT, None]
    assert not any(headline.backfilled for headline in reading.headlines)
    assert len(reading.notes) == 1
    assert "b.txt" in reading.notes[0]


@pytest.mark.asyncio
async def test_a_document_of_the_future_waits(tmp_path: Path) -> None:
    """It is left out until its time and delay have passed, also in a folder that nobody touches."""
    (tmp_path / "a.txt").write_text(FULL, encoding="utf-8")
    feed = folder_feed(tmp_path)
    early = await read(feed, now=AT + dt.timedelta(seconds=59))
    assert early.headlines == ()
    assert "a.txt" in early.notes[0]
    later = await read(feed, early.state, now=AT + dt.timedelta(seconds=60))
    assert len(later.headlines) == 1


@pytest.mark.asyncio
async def test_two_files_are_two_headlines(tmp_path: Path) -> None:
    """Identity is the file's name and the title; the same file read again is the same headline."""
    for name in ("a#1.txt", "a#2.txt", "a.TXT"):
        (tmp_path / name).write_text(FULL, encoding="utf-8")
    first, again = await read(folder_feed(tmp_path)), await read(folder_feed(tmp_path))
    assert len({headline.headline_id for headline in first.headlines}) == 3
    assert first.headlines == again.headlines


@pytest.mark.asyncio
async def test_a_bad_file_costs_only_itself(tmp_path: Path) -> None:
    """Not UTF-8, empty, too large or a folder: a note names the file, and the others are read."""
    (tmp_path / "1.txt").write_bytes(FULL.replace("Forex", "為替").encode("cp932", "replace"))
    (tmp_path / "2.txt").write_text("")
    (tmp_path / "3.txt").write_bytes(b"a" * (articles.MAX_BYTES + 1))
    (tmp_path / "4.txt").mkdir()
    (tmp_path / "5.txt").write_text(FULL, encoding="utf-8")
    reading = await read(folder_feed(tmp_path))
    assert len(reading.headlines) == 1
    assert [note.split(":")[1].strip() for note in reading.notes] == ["1.txt", "2.txt", "3.txt", "4.txt"]
    assert "UTF-8" in reading.notes[0]


@pytest.mark.asyncio
async def test_an_unchanged_folder_is_not_read_again(tmp_path: Path) -> None:
    """Names, sizes and times tell; a new file, a changed one and a removed one are noticed, and a changed row."""
    path = tmp_path / "a.txt"
    path.write_text(FULL, encoding="utf-8")
    feed = folder_feed(tmp_path)
    first = await read(feed)
    again = await read(feed, first.state)
    assert again == Reading((), first.state, (), unchanged=True)
    assert not (await read(folder_feed(tmp_path, delay_s=5), first.state)).unchanged
    os.utime(path, ns=(1, 1))
    touched = await read(feed, first.state)
    assert not touched.unchanged
    (tmp_path / "b.txt").write_text(FULL, encoding="utf-8")
    more = await read(feed, touched.state)
    assert len(more.headlines) == 2
    path.unlink()
    assert len((await read(feed, more.state)).headlines) == 1


@pytest.mark.asyncio
@pytest.mark.parametrize("name", ["nowhere", "file.txt"])
async def test_a_missing_folder_is_named(tmp_path: Path, name: str) -> None:
    """The error says which folder, and what to do."""
    (tmp_path / "file.txt").write_text(FULL, encoding="utf-8")
    with pytest.raises(SourceError) as caught:
        await read(folder_feed(tmp_path / name))
    assert caught.value.reason == "missing_folder"
    assert str(tmp_path / name) in caught.value.where


@pytest.mark.asyncio
async def test_a_row_without_a_path_is_a_mistake_in_the_config() -> None:
    """It names the feed."""
    with pytest.raises(ConfigError, match="desk"):
        await read(Feed(id="desk", kind="articles"))


@pytest.mark.asyncio
async def test_the_shipped_archive_is_read_whole() -> None:
    """All sixteen documents become headlines without a note, once they are past."""
    reading = await articles.read(
        folder_feed(SEEDS), FeedState(source="desk"), lambda: dt.datetime(2027, 1, 1, tzinfo=dt.UTC)
    )
    assert len(reading.headlines) == len(list(SEEDS.glob("*.txt")))
    assert reading.notes == ()
