"""A real browser: Debian's chromium, driven by playwright. In CI it must be there; elsewhere its tests are skipped."""

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

_QUIET = (
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
"""No sandbox, since CI is root; and nothing of its own over the network."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One a file: playwright keeps a loop running in this thread, and tests of asyncio that follow need theirs."""
    program = shutil.which("chromium")
    if program is None:
        if os.environ.get("CI") == "true":
            pytest.fail("no chromium: .ci/browser installs it")
        pytest.skip("no chromium here: apt-get install chromium")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=list(_QUIET))
        yield started
        started.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page whose scripts' errors fail the test, and which keeps every address it asked for in `asked`."""
    opened = browser.new_page(viewport={"width": 1100, "height": 900})
    failures: list[str] = []
    opened.on("pageerror", lambda error: failures.append(str(error)))
    yield opened
    opened.close()
    assert failures == []
