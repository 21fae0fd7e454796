"""50,000 feeds of which one item is broken: ten runs of 5,000, each with its own seeds, the same everywhere."""

import pytest

from .hostile.cases import item_problem, problems

EACH = 5_000


@pytest.mark.slow
@pytest.mark.parametrize("run", range(10))
def test_one_broken_item_costs_no_other(run: int) -> None:
    """5,000 inputs a run: no crash, none slower than its bound, and every sound item is read."""
    assert problems(item_problem, range(run * EACH, (run + 1) * EACH)) == {}
