"""Each failure is brought about on a real service: it must be seen everywhere within its objective, and closed."""

from collections.abc import Iterator, Mapping
from concurrent.futures import Future

import pytest

from tests.drill.failure import PLACES, Outcome
from tests.drill.lanes import NAMES, side_by_side

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

_NOWHERE = {"the service killed": {"sentence", "log", "metrics"}}
"""Who is dead says nothing: a bot and the doctor tell."""


@pytest.fixture(scope="module")
def outcomes(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[str, "Future[Outcome | None]"]]:
    """The failures that are asked for, under way."""
    items = [item for item in request.session.items if item.path == request.path]
    wanted = {item.callspec.params["name"] for item in items if isinstance(item, pytest.Function)}
    with side_by_side(tmp_path_factory.mktemp("drill"), wanted) as made:
        yield made


@pytest.mark.parametrize("name", NAMES)
def test_a_failure_is_shown_within_its_objective_and_closed(
    outcomes: Mapping[str, "Future[Outcome | None]"], name: str
) -> None:
    """In sentence, log, metrics, alert and doctor by the time that its objective gives them; closed once mended."""
    outcome = outcomes[name].result()
    if outcome is None:
        pytest.skip("this machine lets nobody make a disk of his own (unshare -m)")
    places = set(PLACES) - _NOWHERE.get(name, set())
    assert outcome.took_s.keys() == outcome.limits_s.keys() == places
    late = {place: took_s for place, took_s in outcome.took_s.items() if took_s > outcome.limits_s[place]}
    assert late == {}, outcome
