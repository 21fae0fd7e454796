"""How a message type may grow: what was promised of it stays, new fields come after it and may be missing.

Compared are two JSON Schemas as `schema` makes them. Words (descriptions, titles) may be mended;
a changed meaning that no comparison sees is a new type, `…v2`, all the same.
"""

from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]

_WORDS = {"description", "title", "examples"}


def breaks(old: Schema, new: Schema, where: str) -> Iterator[str]:
    """Promises of the old schema that the new one does not keep, one line each; none where it only grew."""
    yield from _breaks_in(old, new, where)
    for name, part in old.get("$defs", {}).items():
        if name in new.get("$defs", {}):
            yield from _breaks_in(part, new["$defs"][name], f"{where} {name}")
        else:
            yield f"{where} {name}: is gone"


def _breaks_in(old: Schema, new: Schema, where: str) -> Iterator[str]:
    before, after = list(old["properties"]), list(new["properties"])
    gone = [field for field in before if field not in after]
    yield from (f"{where}.{field}: is gone" for field in gone)
    for field in before:
        if field not in gone:
            yield from _breaks_of(field, old, new, where)
    if not gone and after[: len(before)] != before:
        yield f"{where}: fields stand in another order, or a new one stands before an old"
    for field in after:
        if field not in before and field in new.get("required", ()):
            yield f"{where}.{field}: is new and has no default, but older messages lack it"


def _breaks_of(field: str, old: Schema, new: Schema, where: str) -> Iterator[str]:
    was, is_now = _wordless(old["properties"][field]), _wordless(new["properties"][field])
    if was != is_now:
        yield f"{where}.{field}: was {was} and is {is_now}"
    if (field in old.get("required", ())) != (field in new.get("required", ())):
        yield f"{where}.{field}: was {_presence(field, old)} and is {_presence(field, new)}"


def _presence(field: str, schema: Schema) -> str:
    return "always there" if field in schema.get("required", ()) else "at times missing"


def _wordless(schema: object) -> object:
    """A schema without its words: what a reader's code depends on."""
    if isinstance(schema, dict):
        return {name: _wordless(part) for name, part in schema.items() if name not in _WORDS}
    if isinstance(schema, (list, tuple)):  # a default `()` is `[]` once it is on file
        return [_wordless(part) for part in schema]
    return schema
