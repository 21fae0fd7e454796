"""The console in a real browser: every part of it walked, as a person would."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.pages.console import Console, seed


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    made = Console(tmp_path_factory.mktemp("console"))
    seed(made)
    made.start()
    yield made
    made.close()


@pytest.fixture(scope="module")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where screenshots are kept."""
    return tmp_path_factory.mktemp("screenshots")


def opened(page: Page, console: Console, behind: str = "") -> None:
    """The page, live."""
    page.goto(f"{console.url}/{behind}")
    expect(page.locator("#line")).to_have_text("Live")
    expect(page.locator("#stream .row").first).to_be_visible()


def test_the_state_is_one_sentence_with_a_word_and_its_time(page: Page, console: Console, shots: Path) -> None:
    """What `freshness` says is at the top, with severity as a word, what is wrong beneath it and how to mend it."""
    opened(page, console)
    expect(page.locator("#severity")).to_have_text("Critical")  # no Redis here
    expect(page.locator("#sentence")).to_contain_text("Redis")
    expect(page.locator("#findings li").first).to_contain_text("signals serve")
    expect(page.locator("#as-of")).to_have_text(re.compile(r"As of \d\d:\d\d:\d\d UTC\."))
    page.screenshot(path=shots / "state.png", full_page=True)
    assert (shots / "state.png").stat().st_size > 50_000


def test_the_price_is_drawn_with_signals_and_said_in_words(page: Page, console: Console) -> None:
    """Each range gives its bars; price, move and index are told in words too; a bar opens the signal at it."""
    opened(page, console)
    said = page.locator("#price-said")
    for label, words in (("6 hours", "in 6 hours"), ("Week", "in a week"), ("Day", "in a day")):
        with page.expect_response(re.compile("/api/chart")) as answered:
            page.get_by_text(label, exact=True).click()
        expect(said).to_contain_text(words)
        told = answered.value.json()
        assert told["bars"] and len(told["index"]) == len(told["bars"])
        assert told["marks"]
    assert page.evaluate("[...document.querySelectorAll('#chart canvas')].some(c => c.width > 300)")
    box = page.locator("#chart").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + 100)
    expect(page.locator("#chart-legend")).to_contain_text("close")


def test_a_signal_opens_to_all_that_is_known_of_it(page: Page, console: Console) -> None:
    """Evidence is marked in the headline; legs, chances, price, times, what came of it and a link are shown."""
    opened(page, console)
    page.locator("#filter [name=direction]").select_option("down")
    expect(page.locator("#count")).to_have_text("21 signals")
    row = page.locator("#stream .row").nth(2)
    row.locator(".head").click()
    detail = row.locator(".detail")
    expect(detail.locator("mark")).to_have_text("BOJ hikes")
    assert detail.locator("mark").get_attribute("data-to") == "down"
    expect(detail).to_contain_text("JPY gains")
    for words in ("75 %", "15 %", "10 %", "150.250", "A round trip costs", "Price moved", "expired", "boj.tighten"):
        expect(detail).to_contain_text(words)
    link = detail.get_by_role("link").first
    assert link.get_attribute("rel") == "noopener noreferrer"
    assert (link.get_attribute("href") or "").startswith("https://example.org/s")
    row.locator(".head").click()
    expect(detail).to_have_count(0)


def test_what_no_longer_holds_says_so(page: Page, console: Console) -> None:
    """Live signals count down, and others are expired, replaced or retracted."""
    opened(page, console)
    rows = page.locator("#stream .row .head .lives")
    said = [re.sub(r"[\d:]+", "", one) for one in rows.all_inner_texts()[:7]]
    assert said == ["live ", "live ", "live ", "replaced", "expired", "retracted", "expired"]
    first = rows.first.inner_text()
    expect(rows.first).not_to_have_text(first)


def test_the_list_is_filtered_searched_and_downloaded(page: Page, console: Console) -> None:
    """Each filter narrows it, the address keeps them, and the file holds what the list shows."""
    opened(page, console)
    count = page.locator("#count")
    expect(count).to_have_text("62 signals")
    page.locator("#filter [name=text]").fill("PAYROLLS")
    expect(count).to_have_text("21 signals")
    page.locator("#filter [name=strength]").fill("0.5")
    expect(count).to_have_text("20 signals")
    page.locator("#filter [name=topic]").fill("us.labor")
    page.locator("#filter [name=source]").select_option("desk")
    expect(count).to_have_text("20 signals")
    assert "text=PAYROLLS" in page.url
    with page.expect_download() as download:
        page.locator("#csv").click()
    lines = Path(download.value.path()).read_text().splitlines()
    assert len(lines) == 21
    assert lines[0].startswith("signal_id,known_at,")
    page.locator("#filter [name=text]").fill("no such words")
    expect(page.locator("#empty")).to_have_text("No signal fits this filter.")
    page.get_by_role("button", name="Clear").click()
    expect(count).to_have_text("62 signals")


def test_a_link_opens_the_signal_or_run_it_names(page: Page, console: Console) -> None:
    """A signal behind everything that is read, and a run, are opened by their address alone."""
    opened(page, console, "#signal=s0003")
    expect(page.locator(".row[data-key=s0003] .detail")).to_contain_text("s0003")
    expect(page.locator(".row[data-key=s0003]")).to_be_in_viewport()
    page.goto("about:blank")
    opened(page, console, "#run=ingest-0022")
    expect(page.locator(".run[data-id=ingest-0022] .log")).to_contain_text("SourceError: desk: no answer")


def test_jobs_are_a_timeline_that_opens_to_runs_and_their_log(page: Page, console: Console, shots: Path) -> None:
    """What failed is drawn on top of what went well; a run shows its notes and its lines."""
    (console.shell.home / "logs").mkdir(exist_ok=True)
    line = '{"event": "source.note", "run_id": "ingest-0008", "n": 1}'
    (console.shell.home / "logs" / "signals.jsonl").write_text(line + "\n")
    opened(page, console)
    ingest = page.locator(".job").filter(has=page.get_by_role("button", name="ingest", exact=True))
    expect(ingest.locator(".strip path.failed")).to_have_count(1)
    expect(ingest.locator(".last")).to_contain_text("5 failed")
    ingest.get_by_role("button", name="ingest", exact=True).click()
    expect(ingest.locator(".run")).to_have_count(20)
    partial = ingest.locator(".run").filter(has_text="partial")
    partial.get_by_role("button").click()
    expect(partial.locator(".log")).to_contain_text("desk: HTTP 503")
    expect(partial.locator(".lines")).to_contain_text("source.note")
    page.locator("#hours").select_option("1")
    expect(ingest.locator(".run")).to_have_count(20)
    page.screenshot(path=shots / "jobs.png", full_page=True)


def test_sources_show_age_error_and_next_fetch(page: Page, console: Console) -> None:
    """A source that fails is down, with its error and how often; every one says when it is asked next."""
    opened(page, console)
    rows = page.locator("#source-rows tr")
    expect(rows).to_have_count(3)
    expect(rows.nth(0)).to_contain_text("ok")
    expect(rows.nth(1)).to_contain_text("down")
    expect(rows.nth(1)).to_contain_text("HTTP 503 from the server (4 times)")
    expect(rows.nth(1)).to_contain_text(re.compile(r"1[2-5] min ago"))
    expect(rows.nth(0)).to_contain_text(re.compile(r"in 1 min|in \d+ s|now"))


def test_the_scorecard_adds_up(page: Page, console: Console) -> None:
    """It has the figures of `signals scorecard`."""
    opened(page, console)
    table = page.locator("#card")
    expect(table).to_contain_text("last 30 days")
    row = table.get_by_role("row").filter(has=page.get_by_role("rowheader", name="Signals", exact=True))
    expect(row.get_by_role("cell").last).to_have_text("62")


def test_the_keyboard_reaches_and_walks_everything(page: Page, console: Console) -> None:
    """The skip link comes first; arrows, End, Enter and Escape walk the list; the slash searches; focus is seen."""
    opened(page, console)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the signals"
    page.keyboard.press("Enter")
    focused = "document.activeElement.closest('[data-key]')?.getAttribute('aria-posinset')"
    page.locator(".row .head").first.focus()
    for key, place in (("ArrowDown", "2"), ("ArrowDown", "3"), ("ArrowUp", "2"), ("End", "62"), ("Home", "1")):
        page.keyboard.press(key)
        assert page.evaluate(focused) == place, key
    page.keyboard.press("Enter")
    expect(page.locator(".row .detail")).to_have_count(1)
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Escape")
    expect(page.locator(".row .detail")).to_have_count(0)
    assert page.evaluate(focused) == "1"
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.name") == "text"


def test_running_and_pausing_a_job_wants_the_token(page: Page, console: Console) -> None:
    """Without it a dialog asks; a wrong one is told; the right one lets the job be paused, resumed and run."""
    opened(page, console)
    job = page.locator(".job").filter(has=page.get_by_role("button", name="retention", exact=True))
    job.get_by_role("button", name="Pause retention").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Token").fill("wrong")
    dialog.get_by_role("button", name="Go on").click()
    expect(dialog.get_by_role("alert")).to_have_text("That is not the token.")
    dialog.get_by_label("Token").fill((console.shell.home / "token").read_text().strip())
    dialog.get_by_role("button", name="Go on").click()
    expect(job.get_by_role("button", name="Resume retention")).to_be_visible()
    expect(job.locator(".last")).to_contain_text("paused")
    job.get_by_role("button", name="Resume retention").click()
    expect(job.get_by_role("button", name="Pause retention")).to_be_visible()
    job.get_by_role("button", name="Run retention").click()
    expect(job.locator(".last")).to_contain_text(re.compile("ok \\d"), timeout=10_000)
    expect(job.locator(".strip path.ok")).to_have_count(1, timeout=15_000)
