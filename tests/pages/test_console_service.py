"""The console of a real service: news of a feed comes onto the page, and a killed service is told and taken up."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from signals.delivery.endpoints import endpoint
from tests.jobs.conftest import FeedServer, Shell, feed_server, now, rss_row  # noqa: F401 - a fixture
from tests.jobs.test_serve import serving


@pytest.fixture
def made(tmp_path: Path, feed_server: FeedServer) -> Iterator[Shell]:  # noqa: F811
    """A home whose one feed is read every second."""
    feed_server.items["/wire"] = [("Yen surges as BOJ hikes rates to 1.0%", now())]
    shell = Shell(tmp_path, rss_row(feed_server, "/wire", "wire"))
    shell.env["SIGNALS__JOBS__INGEST__EVERY_S"] = "1"
    yield shell


@pytest.mark.slow
def test_news_comes_onto_the_page_and_a_killed_service_is_taken_up(
    page: Page,
    made: Shell,
    feed_server: FeedServer,  # noqa: F811
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """From feed to page; kill -9 is told at once; after the start anew the page goes on with what came meanwhile."""
    with serving(made) as process:
        url = endpoint(made.home, "console")
        assert url is not None
        page.goto(url)
        row = page.locator("#stream .row").filter(has_text="Yen surges as BOJ hikes")
        expect(row).to_be_visible(timeout=15_000)
        row.locator(".head").click()
        expect(row.locator(".detail mark").first).to_be_visible()
        expect(page.locator("#source-rows")).to_contain_text("wire")
        ingest = page.locator(".job").filter(has=page.get_by_role("button", name="ingest", exact=True))
        expect(ingest.locator(".last")).to_contain_text(re.compile("ok \\d"), timeout=15_000)
        page.screenshot(path=tmp_path_factory.mktemp("screenshots") / "service.png", full_page=True)
        process.kill()
        expect(page.locator("#line")).to_contain_text("Not connected since", timeout=2000)
    feed_server.items["/wire"].append(("Dollar slides after US payrolls miss forecasts", now()))
    made.env["SIGNALS_CONSOLE_PORT"] = url.rpartition(":")[2]
    with serving(made):
        expect(page.locator("#line")).to_have_text("Live", timeout=10_000)
        expect(page.locator("#stream .row").filter(has_text="payrolls miss")).to_be_visible(timeout=15_000)
        expect(page.locator("#count")).to_have_text("2 signals")
