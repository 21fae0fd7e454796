"""The tables of an export and their columns, made from the types of `model`.

`config/export/schema-v1.json` is written from here (`make schemas`): within a version columns are only added, none is
dropped, renamed or given another type. Who reads by name can read every export of its version.
"""

import datetime as dt
import sys
import types
import typing
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, get_args, get_origin

import msgspec

from signals.delivery.schema import field_texts
from signals.errors import ConfigError, SignalsError
from signals.message import Index, Retraction, Signal
from signals.model import Bar, ForwardReturn, Headline, JobRun, Score, Withdrawal

VERSION = 1
FILE = Path("config/export") / f"schema-v{VERSION}.json"
_DOC = "In UTC; every time is. The day in a folder's name is of the column that `partitioned_by` names."


class Added(NamedTuple):
    """A column that the type itself does not have."""

    name: str
    kind: Any
    text: str


class Table(NamedTuple):
    """A table of the export: one type's records, by day."""

    of: type[msgspec.Struct]
    at: str
    """The column whose day (UTC) is the folder's."""
    text: str
    added: tuple[Added, ...] = ()


class Column(NamedTuple):
    """One column."""

    name: str
    kind: Any
    text: str


_TAKEN = Added("taken_at", dt.datetime | None, "When a step took it; null while it waits.")
TABLES: dict[str, Table] = {
    "headlines": Table(
        Headline,
        "known_at",
        "Headlines and articles as first seen, and what became of each.",
        (
            Added("scored_at", dt.datetime | None, "When a step took it; null while it waits."),
            Added("story_id", str | None, "The event that it tells; null while it waits."),
            Added("skip_reason", str | None, "Why it made no signal; null where it made one, or waits."),
            Added("imported", bool, "True where someone brought it as history."),
        ),
    ),
    "scores": Table(
        Score, "known_at", "What each model said of each headline.",
        (Added("known_at", dt.datetime, "Of the headline."),),
    ),
    "signals": Table(Signal, "known_at", "Signals as they were told."),
    "retractions": Table(Retraction, "known_at", "Signals that ceased to hold before their time, and why."),
    "withdrawals": Table(
        Withdrawal, "known_at", "Headlines that their sources no longer stand by.", (_TAKEN,),
    ),
    "indexes": Table(
        Index, "at", "Where the live signals lean, each time it changed.",
        (Added("at", dt.datetime, "The step that told it."),),
    ),
    "bars": Table(Bar, "open_at", "Closed bars of every source and length, every version that was learned."),
    "forward_returns": Table(
        ForwardReturn, "settled_at", "The scorecard: what the price did after each signal that was told live.",
    ),
    "job_runs": Table(JobRun, "started_at", "Runs of the jobs."),
}  # fmt: skip


def columns(name: str) -> list[Column]:
    """A table's columns in their order: the fields of its type, then what is added."""
    table = TABLES[name]
    texts = field_texts(table.of)
    hints = typing.get_type_hints(table.of, include_extras=True)
    own = [Column(field, hints[field], texts.get(field, "")) for field in table.of.__struct_fields__]
    return own + [Column(*added) for added in table.added]


@cache
def arrow_schema(name: str) -> Any:
    """A table's `pyarrow.Schema`; its metadata name the table and the version. Raises ConfigError without pyarrow."""
    pa = pyarrow()
    fields = [pa.field(column.name, _arrow(column.kind), nullable=_nullable(column.kind)) for column in columns(name)]
    return pa.schema(fields, metadata={"usdjpy_signals.table": name, "usdjpy_signals.schema": str(VERSION)})


def pyarrow() -> Any:
    """The library, or one line that says how to get it."""
    try:
        import pyarrow as pa
        import pyarrow.parquet
    except ImportError as error:
        raise ConfigError("Parquet", "pyarrow is not installed", "pip install -e .[research]") from error
    return pa


def _nullable(kind: Any) -> bool:
    return type(None) in get_args(kind)


def _arrow(kind: Any) -> Any:
    """The Arrow type of a field's type."""
    pa = pyarrow()
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _arrow(parts[0])
    if origin is Literal:
        return pa.string()
    if origin in (types.UnionType, typing.Union):
        return _arrow(next(part for part in parts if part is not type(None)))
    if origin is tuple:
        return pa.list_(_arrow(parts[0]))
    if origin is dict:
        return pa.map_(_arrow(parts[0]), _arrow(parts[1]))
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        hints = typing.get_type_hints(kind, include_extras=True)
        return pa.struct([pa.field(field, _arrow(hints[field])) for field in kind.__struct_fields__])
    plain = {
        str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_(),
        dt.datetime: pa.timestamp("us", tz="UTC"),
    }  # fmt: skip
    return plain[kind]


def document() -> dict[str, Any]:
    """What `schema-v1.json` says."""
    tables = {}
    for name, table in TABLES.items():
        fields = zip(arrow_schema(name), columns(name), strict=True)
        tables[name] = {
            "description": table.text,
            "partitioned_by": table.at,
            "columns": [
                {"name": field.name, "type": str(field.type), "nullable": field.nullable}
                | ({"description": column.text} if column.text else {})
                for field, column in fields
            ],
        }
    path = "<name>/date=YYYY-MM-DD/part.parquet"
    return {"version": VERSION, "times": _DOC, "path": path, "tables": tables}


def breaks(promised: dict[str, Any]) -> Iterator[str]:
    """What an earlier document of this version promised and the types no longer keep, one line each."""
    made = document()["tables"]
    for name, table in promised["tables"].items():
        now = {column["name"]: column for column in made.get(name, {"columns": []})["columns"]}
        for column in table["columns"]:
            if column["name"] not in now:
                yield f"{name}.{column['name']}: is gone"
            elif now[column["name"]]["type"] != column["type"]:
                yield f"{name}.{column['name']}: was {column['type']} and is {now[column['name']]['type']}"


def main(words: list[str]) -> int:
    """Write the document anew and name it if it changed; refuses to break what it promised."""
    path = Path(words[0]) if words else FILE
    text = msgspec.json.format(msgspec.json.encode(document()), indent=2) + b"\n"
    try:
        if path.exists():
            for broken in breaks(msgspec.json.decode(path.read_bytes())):
                raise ConfigError(str(path), broken, f"raise VERSION to {VERSION + 1}")
        if not path.exists() or path.read_bytes() != text:
            path.write_bytes(text)
            print(path)
    except SignalsError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
