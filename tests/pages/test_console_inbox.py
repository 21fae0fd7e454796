"""The part of the page that shows pushed news: how it stands, its dead letters, and the way back for them."""

import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from signals.sources import inbox
from tests.pages.console import HOSTILE, Console, seed


@pytest.fixture
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    made = Console(tmp_path_factory.mktemp("console"))
    seed(made, hours=2)
    made.app.redis().xadd(inbox.STREAM, {"id": "0", "title": "Yen slides"})
    made.start()
    yield made
    made.close()


def test_dead_letters_are_shown_as_text_and_put_back_with_the_token(page: Page, console: Console) -> None:
    """They come in by themselves with their reason, whatever is in them stays text, and a button puts them back."""
    page.goto(console.url)
    expect(page.locator("#inbox-said")).to_have_text("1 waiting, 0 in hand, 0 scored.")
    expect(page.locator("#letters")).to_contain_text("None.")
    client = console.app.redis()
    for number, fields in enumerate(({b"headline": HOSTILE.encode()}, {b"id": b"2"}, {b"id": b"3"})):
        inbox.reject(client, b"%d-0" % number, fields, f"why {number}", "w", 3)
    rows = page.locator("#letters li")
    expect(rows).to_have_count(3, timeout=20_000)
    expect(rows.last).to_contain_text("why 0")
    assert rows.last.locator(".mend").evaluate("e => e.textContent") == HOSTILE
    assert page.locator("#letters img, #letters script").count() == 0
    assert page.evaluate("window.hacked") is None
    rows.last.get_by_role("button").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Token").fill((console.shell.home / "token").read_text().strip())
    dialog.get_by_role("button", name="Go on").click()
    expect(rows).to_have_count(2)
    page.get_by_role("button", name="Put all dead letters back into the inbox").click()
    expect(page.locator("#letters")).to_contain_text("None.")
    assert [row[1] for row in client.xrange(inbox.STREAM)][1:] == [
        {b"headline": HOSTILE.encode()}, {b"id": b"2"}, {b"id": b"3"},
    ]  # fmt: skip


def test_nothing_is_put_back_without_the_token(console: Console) -> None:
    """Loopback or not; and an id that there is none of is told."""
    url = f"{console.url}/console/api/inbox/redrive/"
    token = (console.shell.home / "token").read_text().strip()
    tried = (({}, "all", 401), ({"X-Signals": "1"}, "1-1", 401), ({"Authorization": f"Bearer {token}"}, "1-1", 404))
    for headers, rejected_id, status in tried:
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(urllib.request.Request(url + rejected_id, method="POST", headers=headers))
        assert refused.value.code == status
        refused.value.close()
