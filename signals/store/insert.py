"""Insert what is not there yet, or in place of what is, in the dialect's own words."""

from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

_INSERT: dict[str, Callable[[sa.Table], Any]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def insert_new(conn: sa.Connection, table: sa.Table, rows: Sequence[dict[str, Any]]) -> int:
    """Insert the rows whose key is new and leave the others as they are; returns how many were new."""
    if not rows:
        return 0
    # Rows apart from the statement: SQLAlchemy compiles it once.
    statement = _INSERT[conn.dialect.name](table).on_conflict_do_nothing()
    if conn.dialect.name == "postgresql":  # one after another down a pipeline: a third of one statement of all of them
        return int(conn.execute(statement, rows, execution_options={"preserve_rowcount": True}).rowcount)
    return len(conn.execute(statement.returning(*table.primary_key), rows).all())  # in batches of SQLAlchemy's own


def put(conn: sa.Connection, table: sa.Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert the rows, each in the place of the one that has its key: one statement, whoever else does the same."""
    if not rows:
        return
    statement = _INSERT[conn.dialect.name](table)
    others = [column.name for column in table.c if not column.primary_key]
    new = {name: statement.excluded[name] for name in others}
    conn.execute(statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=new), rows)
