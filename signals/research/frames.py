"""The two frames that research works on, and what stands in them.

Signals
-------
`RangeIndex`, one row a signal, oldest `known_at` first (ties by `signal_id`). Columns as the fields of
`model.Signal` and of the same type; times are `datetime64[us, UTC]`, `NaT` where null; numbers are `float64`,
`NaN` where null; `topics` is an object column of tuples. `evidence` and `headline_ids` are left out. Besides:

- `sign` (int8): +1 up, -1 down, 0 flat or abstained; + where the USD/JPY price should rise.
- `voided_at`: when it ceased to hold before its time: the `known_at` of its retraction, or of the signal that took
  its place; `NaT` where it stood to its end.

Bars
----
Index `open_at` (`datetime64[us, UTC]`, unique, rising), one row a closed bar of one source and one length; `open`,
`high`, `low`, `close` are JPY per USD (`float64`), `close_at` as the index. `attrs["source"]` and
`attrs["length_s"]` say whose and how long. Of several versions of a bar the last one learned.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import msgspec
import numpy as np
import pandas as pd

from signals.errors import DataError
from signals.message import Retraction, Signal
from signals.model import Bar

UTC: Literal["datetime64[us, UTC]"] = "datetime64[us, UTC]"
SIGN = {"up": 1, "flat": 0, "down": -1}
LEFT_OUT = ("evidence", "headline_ids")
COLUMNS = tuple(name for name in Signal.__struct_fields__ if name not in LEFT_OUT)
_KINDS = (("datetime", UTC), ("tuple", "object"), ("bool", "bool"), ("float", "float64"), ("int", "int64"))
"""In the order in which a field's type is asked for them; what is none of them is text."""
PRICES = ("open", "high", "low", "close")


def _dtype(kind: object) -> str:
    return next((dtype for name, dtype in _KINDS if name in str(kind)), "str")


DTYPES = {field.name: _dtype(field.type) for field in msgspec.structs.fields(Signal) if field.name in COLUMNS}
"""Of each column of a frame of signals, but `sign` and `voided_at`."""


def signal_frame(signals: Iterable[Signal], retractions: Iterable[Retraction] = ()) -> pd.DataFrame:
    """Signals as a frame.

    Parameters
    ----------
    signals : any order, each once.
    retractions : what was said of them later; those of others are passed over.
    """
    rows = list(signals)
    frame = pd.DataFrame({name: _column([getattr(row, name) for row in rows], DTYPES[name]) for name in COLUMNS})
    frame["sign"] = np.where(frame["abstained"], 0, frame["direction"].map(SIGN)).astype("int8")
    voided = _voided(rows, retractions)
    frame["voided_at"] = _column([voided.get(row.signal_id) for row in rows], UTC)
    return frame.sort_values(["known_at", "signal_id"], kind="stable", ignore_index=True)


def told_at(signals: pd.DataFrame) -> "pd.Series[pd.Timestamp]":
    """When each signal was there to be acted on: `known_at`, or `scored_at` where that is later and was witnessed.

    A step takes a headline seconds after it was stored, or hours, where publishing had failed: nobody could trade
    before. Of backfilled signals `scored_at` tells when history was scored, and is passed over; frames without these
    columns are taken as told at once.
    """
    if not {"scored_at", "backfilled"} <= set(signals.columns):
        return signals["known_at"]
    late = (signals["scored_at"] > signals["known_at"]) & ~signals["backfilled"]
    return signals["known_at"].mask(late, signals["scored_at"])


def _column(values: Sequence[Any], dtype: str) -> "pd.Series[Any]":
    if dtype == UTC:
        return pd.to_datetime(pd.Series(values, dtype="object"), utc=True).astype(UTC)
    return pd.Series(values, dtype=dtype)


def _voided(rows: Iterable[Signal], retractions: Iterable[Retraction]) -> Mapping[str, dt.datetime]:
    said = [(row.supersedes, row.known_at) for row in rows if row.supersedes]
    said += [(retraction.signal_id, retraction.known_at) for retraction in retractions]
    found: dict[str, dt.datetime] = {}
    for signal_id, known_at in said:
        found[signal_id] = min(known_at, found.get(signal_id, known_at))
    return found


def bar_frame(bars: Iterable[Bar]) -> pd.DataFrame:
    """Bars of one source and one length as a frame; raises DataError where they are of several."""
    latest: dict[dt.datetime, Bar] = {}
    for bar in sorted(bars, key=lambda bar: bar.known_at):
        latest[bar.open_at] = bar
    kept = [latest[at] for at in sorted(latest)]
    series = {(bar.source, (bar.close_at - bar.open_at).total_seconds()) for bar in kept}
    if len(series) > 1:
        raise DataError("bars", f"of several series: {sorted(series)}", "choose one source and one length")
    index = pd.DatetimeIndex([bar.open_at for bar in kept], tz="UTC", name="open_at").as_unit("us")
    frame = pd.DataFrame({name: [getattr(bar, name) for bar in kept] for name in PRICES}, index=index, dtype="float64")
    frame["close_at"] = pd.DatetimeIndex([bar.close_at for bar in kept], tz="UTC").as_unit("us")
    source, length_s = series.pop() if series else ("", 0.0)
    frame.attrs |= {"source": source, "length_s": length_s}
    return frame


def witnessed(frame: pd.DataFrame, *, allow_backfilled: bool) -> tuple[pd.DataFrame, dict[str, int]]:
    """The rows whose times were witnessed, and how many others there were, by what is wrong with them."""
    if allow_backfilled:
        return frame, {}
    backfilled = frame["backfilled"]
    undated = ~backfilled & frame["source_published_at"].isna() & ~frame["abstained"]
    counts = {"backfilled": int(backfilled.sum()), "undated": int(undated.sum())}
    kept = frame[~backfilled & ~undated].reset_index(drop=True)
    return kept, {reason: count for reason, count in counts.items() if count}
