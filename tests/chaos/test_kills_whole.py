"""Services that a person started: every kill is followed by a start from nothing, imports and all."""

import pytest

from tests.chaos.kills import kill_services
from tests.chaos.service import Whole

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("kills", "seed"), [(5, 14)])
def test_a_service_started_from_nothing_loses_and_repeats_nothing(shell, kills, seed):
    """Killed while it imports, opens its store or works: stream and bot have each signal once, in order."""
    service = Whole(shell)
    try:
        outcome = kill_services(shell.home, service, kills, seed, starting_s=4.0)
    finally:
        service.close()
    assert outcome.clean(), outcome
