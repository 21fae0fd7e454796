"""Bars of someone's file: columns, the judgement of each row and of the whole."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from signals.errors import ConfigError
from signals.prices import history
from signals.prices.history import NAMES, judge, mapping, parsed

HOUR = dt.timedelta(hours=1)
MONDAY = dt.datetime(2024, 1, 29, tzinfo=dt.UTC)
NOW = dt.datetime(2024, 5, 31, 12, tzinfo=dt.UTC)
COLUMNS = mapping(["time", "open", "high", "low", "close"], {}, "f")


def rows(count: int, step: dt.timedelta = HOUR, price: float = 148.0) -> list[list[object]]:
    """Sound rows from a Monday on."""
    return [[(MONDAY + n * step).isoformat(), price, price + 0.2, price - 0.2, price + 0.1] for n in range(count)]


def rates(price: float = 148.0) -> pd.Series:
    """A reference rate a day."""
    index = pd.date_range(MONDAY - dt.timedelta(days=10), periods=60, freq="D")
    return pd.Series(price, index=index)


def judged(cells, *, length=None, reference=148.0, at_close=False, now=NOW):
    """The judgement of rows."""
    one = parsed(COLUMNS, list(zip(*cells, strict=True)), None)
    return judge(one, at_close=at_close, length=length, now=now, rates=rates(reference), where="f")


def test_columns_are_guessed_by_common_names():
    """A date and a time in two columns are one time; what is stated goes before every guess."""
    assert mapping(["<DATE>", "<TIME>", "<OPEN>", "<HIGH>", "<LOW>", "<CLOSE>"], {}, "f").names == {
        "open_at": ("<DATE>", "<TIME>"), "open": ("<OPEN>",), "high": ("<HIGH>",), "low": ("<LOW>",),
        "close": ("<CLOSE>",),
    }  # fmt: skip
    found = mapping(["a", "b", "time", "o", "h", "l", "c"], {"open_at": "a+b"}, "f").names
    assert found["open_at"] == ("a", "b")
    closed = mapping(["time", "o", "h", "l", "c", "close time"], {"close_at": "close time"}, "f").names
    assert "open_at" not in closed and closed["close_at"] == ("close time",)


@pytest.mark.parametrize(
    ("columns", "stated", "said"),
    [
        (["time", "open", "high", "low"], {}, "has no column for close - its columns are time, open, high, low"),
        (["open", "high", "low", "close"], {}, "has no column for open_at"),
        (["time", "open"], {"price": "open"}, "no such field of bars - one of open_at, close_at, open"),
        (["time", "open"], {"open": "x"}, "has no column 'x' for open"),
        (["d", "open"], {"open_at": "d+t"}, "has no column 't' for open_at"),
    ],
)
def test_a_column_that_is_not_there_is_named(columns, stated, said):
    """One line that says what is missing, and what there is."""
    with pytest.raises(ConfigError) as error:
        mapping(columns, stated, "f")
    assert said in str(error.value)


def test_each_bad_row_costs_itself_and_says_why():
    """Twelve sound rows, and one of each fault; numbers of rows are those of the file."""
    cells = rows(12)
    price = [148.0, 148.2, 147.8, 148.1]
    after = (MONDAY + 12 * HOUR).isoformat()
    bad = {
        "no time": ["", *price],
        "time without a zone": ["2024-01-30 05:00", *price],
        "price is no number": [after, 148.0, "-", 147.8, 148.1],
        "its time is there twice": cells[3],
        "outside the FX week": ["2024-02-03T12:00Z", *price],
        "not on the grid of bars (a live quote)": ["2024-01-30T05:17Z", *price],
        "100 times off": [after.replace("12:00", "13:00"), 1.48, 1.482, 1.478, 1.481],
        "impossible prices": [after.replace("12:00", "14:00"), 148.0, 147.9, 147.8, 148.1],
        "more than 5% from its neighbours": [after.replace("12:00", "15:00"), 148.0, 158.0, 147.8, 148.1],
        "not closed yet": [(NOW - HOUR).isoformat(), *price],
    }
    found = judged([*cells, *bad.values()], now=NOW - HOUR / 4)
    assert found.faults[12:].tolist() == list(bad)
    assert (found.faults[:12] == "").all() and len(found.rows) == 12
    assert found.length == HOUR


def test_a_bar_is_as_long_as_the_commonest_distance():
    """Weekends and holes do not make it longer; `--length` says otherwise; of one row it cannot be told."""
    cells = rows(40, dt.timedelta(minutes=5))
    assert judged(cells[:10] + cells[20:]).length == dt.timedelta(minutes=5)
    assert judged(cells, length=dt.timedelta(minutes=1)).length == dt.timedelta(minutes=1)
    with pytest.raises(ConfigError, match="too few usable rows to tell how long a bar is - say --length 1h"):
        judged(rows(1))


def test_bars_may_be_named_by_their_close_and_stand_in_any_order():
    """The open is one length before; rows are put in order."""
    found = judged(rows(5)[::-1], at_close=True)
    assert found.rows.index[0] == pd.Timestamp(MONDAY - HOUR)
    made = list(history.bars(found, "mine", NOW))
    assert [bar.close_at for bar in made] == [MONDAY + n * HOUR for n in range(5)]
    assert {(bar.source, bar.known_at) for bar in made} == {("mine", NOW)}


def test_a_file_of_another_pair_is_refused_whole():
    """EUR/JPY has prices that USD/JPY could have: the reference rates of those days tell. A few rows are not judged."""
    with pytest.raises(ConfigError, match=r"usually lie \+7\.5% from USD/JPY's reference rates of those days"):
        judged(rows(40, price=159.0))
    assert len(judged(rows(10, price=159.0)).rows) == 10


def test_a_scale_that_changes_within_the_file_costs_what_follows():
    """By 20% in an hour, and no way back: the rows after it are not of the same price."""
    cells = rows(40) + [[one[0].replace("-01-29", "-01-31").replace("-01-30", "-02-01"), *np.multiply(one[1:], 1.2)]
                        for one in rows(30)]  # fmt: skip
    found = judged(cells)
    assert set(found.faults[:40]) == {""}
    assert set(found.faults[40:]) == {"at another scale than the bars before"}


def test_reasons_and_mends_are_those_that_occur():
    """A mend for a reason that nothing gives would be dead words."""
    from signals.prices import checks, stamps
    from signals.sources.history import REASONS

    given = {check.reason for check in checks._CHECKS} | {stamps.NO_ZONE, stamps.UNREADABLE} | set(REASONS)
    assert set(history.MENDS) <= given
    assert set(NAMES) == {"open_at", "close_at", "open", "high", "low", "close"}
