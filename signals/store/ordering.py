"""The order of texts, the same in every database: by code points, as Python sorts them.

A server sorts by the language of its database unless it is told otherwise ("a" before "B"); SQLite never does.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class plain(FunctionElement[str]):  # noqa: N801 - it reads as what it is in SQL, a function
    """A column of texts, to be ordered or compared by its code points."""

    inherit_cache = True
    name = "plain"
    type = sa.String()

    def __init__(self, column: sa.ColumnElement[Any]) -> None:
        super().__init__(column)


@compiles(plain)
def _as_it_is(element: plain, compiler: SQLCompiler, **options: Any) -> str:
    return compiler.process(element.clauses, **options)


@compiles(plain, "postgresql")
def _by_code_points(element: plain, compiler: SQLCompiler, **options: Any) -> str:
    return f'({compiler.process(element.clauses, **options)}) COLLATE "C"'
