"""A market whose reaction to each signal is known, and signals that call it: what a study must find is planted here."""

import datetime as dt
from collections.abc import Sequence

import numpy as np
import pandas as pd

from signals.model import Direction
from signals.research.frames import signal_frame
from tests.core.conftest import make_signal

MONDAY = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)
BEFORE_BP, AFTER_BP = 5.0, 10.0
"""Of each event, in its direction: over the ten minutes before we knew, and over the ten from a minute after."""
DIRECTIONS: dict[int, Direction] = {1: "up", 0: "flat", -1: "down"}


def days(count: int, hour: int = 12) -> list[dt.datetime]:
    """The half minute past this hour of so many working days: when signals become known."""
    made = [MONDAY + dt.timedelta(days=n, hours=hour, seconds=30) for n in range(count * 2)]
    return [at for at in made if at.isoweekday() <= 5][:count]


def market(
    events: Sequence[tuple[dt.datetime, float]], *, until: dt.datetime, noise_bp: float = 0.0, seed: int = 0
) -> pd.DataFrame:
    """One-minute bars from `MONDAY` on. `events`: when each became known, and by how many times the usual it moves."""
    count = round((until - MONDAY) / MINUTE)
    logs = np.zeros(count + 1)
    minutes = np.arange(count + 1)
    for known_at, size in events:
        at = (known_at - MONDAY) // MINUTE
        logs += size * BEFORE_BP * np.clip((minutes - at + 10) / 10, 0, 1)
        logs += size * AFTER_BP * np.clip((minutes - at - 1) / 10, 0, 1)
    logs += np.random.default_rng(seed).normal(0, noise_bp, count + 1).cumsum()
    return bars_of(150 * np.exp(logs / 1e4))


def bars_of(prices: np.ndarray, length: dt.timedelta = MINUTE) -> pd.DataFrame:
    """Bars that open at one price and close at the next; those of the closed market are left out."""
    index = pd.date_range(MONDAY, periods=len(prices) - 1, freq=length).as_unit("us").rename("open_at")
    low, high = np.minimum(prices[:-1], prices[1:]), np.maximum(prices[:-1], prices[1:])
    frame = pd.DataFrame({"open": prices[:-1], "high": high, "low": low, "close": prices[1:]}, index=index)
    frame["close_at"] = index + length
    frame = frame[np.asarray(index.day_of_week < 5)]
    frame.attrs |= {"source": "made", "length_s": length.total_seconds()}
    return frame


def calls(known: Sequence[tuple[dt.datetime, int]], **changes: object) -> pd.DataFrame:
    """Signals known at these times, each calling +1 up, 0 flat or -1 down."""
    rows = []
    for number, (at, sign) in enumerate(known):
        said = {"direction": DIRECTIONS[sign], "signal_id": f"{number:04}", "known_at": at, "scored_at": at}
        odds = {1: (0.8, 0.1, 0.1), 0: (0.1, 0.8, 0.1), -1: (0.1, 0.1, 0.8)}[sign]
        said |= dict(zip(("p_up", "p_flat", "p_down"), odds, strict=True))
        rows.append(
            make_signal(**(said | {"strength": 0.7 * abs(sign), "valid_until": at + dt.timedelta(hours=1)} | changes))
        )
    return signal_frame(rows)
