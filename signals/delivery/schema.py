"""The messages for other languages: a JSON Schema (2020-12) of each type, made from the types themselves.

    python -m signals.delivery.schema            # writes config/messages/ anew
    python -m signals.delivery.schema --freeze   # with a release: what it promises is held from now on

What a field means is taken from the source, where it stands as a text after the field.
"""

import argparse
import ast
import inspect
import itertools
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, cast

import msgspec

from signals.delivery import alert, asyncapi, growth, wire
from signals.errors import ConfigError, SignalsError
from signals.model import Evidence

FOLDER = Path("config/messages")
"""Where the schemas are kept, from the project's root."""
FROZEN = "frozen"
"""Folder in it: what was promised, so that what is made may only grow."""
DIALECT = "https://json-schema.org/draft/2020-12/schema"

Schema = dict[str, Any]

_PARTS = (
    wire.Event, *wire.TYPES.values(), Evidence, wire.SourceState, wire.JobState, wire.ServiceState,
    alert.AlertEvent, alert.Alert,
)  # fmt: skip
_STRUCTS: dict[str, type] = {struct.__name__: struct for struct in _PARTS}
_WHOLE: dict[str, Any] = {kind: wire.Event[data] for kind, data in wire.TYPES.items()} | {  # type: ignore[valid-type]
    alert.ALERT: alert.AlertEvent
}
"""The envelope with its data, by the type of the message."""
KINDS = tuple(_WHOLE)
"""Every type of message that is published, on whatever channel."""
_SIG = {
    "type": "string",
    "description": "Signature over the message without this member, which stands last: a kind (`hmac-sha256` or "
    "`ed25519`), a colon, base64. Only where the publisher signs.",
}
"""Put in at sending, so no type has it (`signing`)."""
_TIME = re.compile(r".*_(at|until)|time")
"""Names of fields that hold a time."""


def file_of(kind: str) -> str:
    """Name of a message type's file.

    >>> file_of("signals.headline.v1")
    'headline.v1.json'
    """
    return f"{kind.removeprefix('signals.')}.json"


def json_schema(kind: str) -> Schema:
    """JSON Schema of a message: the envelope, with the data's type and what that uses in `$defs`.

    Raises
    ------
    KeyError : no such type.
    """
    made = msgspec.json.schema(_WHOLE[kind])
    parts = cast(dict[str, Schema], made["$defs"])
    envelope_name = str(made["$ref"]).rpartition("/")[2]
    described = {name: _described(name.split("_")[0], part) for name, part in parts.items()}
    envelope = described.pop(envelope_name)
    fixed = {"type": kind, "dataschema": wire.schema_id(kind)}
    envelope["properties"] |= {name: _fixed(envelope["properties"][name], value) for name, value in fixed.items()}
    envelope["required"] = list(envelope["properties"])  # the envelope has had all of them from the start
    envelope["properties"]["sig"] = _SIG
    head = {"$schema": DIALECT, "$id": wire.schema_id(kind), "title": kind}
    return {**head, **{name: value for name, value in envelope.items() if name != "title"}, "$defs": described}


def field_texts(struct: type) -> dict[str, str]:
    """What each field of a type means: the text that follows it in the source."""
    return _texts_of(inspect.getfile(struct)).get(struct.__name__, {})


def documents() -> dict[str, bytes]:
    """Every file of `config/messages/`, by name."""
    schemas = {kind: json_schema(kind) for kind in KINDS}
    made = {file_of(kind): _written(schema) for kind, schema in schemas.items()}
    return made | {"asyncapi.json": _written(asyncapi.document(schemas))}


def write(folder: Path, *, freeze: bool = False) -> list[Path]:
    """Write the schemas into a folder; returns the files that changed.

    freeze : also renew the frozen copies, which must be able to grow into what is made now.

    Raises
    ------
    ConfigError : the folder is missing, or a frozen promise would be broken.
    """
    if not folder.is_dir():
        raise ConfigError(str(folder), "is no folder", "run it from the project's root, or name the folder")
    files = {folder / name: text for name, text in documents().items()}
    if freeze:
        files |= {folder / FROZEN / file_of(kind): _written(json_schema(kind)) for kind in KINDS}
        _refuse_breaks(folder / FROZEN)
        (folder / FROZEN).mkdir(exist_ok=True)
    changed = [path for path, text in files.items() if not path.exists() or path.read_bytes() != text]
    for path in changed:
        path.write_bytes(files[path])
    return changed


def breaks(frozen: Path) -> Iterator[str]:
    """What the frozen copies in a folder promised and the types no longer keep, one line each."""
    for path in sorted(frozen.glob("*.json")):
        kind = f"signals.{path.stem}"
        if kind not in KINDS:
            yield f"{kind}: is gone"
            continue
        yield from growth.breaks(msgspec.json.decode(path.read_bytes()), json_schema(kind), kind)


def _refuse_breaks(frozen: Path) -> None:
    for broken in breaks(frozen):
        raise ConfigError(str(frozen), f"{broken}: who reads that version could not any more", "make a …v2 beside it")


def _described(name: str, part: Schema) -> Schema:
    """A type's schema with the meaning of its fields, and times as such."""
    texts = field_texts(_STRUCTS[name])
    properties = {field: _with(_timed(field, schema), texts.get(field)) for field, schema in part["properties"].items()}
    return part | {"properties": properties}


def _with(schema: Schema, text: str | None) -> Schema:
    return schema if text is None else schema | {"description": text}


def _timed(field: str, schema: Schema) -> Schema:
    """Times are RFC 3339 texts in UTC; the type's own check holds the zone, the schema tells of it."""
    if not _TIME.fullmatch(field):
        return schema
    if "anyOf" in schema:
        return schema | {"anyOf": [_timed(field, option) for option in schema["anyOf"]]}
    return schema | {"format": "date-time", "pattern": "Z$"} if schema.get("type") == "string" else schema


def _fixed(schema: Schema, value: str) -> Schema:
    return {"const": value, **({"description": schema["description"]} if "description" in schema else {})}


@cache
def _texts_of(source: str) -> dict[str, dict[str, str]]:
    tree = ast.parse(Path(source).read_text(encoding="utf-8"))
    return {node.name: dict(_pairs(node.body)) for node in tree.body if isinstance(node, ast.ClassDef)}


def _pairs(body: list[ast.stmt]) -> Iterator[tuple[str, str]]:
    """Fields that have a text right after them."""
    for field, after in itertools.pairwise(body):
        match field, after:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                yield name, " ".join(text.split())


def _written(document: Schema) -> bytes:
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def main(words: list[str]) -> int:
    """The command: write the files anew and name those that changed."""
    parser = argparse.ArgumentParser(prog="python -m signals.delivery.schema", description="Write the schemas anew.")
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER)
    parser.add_argument("--freeze", action="store_true", help="also renew what later versions are held to")
    given = parser.parse_args(words)
    try:
        changed = write(given.folder, freeze=given.freeze)
    except SignalsError as exc:
        print(exc, file=sys.stderr)
        return 2
    for path in changed:
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
