"""What all tests share. First of all: no test reaches outside this machine."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.guard import network

if TYPE_CHECKING:
    from tests import postgres

ROOT = Path(__file__).parent.parent

network.forbid()

# Programs the tests start keep the rule too: Python ones by the same hook, others by a proxy that refuses.
os.environ["PYTHONPATH"] = os.pathsep.join(
    filter(None, [str(Path(__file__).parent / "guard" / "site"), os.environ.get("PYTHONPATH")])
)
for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
    os.environ.pop(name, None)
for name in ("COLUMNS", "LINES"):  # readline sets them where there is a terminal: tables would be cut to its width
    os.environ.pop(name, None)
for name in [name for name in os.environ if name.startswith("SIGNALS_")]:
    del os.environ[name]


@pytest.fixture(scope="session")
def databases() -> "Iterator[postgres.Databases]":
    """PostgreSQL, one server for the process: started when a test first asks for it."""
    from tests import postgres  # not before the variables are gone

    with postgres.server() as made:
        yield postgres.Databases(made)
