"""Parquet that can be relied on: its columns, its days, and what a broken-off export looks like."""

import datetime as dt
import sys
from pathlib import Path
from typing import Any

import msgspec
import pandas as pd
import pyarrow.parquet as pq
import pytest

from signals.errors import ConfigError, DataError
from signals.message import Retraction
from signals.model import JobRun
from signals.research import export_schema
from signals.research.export import PART, UNFINISHED, Covers, covering, table, unfinished, write_day
from signals.research.export_schema import FILE, TABLES, arrow_schema, breaks, columns, document
from signals.research.exported import read_export
from signals.research.frames import bar_frame, signal_frame
from signals.store import exported
from tests.conftest import ROOT
from tests.core.conftest import MINUTE, NOW, climb, make_bar, make_headline, make_retraction, make_score, make_signal

DAY = NOW.date()
SIGNALS = Covers(("signals",))


def plain(record: msgspec.Struct, **added: object) -> dict[str, Any]:
    """A record as the store gives it."""
    found = msgspec.structs.asdict(record) | added
    return found | ({"evidence": msgspec.to_builtins(found["evidence"])} if "evidence" in found else {})


def batch(*rows: dict[str, Any]) -> dict[str, list[Any]]:
    """Rows as columns."""
    return {name: [row[name] for row in rows] for name in rows[0]}


def write(folder: Path, name: str, *records: msgspec.Struct) -> Path:
    """One table, each record on its day."""
    days: dict[dt.date, list[dict[str, Any]]] = {}
    for record in records:
        days.setdefault(getattr(record, TABLES[name].at).date(), []).append(plain(record))
    with covering(folder, Covers((name,))):
        for day, rows in days.items():
            write_day(folder, name, day, [batch(*rows)])
    return folder


def files(folder: Path) -> list[str]:
    """Everything in a folder."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_the_schema_on_file_is_the_one_of_the_types() -> None:
    """`config/export/` says what an export has; a changed type is a changed file."""
    kept = (ROOT / FILE).read_bytes()
    assert msgspec.json.decode(kept) == document(), "write it anew: make schemas"


def test_every_table_of_the_store_has_a_schema() -> None:
    """What is read is what is written, in name and order."""
    assert tuple(TABLES) == exported.NAMES


def test_every_column_is_explained_or_plain() -> None:
    """Each added column has its text, and every type has its Arrow type."""
    assert all(column.text for name in TABLES for column in columns(name)[len(TABLES[name].of.__struct_fields__) :])
    assert all(len(arrow_schema(name)) == len(columns(name)) for name in TABLES)


def test_a_version_keeps_its_promises(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A column that went, or changed its type, is refused and named; a new one is not."""
    promised = document()
    signals = promised["tables"]["signals"]["columns"]
    signals.pop()
    assert list(breaks(promised)) == []
    signals.append({"name": "mood", "type": "string"})
    signals[0] = signals[0] | {"type": "int64"}
    assert list(breaks(promised)) == ["signals.signal_id: was int64 and is string", "signals.mood: is gone"]
    path = tmp_path / "schema.json"
    path.write_bytes(msgspec.json.encode(promised))
    assert export_schema.main([str(path)]) == 2
    assert "raise VERSION to 2" in capsys.readouterr().err


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    """Every field of every kind: times in UTC, nulls, lists, evidence, counts."""
    headline, score = make_headline(source_published_at=None), make_score()
    more = {"scored_at": None, "story_id": None, "skip_reason": "duplicate", "imported": True}
    rows = {
        "headlines": plain(headline, **more), "scores": plain(score, known_at=NOW), "signals": plain(make_signal()),
        "bars": plain(make_bar()), "retractions": plain(make_retraction()),
    }  # fmt: skip
    for name, row in rows.items():
        path = tmp_path / f"{name}.parquet"
        pq.write_table(table(name, batch(row)), path)
        (found,) = pq.read_table(path).to_pylist()
        for column, value in row.items():
            assert msgspec.json.encode(found[column]) == msgspec.json.encode(value), column
            if isinstance(value, dt.datetime):
                assert found[column].utcoffset() == dt.timedelta(0)
    assert pq.read_schema(tmp_path / "bars.parquet").metadata[b"usdjpy_signals.schema"] == b"1"


def test_counts_of_a_run_are_a_map() -> None:
    """By their names, whichever a job has; none is an empty map."""
    runs = [
        JobRun(run_id=str(n), job="ingest", trigger="manual", scheduled_at=None, started_at=NOW, counts=counts)
        for n, counts in enumerate([{"new": 2, "seen": 9}, {}])
    ]
    assert table("job_runs", batch(*map(plain, runs)))["counts"].to_pylist() == [[("new", 2), ("seen", 9)], []]


def test_a_day_is_replaced_whole(tmp_path: Path) -> None:
    """Written again, a day has its new rows and no old one; without rows it has no file; other days stay."""
    signal, later = make_signal(), make_signal(signal_id="2", known_at=NOW + dt.timedelta(days=1))
    write(tmp_path, "signals", signal, later)
    write(tmp_path, "signals", make_signal(signal_id="3"))
    days = [f"signals/date={day}/{PART}" for day in (DAY, DAY + dt.timedelta(days=1))]
    assert files(tmp_path) == days
    assert read_ids(tmp_path) == ["3", "2"]
    with covering(tmp_path, SIGNALS):
        write_day(tmp_path, "signals", DAY, [])
    assert files(tmp_path) == days[1:]


def read_ids(folder: Path) -> list[str]:
    """The ids of the signals in an export."""
    return read_export(folder).signals["signal_id"].tolist()


def test_a_day_that_breaks_off_keeps_what_was_there(tmp_path: Path) -> None:
    """An error in the middle of a day leaves the day as it was, and the folder says that it is not whole."""
    write(tmp_path, "signals", make_signal())

    def broken() -> Any:
        yield batch(plain(make_signal(signal_id="new")))
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"), covering(tmp_path, SIGNALS):
        write_day(tmp_path, "signals", DAY, broken())
    assert pq.read_table(tmp_path / "signals" / f"date={DAY}" / PART)["signal_id"].to_pylist() == ["signal-1"]
    with pytest.raises(DataError, match="signals was broken off"):
        read_export(tmp_path)
    write(tmp_path, "signals", make_signal())
    assert read_ids(tmp_path) == ["signal-1"]
    assert files(tmp_path) == [f"signals/date={DAY}/{PART}"]


def test_only_what_covers_it_mends_a_broken_export(tmp_path: Path) -> None:
    """A later export of fewer days or tables leaves the folder marked: days in between may be missing."""
    whole = Covers(("signals", "bars"), dt.date(2026, 1, 1), None)
    with pytest.raises(OSError), covering(tmp_path, whole):
        raise OSError
    for less in (
        Covers(("signals",)),
        Covers(whole.what, dt.date(2026, 2, 1)),
        Covers(whole.what, None, dt.date(2026, 3, 1)),
    ):
        with covering(tmp_path, less):
            pass
        assert unfinished(tmp_path) == (whole,)
    with covering(tmp_path, Covers(whole.what)):
        pass
    assert not (tmp_path / UNFINISHED).exists()


def test_two_exports_do_not_meet_in_one_folder(tmp_path: Path) -> None:
    """The second is told so in one line."""
    with covering(tmp_path, SIGNALS), pytest.raises(ConfigError, match="another export"), covering(tmp_path, SIGNALS):
        pass


def test_an_export_reads_as_the_frames_of_research(tmp_path: Path) -> None:
    """The same frames as from the records themselves: types, order, what ceased to hold, the last version of a bar."""
    told = [
        make_signal(signal_id="b", known_at=NOW + MINUTE, supersedes="a", action="updated", ref_price=None),
        make_signal(signal_id="a", topics=(), abstained=True, abstain_reason="language"),
        make_signal(signal_id="c", known_at=NOW + 2 * MINUTE, direction="up"),
    ]
    gone: list[Retraction] = [
        make_retraction(signal_id="c", known_at=NOW + 3 * MINUTE),
        make_retraction(signal_id="a", known_at=NOW + 2 * MINUTE),
    ]
    minutes = [*climb(5), make_bar(NOW, 151.0, known_at=NOW + MINUTE)]
    others = [make_bar(NOW, 149.0, source="other"), make_bar(NOW, 149.0, length_s=3600)]
    for name, records in (("signals", told), ("retractions", gone), ("bars", [*others, *minutes])):
        write(tmp_path, name, *records)
    found = read_export(tmp_path, source="yahoo", length_s=60)
    pd.testing.assert_frame_equal(found.signals, signal_frame(told, gone))
    pd.testing.assert_frame_equal(found.bars, bar_frame(minutes))
    assert found.bars.attrs == bar_frame(minutes).attrs
    assert read_export(tmp_path, source="other").bars["close"].tolist() == [149.0]
    with pytest.raises(DataError, match="several series fit - it holds source='other', length_s=60, source='yahoo'"):
        read_export(tmp_path)
    with pytest.raises(DataError, match="no such series"):
        read_export(tmp_path, source="other", length_s=3600)


def test_signals_that_were_not_witnessed_are_left_out_and_counted(tmp_path: Path) -> None:
    """As the commands do: whoever wants reconstructed times says so."""
    write(tmp_path, "signals", make_signal(), make_signal(signal_id="old", backfilled=True))
    found = read_export(tmp_path)
    assert (found.signals["signal_id"].tolist(), found.left_out) == (["signal-1"], {"backfilled": 1})
    assert len(read_export(tmp_path, allow_backfilled=True).signals) == 2


def test_tables_without_rows_are_empty_frames(tmp_path: Path) -> None:
    """An export without bars or retractions has the columns and types of one that has them."""
    write(tmp_path, "signals", make_signal())
    found = read_export(tmp_path)
    pd.testing.assert_frame_equal(found.bars, bar_frame([]))
    pd.testing.assert_frame_equal(found.signals, signal_frame([make_signal()]))


def test_a_folder_without_an_export_says_so(tmp_path: Path) -> None:
    """And how one is made."""
    with pytest.raises(DataError, match="holds no export - make one"):
        read_export(tmp_path)


def test_another_version_is_not_read(tmp_path: Path) -> None:
    """Its columns may mean something else."""
    write(tmp_path, "signals", make_signal())
    path = tmp_path / "signals" / f"date={DAY}" / PART
    other = pq.read_table(path).replace_schema_metadata({"usdjpy_signals.schema": "9"})
    pq.write_table(other, path)
    with pytest.raises(DataError, match="is of schema 9, not 1"):
        read_export(tmp_path)


def test_without_pyarrow_one_line_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an extra."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ConfigError, match=r"pyarrow is not installed - pip install -e .\[research\]"):
        export_schema.pyarrow()
