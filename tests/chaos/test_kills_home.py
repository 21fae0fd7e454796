"""The service is killed, and with it the server that it started."""

import pytest

from tests.chaos.kills import kill_services

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("kills", "seed"), [(25, 5), (25, 6)])
def test_a_killed_service_takes_its_server_along_and_loses_nothing(shell, service, kills, seed):
    """So many kills at random under load: the stream and the bot have each signal once, in order, without a gap."""
    outcome = kill_services(shell.home, service, kills, seed)
    assert outcome.clean(), outcome
