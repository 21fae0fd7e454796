"""The price context of a million headlines against ten years of minute bars, and what is decided of them."""

import resource
from collections.abc import Iterator

import numpy as np
import pandas as pd

from signals.model import Policy
from signals.research.bulk import decide_frame
from signals.research.join import PriceTable
from tests.bench.timing import Row, paired

HEADLINES = 1_000_000
BARS = 3_700_000
STALE_S = 900


def bench() -> Iterator[Row]:
    """The rows."""
    bars, headlines = minute_bars(BARS), scored(HEADLINES, BARS)
    known_at = pd.DatetimeIndex(headlines["known_at"])
    left, right = headlines[["known_at"]], bars[["close_at", "close", "source"]]
    before = _peak_mb()
    table = PriceTable(bars)
    ours, bare = paired(
        lambda: table.last(known_at, STALE_S),
        lambda: pd.merge_asof(left, right, left_on="known_at", right_on="close_at", allow_exact_matches=False),
    )
    prepared, whole, decided = paired(
        lambda: PriceTable(bars),
        lambda: PriceTable(bars).context(known_at, STALE_S),
        lambda: decide_frame(headlines, Policy()),
        rounds=3,
    )
    against = f"{ours / bare:.2f} x a bare merge_asof; wanted: 2 at most"
    yield Row("as-of join of 1M headlines to 3.7M bars, one core", ours * 1e3, "ms", against)
    yield Row("  pd.merge_asof of the same rows", bare * 1e3, "ms")
    yield Row("full price context (moves, volatility, hours), from bars", whole, "s")
    yield Row("  of it putting the bars in order", prepared * 1e3, "ms")
    yield Row("deciding 1M headlines", decided * 1e3, "ms")
    yield Row("join and decide, all of it", whole + decided, "s", "wanted: 5 at most")
    yield Row("memory on top of the two frames, at the peak", _peak_mb() - before, "MB", "wanted: 2,000 at most")


def minute_bars(count: int) -> pd.DataFrame:
    """Minutes one after the other, a random walk."""
    chance = np.random.default_rng(7)
    open_at = pd.date_range("2016-01-04", periods=count, freq="min", tz="UTC", unit="us")
    close_at = open_at + pd.Timedelta(minutes=1)
    close = 110 * np.exp(np.cumsum(chance.normal(0, 1e-4, count)))
    source = pd.Categorical(["yahoo"]).repeat(count)
    return pd.DataFrame(
        {"source": source, "open_at": open_at, "close_at": close_at, "known_at": close_at, "close": close.round(3)}
    )


def scored(count: int, minutes: int) -> pd.DataFrame:
    """Headlines over the same time, as `decide_frame` takes them."""
    chance = np.random.default_rng(8)
    offsets = np.sort(chance.integers(0, minutes * 60_000_000, count))
    known_at = pd.Timestamp("2016-01-04", tz="UTC") + pd.to_timedelta(offsets, unit="us")
    shares = chance.dirichlet([1, 1, 1], count).round(4)
    direction = pd.Categorical.from_codes(shares.argmax(axis=1), categories=["up", "flat", "down"])
    return pd.DataFrame(
        {
            "known_at": known_at.as_unit("us"),
            "source_published_at": (known_at - pd.Timedelta(seconds=30)).as_unit("us"),
            "backfilled": False,
            "relevance": chance.random(count).round(4),
            "p_up": shares[:, 0],
            "p_down": shares[:, 2],
            "direction": direction.astype("str"),
            "abstained": False,
            "abstain_reason": pd.array([None], dtype="str").repeat(count),
            "novelty": chance.random(count).round(4),
            "corrects": pd.array([None], dtype="str").repeat(count),
            "retracted": False,
            "withdraws": False,
            "standing": pd.array([None], dtype="str").repeat(count),
        }
    )


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
