"""The service is killed and its minder is not: it starts the next one by itself."""

from pathlib import Path

import pytest

from tests.chaos.kills import kill_children

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="children are found by /proc"),
]


@pytest.mark.parametrize(("kills", "seed"), [(25, 16)])
def test_a_killed_child_is_started_anew_by_its_minder_and_loses_nothing(shell, service, kills, seed):
    """So many kills at random under load: the stream and the bot have each signal once, in order, without a gap."""
    outcome = kill_children(shell.home, service, kills, seed)
    assert outcome.clean(), outcome
