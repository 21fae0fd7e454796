"""The service kills itself exactly between two statements, commits or messages to Redis."""

import pytest

from tests.chaos.kills import kill_at_boundaries

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("kills", "seed"), [(25, 9), (25, 10)])
def test_a_kill_at_any_boundary_of_the_work_loses_and_repeats_nothing(shell, service, kills, seed):
    """Before and after any commit, statement or message: stream and bot have each signal once, in order, no gap."""
    outcome = kill_at_boundaries(shell.home, service, kills, seed)
    assert outcome.clean(), outcome
