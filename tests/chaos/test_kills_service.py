"""The service is killed; the server of its home, held by another process, lives on."""

import pytest

from tests.chaos.kills import kill_services, lasting_server

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("kills", "seed"), [(25, 1), (25, 2)])
def test_a_killed_service_loses_and_repeats_nothing(shell, service, kills, seed):
    """So many kills at random under load: the stream and the bot have each signal once, in order, without a gap."""
    with lasting_server(shell.home):
        outcome = kill_services(shell.home, service, kills, seed)
    assert outcome.clean(), outcome
