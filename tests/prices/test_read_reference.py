"""The shipped daily history."""

import datetime as dt
import time
from pathlib import Path

import pytest

from signals.errors import ConfigError
from signals.prices.reading import MAX_NOTES
from signals.prices.reference import read_reference

SHIPPED = Path(__file__).parents[2] / "seeds" / "prices" / "usdjpy_daily.csv"


def written(folder: Path, *rows: str, header: str = "date,usdjpy") -> Path:
    path = folder / "rates.csv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def test_the_shipped_file_is_whole() -> None:
    """Every shipped row is a bar, in order, and none is dropped."""
    bars, notes = read_reference(SHIPPED)
    assert (len(bars), notes) == (7126, ())
    assert [bar.close_at for bar in bars] == sorted({bar.close_at for bar in bars})
    assert {bar.source for bar in bars} == {"ecb"}


def test_a_known_rate_is_known_when_published() -> None:
    """The rate of a day is a bar without length at 16:00 in Frankfurt, the time of publication."""
    last = read_reference(SHIPPED).bars[-1]
    assert last.open_at == last.close_at == last.known_at == dt.datetime(2026, 10, 30, 15, 0, tzinfo=dt.UTC)
    assert last.open == last.high == last.low == last.close == 157.2503


def test_publication_follows_daylight_saving() -> None:
    """16:00 in Frankfurt is 15:00 UTC in winter and 14:00 UTC in summer, to the day of the change."""
    hours = {bar.close_at.date().isoformat(): bar.close_at.hour for bar in read_reference(SHIPPED).bars}
    assert {day: hours[day] for day in ("2026-03-27", "2026-03-30", "2026-07-01", "2026-10-23", "2026-10-26")} == {
        "2026-03-27": 15, "2026-03-30": 14, "2026-07-01": 14, "2026-10-23": 14, "2026-10-26": 15,
    }  # fmt: skip
    assert set(hours.values()) == {14, 15}


def test_reading_is_quick() -> None:
    """27 years are read within 0.3 s of processor time."""
    began = time.process_time()
    read_reference(SHIPPED)
    assert time.process_time() - began < 0.3


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("2026-01-32,157.0", "is not a date and a number"),
        ("2026-01-06", "is not a date and a number"),
        ("2026-01-06,157.0,1", "is not a date and a number"),
        ("2026-01-06,N/A", "is not a date and a number"),
        ("2026-01-06,nan", "is not a positive number"),
        ("2026-01-06,inf", "is not a positive number"),
        ("2026-01-06,0", "is not a positive number"),
        ("2026-01-06,-157.0", "is not a positive number"),
        ("2026-01-06,1.57", "jumps from 157 to 1.57"),
        ("2026-01-06,181", "jumps from 157 to 181"),
        ("2026-01-05,157.0", "is there twice"),
    ],
)
def test_a_bad_row_costs_only_itself(tmp_path: Path, row: str, problem: str) -> None:
    """A row that is no rate is dropped; its note names file, line and reason, and its neighbours stay."""
    bars, notes = read_reference(written(tmp_path, "2026-01-05,157.0", row, "2026-01-07,157.5"))
    assert [bar.close for bar in bars] == [157.0, 157.5]
    assert len(notes) == 1
    assert notes[0].startswith("rates.csv line 3 dropped: ") and problem in notes[0]


def test_a_bad_first_row_does_not_condemn_the_rest(tmp_path: Path) -> None:
    """The first row is judged by those after it."""
    bars, notes = read_reference(written(tmp_path, "2026-01-05,1.57", "2026-01-06,157.0", "2026-01-07,157.5"))
    assert [bar.close for bar in bars] == [157.0, 157.5]
    assert len(notes) == 1 and "line 2" in notes[0]


def test_rows_may_stand_in_any_order(tmp_path: Path) -> None:
    """A file with the newest row first reads the same."""
    bars, notes = read_reference(written(tmp_path, "2026-01-07,157.5", "", "2026-01-05,157.0"))
    assert ([bar.close for bar in bars], notes) == ([157.0, 157.5], ())


def test_notes_are_bounded(tmp_path: Path) -> None:
    """A file gone bad as a whole gives a few notes and a count."""
    bars, notes = read_reference(written(tmp_path, *["x,y"] * 1000))
    assert (bars, len(notes), notes[-1]) == ((), MAX_NOTES + 1, f"and {1000 - MAX_NOTES} more lines like these")


@pytest.mark.parametrize("header", ["date,eurusd", "", "date", "date,usdjpy,volume", "2026-01-05,157.0"])
def test_a_wrong_header_is_refused(tmp_path: Path, header: str) -> None:
    """Columns that are not ours are an error that names file, line and the header wanted."""
    path = written(tmp_path, "2026-01-05,157.0", header=header)
    with pytest.raises(ConfigError) as caught:
        read_reference(path)
    assert caught.value.where == f"{path} line 1" and "date,usdjpy" in caught.value.mend


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """A missing file, an empty one and one that is no text are errors that name it, not tracebacks."""
    binary, empty = tmp_path / "binary.csv", tmp_path / "empty.csv"
    binary.write_bytes(b"date,usdjpy\n\xff\xfe\x00")
    empty.touch()
    for path in (tmp_path / "missing.csv", tmp_path, binary, empty):
        with pytest.raises(ConfigError) as caught:
            read_reference(path)
        assert caught.value.where.startswith(str(path))
