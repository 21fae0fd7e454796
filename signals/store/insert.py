"""Insert what is not there yet: one statement, in the dialect's own words."""

from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

_INSERT: dict[str, Callable[[sa.Table], Any]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
_CHUNK = 500
"""Rows a statement: under every dialect's limit of parameters."""


def insert_new(conn: sa.Connection, table: sa.Table, rows: Sequence[dict[str, Any]]) -> int:
    """Insert the rows whose key is new and leave the others as they are; returns how many were new."""
    insert = _INSERT[conn.dialect.name]
    added = 0
    for start in range(0, len(rows), _CHUNK):
        statement = insert(table).values(rows[start : start + _CHUNK]).on_conflict_do_nothing()
        # Counted by what comes back: psycopg reports no row count for a statement of many rows.
        added += len(conn.execute(statement.returning(*table.primary_key)).all())
    return added
