"""The types: what is not a UTC time, a probability or a price is no record at all."""

import datetime as dt
import inspect
import math
from collections.abc import Callable, Iterator

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signals import message, model
from signals.errors import ModelError, SignalsError, SourceError, StoreError
from signals.message import Signal
from signals.model import Headline, Policy, Record, Score

from .conftest import HOUR, NOW, SECOND, make_bar, make_headline, make_score, make_signal, one_of_each, steady

TOKYO = dt.timezone(dt.timedelta(hours=9))


def _times(record: Record) -> Iterator[str]:
    return (name for name in record.__struct_fields__ if name.endswith(("_at", "_until")))


TIMES = [pytest.param(r, name, id=f"{type(r).__name__}.{name}") for r in one_of_each() for name in _times(r)]


def test_every_type_with_times_is_tried_here() -> None:
    """A type that gains a time is checked below like the others."""
    members = (*inspect.getmembers(model, inspect.isclass), *inspect.getmembers(message, inspect.isclass))
    types = {kind for _, kind in members if issubclass(kind, Record)}
    with_times = {kind for kind in types if any(name.endswith(("_at", "_until")) for name in kind.__struct_fields__)}
    assert {type(record) for record in one_of_each()} == with_times


@pytest.mark.parametrize(("record", "name"), TIMES)
def test_times_without_a_zone_are_refused(record: Record, name: str) -> None:
    """No record takes a naive time: nobody could say which instant it is."""
    naive = getattr(record, name).replace(tzinfo=None)
    with pytest.raises(ValueError, match=rf"{type(record).__name__}\.{name} must be an aware UTC time"):
        msgspec.structs.replace(record, **{name: naive})


@pytest.mark.parametrize(("record", "name"), TIMES)
def test_times_of_other_zones_are_refused(record: Record, name: str) -> None:
    """The same instant in Tokyo's time is refused too: records are compared and printed in UTC alone."""
    with pytest.raises(ValueError, match="must be an aware UTC time"):
        msgspec.structs.replace(record, **{name: getattr(record, name).astimezone(TOKYO)})


@pytest.mark.parametrize("record", one_of_each(), ids=lambda record: type(record).__name__)
def test_records_are_frozen_and_keyword_only(record: Record) -> None:
    """Nobody changes a record, or mixes up its fields by their order."""
    name = record.__struct_fields__[0]
    with pytest.raises(AttributeError):
        setattr(record, name, getattr(record, name))
    with pytest.raises(TypeError):
        type(record)(getattr(record, name))


@pytest.mark.parametrize("record", one_of_each(), ids=lambda record: type(record).__name__)
def test_records_come_back_from_json(record: Record) -> None:
    """Written as JSON and read again, a record is the same, its times aware UTC."""
    again = msgspec.json.decode(msgspec.json.encode(record), type=type(record))
    assert again == record
    assert all(getattr(again, name).utcoffset() == dt.timedelta(0) for name in _times(again))


def test_naive_times_are_refused_from_json_too() -> None:
    """Reading checks what making checks."""
    raw = msgspec.json.encode(make_headline()).replace(b"12:00:00Z", b"12:00:00")
    with pytest.raises(msgspec.ValidationError, match="known_at must be an aware UTC time"):
        msgspec.json.decode(raw, type=Headline)


SHARES = ("p_up", "p_flat", "p_down", "relevance")
BAD_SHARES = (-0.01, 1.01, math.nan, math.inf)
BAD_EFFECTS = (-1.01, 1.01, math.nan, -math.inf)
RANGES = [
    *((make_score, name, value) for name in SHARES for value in BAD_SHARES),
    *((make_signal, name, value) for name in (*SHARES, "strength", "novelty") for value in BAD_SHARES),
    *(
        (make, name, v)
        for make in (make_score, make_signal)
        for name in ("usd_effect", "jpy_effect")
        for v in BAD_EFFECTS
    ),
]


@pytest.mark.parametrize(("make", "name", "value"), RANGES)
def test_values_out_of_range_are_refused(make: Callable[..., Score | Signal], name: str, value: float) -> None:
    """Probabilities lie in [0, 1] and effects in [-1, 1]; nothing is infinite or no number."""
    with pytest.raises(ValueError, match=rf"{name} must lie in \["):
        msgspec.structs.replace(make(), **{name: value})


@pytest.mark.parametrize("shares", [(0.5, 0.5, 0.1), (0.3, 0.3, 0.3)])
def test_probabilities_add_up_to_one(shares: tuple[float, float, float]) -> None:
    """A score whose three probabilities are not a whole is refused."""
    with pytest.raises(ValueError, match="must be 1"):
        make_score(p_up=shares[0], p_flat=shares[1], p_down=shares[2])


@pytest.mark.parametrize(
    "changes",
    [
        {"open_at": NOW + SECOND},
        {"known_at": NOW - SECOND},
    ],
    ids=["closes before it opens", "known before it closed"],
)
def test_bars_out_of_order_are_refused(changes: dict[str, dt.datetime]) -> None:
    """A bar opens, closes and is learned in this order: anything else would look ahead."""
    with pytest.raises(ValueError, match="open_at <= close_at <= known_at"):
        make_bar(**changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "changes",
    [
        {"low": 150.1},
        {"high": 149.9},
        {"open": 151.0},
        {"open": math.nan},
        {"high": math.inf},
        {"low": 0.0},
        {"low": -1.0},
    ],
    ids=str,
)
def test_bars_with_impossible_prices_are_refused(changes: dict[str, float]) -> None:
    """Prices are positive numbers, low the least and high the greatest."""
    with pytest.raises(ValueError, match="prices are not"):
        make_bar(**changes)  # type: ignore[arg-type]


@steady
@given(st.lists(st.floats(0.01, 1e4), min_size=4, max_size=4))
def test_bars_with_possible_prices_are_made(prices: list[float]) -> None:
    """Any open and close between low and high will do."""
    low, opened, closed, high = sorted(prices)
    assert make_bar(close=closed, open=opened, high=high, low=low).close == closed


def test_a_fixing_is_a_bar_without_length() -> None:
    """Open, close and known at one moment: the least a bar can be."""
    assert make_bar(length_s=0, source="ecb").open_at == NOW


@pytest.mark.parametrize(
    "values",
    [
        {"relevance_min": 1.5}, {"relevance_min": -0.1}, {"novelty_min": 2}, {"horizon_s": 0}, {"ttl_s": -1},
        {"max_news_age_s": 0}, {"story_window_s": 0}, {"stale_after_s": 0}, {"ttl_s": "soon"}, {"tll_s": 3600},
    ],
    ids=str,
)  # fmt: skip
def test_a_policy_out_of_range_or_misspelt_is_refused(values: dict[str, object]) -> None:
    """Read from a file, a policy takes no share beyond one, no span of nothing and no key it does not know."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(values, Policy)


def test_duration_of_a_run() -> None:
    """A run's duration is known once it has ended."""
    run = model.JobRun(run_id="r", job="ingest", trigger="manual", scheduled_at=None, started_at=NOW)
    assert run.duration_s is None
    assert msgspec.structs.replace(run, ended_at=NOW + HOUR).duration_s == 3600


def test_runs_do_not_share_their_counts() -> None:
    """Counting in one run leaves the next at nothing."""
    first, second = (
        model.JobRun(run_id="r", job="ingest", trigger="manual", scheduled_at=None, started_at=NOW) for _ in range(2)
    )
    first.counts["new"] = 1
    assert second.counts == {}


def test_errors_name_place_problem_and_mend() -> None:
    """An error is one line of what is at fault, what is wrong and what to do; fields hold the same."""
    error = SourceError("feed boj", "timeout", "no answer within 10 s", "is the address right?")
    assert str(error) == "feed boj: no answer within 10 s - is the address right?"
    assert (error.where, error.reason, error.problem) == ("feed boj", "timeout", "no answer within 10 s")
    assert str(StoreError("db", "locked")) == "db: locked"
    assert (SourceError.transient, StoreError.transient, ModelError.transient) == (True, True, False)
    assert issubclass(SourceError, SignalsError)
