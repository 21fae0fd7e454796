"""An export read back as the two frames of research."""

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from signals.errors import DataError
from signals.research.export import unfinished
from signals.research.export_schema import VERSION, arrow_schema, pyarrow
from signals.research.frames import COLUMNS, DTYPES, PRICES, SIGN, UTC, witnessed

_BAR_KEY = ("open_at", "close_at")


class Export(NamedTuple):
    """What an export holds for research."""

    signals: pd.DataFrame
    """As `frames.signal_frame`."""
    bars: pd.DataFrame
    """As `frames.bar_frame`: of one source and one length."""
    left_out: Mapping[str, int]
    """Signals that are not in `signals`, by the reason: their times were not witnessed."""


def read_export(
    folder: str | Path,
    *,
    source: str | None = None,
    length_s: float | None = None,
    allow_backfilled: bool = False,
) -> Export:
    """The signals of an export, and its bars of one source and length (seconds), as the frames of `research.frames`.

    Parameters
    ----------
    source, length_s : whose bars and how long; null: those of the only series that fits what is named.
    allow_backfilled : take signals whose `known_at` was reconstructed, and undated ones, as the commands do.

    Raises
    ------
    ConfigError : pyarrow is not installed.
    DataError : there is no export, one was broken off, or it is of another version; the series is not in it, or several
        fit.
    """
    root = Path(folder)
    left = unfinished(root)
    if left:
        what = ", ".join(left[0].what)
        raise DataError(str(root), f"an export of {what} was broken off", "export the same days again")
    signals = _table(root, "signals", list(COLUMNS))
    retractions = _table(root, "retractions", ["signal_id", "known_at"])
    kept, left_out = witnessed(_signals(signals, retractions), allow_backfilled=allow_backfilled)
    return Export(kept, _bars(root, source, length_s), left_out)


def _signals(table: Any, retractions: Any) -> pd.DataFrame:
    frame = pd.DataFrame({name: _column(table.column(name), DTYPES[name]) for name in COLUMNS})
    frame["sign"] = np.where(frame["abstained"], 0, frame["direction"].map(SIGN)).astype("int8")
    ended = pd.concat(
        [
            frame.loc[frame["supersedes"].notna(), ["supersedes", "known_at"]].set_axis(["signal_id", "at"], axis=1),
            pd.DataFrame(
                {
                    "signal_id": _column(retractions.column("signal_id"), "str"),
                    "at": _column(retractions.column("known_at"), UTC),
                }
            ),
        ]
    )
    first = ended.groupby("signal_id")["at"].min()
    frame["voided_at"] = first.reindex(frame["signal_id"]).astype(UTC).array
    return frame.sort_values(["known_at", "signal_id"], kind="stable", ignore_index=True)


def _bars(root: Path, source: str | None, length_s: float | None) -> pd.DataFrame:
    source, length_s = _series(root, source, length_s)
    table = _table(root, "bars", [*_BAR_KEY, *PRICES, "known_at"], source=source, length_s=length_s)
    frame = pd.DataFrame({name: _column(table.column(name), "float64") for name in PRICES})
    for name in (*_BAR_KEY, "known_at"):
        frame[name] = _column(table.column(name), UTC)
    frame = frame.sort_values(["open_at", "known_at"], kind="stable").drop_duplicates("open_at", keep="last")
    bars = frame.set_index("open_at")[[*PRICES, "close_at"]]
    bars.attrs |= {"source": source if len(bars) else "", "length_s": float(length_s) if len(bars) else 0.0}
    return bars


def _series(root: Path, source: str | None, length_s: float | None) -> tuple[str, float]:
    """The one series of bars that fits; of an export without bars none."""
    held = _table(root, "bars", ["source", "open_at", "close_at"]).to_pandas()
    lengths = (held["close_at"] - held["open_at"]).dt.total_seconds()
    kinds = pd.DataFrame({"source": held["source"], "length_s": lengths}).drop_duplicates()
    series = [(str(name), float(length)) for name, length in kinds.itertuples(index=False, name=None)]
    fit = [one for one in series if source in (None, one[0]) and length_s in (None, one[1])]
    if len(fit) == 1 or not series:
        return fit[0] if fit else ("none", 0.0)
    names = ", ".join(sorted(f"source={name!r}, length_s={length:.0f}" for name, length in fit or series))
    problem = "several series fit" if fit else "no such series"
    raise DataError(f"{root}: bars", problem, f"it holds {names}")


def _table(root: Path, name: str, columns: list[str], *, source: str = "", length_s: float = 0) -> Any:
    """The named columns of all days, of bars those of one series; none where the table has no rows."""
    pa = pyarrow()
    from pyarrow import compute, dataset

    schema = arrow_schema(name)
    files = sorted(str(path) for path in (root / name).glob("date=*/part.parquet"))
    if not files:
        if not any(root.glob("*/date=*/part.parquet")):
            raise DataError(str(root), "holds no export", "make one: signals export --to DIR")
        return schema.empty_table().select(columns)
    _check_version(files, name)
    wanted = None
    if source:
        length = dt.timedelta(seconds=length_s)
        opened, closed = compute.field("open_at"), compute.field("close_at")
        wanted = (compute.field("source") == source) & (closed - opened == pa.scalar(length, pa.duration("us")))
    return dataset.dataset(files, schema=schema, format="parquet").to_table(columns=columns, filter=wanted)


def _check_version(files: list[str], name: str) -> None:
    """Of the first and the last day: an export is written by one version, or anew."""
    from pyarrow import parquet

    for file in (files[0], files[-1]):
        said = (parquet.read_schema(file).metadata or {}).get(b"usdjpy_signals.schema", b"none").decode()
        if said != str(VERSION):
            raise DataError(file, f"is of schema {said}, not {VERSION}", "export anew with this version")


def _column(column: Any, dtype: str) -> "pd.Series[Any]":
    if dtype == "object":
        return pd.Series([tuple(value) for value in column.to_pylist()], dtype="object")
    made: pd.Series[Any] = column.to_pandas().astype(dtype)
    return made
