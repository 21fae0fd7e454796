"""Node for the tests that need it: there, or a reason why not."""

import os
import shutil
from pathlib import Path

import pytest

NODE = Path(__file__).parent / "node"
MEND = "install Node 18 or later with npm (Debian: apt-get install nodejs npm), then: make test"


def needed(packages: Path = NODE / "node_modules") -> str:
    """Path of the `node` program; without it, or without its packages, a test is skipped, and fails in CI."""
    program = shutil.which("node")
    if program is None:
        _missing("node is not on the path")
    if not (packages / ".package-lock.json").exists():
        _missing("the packages of tests/examples/node are not installed")
    return str(program)


def _missing(what: str) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what} - {MEND}")
    pytest.skip(f"{what} - {MEND}")
