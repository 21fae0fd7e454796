"""The price context of many headlines at once: `market.bars.BarTable` over columns, to the last bit.

1. Bars are put in the order of their close, fine, coarse and reference ones apart; of several versions of a bar the
   one learned last stays.
2. The last close before each time is found by bisection (an as-of join that takes no exact match).
3. Returns look up a second close, a span earlier; volatility sums the squares between two positions.

Rounding is Python's (`rounding`), so each figure equals that of the live path.
"""

import datetime as dt
import math
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from signals.errors import DataError
from signals.market import week
from signals.market.bars import FINE_MAX_S, REACH_COARSE, REACH_FINE, REFERENCE_SOURCES
from signals.research.rounding import rounded
from signals.research.windows import BP, Minutes

BAR_COLUMNS = ("source", "open_at", "close_at", "known_at", "close")
_NEVER = np.iinfo(np.int64).min
_SECOND = 1_000_000
"""Times are counted in microseconds."""
_SPANS = {"return_5m_bp": dt.timedelta(minutes=5), "return_60m_bp": dt.timedelta(minutes=60)}

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Codes = NDArray[np.integer[Any]]
"""Places among the names of the sources, -1 for none."""


class _Rows(NamedTuple):
    """Closes in order; of those that close together the one to be quoted comes last."""

    at: Ints
    length: Ints
    price: Floats
    source: Codes

    def before(self, at: Ints, *, or_at: bool = False) -> Ints:
        """Position of the last close before each time, -1 where there is none."""
        return np.searchsorted(self.at, at, side="right" if or_at else "left") - 1


class _Last(NamedTuple):
    """What is quoted for each time; `at` is `_NEVER` and the price NaN where nothing is."""

    at: Ints
    price: Floats
    source: Codes

    def where(self, chosen: NDArray[np.bool_], other: "_Last") -> "_Last":
        """Ours where chosen, the other's elsewhere."""
        return _Last(*(np.where(chosen, a, b) for a, b in zip(self, other, strict=True)))


class PriceTable:
    """Closed bars, put in order once; answers for whole columns of times.

    Parameters
    ----------
    bars : any order and index, of any sources and lengths; columns `source` (text or categories), `open_at`,
        `close_at`, `known_at` (`datetime64[us, UTC]`) and `close` (JPY per USD), as `export` writes them.
    now : bars learned after this (UTC) are not seen; null: all are. Live, each step sees what was learned by then;
        here one moment holds for all rows.

    Raises
    ------
    DataError : a column is missing.
    """

    def __init__(self, bars: pd.DataFrame, now: dt.datetime | None = None) -> None:
        missing = [name for name in BAR_COLUMNS if name not in bars]
        if missing:
            raise DataError("bars", f"have no column {missing[0]}", f"they need {', '.join(BAR_COLUMNS)}")
        if now is not None:
            bars = bars[bars["known_at"] <= now]
        source = bars["source"].astype("category").cat
        source = source.set_categories(sorted(source.categories)).cat  # of bars that tie the later name is quoted
        self._names = pd.array(list(source.categories), dtype="str")
        codes = source.codes.to_numpy()
        self._fixings = np.flatnonzero(source.categories.isin(sorted(REFERENCE_SOURCES)))
        reference = np.isin(codes, self._fixings)
        length = _us(bars["close_at"]) - _us(bars["open_at"])
        fine = ~reference & (length > 0) & (length <= FINE_MAX_S * _SECOND)
        self._reference = _rows(bars, codes, length, reference)
        self._fine = _rows(bars, codes, length, fine)
        self._coarse = _rows(bars, codes, length, ~reference & ~fine)
        self._minutes: dict[int, Minutes] = {}

    def last(self, known_at: pd.DatetimeIndex, stale_after_s: float) -> pd.DataFrame:
        """The price as of each time (UTC, any order): `ref_price`, `ref_price_at`, `ref_age_s`, `ref_source`, `stale`.

        The last close strictly before; null (NaN, NaT) and stale where none is in reach.
        """
        at = known_at.as_unit("us").asi8
        return self._quoted(at, self._last(at, stale_after_s), stale_after_s)

    def context(self, known_at: pd.DatetimeIndex, stale_after_s: float) -> pd.DataFrame:
        """All of `model.PriceContext` for each time (UTC, any order): `last`, hours of the market, moves before."""
        at = known_at.as_unit("us").asi8
        last = self._last(at, stale_after_s)
        frame = self._quoted(at, last, stale_after_s)
        frame["market_open"] = week.is_open(known_at)
        for name, span in _SPANS.items():
            frame[name] = self._return_bp(last, span // dt.timedelta(microseconds=1))
        frame["volatility_60m_bp"] = self._volatility_bp(last)
        return frame

    def _quoted(self, at: Ints, last: _Last, stale_after_s: float) -> pd.DataFrame:
        there = last.at != _NEVER
        age_s = np.where(there, (at - last.at) / _SECOND, np.nan)
        fixing = np.isin(last.source, self._fixings)
        return pd.DataFrame(
            {
                "ref_price": last.price,
                "ref_price_at": _times(last.at),
                "ref_age_s": age_s,
                "ref_source": self._names.take(last.source, allow_fill=True),
                "stale": ~(age_s <= stale_after_s) | fixing,
            }
        )

    def _last(self, at: Ints, fresh_s: float) -> _Last:
        """As `BarTable._last`: of fine and coarse the later; a reference rate only where that is not fresh."""
        fine, coarse = _within(self._fine, at, REACH_FINE), _within(self._coarse, at, REACH_COARSE)
        market = fine if not len(self._coarse.at) else fine.where(fine.at >= coarse.at, coarse)
        if not len(self._reference.at):
            return market
        reference = _within(self._reference, at, REACH_COARSE)
        fresh = (market.at != _NEVER) & ((at - market.at) / _SECOND <= fresh_s)
        return market.where(fresh | (market.at >= reference.at), reference)

    def _return_bp(self, last: _Last, span: int) -> Floats:
        """As `BarTable._return_bp`: a fine start goes before a coarse one, each only if near enough."""
        start = np.full(len(last.at), np.nan)
        wanted = np.where(last.at == _NEVER, _NEVER, last.at - span)
        for rows in (self._coarse, self._fine):
            if not len(rows.at):
                continue
            place = rows.before(wanted, or_at=True)
            near = (place >= 0) & (rows.source[place] == last.source) & (10 * (wanted - rows.at[place]) <= span)
            start = np.where(near, rows.price[place], start)
        ratio = last.price / start
        return rounded(np.log(ratio) * BP, 2, lambda near: [round(math.log(ratio[i]) * BP, 2) for i in near])

    def _volatility_bp(self, last: _Last) -> Floats:
        found = np.full(len(last.at), np.nan)
        for source in np.flatnonzero(np.bincount(last.source[last.source >= 0])).tolist():
            if source not in self._minutes:
                own = (self._fine.source == source) & (self._fine.length == 60 * _SECOND)
                self._minutes[source] = Minutes(self._fine.at[own], self._fine.price[own])
            rows = np.flatnonzero(last.source == source)
            found[rows] = self._minutes[source].volatility_bp(last.at[rows])
        return found


def join_prices(
    known_at: pd.DatetimeIndex, bars: pd.DataFrame, stale_after_s: float, now: dt.datetime | None = None
) -> pd.DataFrame:
    """`PriceTable(bars, now).context(known_at, stale_after_s)`, for those who ask once."""
    return PriceTable(bars, now).context(known_at, stale_after_s)


def stacked(*frames: pd.DataFrame) -> pd.DataFrame:
    """Frames of bars (`frames.bar_frame`) as the one that `PriceTable` takes.

    They do not say when a bar was learned: each is taken as learned when it closed.
    """
    parts = [
        pd.DataFrame(
            {
                "source": pd.Categorical([frame.attrs["source"]]).repeat(len(frame)),
                "open_at": frame.index,
                "close_at": frame["close_at"].array,
                "known_at": frame["close_at"].array,
                "close": frame["close"].array,
            }
        )
        for frame in frames
    ]
    names = sorted({frame.attrs["source"] for frame in frames})
    for part in parts:
        part["source"] = part["source"].cat.set_categories(names)
    return pd.concat(parts, ignore_index=True)


def _rows(bars: pd.DataFrame, codes: Codes, length: Ints, mine: NDArray[np.bool_]) -> _Rows:
    """The rows of one kind in the order in which `BarTable` has them."""
    part = bars if mine.all() else bars[mine]
    if not mine.all():
        codes, length = codes[mine], length[mine]
    order = _order(part, codes, length)
    at, price = _us(part["close_at"]), part["close"].to_numpy(dtype="float64")
    if order is None:
        return _Rows(at, length, price, codes)
    return _Rows(at[order], length[order], price[order], codes[order])


def _order(part: pd.DataFrame, codes: Codes, length: Ints) -> NDArray[np.intp] | None:
    """Positions by close, without outdated versions; null where they stand so already.

    Only bars that close together need a closer look: versions of one bar are among them.
    """
    at = _us(part["close_at"])
    if len(at) < 2 or (at[1:] > at[:-1]).all():
        return None
    order = np.argsort(at, kind="stable")
    same = at[order][1:] == at[order][:-1]
    tied = np.r_[False, same] | np.r_[same, False]
    known, price = _us(part["known_at"]), part["close"].to_numpy()
    rows = order[tied]
    rows = rows[np.argsort(-known[rows], kind="stable")]
    rows = rows[~pd.DataFrame({"source": codes[rows], "at": at[rows], "length": length[rows]}).duplicated().to_numpy()]
    rows = rows[np.lexsort((codes[rows], price[rows], known[rows], -length[rows], at[rows]))]
    merged = np.concatenate([order[~tied], rows])
    return merged[np.argsort(at[merged], kind="stable")]


def _within(rows: _Rows, at: Ints, reach: dt.timedelta) -> _Last:
    """The last close before each time, if in reach."""
    if not len(rows.at):
        return _Last(np.full(len(at), _NEVER), np.full(len(at), np.nan), np.full(len(at), -1))
    place = rows.before(at)
    found = rows.at[place]
    there = (place >= 0) & (at - found <= reach // dt.timedelta(microseconds=1))
    if there.all():
        return _Last(found, rows.price[place], rows.source[place])
    return _Last(
        np.where(there, found, _NEVER),
        np.where(there, rows.price[place], np.nan),
        np.where(there, rows.source[place], -1),
    )


def _us(times: "pd.Series[pd.Timestamp]") -> Ints:
    return pd.DatetimeIndex(times).as_unit("us").asi8


def _times(at: Ints) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(at.view("datetime64[us]"), tz="UTC")
