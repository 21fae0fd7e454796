"""The index: the decayed mean of what stands, in closed form and incremental, told when it moves."""

import datetime as dt
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signals.index import Running, Voice, Voices, decayed_mean, voice_of
from signals.message import Index, Signal

from .conftest import HOUR, MINUTE, NOW, make_retraction, make_signal, steady

HALF_LIFE_S = 900.0


def up(number: int, *, ago: dt.timedelta = 0 * MINUTE, p_up: float = 0.8, **changes: object) -> Signal:
    """A live signal of a story of its own that leans up, known so long before NOW."""
    values = {
        "signal_id": f"s{number}", "story_id": f"t{number}", "source": f"w{number}", "p_up": p_up, "p_flat": 0.0,
        "p_down": 1 - p_up, "relevance": 1.0, "known_at": NOW - ago, "valid_until": NOW - ago + HOUR,
    }  # fmt: skip
    return make_signal(**(values | changes))


def index_of(*told: Signal, at: dt.datetime = NOW) -> Index | None:
    """The index after these."""
    voices = Voices(HALF_LIFE_S)
    for one in told:
        voices.hear(one)
    return voices.change(at)


def test_one_signal_is_the_index() -> None:
    """Alone it leans where the signal leans, whatever its weight and age."""
    assert index_of(up(1, ago=30 * MINUTE, relevance=0.6)) == Index(
        value=0.6, half_life_s=HALF_LIFE_S, n_signals=1, n_sources=1
    )


def test_a_signal_loses_half_its_weight_in_a_half_life() -> None:
    """By hand: +0.6 with weight 1/2 and -0.2 with weight 1 make +0.0667."""
    made = index_of(up(1, ago=15 * MINUTE), up(2, p_up=0.4))
    assert made is not None
    assert made.value == round((0.5 * 0.6 - 0.2) / 1.5, 6)
    assert (made.n_signals, made.n_sources) == (2, 2)


@pytest.mark.parametrize("weaker", [{"relevance": 0.5}, {"novelty": 0.5}])
def test_relevance_and_novelty_weigh(weaker: dict[str, float]) -> None:
    """Half of either is half the say."""
    made = index_of(up(1, **weaker), up(2, p_up=0.4))
    assert made is not None
    assert made.value == round((0.5 * 0.6 - 0.2) / 1.5, 6)


def test_only_what_stands_has_a_say() -> None:
    """Not what expired, was retracted or superseded, or abstained."""
    voices = Voices(HALF_LIFE_S)
    for one in (up(1), up(2, ago=HOUR), up(3, abstained=True), up(4), up(5, p_up=0.1)):
        voices.hear(one)
    voices.hear(up(6, story_id="t5"))  # supersedes the only one that leans down
    voices.hear(make_retraction(signal_id="s4", story_id="t4"))
    made = voices.change(NOW)
    assert made == Index(value=0.6, half_life_s=HALF_LIFE_S, n_signals=2, n_sources=2)


def test_it_is_told_when_it_moves_and_only_then() -> None:
    """By a signal, by an expiry, and at last that nothing is live; before the first signal there is nothing to tell."""
    voices = Voices(HALF_LIFE_S)
    assert voices.change(NOW) is None
    voices.hear(up(1))
    voices.hear(up(2, p_up=0.4, ago=5 * MINUTE))
    assert voices.change(NOW) is not None
    assert voices.next_expiry_at == NOW + 55 * MINUTE
    assert voices.change(NOW + 10 * MINUTE) is None  # all weights decay alike
    alone = voices.change(NOW + 55 * MINUTE)
    assert alone is not None
    assert (alone.value, alone.n_signals) == (0.6, 1)
    assert voices.change(NOW + HOUR) == Index(value=0.0, half_life_s=HALF_LIFE_S, n_signals=0, n_sources=0)
    assert voices.change(NOW + 2 * HOUR) is None


def voices_of(numbers: list[tuple[int, float, float]]) -> list[Voice]:
    """Voices known so many seconds apart, with these weights and leans."""
    made, at = [], NOW
    for number, (gap_s, weight, lean) in enumerate(numbers):
        at += dt.timedelta(seconds=gap_s)
        made.append(voice_of(up(number))._replace(known_at=at, valid_until=at + HOUR, weight=weight, lean=lean))
    return made


some_voices = st.lists(
    st.tuples(st.integers(0, 400_000), st.floats(0.01, 1), st.floats(-1, 1)), min_size=1, max_size=40
).map(voices_of)


@steady
@given(some_voices)
def test_the_running_value_is_the_closed_form(voices: list[Voice]) -> None:
    """After every coming and going, over days and months."""
    running, live = Running(HALF_LIFE_S), []
    for voice in voices:
        for gone in [one for one in live if one.valid_until <= voice.known_at]:
            running.remove(gone)
            live.remove(gone)
        running.add(voice)
        live.append(voice)
        assert math.isclose(running.value, decayed_mean(live, voice.known_at, HALF_LIFE_S), abs_tol=1e-9)


@steady
@given(some_voices, st.randoms())
def test_neither_order_nor_time_changes_the_value(voices: list[Voice], chance) -> None:
    """To the last bit for the order; it stays in [-1, 1] and between the leans."""
    shuffled = list(voices)
    chance.shuffle(shuffled)
    at = voices[-1].known_at
    value = decayed_mean(voices, at, HALF_LIFE_S)
    assert decayed_mean(shuffled, at + 40 * MINUTE, HALF_LIFE_S) == value
    leans = [voice.lean for voice in voices]
    assert min(leans) - 1e-12 <= value <= max(leans) + 1e-12
