"""One way to read every kind of source."""

import datetime as dt
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest

from signals import sources
from signals.errors import ConfigError, SourceError
from signals.model import FeedState
from signals.sources import KINDS, Feed, articles, rss, yahoo_news

from .conftest import NOW, Site, blank, clock, rss_feed

NEXT = NOW + dt.timedelta(seconds=300)
"""The row asks every five minutes."""
FAILED = FeedState(source="wire", etag='"v0"', last_error="timeout", failures=3)
DOCUMENT = "<rss version='2.0'><channel><item><title>Yen rises</title></item></channel></rss>"


@pytest.mark.asyncio
async def test_a_reading_renews_the_state(site: Site, session: aiohttp.ClientSession) -> None:
    """Times of attempt and success are set, and failures forgotten."""
    site.put("/rss", DOCUMENT, ETag='"v1"')
    reading = await sources.read(rss_feed(site.url("/rss")), FAILED, clock, session)
    assert len(reading.headlines) == 1
    assert reading.state == FeedState(
        source="wire", etag='"v1"', last_attempt_at=NOW, last_success_at=NOW, next_attempt_at=NEXT
    )


@pytest.mark.asyncio
async def test_nothing_new_is_a_success_too(site: Site, session: aiohttp.ClientSession) -> None:
    """A 304 shows that the source is alive."""
    site.put("/rss", status=304)
    reading = await sources.read(rss_feed(site.url("/rss")), FAILED, clock, session)
    assert reading.unchanged
    assert reading.state == FeedState(
        source="wire", etag='"v0"', last_attempt_at=NOW, last_success_at=NOW, next_attempt_at=NEXT
    )


@pytest.mark.asyncio
async def test_a_failure_is_raised(site: Site, session: aiohttp.ClientSession) -> None:
    """The caller counts it: nothing is swallowed here."""
    with pytest.raises(SourceError) as caught:
        await sources.read(rss_feed(site.url("/rss")), FAILED, clock, session)
    assert caught.value.reason == "http_404"
    assert caught.value.transient


@pytest.mark.asyncio
async def test_articles_need_no_session(tmp_path: Path) -> None:
    """A folder is read by the same call."""
    (tmp_path / "a.txt").write_text("Yen rises", encoding="utf-8")
    feed = Feed(id="desk", kind="articles", path=tmp_path)
    assert len((await sources.read(feed, blank(feed), clock)).headlines) == 1


@pytest.mark.asyncio
async def test_an_unknown_kind_names_the_known_ones() -> None:
    """A mistake in the feeds file tells what would be right."""
    feed = Feed(id="x", kind="telepathy")
    with pytest.raises(ConfigError, match="articles, rss, yahoo_news") as caught:
        await sources.read(feed, blank(feed), clock)
    assert "telepathy" in caught.value.problem


@pytest.mark.asyncio
async def test_every_kind_leads_to_its_module(monkeypatch: pytest.MonkeyPatch) -> None:
    """The table has no row that leads elsewhere."""
    modules = {"rss": rss, "articles": articles, "yahoo_news": yahoo_news}
    assert set(KINDS) == set(modules)
    for kind, module in modules.items():
        called: list[object] = []

        async def fake(*args: object, called: list[object] = called) -> None:
            called.append(args)

        monkeypatch.setattr(module, "read", fake)
        feed = Feed(id="x", kind=kind)
        await KINDS[kind](feed, blank(feed), clock, None)
        assert called == [(feed, blank(feed), clock, None)]


def test_importing_the_sources_is_cheap() -> None:
    """yfinance, pandas and the network libraries are loaded when a feed needs them."""
    heavy = ("yfinance", "pandas", "aiohttp", "feedparser", "curl_cffi")
    code = f"import sys, signals.sources; print([m for m in {heavy!r} if m in sys.modules])"
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert done.stdout.strip() == "[]"
