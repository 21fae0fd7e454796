"""Which bars research uses: one series of the store, named or chosen, as a frame."""

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import sqlalchemy as sa

from signals.errors import ConfigError, DataError
from signals.market.bars import REFERENCE_SOURCES
from signals.research.frames import UTC
from signals.store import bars
from signals.store.bars import Series

_DAY_S = 86_400
_BEFORE, _AFTER = dt.timedelta(days=1), dt.timedelta(days=7)
"""Around the signals, where no time is named: enough for what led up to the first, and for a horizon over a weekend."""
_WAIT_S = 900
"""A signal is covered by a series that opens a bar within so long after it, or within one bar's length."""
_ALIKE = 0.99
"""A series that covers so much of what the best one covers counts as covering the same."""


class Found(NamedTuple):
    """Bars of one series, and what is to be said of the choice."""

    bars: pd.DataFrame
    notes: tuple[str, ...]


def choose(
    conn: sa.Connection,
    known_at: "pd.Series[pd.Timestamp]",
    wanted: str | None,
    since: dt.datetime | None,
    until: dt.datetime | None,
) -> Found:
    """The bars to go with signals known at these times: from `since` to `until`, or else around the signals.

    Raises
    ------
    ConfigError : `wanted` is no name of a series.
    DataError : the store has no such series, or it is a daily one that nobody could have traded at.
    """
    kept = bars.series(conn)
    low = since or known_at.min().to_pydatetime() - _BEFORE
    high = until or known_at.max().to_pydatetime() + _AFTER
    if wanted is not None:
        one = _named(kept, wanted)
        frame = _read(conn, one, low, high)
        return Found(frame, (_said(one, frame, _covered(frame, known_at), len(known_at)),))
    usable = [one for one in kept if _unfit(one) is None and one.first_open_at < high and one.last_close_at > low]
    read = [(one, _read(conn, one, low, high)) for one in usable]
    covered = [_covered(frame, known_at) for _, frame in read]
    if not any(covered):
        raise DataError("bars", "none that cover the signals", _mend(kept))
    # `read` has the shortest bars first.
    best = next(n for n, count in enumerate(covered) if count >= _ALIKE * max(covered))
    one, frame = read[best]
    return Found(frame, (_said(one, frame, covered[best], len(known_at)),))


def name(one: Series) -> str:
    """As `--bars` takes it."""
    return f"{one.source}:{one.length_s}"


def _named(kept: Sequence[Series], wanted: str) -> Series:
    source, _, length = wanted.rpartition(":")
    if not source or not length.isdecimal():
        raise ConfigError("--bars", f"{wanted!r} is no series", "SOURCE:SECONDS, as yahoo:3600")
    for one in kept:
        if (one.source, one.length_s) == (source, int(length)):
            unfit = _unfit(one)
            if unfit:
                raise DataError(f"bars {wanted}", *unfit)
            return one
    raise DataError(f"bars {wanted}", "the store has none", _mend(kept))


def _unfit(one: Series) -> tuple[str, str] | None:
    """What is wrong with a series, and the mend; null where nothing is."""
    if one.source in REFERENCE_SOURCES:
        return "a daily reference rate, at which nobody deals", "bars of an hour or less"
    if one.length_s == 0:
        return "single prices, not bars", "bars of an hour or less"
    if one.source == "yahoo" and one.length_s >= _DAY_S:
        return "Yahoo's daily close is about its open", "build days from yahoo:3600"
    return None


def _mend(kept: Sequence[Series]) -> str:
    fit = [name(one) for one in kept if _unfit(one) is None]
    if fit:
        return f"--bars may be {', '.join(fit)}; is their time another?"
    return "`signals jobs run prices` fetches some; `signals import` brings others"


def _read(conn: sa.Connection, one: Series, low: dt.datetime, high: dt.datetime) -> pd.DataFrame:
    found = bars.frame_columns(conn, one.source, one.length_s, low, high)
    index = pd.DatetimeIndex(found.pop("open_at"), name="open_at").tz_localize("UTC").as_unit("us")
    closed = pd.DatetimeIndex(found.pop("close_at")).tz_localize("UTC").as_unit("us")
    frame = pd.DataFrame(found, index=index)
    frame["close_at"] = pd.Series(closed, index=index).astype(UTC)
    frame.attrs |= {"source": one.source, "length_s": float(one.length_s)}
    return frame


def _covered(frame: pd.DataFrame, known_at: "pd.Series[pd.Timestamp]") -> int:
    """How many of the times have a bar that opens soon after them."""
    if frame.empty:
        return 0
    opened = frame.index.to_numpy()
    times = pd.DatetimeIndex(known_at).as_unit("us").to_numpy()
    following = np.searchsorted(opened, times)
    there = following < len(opened)
    wait = np.timedelta64(int(max(_WAIT_S, frame.attrs["length_s"])), "s")
    return int((opened[following[there]] - times[there] <= wait).sum())


def _said(one: Series, frame: pd.DataFrame, covered: int, count: int) -> str:
    span = (
        f"{frame.index[0]:%Y-%m-%d %H:%M} to {frame['close_at'].iloc[-1]:%Y-%m-%d %H:%M} UTC" if len(frame) else "none"
    )
    return f"bars {name(one)}, {len(frame):,} ({span}); {covered:,} of {count:,} signals have one soon after them"
