"""Decisions over columns are the decision on each row."""

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signals.decide import decide
from signals.errors import DataError
from signals.model import Headline, Policy, Score, Skip
from signals.research.bulk import NEEDED, decide_frame
from signals.stories import Placement, Standing
from tests.core.conftest import DAY, HOUR, MINUTE, NOW, make_headline, make_place, make_price, make_score, steady

Case = tuple[Headline, Score, Placement]
shares = st.integers(0, 10_000).map(lambda count: count / 10_000)
TOLD = ("action", "supersedes", "direction", "strength", "abstained", "abstain_reason", "valid_until", "horizon_s",
        "policy_id")  # fmt: skip


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """A headline, its score and its place, with every field that a decision looks at drawn."""
    published = draw(st.sampled_from([None, NOW + MINUTE, NOW, NOW - HOUR, NOW - DAY, NOW - DAY - MINUTE]))
    headline = make_headline(source_published_at=published, backfilled=draw(st.booleans()))
    p_up = draw(shares)
    p_down = round((1 - p_up) * draw(st.sampled_from([0, 0.25, 0.5, 1])), 4)
    score = make_score(
        relevance=draw(shares), p_up=p_up, p_down=p_down, p_flat=max(0.0, round(1 - p_up - p_down, 4)),
        direction=draw(st.sampled_from(["up", "flat", "down"])),
        abstained=draw(st.booleans()), abstain_reason=draw(st.sampled_from([None, "", "language"])),
    )  # fmt: skip
    place = make_place(
        novelty=draw(shares), corrects=draw(st.sampled_from([None, "g"])), retracted=draw(st.booleans()),
        withdraws=draw(st.sampled_from([False, False, True])),
        standing=draw(st.sampled_from([None, Standing("s", "g", NOW + HOUR)])),
    )  # fmt: skip
    return headline, score, place


policies = st.builds(
    Policy, relevance_min=shares, novelty_min=shares, horizon_s=st.integers(1, 90_000), ttl_s=st.integers(1, 90_000),
    max_news_age_s=st.sampled_from([60, 3600, 86_400]),
)  # fmt: skip


def frame_of(rows: list[Case]) -> pd.DataFrame:
    """The rows as columns."""
    columns: dict[str, list[Any]] = {name: [] for name in NEEDED}
    for headline, score, place in rows:
        for name, values in columns.items():
            owner = next(one for one in (place, headline, score) if hasattr(one, name))
            value = getattr(owner, name)
            values.append(value.signal_id if isinstance(value, Standing) else value)
    frame = pd.DataFrame(columns)
    times = dict.fromkeys(("known_at", "source_published_at"), "datetime64[us, UTC]")
    numbers = dict.fromkeys(("relevance", "p_up", "p_down", "novelty"), "float64")
    return frame.astype(times | numbers)


def one_by_one(rows: list[Case], policy: Policy) -> list[dict[str, Any]]:
    """What `decide` says of each row."""
    return [_told(decide(*row, make_price(), policy, NOW + HOUR)) for row in rows]


def _told(made: Any) -> dict[str, Any]:
    if isinstance(made, Skip):
        return {"skip_reason": made.reason} | dict.fromkeys(TOLD) | {"abstained": False}
    return {"skip_reason": None} | {name: getattr(made, name) for name in TOLD}


def at_once(rows: list[Case], policy: Policy) -> list[dict[str, Any]]:
    """The same from columns, with nulls as Python has them."""
    found = decide_frame(frame_of(rows), policy).drop(columns="sign")
    return found.astype("object").where(found.notna(), None).to_dict("records")


@steady
@given(st.lists(cases(), max_size=12), policies)
def test_it_is_the_decision_on_each(rows: list[Case], policy: Policy) -> None:
    """Skips, their reasons and every field of a signal, strength to the last bit."""
    assert at_once(rows, policy) == one_by_one(rows, policy)


def test_strength_rounds_as_it_does_live() -> None:
    """Products of four digits often lie in the middle: 2,000 of them, each as `round` has it."""
    rows = [
        (make_headline(), make_score(relevance=0.5, p_up=n / 10_000, p_down=0.0001, p_flat=0.9999 - n / 10_000),
         make_place()) for n in range(1, 4001, 2)
    ]  # fmt: skip
    assert at_once(rows, Policy()) == one_by_one(rows, Policy())


def test_signs_are_of_told_signals_only() -> None:
    """+1 up, -1 down, 0 flat; 0 for what abstained or was skipped."""
    rows = [
        (make_headline(), make_score(0.8, 0.0), make_place()),
        (make_headline(), make_score(0.0, 0.8), make_place()),
        (make_headline(), make_score(0.0, 0.8, abstained=True), make_place()),
        (make_headline(), make_score(0.8, 0.0, relevance=0.1), make_place()),
    ]
    assert decide_frame(frame_of(rows), Policy())["sign"].tolist() == [1, -1, 0, 0]


def test_the_index_is_kept() -> None:
    """Rows can be put back beside what they came from, even where an index repeats."""
    frame = frame_of([(make_headline(), make_score(), make_place())] * 3).set_axis([7, 7, 1])
    assert decide_frame(frame, Policy()).index.tolist() == [7, 7, 1]


def test_types_hold_without_a_row() -> None:
    """No row, the same types."""
    full = frame_of([(make_headline(), make_score(), make_place())])
    policy = Policy()
    assert decide_frame(full.iloc[:0], policy).dtypes.to_dict() == decide_frame(full, policy).dtypes.to_dict()


def test_times_far_apart_are_no_trouble() -> None:
    """An archive of 1980 is decided to the microsecond."""
    old = dt.datetime(1980, 1, 1, 0, 0, 0, 1, tzinfo=dt.UTC)
    rows = [(make_headline(known_at=old, source_published_at=None), make_score(), make_place())]
    found = decide_frame(frame_of(rows), Policy(ttl_s=1))
    assert found["valid_until"].dt.to_pydatetime().tolist() == [old + dt.timedelta(seconds=1)]
    assert np.isnan(found["strength"]).tolist() == [False]


def test_a_missing_column_is_named() -> None:
    """Who gives less is told what is missing."""
    with pytest.raises(DataError, match="no column novelty"):
        decide_frame(frame_of([]).drop(columns="novelty"), Policy())
