"""A home for each test, and a nursery that has services for it."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.chaos.service import Born, Nursery, quiet_shell
from tests.jobs.conftest import Shell


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """A home without sources."""
    return quiet_shell(tmp_path)


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    """Where services are forked off."""
    with closing(Nursery()) as made:
        yield made


@pytest.fixture
def service(nursery: Nursery, shell: Shell) -> Iterator[Born]:
    """Services of that home."""
    with closing(Born(nursery, shell)) as made:
        yield made
