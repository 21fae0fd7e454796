"""The embedded server is killed, alone or with the service; whoever needs it next starts it again."""

import pytest

from tests.chaos.kills import kill_both, kill_servers

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("kills", "seed"), [(50, 5)])
def test_a_killed_server_loses_and_repeats_nothing(shell, nursery, kills, seed):
    """So many kills of Redis at random under load: stream and bot have each signal once, in order, without a gap."""
    outcome = kill_servers(shell.home, nursery, kills, seed)
    assert outcome.clean(), outcome


@pytest.mark.parametrize(("rounds", "seed"), [(20, 6)])
def test_both_may_die_in_any_order(shell, nursery, rounds, seed):
    """Now the one, now the other, now both within a tenth of a second: nothing is lost, nothing comes twice."""
    outcome = kill_both(shell.home, nursery, rounds, seed)
    assert outcome.clean(), outcome
