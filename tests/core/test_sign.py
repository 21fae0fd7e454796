"""The sign convention: up is a dearer dollar, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signals.decide import decide
from signals.message import Signal
from signals.model import FLAT_BAND, Direction, Policy, pair_direction

from .conftest import NOW, flipped, make_headline, make_place, make_price, make_score, steady

EVENTS: list[tuple[str, float, float, Direction]] = [
    # kind of event, effect on the dollar, effect on the yen, what USD/JPY does
    ("Bank of Japan hikes", 0.0, 0.8, "down"),
    ("Bank of Japan sounds hawkish", 0.0, 0.4, "down"),
    ("Bank of Japan expands bond buying", 0.0, -0.6, "up"),
    ("Japanese inflation above forecast", 0.0, 0.4, "down"),
    ("Japanese yields rise", 0.0, 0.4, "down"),
    ("Finance ministry buys yen", 0.0, 1.0, "down"),
    ("Finance ministry warns against weak yen", 0.0, 0.4, "down"),
    ("Japanese stimulus financed by debt", 0.0, -0.4, "up"),
    ("Federal Reserve hikes", 0.8, 0.0, "up"),
    ("Federal Reserve sounds hawkish", 0.4, 0.0, "up"),
    ("US inflation above forecast", 0.6, 0.0, "up"),
    ("US payrolls above forecast", 0.6, 0.0, "up"),
    ("US jobless claims above forecast", -0.4, 0.0, "down"),
    ("US yields rise", 0.6, 0.0, "up"),
    ("Flight to safety lifts yen above dollar", 0.2, 0.6, "down"),
    ("Carry trades return", 0.0, -0.4, "up"),
    ("Fed hikes as Bank of Japan eases", 0.6, -0.6, "up"),
    ("Both central banks hike alike", 0.6, 0.6, "flat"),
    ("European Central Bank hikes", 0.0, 0.0, "flat"),
]
effects = st.floats(-1, 1)


@pytest.mark.parametrize(("event", "usd_effect", "jpy_effect", "direction"), EVENTS, ids=[row[0] for row in EVENTS])
def test_each_kind_of_event_points_its_way(
    event: str, usd_effect: float, jpy_effect: float, direction: Direction
) -> None:
    """A stronger dollar is up, a stronger yen is down, and each event mirrored flips the sign."""
    assert pair_direction(usd_effect, jpy_effect) == direction
    assert pair_direction(-usd_effect, -jpy_effect) == flipped(direction)
    assert pair_direction(jpy_effect, usd_effect) == flipped(direction)


@pytest.mark.parametrize(("event", "usd_effect", "jpy_effect", "direction"), EVENTS, ids=[row[0] for row in EVENTS])
def test_a_signal_keeps_the_sign_and_the_legs(
    event: str, usd_effect: float, jpy_effect: float, direction: Direction
) -> None:
    """What the score says of pair and legs stands in the signal unchanged."""
    made = decide(make_headline(event), make_score(usd_effect, jpy_effect), make_place(), make_price(), Policy(), NOW)
    assert isinstance(made, Signal)
    assert (made.direction, made.usd_effect, made.jpy_effect) == (direction, usd_effect, jpy_effect)
    assert (made.p_up > made.p_down, made.p_up < made.p_down) == (direction == "up", direction == "down")


@steady
@given(effects, effects)
def test_direction_is_antisymmetric(usd_effect: float, jpy_effect: float) -> None:
    """Mirroring both legs, or trading them, gives the other way: no leg weighs more than the other."""
    direction = pair_direction(usd_effect, jpy_effect)
    assert pair_direction(-usd_effect, -jpy_effect) == flipped(direction)
    assert pair_direction(jpy_effect, usd_effect) == flipped(direction)


def test_legs_that_nearly_cancel_are_flat() -> None:
    """A difference up to the flat band is flat, a step of the labels beyond it is not."""
    assert pair_direction(FLAT_BAND, 0.0) == pair_direction(0.0, FLAT_BAND) == "flat"
    assert pair_direction(0.2, 0.0) == "up"
    assert pair_direction(0.6, 0.8) == "down"
