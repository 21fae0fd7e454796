"""The console is safe and open to all: no markup of strangers, no other host, readable by whatever reads pages."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from signals.model import Evidence
from tests.examples import nodejs
from tests.jobs.conftest import now
from tests.pages.console import HOSTILE, Console, called, seed

SIZES = {"wide": (1280, 900), "narrow": (390, 844)}


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    made = Console(tmp_path_factory.mktemp("console"))
    seed(made, hours=8)
    made.start()
    yield made
    made.close()


@pytest.fixture(scope="module")
def axe() -> str:
    """The source of axe-core."""
    nodejs.needed()
    return (nodejs.NODE / "node_modules" / "axe-core" / "axe.min.js").read_text()


def opened(page: Page, console: Console) -> None:
    """The page with everything in it opened once."""
    page.goto(console.url)
    expect(page.locator("#line")).to_have_text("Live")
    page.locator("#stream .row .head").nth(2).click()
    expect(page.locator("#stream .detail mark")).to_have_count(1)
    page.get_by_role("button", name="ingest", exact=True).click()
    page.locator(".run button").first.click()
    expect(page.locator(".run .lines")).to_be_visible()
    expect(page.locator("#card td").first).to_be_visible()
    expect(page.locator("#alert-list li")).to_have_count(2)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_axe_finds_nothing_serious(
    browser: Browser, console: Console, axe: str, theme: Any, size: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """In light and dark, wide and narrow, with everything open: no serious or critical finding, nothing sticks out."""
    width, height = SIZES[size]
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=theme)
    opened(page, console)
    shot = tmp_path_factory.mktemp("screenshots") / f"{theme}-{size}.png"
    page.screenshot(path=shot, full_page=True)
    page.evaluate(axe)
    found = page.evaluate("axe.run()")["violations"]
    bad = [(one["id"], [n["html"] for n in one["nodes"]]) for one in found if one["impact"] in ("serious", "critical")]
    assert bad == [], shot
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.evaluate("document.querySelector('#login').showModal()")
    in_dialog = page.evaluate("axe.run('#login')")["violations"]
    assert [one["id"] for one in in_dialog if one["impact"] in ("serious", "critical")] == []
    page.close()


def test_only_its_own_host_is_asked(page: Page, console: Console) -> None:
    """Whatever is opened, each request goes to the service itself, and the policy of the page forbids any other."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    opened(page, console)
    assert [url for url in asked if not url.startswith((console.url, "data:", "blob:"))] == []
    policy = page.request.get(console.url).headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "require-trusted-types-for 'script'" in policy
    refused = page.evaluate("fetch('http://127.0.0.1:9/x').then(() => 'went', () => 'refused')")
    assert refused == "refused"


def test_the_first_paint_is_quick_and_nothing_is_complained_of(page: Page, console: Console) -> None:
    """Something is on screen within a second, and the browser's console stays empty: no policy broken, no error."""
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
    opened(page, console)
    painted_ms = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    assert painted_ms < 1000
    assert [one for one in complaints if not one.startswith(("verbose", "debug"))] == []


@pytest.mark.parametrize(
    "title",
    [
        HOSTILE,
        "<svg onload=window.hacked=1>", "</script><script>window.hacked=1</script>",
        "{{constructor.constructor('x')()}}",
        "javascript:window.hacked=1", "&lt;b&gt;bold&lt;/b&gt; &amp;", "💴💴 円安 a\u0301 \u202e desrever", "x" * 5000,
    ],
)  # fmt: skip
def test_titles_are_text_and_never_markup(page: Page, console: Console, title: str) -> None:
    """A hostile title, source, topic or feature shows as the text it is: in the list, opened, on the chart, as CSV."""
    name = f"hostile-{len(title)}-{ord(title[0])}"
    reasons = (Evidence(span=(0, 2), text=title[:2], feature="<b onclick=alert(1)>", weight=-1.0),)
    told = called(name, now(), title=title, source="<i>s</i>", topics=("<u>t</u>",), evidence=reasons, url=None)
    page.goto(console.url)
    expect(page.locator("#line")).to_have_text("Live")
    console.tell([told])
    row = page.locator(f'.row[data-key="{name}"]')
    expect(row.locator(".title")).to_have_text(title, use_inner_text=False)
    row.locator(".head").click()
    assert row.locator(".headline").evaluate("e => e.textContent") == title
    made = "#stream img, #stream script, #stream svg, #stream b, #stream u, #stream i:not(.meter > i, .leg > i)"
    assert page.locator(made).count() == 0
    assert page.evaluate("window.hacked") is None


@pytest.mark.parametrize(
    ("url", "is_link"),
    [
        ("javascript:window.hacked=1", False), ("JaVaScRiPt:window.hacked=1", False),
        ("\tjavascript:window.hacked=1", False), ("data:text/html,<script>1</script>", False), ("vbscript:x", False),
        ("file:///etc/passwd", False), ("/relative", False),
        ("https://example.org/a?b=<x>\"'", True), ("http://example.org/", True),
    ],
)  # fmt: skip
def test_only_web_addresses_become_links(page: Page, console: Console, url: str, is_link: bool) -> None:
    """http and https are links that tell the other side nothing; all else stays a text."""
    name = f"link-{len(url)}-{ord(url[0])}"
    console.tell([called(name, now(), url=url)])
    page.goto(f"{console.url}/#signal={name}")
    detail = page.locator(f'.row[data-key="{name}"] .detail')
    expect(detail).to_contain_text("Address")
    links = detail.locator("a:not([href^='#'])")
    expect(links).to_have_count(2 if is_link else 0)
    for one in links.all():
        assert one.get_attribute("rel") == "noopener noreferrer"
        assert (one.get_attribute("href") or "").startswith(("http://example.org", "https://example.org"))


def test_the_file_for_spreadsheets_holds_no_formula(console: Console) -> None:
    """A title that a spreadsheet would run is told with an apostrophe before it."""
    console.tell([called("formula", now(), title='=HYPERLINK("http://evil.example","x")', source="@wire")])
    with urllib.request.urlopen(f"{console.url}/console/api/signals.csv?text=HYPERLINK") as answer:
        assert answer.headers["Content-Type"].startswith("text/csv")
        assert "attachment" in answer.headers["Content-Disposition"]
        text = answer.read().decode()
    assert "'=HYPERLINK" in text
    assert ",'@wire," in text


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("signals?direction=sideways", 400, "direction: one of up, flat, down, unknown"),
        ("signals?strength=much", 400, "strength: 'much' is no number"),
        ("signals?strength=nan", 400, "strength: from 0 to 1"),
        ("signals?limit=501", 400, "limit: from 1 to 500"),
        ("signals?before=yesterday,x", 400, "before: a time and an id"),
        ("signals?before=2026-03-04T12:00:00,x", 400, "before: a time with its zone"),
        ("signals?text=" + "x" * 201, 400, "text: at most 200 characters"),
        ("signals/none", 404, "none: there is no such signal"),
        ("runs?hours=25", 400, "hours: from 0.01 to 24"),
        ("runs/none", 404, "none: there is no such run"),
        ("chart?range=2y", 400, "range: one of 6h, 1d, 1w, 1m"),
    ],
)
def test_what_cannot_be_asked_is_said_in_a_line(console: Console, path: str, status: int, said: str) -> None:
    """Wrong questions are answered with the key and what it may be, in JSON, and no traceback."""
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{console.url}/console/api/{path}")
    with refused.value as answer:
        assert answer.code == status
        assert said in json.load(answer)["error"]


def test_no_path_leads_out_of_the_page(console: Console) -> None:
    """Only the files of the page are served, whatever dots are in a path."""
    for path in ("console/..%2f__init__.py", "console/%2e%2e/routes.py", "console/index.htm", "console/"):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"{console.url}/{path}")
        assert refused.value.code == 404
        refused.value.close()


@pytest.mark.parametrize("does", ["run", "pause", "resume"])
def test_nothing_is_changed_without_the_token(console: Console, does: str) -> None:
    """Loopback or not, whoever has not shown the token changes nothing."""
    for headers in ({}, {"X-Signals": "1"}, {"X-Signals": "1", "Origin": console.url}, {"Authorization": "Bearer x"}):
        asked = urllib.request.Request(f"{console.url}/console/api/jobs/ingest/{does}", method="POST", headers=headers)
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(asked)
        assert refused.value.code in (401, 403)
        refused.value.close()


def test_the_chart_is_vendored_with_its_licence(console: Console) -> None:
    """One file under 400 kB, with its licence in it and named in NOTICE and on the page."""
    root = Path(__file__).parents[2]
    with urllib.request.urlopen(f"{console.url}/console/lightweight-charts.js") as answer:
        body = answer.read()
    assert len(body) < 400_000
    assert b"Apache License 2.0" in body[:300]
    assert "Lightweight Charts" in (root / "NOTICE").read_text()
    assert "tradingview.com" in (root / "jobs/console/static/index.html").read_text()
