"""The AsyncAPI document, as the official parser reads it."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from signals.delivery import alert, schema, wire
from tests.conftest import ROOT
from tests.examples import nodejs

DOCUMENT = ROOT / "config" / "messages" / "asyncapi.json"


def parsed(document: Path) -> dict[str, Any]:
    """What the parser says."""
    command = [nodejs.needed(), str(nodejs.NODE / "asyncapi.mjs"), str(document)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def test_the_parser_takes_it_without_a_warning() -> None:
    """The document is valid AsyncAPI 3.0: both ways of Redis with their messages, and the server."""
    kinds = list(wire.TYPES)
    assert parsed(DOCUMENT) == {
        "problems": [],
        "version": "3.0.0",
        "channels": [
            ["signals.usdjpy", kinds],
            ["signals:{usdjpy}:log", [k for k in kinds if k != wire.HEARTBEAT]],
            ["signals.alerts", [alert.ALERT]],
        ],
        "servers": ["redis"],
    }


def test_the_parser_would_tell(tmp_path: Path) -> None:
    """A document that names a message it has not is refused: the check is one."""
    broken = json.loads(DOCUMENT.read_bytes())
    del broken["components"]["messages"]["index"]
    path = tmp_path / "asyncapi.json"
    path.write_text(json.dumps(broken))
    assert parsed(path)["problems"] != []


@pytest.mark.parametrize("kind", schema.KINDS)
def test_it_says_the_same_as_the_schemas(kind: str) -> None:
    """Each message of the document has the fields, and their words, of its own JSON Schema."""
    parts = json.loads(DOCUMENT.read_bytes())["components"]["schemas"]
    whole = schema.json_schema(kind)
    top = parts[kind.split(".")[1]]
    assert list(top["properties"]) == list(whole["properties"])
    for name, part in whole["$defs"].items():
        assert list(parts[name]["properties"]) == list(part["properties"])
        assert parts[name]["required"] == part["required"]
        texts = {field: value["description"] for field, value in part["properties"].items()}
        assert {field: value.get("description") for field, value in parts[name]["properties"].items()} == texts
