"""Reports in a real browser: whole in one file, pictures drawn, readable on a phone and in print."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import Page

from signals.message import Signal
from signals.research.appraisal import appraise
from signals.research.backtest import backtest
from signals.research.backtest_page import backtest_page
from signals.research.frames import signal_frame
from signals.research.ledger import Trials
from signals.research.rules import Costs, Rules
from signals.research.studied import run
from signals.research.study_page import in_short, study_page
from tests.core.conftest import HOUR, make_signal
from tests.research.worlds import world


def _told(signal_id: str, known_at: pd.Timestamp, sign: int, strength: float) -> Signal:
    at = known_at.to_pydatetime()
    shares = {"p_up": 0.8, "p_flat": 0.1, "p_down": 0.1} if sign > 0 else {"p_up": 0.1, "p_flat": 0.1, "p_down": 0.8}
    return make_signal(
        signal_id=signal_id, known_at=at, scored_at=at, valid_until=at + HOUR, strength=strength,
        direction="up" if sign > 0 else "down", topics=("boj.policy",) if strength > 0.6 else ("us.labor",), **shares,
    )  # fmt: skip


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path]]:
    """Both reports of one made world."""
    made, bars = world(1, days=60, signals=600)
    signals = signal_frame(_told(*row) for row in made[["signal_id", "known_at", "sign", "strength"]].itertuples(False))
    done = backtest(signals, bars, Rules(), Costs(spread_pips=(0.4,)))
    found = appraise(signals, bars, done, Trials([], 0, ()), placebos=20)
    study = run(signals, bars)
    folder = tmp_path_factory.mktemp("reports")
    pages = {
        "backtest": backtest_page(found, ["a note"], {"signals": "ab" * 32}, in_short(study)),
        "study": study_page(study, ["a note"]),
    }
    for name, text in pages.items():
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    yield {name: folder / f"{name}.html" for name in pages}


@pytest.mark.parametrize("name", ["backtest", "study"])
@pytest.mark.parametrize("width", [390, 1100])
def test_a_report_is_one_file_and_fits(page: Page, reports: dict[str, Path], name: str, width: int) -> None:
    """Nothing but itself is asked for, every picture is drawn and described, and nothing sticks out to the side."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(reports[name].as_uri())
    assert [url for url in asked if not url.startswith("data:")] == [reports[name].as_uri()]
    drawn = page.evaluate("[...document.images].map(i => [i.complete && i.naturalWidth > 0, i.alt.length > 20])")
    assert drawn
    assert all(all(one) for one in drawn)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    first = page.evaluate("document.querySelector('img').getBoundingClientRect().top")
    table = page.evaluate("document.querySelector('table').getBoundingClientRect().top")
    assert first < table, "pictures come first"


@pytest.mark.parametrize("name", ["backtest", "study"])
def test_a_report_prints(page: Page, reports: dict[str, Path], name: str) -> None:
    """On paper no picture or table is wider than the sheet, and its background is left white."""
    page.goto(reports[name].as_uri())
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 794, "height": 1123})
    wide = page.evaluate(
        "[...document.querySelectorAll('img')].filter(e => e.getBoundingClientRect().right > 794).length"
    )
    assert wide == 0
    assert len(page.pdf()) > 10_000
