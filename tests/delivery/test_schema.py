"""The schemas for other languages: true, whole, and true of what was sent before."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped,unused-ignore]
import msgspec
import pytest

from signals.delivery import schema, wire
from signals.delivery.signing import signer
from tests.conftest import ROOT

KINDS = list(wire.TYPES)
FILES = ROOT / "config" / "messages"
FROZEN = FILES / "frozen"
GOLDEN = Path(__file__).parent / "golden"
CLOSED = {"specversion", "datacontenttype", "action", "direction"}
"""Fields whose values are all known: another one would change what the others mean."""


def golden(kind: str) -> bytes:
    """The message on file of a type."""
    return (GOLDEN / schema.file_of(kind)).read_bytes().rstrip(b"\n")


def valid_by(document: dict[str, Any]) -> Any:
    """A check by a schema, which must itself be one."""
    jsonschema.Draft202012Validator.check_schema(document)
    return jsonschema.Draft202012Validator(document)


def fields(kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every field of a message and of what it holds, with its schema."""
    whole = schema.json_schema(kind)
    for name, part in {"": whole, **whole["$defs"]}.items():
        yield from ((f"{name}.{field}", value) for field, value in part["properties"].items())


def test_the_files_are_what_the_types_make() -> None:
    """The schemas on file are those of the code, none missing and none left over."""
    on_file = {path.name: path.read_bytes() for path in FILES.glob("*.json")}
    assert on_file == schema.documents(), "write them anew: python -m signals.delivery.schema"


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_says_what_it_means(kind: str) -> None:
    """Whoever reads a schema finds the meaning of each field, as it stands in the source."""
    assert [name for name, value in fields(kind) if not value.get("description")] == []
    assert "JPY per USD" in dict(fields(wire.HEADLINE))["Signal.ref_price"]["description"]


@pytest.mark.parametrize("kind", KINDS)
def test_only_closed_questions_have_a_list_of_answers(kind: str) -> None:
    """Reasons, states, topics and sources are open texts: a new one breaks no reader."""
    listed = {name.split(".")[1] for name, value in fields(kind) if "enum" in json.dumps(value)}
    assert listed <= CLOSED


@pytest.mark.parametrize("kind", KINDS)
def test_messages_meet_their_schema(kind: str) -> None:
    """What we send is valid by the schema that we hand out, and a broken one is not."""
    message = json.loads(golden(kind))
    check = valid_by(schema.json_schema(kind))
    check.validate(message)
    assert not check.is_valid(message | {"seq": -1})
    assert not check.is_valid(message | {"type": "signals.mood.v1"})
    assert not check.is_valid(message | {"time": "2026-02-13T09:26:03+09:00"})
    assert not check.is_valid({name: value for name, value in message.items() if name != "data"})
    assert not check.is_valid(message | {"data": {}})


@pytest.mark.parametrize("kind", KINDS)
def test_a_signature_may_be_there(kind: str) -> None:
    """Signed or not, a message is valid by its schema and by the frozen one; a signature is a text."""
    signed = json.loads(signer("hmac:" + "s" * 32)(golden(kind)))
    check = valid_by(schema.json_schema(kind))
    check.validate(signed)
    valid_by(msgspec.json.decode((FROZEN / schema.file_of(kind)).read_bytes())).validate(signed)
    assert not check.is_valid(signed | {"sig": 7})


@pytest.mark.parametrize("kind", KINDS)
def test_golden_messages_are_read_and_written_alike(kind: str) -> None:
    """The message on file of each type is read, and written again gives the same bytes."""
    event = wire.decode(golden(kind))
    assert isinstance(event, wire.Event)
    assert type(event.data) is wire.TYPES[kind]
    assert msgspec.json.encode(event) == golden(kind)


@pytest.mark.parametrize("kind", KINDS)
def test_who_was_written_by_the_first_schema_reads_on(kind: str) -> None:
    """What we send now is valid by the frozen schema: fields that it does not know are allowed."""
    check = valid_by(msgspec.json.decode((FROZEN / schema.file_of(kind)).read_bytes()))
    check.validate(json.loads(golden(kind)) | {"traceparent": "00-1"})


@pytest.mark.parametrize("kind", KINDS)
def test_the_oldest_messages_are_still_read(kind: str) -> None:
    """A message with nothing but what the frozen schema always promised is read by this code."""
    frozen = msgspec.json.decode((FROZEN / schema.file_of(kind)).read_bytes())
    message = json.loads(golden(kind))
    name = frozen["properties"]["data"]["$ref"].rpartition("/")[2]
    message["data"] = {field: message["data"][field] for field in frozen["$defs"][name]["required"]}
    event = wire.decode(msgspec.json.encode(message))
    assert isinstance(event, wire.Event)


def test_the_types_only_grew() -> None:
    """All that the frozen schemas promise is kept: every field, its type, its place, its being there."""
    assert sorted(path.name for path in FROZEN.glob("*.json")) == sorted(map(schema.file_of, KINDS))
    assert list(schema.breaks(FROZEN)) == []


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with all schemas in it, frozen."""
    schema.write(tmp_path, freeze=True)
    return tmp_path


def test_the_command_names_what_it_changed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Written anew is only what differs, and its names are printed."""
    (folder / "index.v1.json").write_text("{}")
    assert schema.main([str(folder)]) == 0
    assert capsys.readouterr().out.splitlines() == [str(folder / "index.v1.json")]
    assert schema.main([str(folder)]) == 0
    assert capsys.readouterr().out == ""


def test_the_command_says_where_it_belongs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without its folder the command writes nothing and says so in one line."""
    assert schema.main([str(tmp_path / "elsewhere")]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_broken_promise_is_not_frozen(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--freeze` refuses where a frozen field is no longer made, names it, and leaves the files alone."""
    path = folder / "frozen" / "index.v1.json"
    frozen = json.loads(path.read_bytes())
    frozen["$defs"]["Index"]["properties"]["mood"] = {"type": "string"}
    path.write_text(json.dumps(frozen))
    assert schema.main([str(folder), "--freeze"]) == 2
    assert "signals.index.v1 Index.mood: is gone" in capsys.readouterr().err
    assert "mood" in path.read_text()
