"""Figures against what was expected: read from headlines, sized by the past alone, compared with the price."""

import datetime as dt
import math

import pandas as pd
import pytest

from signals.research.surprises import EARLIER_MIN, moves, releases, surprise_table
from tests.core.conftest import HOUR
from tests.research.planted import AFTER_BP, BEFORE_BP, calls, days, market

KNOWN = days(24)
UNTIL = KNOWN[-1] + 8 * HOUR


def told(titles, known=KNOWN, signs=None) -> pd.DataFrame:
    """Signals with these titles, all called up unless told otherwise."""
    signs = signs or [1] * len(titles)
    return calls(list(zip(known[: len(titles)], signs, strict=True))).assign(title=titles)


def cpi(gap: float) -> str:
    """A headline that tells a figure so much above what was expected."""
    return f"US CPI m/m {0.3 + gap:.1f}% vs 0.3% expected"


def test_releases_are_headlines_with_a_figure_and_a_forecast():
    """Which event, which way the price should go: a strong figure of Japan's is down. The rest is no release."""
    titles = [
        "US CPI m/m 0.5% vs 0.3% expected",
        "Japan core CPI y/y 3.1% vs 2.8% forecast",
        "US unemployment rate 4.4% vs 4.2% expected",
        "BOJ hikes policy rate",
        "US ISM services PMI 52.1 vs 52.1 expected",
        "US CPI m/m 0.5%, prior 0.3%",
    ]
    found = releases(told(titles))
    assert found["event"].tolist() == ["US cpi m/m", "JP cpi core y/y", "US unemployment", "US ism services"]
    assert found["expected"].tolist() == [1, -1, -1, 0]
    assert found["size"].tolist() == ["unknown", "unknown", "unknown", "in line"]


def test_size_is_told_by_earlier_releases_alone():
    """Unknown until there are enough; what comes later changes nothing of what was said before."""
    titles = [cpi(0.2)] * EARLIER_MIN + [cpi(0.1), cpi(0.3), cpi(0.9)]
    found = releases(told(titles))
    assert found["size"].tolist() == ["unknown"] * EARLIER_MIN + ["small", "usual", "large"]
    assert found["z"].iloc[-1] == pytest.approx(0.9 / (1.4826 * 0.2))
    more = releases(told([*titles, *[cpi(9.0)] * 13]))
    pd.testing.assert_frame_equal(more.head(len(found)), found)


def test_one_release_told_twice_is_one():
    """The first of a day counts; the same event on another day, and another event on that day, are others."""
    titles = [cpi(0.2), cpi(0.2), "US core CPI m/m 0.5% vs 0.3% expected", cpi(0.1)]
    known = [KNOWN[0], KNOWN[0] + dt.timedelta(minutes=3), KNOWN[0] + dt.timedelta(minutes=4), KNOWN[1]]
    assert releases(told(titles, known))["signal_id"].tolist() == ["0000", "0002", "0003"]


def test_the_planted_moves_are_found_with_the_surprise_and_with_our_call():
    """The price goes with the surprise every time; we called every third one wrongly."""
    gaps = [0.2 if n % 2 else -0.2 for n in range(24)]
    signs = [(1 if gap > 0 else -1) * (-1 if n % 3 == 0 else 1) for n, gap in enumerate(gaps)]
    events = [(at, 1.0 if gap > 0 else -1.0) for at, gap in zip(KNOWN, gaps, strict=True)]
    moved = moves(releases(told([cpi(gap) for gap in gaps], signs=signs)), market(events, until=UNTIL))
    whole = surprise_table(moved).iloc[0]
    assert whole["around_mean"] == pytest.approx(AFTER_BP) and whole["traded_mean"] == pytest.approx(AFTER_BP)
    assert whole["before_mean"] == pytest.approx(BEFORE_BP)
    assert (whole["around_agreed"], whole["around_agreed_n"]) == (pytest.approx(16 / 24), 24)
    assert whole["around_agreed_low"] < 16 / 24 < whole["around_agreed_high"]


def test_every_event_and_size_that_occurs_has_a_row():
    """And no other; their counts add up."""
    titles = [cpi(0.2)] * 9 + ["US unemployment rate 4.4% vs 4.2% expected"]
    table = surprise_table(moves(releases(told(titles)), market([], until=UNTIL)))
    found = {(row["event"], row["size"]): row["n"] for _, row in table.iterrows()}
    assert found == {
        ("all", "all"): 10, ("all", "usual"): 1, ("all", "unknown"): 9, ("US cpi m/m", "all"): 9,
        ("US cpi m/m", "usual"): 1, ("US cpi m/m", "unknown"): 8, ("US unemployment", "all"): 1,
        ("US unemployment", "unknown"): 1,
    }  # fmt: skip


@pytest.mark.parametrize("titles", [[], ["BOJ hikes"], [cpi(0.2)]])
def test_of_nothing_and_of_one_release_nothing_is_claimed(titles):
    """No row without a release; of one no bounds."""
    table = surprise_table(moves(releases(told(titles)), market([(KNOWN[0], 1.0)], until=UNTIL)))
    assert len(table) == (4 if titles == [cpi(0.2)] else 0)
    assert all(math.isnan(low) for low in table.get("around_low", []))
