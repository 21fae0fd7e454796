"""Bars of someone's file: which column is what, which rows can be believed, how long a bar is.

Each row is judged by itself, by its neighbours (`checks`), by the bars before it (`scale`); the whole file by the
shipped reference rates: closes that usually lie off them are those of another pair, of another scale, or upside down.
"""

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from signals.errors import ConfigError
from signals.model import Bar
from signals.prices import stamps
from signals.prices.checks import PRICES, first_fault
from signals.prices.scale import Kept, same_scale

Field = Literal["open_at", "close_at", "open", "high", "low", "close"]

NAMES: Mapping[Field, tuple[str, ...]] = {
    "open_at": ("openat", "opentime", "opens", "datetime", "timestamp", "time", "date", "gmttime", "utc"),
    "close_at": ("closeat", "closetime"),
    "open": ("open", "o", "openprice"),
    "high": ("high", "h", "highprice", "max"),
    "low": ("low", "l", "lowprice", "min"),
    "close": ("close", "c", "closeprice", "last"),
}
"""Names by which a column is guessed, the likeliest first; compared in small letters, bare of `_ - < >` and spaces."""
DAY_S = 86_400
REFERENCE = "reference"
"""Source of bars of a day: one of `market.bars.REFERENCE_SOURCES`, joined as stale and never traded."""
PAIR_OFF = 0.02
"""Closes that usually lie further from the reference rate of their day than this are not USD/JPY: a usual day moves
0.5%, EUR/JPY is 8% away."""
_REACH = pd.Timedelta(days=4)
_LEAST_COMPARED = 20
_GRID_MAX = pd.Timedelta(hours=1)
"""Longer bars may open on any hour: a broker's four hours begin by its own clock."""
_JOIN = "+"
_PRICED: tuple[Field, ...] = ("open", "high", "low", "close")

NO_PRICE = "price is no number"
TWICE = "its time is there twice"
UNCLOSED = "not closed yet"
JUMPED = "at another scale than the bars before"
MENDS = {
    stamps.NO_ZONE: "say whose time it is: --zone UTC",
    stamps.UNREADABLE: "2016-03-20 22:00:00+00:00 can be read",
    "outside the FX week": "where there are many, the times are of another zone: --zone",
    "impossible prices": "prices are JPY per USD",
    "100 times off": "prices are JPY per USD",
    "more cells than columns": "is the file quoted rightly?",
}
"""What can be done about a reason, where there is something."""


class Columns(NamedTuple):
    """Which columns are read. A field of two columns is their texts with a space between: a date and a time."""

    names: dict[Field, tuple[str, ...]]

    @property
    def wanted(self) -> list[str]:
        """All columns, in order."""
        return [name for names in self.names.values() for name in names]


class Parsed(NamedTuple):
    """Rows of a file as numbers: Open, High, Low, Close (JPY per USD) and `at` (UTC), and what each lacks."""

    rows: pd.DataFrame
    lacks: npt.NDArray[np.object_]


class Judged(NamedTuple):
    """What of a file can be kept."""

    rows: pd.DataFrame
    """Open, High, Low, Close by UTC time of opening, in order."""
    length: pd.Timedelta
    faults: npt.NDArray[np.object_]
    """Of each row of the file, in its order: why it is refused; empty where it is not."""


def mapping(columns: Sequence[str], stated: Mapping[str, str], where: str) -> Columns:
    """Columns by field: as stated (`open_at=DATE+TIME` joins two), the others by common names. Raises ConfigError."""
    there = f"its columns are {', '.join(columns) or 'none'}"
    found: dict[Field, tuple[str, ...]] = {}
    for name, column in stated.items():
        if name not in NAMES:
            raise ConfigError(f"--columns {name}={column}", "no such field of bars", f"one of {', '.join(NAMES)}")
    taken = set(stated.values())
    by_name = {_bare(column): column for column in reversed(columns) if column not in taken}
    for field, names in NAMES.items():
        if field in stated:
            found[field] = _stated(stated[field], columns, field, where, there)
        elif field == "open_at" and {"date", "time"} <= by_name.keys():
            found[field] = (by_name["date"], by_name["time"])
        elif guess := next((by_name[name] for name in names if name in by_name), None):
            found[field] = (guess,)
    missing = [field for field in _PRICED if field not in found]
    if not found.keys() & {"open_at", "close_at"}:
        missing.insert(0, "open_at")
    if missing:
        raise ConfigError(where, f"has no column for {missing[0]}", f"{there}: say --columns {missing[0]}=NAME")
    if "open_at" in stated or ("open_at" in found and "close_at" not in stated):
        found.pop("close_at", None)
    else:
        found.pop("open_at", None)
    return Columns(found)


def parsed(columns: Columns, cells: Sequence[Sequence[Any]], zone: dt.tzinfo | None) -> Parsed:
    """Rows as numbers; `cells` hold the columns' values, column by column, as `columns.wanted` has them."""
    by_column = dict(zip(columns.wanted, cells, strict=True))
    timed: Field = "open_at" if "open_at" in columns.names else "close_at"
    times = [by_column[name] for name in columns.names[timed]]
    together = [" ".join(str(part or "") for part in parts) for parts in zip(*times, strict=True)]
    when = times[0] if len(times) == 1 else together
    stamped = stamps.utc(when, zone)
    found = {
        name: pd.to_numeric(pd.Series(by_column[columns.names[field][0]], dtype="object"), errors="coerce")
        for name, field in zip(PRICES, _PRICED, strict=True)
    }
    rows = pd.DataFrame(found, dtype="float64")
    lacks = stamped.lacks
    lacks[(lacks == "") & rows.isna().any(axis=1).to_numpy()] = NO_PRICE
    return Parsed(rows.assign(at=stamped.at), lacks)


def judge(
    one: Parsed, *, at_close: bool, length: dt.timedelta | None, now: dt.datetime, rates: "pd.Series[float]", where: str
) -> Judged:
    """Which rows are bars.

    Parameters
    ----------
    at_close : whether `at` is when a bar closes.
    length : of a bar; null: the commonest distance from one row to the next.
    now : UTC; bars that close later are not closed yet.
    rates : reference rates (JPY per USD) by UTC time, in order.

    Raises
    ------
    ConfigError : no length can be told, or the closes are not those of USD/JPY.
    """
    faults = one.lacks.copy()
    sound = one.rows[faults == ""]
    sound = sound.sort_values("at", kind="stable")
    twice = sound["at"].duplicated().to_numpy()
    faults[sound.index[twice]] = TWICE
    sound = sound[~twice]
    step = pd.Timedelta(length) if length else _commonest(sound["at"], where)
    opens = pd.DatetimeIndex(sound["at"] - step if at_close else sound["at"]).as_unit("us")
    numbers, rows = sound.index.to_numpy(), sound[PRICES].set_axis(opens)
    found = first_fault(rows, min(step, _GRID_MAX))
    found[(found == "") & np.asarray(opens + step > pd.Timestamp(now))] = UNCLOSED
    faults[numbers] = found
    numbers, rows = numbers[found == ""], rows[found == ""]
    near = _nearest(rows, step, rates)
    _same_pair(rows, near, where)
    good = same_scale(rows, _anchor(rows, near))
    faults[numbers[~good]] = JUMPED
    return Judged(rows[good], step, faults)


def bars(judged: Judged, source: str, known_at: dt.datetime) -> Iterator[Bar]:
    """The rows as bars, learned at `known_at` (UTC)."""
    length = judged.length.to_pytimedelta()
    at = pd.DatetimeIndex(judged.rows.index).to_pydatetime()
    for open_at, prices in zip(at, judged.rows[PRICES].to_numpy().tolist(), strict=True):
        opened = open_at.astimezone(dt.UTC)
        yield Bar(
            open_at=opened, close_at=opened + length, open=prices[0], high=prices[1], low=prices[2], close=prices[3],
            source=source, known_at=known_at,
        )  # fmt: skip


def _stated(column: str, columns: Sequence[str], field: str, where: str, there: str) -> tuple[str, ...]:
    parts = (column,) if column in columns or field not in ("open_at", "close_at") else tuple(column.split(_JOIN))
    for part in parts:
        if part not in columns:
            raise ConfigError(where, f"has no column {part!r} for {field}", there)
    return parts


def _bare(column: str) -> str:
    return re.sub(r"[\s_\-<>]+", "", column).lower()


def _commonest(at: "pd.Series[Any]", where: str) -> pd.Timedelta:
    steps = at.diff().dropna()
    if steps.empty:
        raise ConfigError(where, "has too few usable rows to tell how long a bar is", "say --length 1h")
    return pd.Timedelta(steps.mode().iloc[0])


def _nearest(rows: pd.DataFrame, step: pd.Timedelta, rates: "pd.Series[float]") -> npt.NDArray[np.float64]:
    """The reference rate nearest to each close within four days; NaN where there is none."""
    closes = pd.DataFrame({"at": pd.DatetimeIndex(rows.index + step).as_unit("us")})
    held = pd.DataFrame({"at": pd.DatetimeIndex(rates.index).as_unit("us"), "rate": rates.to_numpy()})
    joined = pd.merge_asof(closes, held, on="at", direction="nearest", tolerance=_REACH)
    return joined["rate"].to_numpy(float)


def _same_pair(rows: pd.DataFrame, near: npt.NDArray[np.float64], where: str) -> None:
    there = np.isfinite(near)
    if there.sum() < _LEAST_COMPARED:
        return
    off = rows["Close"].to_numpy()[there] / near[there] - 1
    usual = float(np.median(off))
    if abs(usual) > PAIR_OFF:
        raise ConfigError(
            where,
            f"its closes usually lie {usual:+.1%} from USD/JPY's reference rates of those days",
            "it is of another pair, or of other days; nothing was stored",
        )


def _anchor(rows: pd.DataFrame, near: npt.NDArray[np.float64]) -> Kept | None:
    """The first close that can be compared with a reference rate: the rate at its time."""
    there = np.flatnonzero(np.isfinite(near))
    if not len(there):
        return None
    at = pd.DatetimeIndex(rows.index)[there[0]]
    return Kept(at.to_pydatetime(), float(near[there[0]]))
