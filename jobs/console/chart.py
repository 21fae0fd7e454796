"""The picture: USD/JPY over a stretch of time, the index at each bar, and the signals of that time."""

import bisect
import datetime as dt
from collections.abc import Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from signals.market.bars import REFERENCE_SOURCES
from signals.store import bars, listing
from signals.store.bars import Series
from signals.store.listing import Filter, Point

_MARKS = 500
_POINTS = 100_000
_REFERENCE_SPAN = dt.timedelta(days=90)


class Range(NamedTuple):
    """A stretch of time, and how long a bar of it is."""

    span: dt.timedelta
    length_s: int


RANGES = {
    "6h": Range(dt.timedelta(hours=6), 60),
    "1d": Range(dt.timedelta(days=1), 300),
    "1w": Range(dt.timedelta(days=7), 3600),
    "1m": Range(dt.timedelta(days=30), 3600),
}


class Candle(NamedTuple):
    """A bar for the page: `time` is when it opened, seconds since 1970 UTC; prices in JPY per USD."""

    time: int
    open: float
    high: float
    low: float
    close: float


def chart(conn: sa.Connection, name: str, now: dt.datetime) -> dict[str, Any]:
    """Bars up to the last one that closed, the index as it stood at each, and a mark for each signal.

    While the market is closed the stretch ends with its last bar, and `last_close_at` says when that was.
    """
    wanted = RANGES[name]
    kept = [one for one in bars.series(conn) if one.first_open_at <= now]
    chosen = _choose(kept, wanted, now)
    if chosen is None:
        return {"range": name, "bars": [], "index": [], "marks": [], "source": None, "last_close_at": None}
    span = wanted.span if chosen.source not in REFERENCE_SOURCES else max(wanted.span, _REFERENCE_SPAN)
    since = min(chosen.last_close_at, now) - span
    length_s = max(wanted.length_s, chosen.length_s)
    candles = _candles(conn, chosen, since, now, length_s)
    points = listing.index(conn, since, limit=_POINTS)
    marks = listing.signals(conn, Filter(since=since), limit=_MARKS)
    return {
        "range": name,
        "source": chosen.source,
        "length_s": length_s,
        "last_close_at": chosen.last_close_at,
        "bars": candles,
        "index": _at_each(points, candles, length_s),
        "marks": [_mark(one.data) for one in reversed(marks) if one.retracted_at is None],
    }


def _choose(kept: Sequence[Series], wanted: Range, now: dt.datetime) -> Series | None:
    """Of what ends latest (within a bar's length) the longest that is no longer than asked for; else the shortest."""
    market = [one for one in kept if one.source not in REFERENCE_SOURCES and one.last_close_at > now - 4 * wanted.span]
    if not market:
        return max(kept, key=lambda one: one.last_close_at, default=None)
    fitting = [one for one in market if one.length_s <= wanted.length_s]
    reaching = [one for one in fitting if one.first_open_at <= now - wanted.span] or fitting
    return max(reaching, key=lambda one: one.length_s) if reaching else min(market, key=lambda one: one.length_s)


def _candles(conn: sa.Connection, chosen: Series, since: dt.datetime, now: dt.datetime, length_s: int) -> list[Candle]:
    found = bars.frame_columns(conn, chosen.source, chosen.length_s, since, now)
    opened = (found["open_at"].astype("int64") // 1_000_000).tolist()
    rows = zip(opened, *(found[name].tolist() for name in ("open", "high", "low", "close")), strict=True)
    made: list[Candle] = []
    for at, open_, high, low, close in rows:
        start = at - at % length_s if length_s else at
        if made and made[-1].time == start:
            last = made[-1]
            made[-1] = Candle(start, last.open, max(last.high, high), min(last.low, low), close)
        else:
            made.append(Candle(start, open_, high, low, close))
    return made


def _at_each(points: Sequence[Point], candles: Sequence[Candle], length_s: int) -> list[tuple[int, float | None]]:
    """The index as last told by the end of each bar; null before the first."""
    times = [point.at.timestamp() for point in points]
    places = [bisect.bisect_right(times, candle.time + length_s) - 1 for candle in candles]
    return [
        (candle.time, points[place].value if place >= 0 else None)
        for candle, place in zip(candles, places, strict=True)
    ]


def _mark(data: dict[str, Any]) -> tuple[Any, ...]:
    """Id, when known, call, strength, title."""
    call = "unknown" if data["abstained"] else data["direction"]
    return data["signal_id"], data["known_at"], call, data["strength"], data["title"]
