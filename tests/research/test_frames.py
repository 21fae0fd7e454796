"""The frames of research: types, order, what ceased to hold."""

import datetime as dt

import pandas as pd
import pytest

from signals.errors import DataError
from signals.message import Retraction
from signals.model import Bar
from signals.research.frames import COLUMNS, DTYPES, UTC, bar_frame, signal_frame
from tests.core.conftest import make_signal

AT = dt.datetime(2026, 2, 13, 0, 26, tzinfo=dt.UTC)


def bar(minute: int, *, source: str = "yahoo", known: int = 0, close: float = 150.0) -> Bar:
    opened = AT + dt.timedelta(minutes=minute)
    closed = opened + dt.timedelta(minutes=1)
    return Bar(
        open_at=opened, close_at=closed, open=150, high=151, low=149, close=close, source=source,
        known_at=closed + dt.timedelta(minutes=known),
    )  # fmt: skip


def test_types_hold_without_a_row():
    """An empty history has the columns and types of a full one."""
    full, empty = signal_frame([make_signal()]), signal_frame([])
    assert full.dtypes.to_dict() == empty.dtypes.to_dict()
    assert {name: str(empty[name].dtype) for name in COLUMNS} == DTYPES


def test_rows_stand_in_the_order_in_which_they_became_known():
    """Oldest first, whatever the order given."""
    rows = [make_signal(signal_id=str(n), known_at=AT + dt.timedelta(minutes=n)) for n in (3, 1, 2)]
    assert signal_frame(rows)["signal_id"].tolist() == ["1", "2", "3"]


def test_sign_is_of_the_price_and_none_where_abstained():
    """+1 up, -1 down, 0 flat; an abstained call has no sign whatever its direction says."""
    rows = [
        make_signal(signal_id="1", direction="up"), make_signal(signal_id="2", direction="down"),
        make_signal(signal_id="3", direction="flat"), make_signal(signal_id="4", direction="up", abstained=True),
    ]  # fmt: skip
    assert signal_frame(rows)["sign"].tolist() == [1, -1, 0, 0]


def test_a_signal_ceases_when_retracted_or_superseded():
    """At the earlier of the two, by when each became known; the others stand to their end."""
    later = AT + dt.timedelta(minutes=5)
    rows = [
        make_signal(signal_id="a", known_at=AT),
        make_signal(signal_id="b", known_at=later, action="updated", supersedes="a"),
    ]
    gone = Retraction(
        signal_id="a", story_id="s", headline_id="h", known_at=AT + dt.timedelta(minutes=2), retracted_at=later,
        valid_until=later, reason="withdrawn",
    )  # fmt: skip
    assert signal_frame(rows)["voided_at"].tolist() == [pd.Timestamp(later), pd.NaT]
    assert signal_frame(rows, [gone])["voided_at"][0] == pd.Timestamp(gone.known_at)


def test_of_several_versions_of_a_bar_the_last_learned_counts():
    """One row a bar, in order, with its source and length named."""
    frame = bar_frame([bar(1), bar(0, known=9, close=150.5), bar(0)])
    assert frame["close"].tolist() == [150.5, 150.0]
    assert frame.index.is_monotonic_increasing
    assert (frame.attrs["source"], frame.attrs["length_s"]) == ("yahoo", 60)
    assert str(frame["close_at"].dtype) == UTC


def test_bars_of_two_sources_are_no_series():
    """Returns across sources would be made of their differences."""
    with pytest.raises(DataError, match="several series"):
        bar_frame([bar(0), bar(1, source="ecb")])
