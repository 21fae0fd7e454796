"""The console while things change: bursts, lines that break, services that start anew, ten thousand signals."""

import contextlib
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from jobs.console.live import PAGES_MOST
from signals.message import Index, Retraction
from tests.core.conftest import MINUTE, SECOND
from tests.jobs.conftest import now
from tests.jobs.test_serve import until
from tests.pages.console import Console, called, put, seed

_LOADED = 10_000
_SCROLL = """async (step) => {
  const long = [], frames = [];
  const watch = new PerformanceObserver((seen) => long.push(...seen.getEntries().map((e) => e.duration)));
  watch.observe({ type: 'longtask' });
  const box = document.querySelector('#scroller');
  box.scrollTop = 0;
  let last = performance.now(), most = 0;
  const end = last + 2500;
  for (let n = 0; performance.now() < end; n++) {
    box.scrollTop += n % 10 === 9 ? step * 30 : step;
    if (box.scrollTop + box.clientHeight >= box.scrollHeight - 1000) box.scrollTop = 0;
    await new Promise((done) => requestAnimationFrame(done));
    const at = performance.now();
    frames.push(at - last);
    last = at;
    most = Math.max(most, document.querySelectorAll('.row').length);
  }
  watch.disconnect();
  frames.sort((a, b) => a - b);
  return { long: Math.max(0, ...long), median: frames[frames.length >> 1], most };
}"""
"""Scrolls so many pixels a frame: the longest task, the median frame in ms, and the most rows there were at a time."""


@pytest.fixture
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    made = Console(tmp_path_factory.mktemp("console"))
    seed(made, hours=3)
    made.start()
    yield made
    made.close()


def opened(page: Page, console: Console) -> None:
    page.goto(console.url)
    expect(page.locator("#line")).to_have_text("Live")
    expect(page.locator("#stream .row").first).to_be_visible()


def test_what_is_told_is_there_within_a_second(page: Page, console: Console) -> None:
    """A signal, its retraction and the index come in without a word; what it replaces says so."""
    opened(page, console)
    first = called("new-1", now(), "down")
    console.tell([first])
    row = page.locator(".row[data-key=new-1]")
    expect(row).to_be_visible(timeout=1000)
    console.tell(
        [called("new-2", now(), "up", supersedes="new-1"), Index(value=0.42, half_life_s=900, n_signals=3, n_sources=2)]
    )
    expect(row.locator(".lives")).to_have_text("replaced", timeout=1000)
    expect(page.locator("#price-said")).to_contain_text("index +0.42, leans up, of 3 live signals", timeout=1000)
    gone = Retraction(
        signal_id="new-2", story_id="story-new-2", headline_id="new-2", known_at=now(), retracted_at=now(),
        valid_until=first.valid_until, reason="withdrawn",
    )  # fmt: skip
    console.tell([gone])
    expect(page.locator(".row[data-key=new-2] .lives")).to_have_text("retracted", timeout=1000)


def test_fifty_a_second_do_not_leave_the_page_behind(page: Page, console: Console) -> None:
    """After three seconds of fifty a second the last one is on screen within a second, and each was counted once."""
    opened(page, console)
    expect(page.locator("#count")).to_have_text("8 signals")
    began = time.monotonic()
    for batch in range(30):
        at = now()
        console.tell([called(f"burst-{batch:02}-{n}", at) for n in range(5)])
        page.wait_for_timeout(max(0.0, (began + (batch + 1) * 0.1 - time.monotonic()) * 1000))
    expect(page.locator(".row[data-key=burst-29-4]")).to_be_visible(timeout=1000)
    expect(page.locator("#count")).to_have_text("158 signals", timeout=1000)
    assert time.monotonic() - began < 6


def test_news_does_not_move_what_is_read(page: Page, console: Console) -> None:
    """Whoever has scrolled down keeps the row under the eye; a button says how much is new above."""
    with console.app.store.write() as conn:
        put(conn, [called(f"old-{n:03}", now() - n * MINUTE) for n in range(100)], now())
    opened(page, console)
    page.evaluate("document.querySelector('#stream').scrollIntoView({ behavior: 'instant' })")
    page.evaluate("document.querySelector('#scroller').scrollTop = 2000")
    expect(page.locator(".row[data-key=old-035]")).to_be_attached()
    at = "document.elementFromPoint(400, document.querySelector('#scroller').getBoundingClientRect().top + 20)"
    seen = page.evaluate(f"{at}.closest('.row').dataset.key")
    console.tell([called(f"fresh-{n}", now()) for n in range(7)])
    expect(page.locator("#fresh")).to_have_text("7 new above – show")
    assert page.evaluate(f"{at}.closest('.row').dataset.key") == seen
    page.locator("#fresh").click()
    expect(page.locator(".row[data-key=fresh-6]")).to_be_in_viewport()
    expect(page.locator("#fresh")).to_be_hidden()


def test_a_filter_holds_for_what_comes_in(page: Page, console: Console) -> None:
    """With a filter set, live signals that do not fit stay out, and those that do come in."""
    opened(page, console)
    page.locator("#filter [name=direction]").select_option("up")
    expect(page.locator("#count")).to_have_text("3 signals")
    console.tell([called("not-this", now(), "down"), called("but-this", now(), "up")])
    expect(page.locator(".row[data-key=but-this]")).to_be_visible()
    expect(page.locator(".row[data-key=not-this]")).to_have_count(0)


def test_a_lost_line_is_told_at_once_and_taken_up_where_it_broke(page: Page, console: Console) -> None:
    """The service ends: the page says since when, and keeps saying what is old. It starts anew: nothing is missing."""
    opened(page, console)
    console.tell([called("before", now())])
    expect(page.locator(".row[data-key=before]")).to_be_visible()
    port, asked = console.port, []
    console.stop()
    line = page.locator("#line")
    expect(line).to_contain_text("Not connected since", timeout=2000)
    expect(line).to_contain_text("retrying")
    expect(page.locator("#as-of")).to_contain_text("the line is lost since", timeout=2000)
    console.tell([called(f"meanwhile-{n}", now()) for n in range(3)])
    page.on("request", lambda request: asked.append(request.url))
    console.start(port)
    expect(line).to_have_text("Live", timeout=10_000)
    for n in range(3):
        expect(page.locator(f".row[data-key=meanwhile-{n}]")).to_be_visible(timeout=1000)
    assert not any("/api/signals?" in url for url in asked), "resumed, not read anew"
    assert any("/api/live?after=" in url for url in asked)


def test_a_line_that_falls_silent_is_told_too(page: Page, console: Console) -> None:
    """No error, just nothing any more, as when a machine wakes up: after six seconds the page says so."""
    page.add_init_script(
        "const Real = EventSource; window.EventSource = class extends Real {"
        " addEventListener(name, does) { super.addEventListener(name, (e) => window.deaf || does(e)); } }"
    )
    opened(page, console)
    page.evaluate("window.deaf = true")
    expect(page.locator("#line")).to_contain_text("Not connected since", timeout=8000)
    page.evaluate("window.deaf = false")
    expect(page.locator("#line")).to_have_text("Live", timeout=8000)


def test_who_missed_too_much_reads_anew(page: Page, console: Console) -> None:
    """After thousands of missed messages, or with another store, the lists are read again instead of replayed."""
    opened(page, console)
    port = console.port
    console.stop()
    with console.app.store.write() as conn:
        put(conn, [called(f"many-{n:04}", now() - SECOND) for n in range(2100)], now())
    with page.expect_response(lambda answer: "/api/signals?" in answer.url, timeout=10_000):
        console.start(port)
    expect(page.locator("#count")).to_have_text("2,108 signals")


def test_more_pages_than_it_can_serve_are_refused(console: Console) -> None:
    """The last of too many gets 503 and when to try again; with one gone there is room."""
    with contextlib.ExitStack() as stack:
        address = f"{console.url}/console/api/live"
        lines = [stack.enter_context(urllib.request.urlopen(address)) for _ in range(PAGES_MOST)]
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(address)
        assert refused.value.code == 503
        assert refused.value.headers["Retry-After"] == "5"
        refused.value.close()
        lines[0].close()
        console.tell([called("wakes-the-gone-one", now())])
        until(lambda: _answers(address))


def _answers(address: str) -> bool:
    try:
        urllib.request.urlopen(address).close()
    except urllib.error.HTTPError as refused:
        refused.close()
        return False
    return True


@pytest.mark.timeout(240)
def test_ten_thousand_signals_scroll_smoothly(page: Page, console: Console) -> None:
    """All loaded: a few rows exist at a time, and scrolling through blocks the page for no longer than a blink."""
    with console.app.store.write() as conn:
        kinds = ("up", "down", "flat")
        made = [called(f"k-{n:05}", now() - n * 6 * SECOND, kinds[n % 3]) for n in range(_LOADED)]
        for first in range(0, _LOADED, 500):
            put(conn, made[first : first + 500], now())
    opened(page, console)
    page.evaluate(
        """async () => {
          const box = document.querySelector('#scroller'), rows = document.querySelector('#rows');
          for (let n = 0; n < 400 && rows.lastChild.getAttribute('aria-setsize') < 10000; n++) {
            box.scrollTop = box.scrollHeight;
            await new Promise((done) => setTimeout(done, 50));
          }
        }"""
    )
    assert int(page.evaluate("document.querySelector('#rows').lastChild.getAttribute('aria-setsize')")) >= _LOADED
    idle = page.evaluate(_SCROLL, 0)
    found = page.evaluate(_SCROLL, 600)
    assert found["most"] < 60
    assert found["long"] < 250
    assert found["median"] < max(40, 3 * idle["median"]), "a busy machine draws nothing quicker"
