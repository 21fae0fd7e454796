"""A home for each test, and a nursery that has services for it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.service import Nursery, quiet_shell
from tests.jobs.conftest import Shell


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """A home without sources."""
    return quiet_shell(tmp_path)


@pytest.fixture
def nursery(shell: Shell) -> Iterator[Nursery]:
    """Services of that home."""
    made = Nursery(shell)
    try:
        yield made
    finally:
        made.close()
