"""A store copied into another database: all of it or nothing, and compared row by row before it counts."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from signals.errors import StoreError
from signals.store import schema
from signals.store.database import Store
from signals.store.ordering import plain

BATCH = 500
"""Rows held at once; a headline may come with an article."""
Tell = Callable[[str, int], None]
"""Told of the table and how many rows of it were copied or compared just now."""


class Moved(NamedTuple):
    """A table, as it is on both sides."""

    table: str
    rows: int
    digest: str
    """Of all rows in the order of their key, 16 hexadecimal digits."""


def counts(conn: sa.Connection) -> dict[str, int]:
    """How many rows each table has."""
    tables = schema.metadata.sorted_tables
    return {one.name: int(conn.execute(sa.select(sa.func.count()).select_from(one)).scalar_one()) for one in tables}


def others(conn: sa.Connection, mine: str) -> list[str]:
    """Names of sessions of ours (`server.session_name`) on this database but those called `mine`; none on SQLite."""
    if conn.dialect.name != "postgresql":
        return []
    asked = sa.text(
        "SELECT DISTINCT application_name FROM pg_stat_activity WHERE datname = current_database()"
        " AND application_name LIKE 'signals %' AND application_name <> :mine"
    )
    return sorted(conn.execute(asked, {"mine": mine}).scalars())


def copy(source: Store, target: Store, tell: Tell = lambda table, rows: None) -> list[Moved]:
    """Copy every row as it stands at one moment; the target, which must be empty, gets all or nothing.

    Epoch and numbers of messages are among the rows, so that who follows the signals sees no break.

    Raises
    ------
    StoreError : one of them cannot be read or written, the target is not empty, or holds something else afterwards.
    """
    with source.read() as old, target.write() as new:
        held = sum(counts(new).values())
        if held:
            raise StoreError(target.name, f"is not empty: {held:,} rows", "name an empty database")
        moved = [_copied(old, new, table, tell) for table in schema.metadata.sorted_tables]
        for one, table in zip(moved, schema.metadata.sorted_tables, strict=True):
            number_on(new, table)
            found = _digest(_rows(new, table), tell, table.name)
            if found != one:
                problem = f"{table.name} came out as {found.rows:,} rows {found.digest}, not {one.rows:,} {one.digest}"
                raise StoreError(target.name, f"{problem}: nothing was kept", "please report this")
    return moved


def digests(store: Store) -> list[Moved]:
    """What a store holds."""
    with store.read() as conn:
        return [_digest(_rows(conn, table), lambda *_: None, table.name) for table in schema.metadata.sorted_tables]


def number_on(conn: sa.Connection, table: sa.Table) -> None:
    """Let a server that numbers a table's rows by itself go on after the highest number that is there."""
    column = table.autoincrement_column
    if column is None or conn.dialect.name != "postgresql":
        return
    sequence = sa.func.pg_get_serial_sequence(table.name, column.name)
    highest = sa.select(sa.func.coalesce(sa.func.max(column), 0) + 1).scalar_subquery()
    conn.execute(sa.select(sa.func.setval(sequence, highest, sa.false())))


def _copied(old: sa.Connection, new: sa.Connection, table: sa.Table, tell: Tell) -> Moved:
    def rows() -> Iterator[Sequence[sa.Row[Any]]]:
        for batch in _rows(old, table):
            new.execute(sa.insert(table), [dict(row._mapping) for row in batch])
            yield batch

    return _digest(rows(), tell, table.name)


def _rows(conn: sa.Connection, table: sa.Table) -> Iterator[Sequence[sa.Row[Any]]]:
    """All rows in the order of their key, which is the same in every database."""
    key = (plain(column) if isinstance(column.type, sa.String) else column for column in table.primary_key)
    query = sa.select(table).order_by(*key)
    yield from conn.execute(query, execution_options={"yield_per": BATCH}).partitions()


def _digest(batches: Iterator[Sequence[sa.Row[Any]]], tell: Tell, name: str) -> Moved:
    total, digest = 0, hashlib.sha256()
    for batch in batches:
        for row in batch:
            digest.update(msgspec.msgpack.encode([_comparable(value) for value in row]))
        total += len(batch)
        tell(name, len(batch))
    return Moved(name, total, digest.hexdigest()[:16])


def _comparable(value: Any) -> Any:
    """The value as every database gives it: SQLite has no zero below zero, PostgreSQL no NUL (`schema.Words`)."""
    if isinstance(value, float):
        return value + 0.0
    return value.replace("\0", "\ufffd") if isinstance(value, str) else value
