"""Frames of signals as Parquet files, and the hash by which what research was given is known again."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from signals.errors import ConfigError, DataError
from signals.research.frames import COLUMNS, DTYPES, UTC

_MADE = {"sign": "int8", "voided_at": UTC}
_OLDEST_FIRST = ["known_at", "signal_id"]


def write_signals(frame: pd.DataFrame, path: Path) -> None:
    """A frame of signals into a Parquet file, whole or not at all. Raises ConfigError without pyarrow."""
    needs_pyarrow()
    part = path.with_name(f"{path.name}.part")
    frame.assign(topics=frame["topics"].map(list)).to_parquet(part, index=False)
    part.replace(path)


def write_tables(tables: Mapping[str, pd.DataFrame], folder: Path) -> None:
    """Each table into `NAME.parquet`, whole or not at all. Raises ConfigError without pyarrow."""
    needs_pyarrow()
    for name, table in tables.items():
        part = folder / f"{name}.parquet.part"
        table.to_parquet(part, index=False)
        part.replace(folder / f"{name}.parquet")


def read_signals(path: Path) -> pd.DataFrame:
    """The frame of signals in a Parquet file, of ours or with the same columns.

    Raises
    ------
    DataError : no Parquet file, or without a column, or with one of another type.
    ConfigError : pyarrow is not installed.
    """
    needs_pyarrow()
    from pyarrow import ArrowException

    try:
        found = pd.read_parquet(path)
    except (ArrowException, ValueError) as error:
        raise DataError(str(path), f"is no Parquet file: {error}", "`signals replay --to DIR` writes one") from error
    missing = [name for name in (*COLUMNS, *_MADE) if name not in found.columns]
    if missing:
        raise DataError(str(path), f"has no column {missing[0]}", "its columns must be those of `signals replay --to`")
    frame = found[[*COLUMNS, *_MADE]]
    frame = frame.assign(topics=frame["topics"].map(tuple))
    for name, dtype in (DTYPES | _MADE).items():
        try:
            frame[name] = frame[name].astype(dtype)  # type: ignore[call-overload]
        except (TypeError, ValueError) as error:
            raise DataError(f"{path}: {name}", f"is not {dtype}: {error}", "times must be UTC, with a zone") from error
    return frame.sort_values(_OLDEST_FIRST, kind="stable", ignore_index=True)


def fingerprint(frame: pd.DataFrame) -> str:
    """SHA-256 of a frame's columns, their names and its index: the same wherever and however it was read."""
    digest = hashlib.sha256()
    columns: list[tuple[object, Any]] = [("index", frame.index.to_series()), *frame.items()]
    for name, column in columns:
        digest.update(f"\x1e{name}\x1f{column.dtype}\x1f".encode())
        digest.update(_bytes(column))
    return digest.hexdigest()


def _bytes(column: "pd.Series[Any]") -> bytes:
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        values: NDArray[Any] = column.dt.tz_localize(None).to_numpy("datetime64[us]")
        return values.tobytes()
    if isinstance(column.dtype, np.dtype) and column.dtype != object:
        return bytes(column.to_numpy().tobytes())
    return "\x1f".join(["" if value is None or value != value else str(value) for value in column]).encode()


def needs_pyarrow() -> None:
    """Raises ConfigError where Parquet can be neither read nor written."""
    try:
        import pyarrow  # noqa: F401
    except ImportError as error:
        raise ConfigError("Parquet", "pyarrow is not installed", "pip install -e .[research]") from error
