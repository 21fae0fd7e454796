"""25,000 feeds broken around their items and 25,000 of which bytes are changed: ten runs of 5,000, seeded."""

import pytest

from .hostile.cases import bytes_problem, channel_problem, problems

EACH = 5_000


@pytest.mark.slow
@pytest.mark.parametrize("run", range(5))
def test_a_broken_channel_costs_no_item(run: int) -> None:
    """5,000 inputs a run: no crash, none slower than its bound, and every item is read."""
    assert problems(channel_problem, range(run * EACH, (run + 1) * EACH)) == {}


@pytest.mark.slow
@pytest.mark.parametrize("run", range(5))
def test_broken_bytes_end_well(run: int) -> None:
    """5,000 inputs a run: each is read or said to be no feed, in time, with plain titles known at receipt."""
    assert problems(bytes_problem, range(run * EACH, (run + 1) * EACH)) == {}
