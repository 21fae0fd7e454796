"""Columns of times as files of prices write them, to UTC; nothing is ever invented."""

import datetime as dt
import re
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

FORMS = (
    "%Y.%m.%d %H:%M", "%Y.%m.%d %H:%M:%S", "%Y%m%d %H%M%S", "%Y/%m/%d %H:%M", "%Y/%m/%d %H:%M:%S",
    "%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M:%S.%f",
)  # fmt: skip
"""Besides ISO 8601 and seconds or milliseconds since 1970; before a zone of their own, if any. 03/04/2020, which is two
days, is none of them."""
NO_TIME = "no time"
UNREADABLE = "time cannot be read"
NO_ZONE = "time without a zone"
TWICE_OR_NEVER = "time that the zone's clock shows twice or never"

_US: Literal["datetime64[us, UTC]"] = "datetime64[us, UTC]"
_DIGITS_ONLY = 13
_ZONED = re.compile(r":.*(?:Z|[+-]\d{2}:?\d{2})$|\dZ$")
_NAMED = r"\s*(?:UTC|GMT)(?=$|[+-]\d{2}:?\d{2}$)"
_OFFSET = r"(?P<sign>[+-])(?P<hours>\d{2}):?(?P<minutes>\d{2})$"
_YEARS = (1970, 2100)


class Stamps(NamedTuple):
    """Times in UTC, `NaT` where there is none; and for each the reason why, empty where there is one."""

    at: pd.DatetimeIndex
    lacks: npt.NDArray[np.object_]


def utc(cells: Sequence[Any], zone: dt.tzinfo | None) -> Stamps:
    """The UTC times that cells stand for: texts, numbers since 1970, or times.

    Parameters
    ----------
    zone : of times that name none; null: they are refused, for nobody knows whose time it is.
    """
    texts = pd.Series([_text(cell).strip() for cell in cells], dtype="object")
    at, zoned = _iso(texts)
    left = at.isna().to_numpy()
    if left.any():
        others, named = _others(texts[left].astype("str"))
        at = at.fillna(others.reindex(at.index))
        zoned[left] = named
    lacks = np.full(len(texts), "", object)
    at = at.where((at.dt.year >= _YEARS[0]) & (at.dt.year < _YEARS[1]))
    lacks[at.isna().to_numpy()] = UNREADABLE
    lacks[texts.str.lower().isin(["", "null", "none", "nan", "nat"]).to_numpy()] = NO_TIME
    bare = ~zoned & (lacks == "")
    if zone is None:
        lacks[bare] = NO_ZONE
    elif bare.any():
        local = at[bare].dt.tz_localize(None).dt.tz_localize(zone, ambiguous="NaT", nonexistent="NaT")
        at = at.where(~bare, local.dt.tz_convert("UTC").astype(_US).reindex(at.index))
        lacks[bare & at.isna().to_numpy()] = TWICE_OR_NEVER
    return Stamps(pd.DatetimeIndex(at.where(lacks == "")), lacks)


def _text(cell: Any) -> str:
    return "" if cell is None else cell.isoformat() if isinstance(cell, dt.datetime) else str(cell)


def _iso(texts: "pd.Series[Any]") -> "tuple[pd.Series[Any], npt.NDArray[np.bool_]]":
    """ISO 8601, which nearly every file writes: read first, for the others take long; and which of them have a zone."""
    long = np.array([len(text) > _DIGITS_ONLY for text in texts], bool)
    at = pd.to_datetime(texts.where(long), format="ISO8601", errors="coerce", utc=True).astype(_US)
    zoned = np.array([bool(_ZONED.search(text)) for text in texts], bool)
    return at, zoned & at.notna().to_numpy()


def _others(texts: "pd.Series[str]") -> "tuple[pd.Series[Any], npt.NDArray[np.bool_]]":
    """Numbers since 1970 and `FORMS`; and which of them need no zone."""
    texts = texts.str.replace(_NAMED, "+00:00", regex=True).str.replace(r"\+00:00(?=[+-])", "", regex=True)
    at = _since_1970(texts)
    zoned = at.notna().to_numpy() | texts.str.contains(_ZONED, regex=True).to_numpy(bool)
    at = at.fillna(pd.to_datetime(texts, format="ISO8601", errors="coerce", utc=True).astype(_US))
    return at.fillna(_by_form(texts)), zoned


def _since_1970(texts: "pd.Series[str]") -> "pd.Series[Any]":
    """Seconds or milliseconds, told by their length: ten or thirteen digits."""
    found = pd.Series(pd.NaT, index=texts.index, dtype=_US)
    for pattern, unit in ((r"\d{10}(?:\.0*)?", 1_000_000), (r"\d{13}(?:\.0*)?", 1_000)):
        mine = texts.str.fullmatch(pattern).to_numpy(bool)
        if mine.any():
            whole = texts[mine].str.partition(".")[0].astype("int64") * unit
            found = found.fillna(pd.to_datetime(whole, unit="us", utc=True).astype(_US).reindex(found.index))
    return found


def _by_form(texts: "pd.Series[str]") -> "pd.Series[Any]":
    """By `FORMS`, as UTC or from the offset that follows."""
    parts = texts.str.extract(_OFFSET)
    minutes = parts["hours"].astype("float64") * 60 + parts["minutes"].astype("float64")
    ahead = pd.to_timedelta((minutes * np.where(parts["sign"] == "-", -1, 1)).fillna(0), unit="min")
    bare = texts.str.replace(_OFFSET, "", regex=True).str.strip()
    found = pd.Series(pd.NaT, index=texts.index, dtype=_US)
    for form in FORMS:
        if not found.isna().any():
            break
        found = found.fillna(pd.to_datetime(bare, format=form, errors="coerce", utc=True).astype(_US))
    return found - ahead
