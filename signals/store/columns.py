"""Rows straight into columns, without an object for each: research reads them by the million."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from signals.store.schema import Utc

CHUNK = 50_000
"""Rows that are held as Python objects at once."""
_DTYPES: tuple[tuple[type[Any], str], ...] = (
    (Utc, "datetime64[us]"),
    (sa.Double, "float64"),
    (sa.Boolean, "bool"),
    (sa.Integer, "int64"),
)
"""By the type of a column; what is none of them is an array of objects."""


def columns(
    conn: sa.Connection, wanted: Sequence[sa.Column[Any]], narrow: Callable[[sa.Select[Any]], sa.Select[Any]]
) -> dict[str, NDArray[Any]]:
    """These columns of the rows that `narrow` leaves, by name.

    Times are UTC, `datetime64[us]` without a zone, `NaT` where null; numbers that are null are `NaN` (`float64` only).
    """
    raw = [_raw(conn, column) for column in wanted]
    dtypes = [_dtype(column) for column in wanted]
    found: list[list[NDArray[Any]]] = [[np.empty(0, dtype)] for dtype in dtypes]
    result = conn.execute(narrow(sa.select(*raw)), execution_options={"yield_per": CHUNK})
    for rows in result.partitions():
        for parts, values, dtype in zip(found, zip(*rows, strict=True), dtypes, strict=True):
            parts.append(_array(values, dtype))
    return {column.name: np.concatenate(parts) for column, parts in zip(wanted, found, strict=True)}


def _dtype(column: sa.Column[Any]) -> str:
    return next((dtype for kind, dtype in _DTYPES if isinstance(column.type, kind)), "object")


def _raw(conn: sa.Connection, column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    """The column as the database holds it: a time as text, or as microseconds where the database has a type for it."""
    if not isinstance(column.type, Utc):
        return column
    if conn.dialect.name == "sqlite":
        return sa.type_coerce(column, sa.Text).label(column.name)
    return sa.cast(sa.extract("epoch", column) * 1_000_000, sa.BigInteger).label(column.name)


def _array(values: Sequence[Any], dtype: str) -> NDArray[Any]:
    if dtype == "datetime64[us]" and None in values:
        values = ["NaT" if value is None else value for value in values]
    if dtype == "object":
        made = np.empty(len(values), dtype="object")
        made[:] = values
        return made
    return np.array(values, dtype=dtype)
