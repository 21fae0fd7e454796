"""From headlines to money: a million scored headlines joined, decided and traded on ten years of minute bars."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from signals.model import Policy
from signals.research.backtest import backtest
from signals.research.bulk import decide_frame
from signals.research.frames import UTC
from signals.research.join import join_prices, stacked
from signals.research.rules import Rules
from tests.bench.backtest import COSTS, world
from tests.bench.join import STALE_S, scored
from tests.bench.timing import Row
from tests.conftest import ROOT

HEADLINES = 1_000_000


def bench() -> Iterator[Row]:
    """The rows."""
    command = [sys.executable, "-c", "from tests.bench.whole import timed; timed()"]
    done = subprocess.run(command, check=True, cwd=ROOT, capture_output=True, text=True)
    seconds, core_s, trades, bars, peak_mb = (float(word) for word in done.stdout.split())
    said = f"{HEADLINES:,} headlines on {bars:,.0f} bars, {trades:,.0f} trades"
    yield Row("join, decide and backtest", core_s, "s of a core", "wanted: 15 at most")
    yield Row("  by the clock", seconds, "s", said)
    yield Row("  peak memory of that process, frames included", peak_mb, "MB", "wanted: below 3,000")


def timed() -> None:
    """In a process of its own: seconds, seconds of a core, trades, bars, peak memory in MB."""
    _, bars = world()
    headlines = scored(HEADLINES, 10 * 365 * 1440)
    start, core = time.perf_counter(), time.process_time()
    made = trade(headlines, bars)
    took = time.perf_counter() - start, time.process_time() - core
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    print(*took, made, len(bars), int(status["VmHWM"].split()[0]) / 1024)


def trade(headlines: pd.DataFrame, bars: pd.DataFrame) -> int:
    """Number of trades."""
    known_at = pd.DatetimeIndex(headlines["known_at"])
    prices = join_prices(known_at, stacked(bars), stale_after_s=STALE_S)
    decided = decide_frame(headlines, Policy())
    told = np.flatnonzero(decided["skip_reason"].isna().to_numpy())
    signals = pd.DataFrame(
        {
            "signal_id": pd.RangeIndex(len(told)).astype("str"),
            "known_at": known_at[told],
            "valid_until": decided["valid_until"].take(told).array,
            "voided_at": pd.Series(pd.NaT, index=range(len(told)), dtype=UTC),
            "sign": decided["sign"].take(told).array,
            "strength": decided["strength"].take(told).array,
            "horizon_s": 3600,
            "abstained": decided["abstained"].take(told).astype(bool).array,
            "volatility_60m_bp": prices["volatility_60m_bp"].take(told).array,
        }
    )
    return len(backtest(signals, bars, Rules(sizing="volatility"), COSTS).trades)
