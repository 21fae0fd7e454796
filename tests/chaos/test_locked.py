"""The store is held by another process for longer than a writer waits."""

import sqlite3
import time
from contextlib import closing

import pytest

from tests.chaos.outages import under_load
from tests.chaos.server import running
from tests.chaos.service import Born, quiet_shell
from tests.chaos.test_full import history, said

pytestmark = pytest.mark.slow


def test_a_store_held_by_another_process_is_told_of_and_all_goes_on(tmp_path, nursery):
    """Held ten times as long as anyone waits: runs fail in words; then all comes, once, in order."""
    with running(tmp_path / "server") as server:
        url = f"sqlite:///{tmp_path / 'home' / 'signals.db'}?timeout=0.2"
        shell = quiet_shell(tmp_path, SIGNALS_REDIS_URL=server.url, SIGNALS_DATABASE_URL=url)

        def hold():
            with closing(sqlite3.connect(tmp_path / "home" / "signals.db", isolation_level=None)) as other:
                other.execute("PRAGMA busy_timeout=10000")
                other.execute("BEGIN EXCLUSIVE")
                time.sleep(2)
                other.execute("ROLLBACK")

        with closing(Born(nursery, shell)) as service:
            outcome = under_load(shell.home, service, server, hold)
        errors = history(shell)
    assert sum(outcome.bot[1:]) == 0, outcome
    assert sum(outcome.stream[1:]) == 0, outcome
    assert said(errors, "publish", "locked", "another process holds it: end that one, or wait"), errors
