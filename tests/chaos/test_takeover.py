"""Two services on one PostgreSQL and one Redis: whatever becomes of who leads, the other takes over."""

from collections import Counter
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests import postgres
from tests.chaos.service import Nursery
from tests.chaos.takeover import KINDS, take_turns, two

pytestmark = pytest.mark.slow
BOUND_S = 10.0


@pytest.fixture
def nurseries(nursery: Nursery) -> Iterator[tuple[Nursery, Nursery]]:
    """Two, since each has one service at a time."""
    with postgres.server(), closing(Nursery()) as second:
        yield nursery, second


def test_whoever_leads_may_be_killed_stopped_or_cut_off(tmp_path, nurseries):
    """The other publishes within ten seconds, nothing is lost or told twice, and the old leader comes to stand by."""
    with two(tmp_path, nurseries) as (pair, url):
        outcome = take_turns(pair, KINDS, 1, url)
    assert outcome.clean(), outcome
    assert max(one.took_s for one in outcome.rounds) <= BOUND_S, outcome.rounds
    assert Counter(one.kind for one in outcome.rounds) == Counter(KINDS)
