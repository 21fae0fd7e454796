"""Prices as of a moment: only bars closed before it, only versions known by the step that asks."""

import bisect
import datetime as dt
import itertools
import math
from collections.abc import Iterable
from typing import NamedTuple

from signals.market.hours import is_open
from signals.model import Bar, PriceContext

FINE_MAX_S = 300
"""Bars up to this length count as fine: they give short returns and volatility."""
REACH_FINE = dt.timedelta(hours=2)
REACH_COARSE = dt.timedelta(days=7)
"""How old the last bar may be and still be quoted: a fine one two hours, a coarse one over a long weekend."""
REFERENCE_SOURCES = frozenset({"ecb", "reference"})
"""Daily fixings, and the days that someone imports as such: joined where no fresh bar is known
and none that closed as late, always marked stale."""

_WINDOW = dt.timedelta(hours=1)
_MINUTE = dt.timedelta(minutes=1)
_MIN_RETURNS = 30
_BP = 1e4


class _Close(NamedTuple):
    """Sorts by its close; of those that close together the shortest comes last, so it is found first."""

    at: dt.datetime
    minus_length_s: float
    known_at: dt.datetime
    price: float
    source: str


_Span = tuple[str, dt.datetime, dt.datetime]
"""Source, open and close: what two versions of a bar have in common."""


class BarTable:
    """Closed bars in order of their close, fine, coarse and reference ones apart; answers `context(known_at)`.

    Parameters
    ----------
    bars : any order; where two tell of the same span, the version learned last counts.
    now : bars learned after this are not seen (null: all are).
    """

    def __init__(self, bars: Iterable[Bar] = (), now: dt.datetime | None = None) -> None:
        self._latest: dict[_Span, _Close] = {}
        self._fine: list[_Close] = []
        self._coarse: list[_Close] = []
        self._reference: list[_Close] = []
        self.learn(bar for bar in bars if now is None or bar.known_at <= now)

    def learn(self, bars: Iterable[Bar]) -> None:
        """See more bars from now on: new ones, or other versions of some."""
        fresh: dict[_Span, _Close] = {}
        for bar in bars:
            span = (bar.source, bar.open_at, bar.close_at)
            had = fresh.get(span) or self._latest.get(span)
            if had is None or had.known_at < bar.known_at:
                length_s = (bar.close_at - bar.open_at).total_seconds()
                fresh[span] = _Close(bar.close_at, -length_s, bar.known_at, bar.close, bar.source)
        for span in fresh.keys() & self._latest.keys():
            rows = self._rows(self._latest[span])
            del rows[bisect.bisect_left(rows, self._latest[span])]
        self._latest |= fresh
        for row in sorted(fresh.values()):
            rows = self._rows(row)
            if not rows or rows[-1] < row:  # as a rule the newest close last
                rows.append(row)
            else:
                bisect.insort(rows, row)

    def _rows(self, row: _Close) -> list[_Close]:
        """Where it belongs."""
        if row.source in REFERENCE_SOURCES:
            return self._reference
        return self._fine if 0 < -row.minus_length_s <= FINE_MAX_S else self._coarse

    def context(self, known_at: dt.datetime, stale_after_s: float) -> PriceContext:
        """Price, its age and the moves before it, as of `known_at` (UTC)."""
        last = self._last(known_at, stale_after_s)
        if last is None:
            return PriceContext(
                ref_price=None, ref_price_at=None, ref_age_s=None, ref_source=None, stale=True,
                market_open=is_open(known_at), return_5m_bp=None, return_60m_bp=None, volatility_60m_bp=None,
            )  # fmt: skip
        age_s = (known_at - last.at).total_seconds()
        return PriceContext(
            ref_price=last.price,
            ref_price_at=last.at,
            ref_age_s=age_s,
            ref_source=last.source,
            stale=last.source in REFERENCE_SOURCES or age_s > stale_after_s,
            market_open=is_open(known_at),
            return_5m_bp=self._return_bp(last, dt.timedelta(minutes=5)),
            return_60m_bp=self._return_bp(last, dt.timedelta(minutes=60)),
            volatility_60m_bp=self._volatility_bp(last),
        )

    def _last(self, before: dt.datetime, fresh_s: float) -> _Close | None:
        """The last close; of equal ones the finer. A fresh bar goes before any reference rate."""
        market = _latest(_within(self._fine, before, REACH_FINE), _within(self._coarse, before, REACH_COARSE))
        if market is not None and (before - market.at).total_seconds() <= fresh_s:
            return market
        return _latest(market, _within(self._reference, before, REACH_COARSE))

    def _return_bp(self, last: _Close, span: dt.timedelta) -> float | None:
        """Log return over the `span` that ends at `last`; null if none closed less than a tenth before its start."""
        for rows in (self._fine, self._coarse):
            start = _before(rows, last.at - span, or_at=True)
            if start is not None and start.source == last.source and last.at - span - start.at <= span / 10:
                return _round_bp(math.log(last.price / start.price))
        return None

    def _volatility_bp(self, last: _Close) -> float | None:
        low = bisect.bisect_left(self._fine, last.at - _WINDOW, key=lambda row: row.at)
        high = bisect.bisect_right(self._fine, last.at, key=lambda row: row.at)
        closes = [row for row in self._fine[low:high] if row.minus_length_s == -60 and row.source == last.source]
        steps = [math.log(b.price / a.price) for a, b in itertools.pairwise(closes) if b.at - a.at == _MINUTE]
        return _round_bp(math.sqrt(math.fsum(s * s for s in steps))) if len(steps) >= _MIN_RETURNS else None


def _before(rows: list[_Close], at: dt.datetime, *, or_at: bool = False) -> _Close | None:
    cut = bisect.bisect_right if or_at else bisect.bisect_left
    index = cut(rows, at, key=lambda row: row.at)
    return rows[index - 1] if index else None


def _within(rows: list[_Close], before: dt.datetime, reach: dt.timedelta) -> _Close | None:
    row = _before(rows, before)
    return row if row is not None and before - row.at <= reach else None


def _latest(*rows: _Close | None) -> _Close | None:
    """The one that closed last; the first of those that closed together."""
    return max((row for row in rows if row is not None), key=lambda row: row.at, default=None)


def _round_bp(log_return: float) -> float:
    return round(log_return * _BP, 2)
