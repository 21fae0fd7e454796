"""The embedded server is killed, alone or with the service; whoever needs it next starts it again."""

import pytest

from tests.chaos.kills import kill_both, kill_servers

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("kills", "seed"), [(25, 11), (25, 12)])
def test_a_killed_server_loses_and_repeats_nothing(shell, service, kills, seed):
    """So many kills of Redis at random under load: stream and bot have each signal once, in order, without a gap."""
    outcome = kill_servers(shell.home, service, kills, seed)
    assert outcome.clean(), outcome


@pytest.mark.parametrize(("rounds", "seed"), [(20, 13)])
def test_both_may_die_in_any_order(shell, service, rounds, seed):
    """Now the one, now the other, now both within a tenth of a second: nothing is lost, nothing comes twice."""
    outcome = kill_both(shell.home, service, rounds, seed)
    assert outcome.clean(), outcome
