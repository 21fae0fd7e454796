"""Event paths: a planted reaction is found, nothing is seen ahead, and nothing is claimed of nothing."""

import datetime as dt
import math

import numpy as np
import pandas as pd
import pytest

from signals.errors import DataError
from signals.research import clusters
from signals.research.study import event_paths, groups, moved_before, path_table, traded
from tests.core.conftest import HOUR
from tests.research.planted import AFTER_BP, BEFORE_BP, MINUTE, MONDAY, bars_of, calls, days, market

KNOWN = days(16)
SIGNS = [1 if n % 3 else -1 for n in range(16)]
UNTIL = KNOWN[-1] + 8 * HOUR


def planted(noise_bp: float = 0.0, seed: int = 0):
    """Sixteen calls, all of them right, and their market."""
    events = list(zip(KNOWN, map(float, SIGNS), strict=True))
    return calls(list(zip(KNOWN, SIGNS, strict=True))), market(events, until=UNTIL, noise_bp=noise_bp, seed=seed)


def test_a_planted_reaction_is_found_exactly():
    """Without noise each path is the planted one: signed it is the same for up and for down."""
    paths = event_paths(*planted())
    place = {minute: int(np.flatnonzero(paths.offsets_s == minute * 60)[0]) for minute in (-60, -5, 0, 6, 60, 240)}
    for minute, moved in ((-60, -BEFORE_BP), (-5, -BEFORE_BP / 2), (0, 0), (6, AFTER_BP / 2), (60, AFTER_BP)):
        assert paths.signed_bp[:, place[minute]] == pytest.approx(np.full(16, moved), abs=1e-9)
    assert paths.moved_bp[:, place[240]] == pytest.approx(AFTER_BP * np.array(SIGNS))
    assert (paths.offsets_s[0], paths.offsets_s[-1], len(paths.offsets_s)) == (-3600, 14_400, 301)


def test_a_planted_reaction_lies_within_its_band():
    """Under noise the band of the mean holds what was planted in 19 of 20 markets or so, and is not all the world."""
    held = 0
    for seed in range(20):
        paths = event_paths(*planted(noise_bp=0.5, seed=seed), before_s=0, after_s=3600)
        band = clusters.mean(paths.signed_bp[:, -1], clusters.days_of(pd.DatetimeIndex(KNOWN)))
        held += band.low < AFTER_BP < band.high < band.low + 15
    assert held >= 17


def test_the_table_tells_mean_and_median_of_each_group():
    """With bounds around both, rows and days."""
    table = path_table(event_paths(*planted(noise_bp=0.5)))
    row = table[(table["by"] == "all") & table["signed"] & (table["offset_s"] == 3600)].iloc[0]
    assert row["mean_low"] < row["mean_bp"] < row["mean_high"]
    assert row["median_low"] <= row["median_bp"] <= row["median_high"]
    assert (row["n"], row["days"]) == (16, 16)


def test_what_had_come_before_we_knew():
    """A third of the planted move; no share is given where the whole move is not clear of 0."""
    moved = moved_before(event_paths(*planted(noise_bp=0.1)))
    whole = moved.iloc[0]
    assert whole["share"] == pytest.approx(BEFORE_BP / (BEFORE_BP + AFTER_BP), abs=0.05)
    assert whole["share_low"] < 1 / 3 < whole["share_high"]
    signals, _ = planted()
    nothing = moved_before(event_paths(signals, market([], until=UNTIL, noise_bp=0.5, seed=2))).iloc[0]
    assert nothing["total_low"] < 0 < nothing["total_high"] and math.isnan(nothing["share"])


def test_what_one_could_get_is_from_the_next_open():
    """All of the planted move that comes after it, for up and for down; what came before we knew is in none of it."""
    found = traded(*planted(), horizon_s=900)
    up = found[found["group"] == "up"].iloc[0]
    assert found.iloc[0]["traded_bp"] == pytest.approx(AFTER_BP) and up["traded_bp"] == pytest.approx(AFTER_BP)
    assert (found.iloc[0]["traded_n"], up["traded_n"]) == (16, SIGNS.count(1))


def test_later_bars_change_nothing_before_them():
    """Cut at any time, the part of the paths before it is the same."""
    signals, bars = planted(noise_bp=0.5)
    whole = event_paths(signals, bars)
    for cut in (KNOWN[3] + 40 * MINUTE, KNOWN[9] - 20 * MINUTE):
        short = event_paths(signals, _kept(bars, bars["close_at"] <= pd.Timestamp(cut)))
        seen = np.add.outer([(at - cut).total_seconds() for at in KNOWN], whole.offsets_s) <= 0
        seen &= np.array([at <= cut for at in KNOWN])[:, None]
        assert np.array_equal(short.moved_bp[seen], whole.moved_bp[seen], equal_nan=True)
        assert np.isfinite(short.moved_bp[seen]).any() and np.isnan(short.moved_bp[~seen]).any()


def _kept(bars: pd.DataFrame, rows) -> pd.DataFrame:
    found = bars[rows]
    found.attrs |= bars.attrs
    return found


def test_a_path_ends_at_a_hole():
    """The last price holds for a quarter of an hour; what comes after the hole is no part of the path."""
    signals, bars = planted()
    start = pd.Timestamp(KNOWN[0]).floor("min") + pd.Timedelta(minutes=30)
    hole = (bars.index >= start) & (bars.index < start + pd.Timedelta(hours=1))
    paths = event_paths(signals, _kept(bars, ~hole))
    known = np.isfinite(paths.moved_bp[0])
    assert paths.offsets_s[known].max() == (30 + 14) * 60
    assert np.isfinite(paths.moved_bp[1:]).all()


def test_bars_of_an_hour_show_hours():
    """The grid is the bars' own, and the price as of a moment is the last whole hour's."""
    hourly = bars_of(150 * np.exp(np.arange(200) * 1e-3), HOUR)
    paths = event_paths(calls([(MONDAY + dt.timedelta(hours=30, minutes=20), 1)]), hourly)
    assert paths.offsets_s.tolist() == [-3600, 0, 3600, 7200, 10_800, 14_400]
    assert paths.moved_bp[0] == pytest.approx([-10, 0, 10, 20, 30, 40])
    daily = bars_of(np.full(9, 150.0), dt.timedelta(days=1))
    with pytest.raises(DataError, match="cannot show paths"):
        event_paths(calls([]), daily)


def test_every_signal_stands_in_one_group_of_each_kind():
    """By topic in each of its topics; abstained ones are a group of their own."""
    frame = pd.concat(
        [
            calls([(KNOWN[0], 1)], topics=("a", "b"), novelty=0.7, strength=0.3),
            calls([(KNOWN[1], -1)], topics=("a",), event_window="fomc", abstained=True, strength=0.29),
        ],
        ignore_index=True,
    )
    found = {(group.by, group.name): int(group.rows.sum()) for group in groups(frame)}
    assert found == {
        ("all", "all"): 2, ("direction", "up"): 1, ("direction", "abstained"): 1, ("strength", "0 to 0.3"): 1,
        ("strength", "0.3 to 0.6"): 1, ("novelty", "0 to 0.8"): 1, ("novelty", "0.8 to 1"): 1,
        ("event window", "fomc"): 1, ("event window", "none"): 1, ("source", "wire"): 2,
        ("topic", "a"): 2, ("topic", "b"): 1,
    }  # fmt: skip


@pytest.mark.parametrize("count", [0, 1])
def test_of_nothing_and_of_one_signal_nothing_is_claimed(count):
    """The tables stand, without bounds."""
    _, bars = planted()
    paths = event_paths(calls([(KNOWN[0], 1)] * count), bars)
    table, moved = path_table(paths), moved_before(paths)
    assert table["mean_low"].isna().all() and table["median_high"].isna().all()
    assert moved["n"].max() == count and moved["share"].isna().all() and moved["total_low"].isna().all()
