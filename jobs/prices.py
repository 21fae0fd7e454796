"""Prices: keep closed bars, from Yahoo where it answers, and the shipped daily reference behind them."""

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from typing import Literal

import msgspec

from jobs.app import App
from jobs.runner import Report, Run
from signals.errors import PriceError
from signals.model import PAIR, Bar
from signals.prices.reference import read_reference
from signals.prices.yahoo import read_yahoo
from signals.store import bars, signals

INTERVALS: dict[Literal["1m", "1h"], int] = {"1m": 60, "1h": 3600}
"""What is kept of Yahoo's bars, with their length in seconds: minutes for the last days, hours behind them."""
_OVERLAP = dt.timedelta(minutes=10)
"""Bars are read again this far back, so that a late correction becomes a version of its own."""


def prices(app: App, run: Run) -> Report:
    """Bring the store's bars up to date."""
    counts: Counter[str] = Counter(bars=0, new=0, failed=0)
    notes = list(_reference(app, counts))
    for interval in INTERVALS if app.settings.prices.enabled else ():
        run.deadline.check()
        try:
            _yahoo(app, interval, counts, notes)
        except PriceError as error:
            counts["failed"] += 1
            run.log.warning("price.failed", source="yahoo", reason=error.reason, error=str(error))
            notes.append(f"yahoo {interval}: {error.reason} ({error.problem})")
            if error.reason in ("unreachable", "rate_limited", "timeout"):
                break  # the next interval would only wait for the same
    return Report(counts, tuple(notes))


def _reference(app: App, counts: Counter[str]) -> tuple[str, ...]:
    path = app.settings.seeds.prices
    with app.store.read() as conn:
        last = bars.last_close_at(conn, "ecb", 0)
    reading = read_reference(path)
    fresh = [bar for bar in reading.bars if last is None or bar.close_at > last]
    counts["new"] += _keep(app, fresh)
    counts["bars"] += len(fresh)
    return reading.notes if fresh else ()


def _yahoo(app: App, interval: Literal["1m", "1h"], counts: Counter[str], notes: list[str]) -> None:
    with app.store.read() as conn:
        last = bars.last_close_at(conn, "yahoo", INTERVALS[interval])
    reading = read_yahoo(
        app.clock,
        interval=interval,
        since=last - _OVERLAP if last else None,
        symbol=app.settings.prices.symbol,
        cache_dir=app.settings.home / "yfinance",
    )
    counts["new"] += _keep(app, reading.bars)
    counts["bars"] += len(reading.bars)
    notes += reading.notes


def _keep(app: App, learned: Sequence[Bar]) -> int:
    """Store bars as known from this very moment, holding the channel: no step runs between the stamp and the commit."""
    if not learned:
        return 0
    with app.store.write() as conn:
        signals.open_channel(conn, PAIR, app.clock())
        now = app.clock()
        return bars.add(conn, [msgspec.structs.replace(bar, known_at=max(now, bar.close_at)) for bar in learned])
