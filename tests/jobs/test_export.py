"""`signals export` from the shell: what is written and told, and a kill in the middle."""

import datetime as dt
import json
import os
import signal
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from signals.model import Bar
from signals.research.export import UNFINISHED
from signals.research.exported import read_export
from signals.store import Store, bars, headlines
from signals.store import signals as told
from tests.jobs.conftest import Shell
from tests.store.conftest import CHANNEL, NOW, encode, make_bar, make_headline, make_score, make_signal

DAY = dt.timedelta(days=1)
DAYS = 5


def minutes(days: int) -> list[Bar]:
    """Two bars a day."""
    return [make_bar(NOW - ago * DAY + dt.timedelta(minutes=n)) for ago in range(days) for n in range(2)]


@pytest.fixture
def home(shell) -> Shell:
    """A home that holds a signal and five days of bars."""
    home = shell("")
    home.home.mkdir()
    store = Store.open(f"sqlite:///{home.home}/signals.db")
    with store.write() as conn:
        headlines.add(conn, [make_headline()])
        told.add(conn, [make_score()], [make_signal()], channel=CHANNEL, now=NOW, encode=encode)
        bars.add(conn, minutes(DAYS))
    store.close()
    return home


def days(folder: Path, name: str) -> list[str]:
    """The days of a table that have a file."""
    return sorted(path.parent.name.removeprefix("date=") for path in folder.glob(f"{name}/date=*/part.parquet"))


def names(folder: Path) -> list[str]:
    """What stands in a folder."""
    return sorted(path.name for path in folder.iterdir())


def test_the_store_is_written_by_day(home: Shell, tmp_path: Path) -> None:
    """A file a day of each table that has rows; what is told agrees; read back, it is what was kept."""
    lake = tmp_path / "lake"
    done = home.run("export", "--to", str(lake), "--json")
    assert done.returncode == 0, done.stderr
    rows = {one["name"]: (one["rows"], one["days"]) for one in map(json.loads, done.stdout.splitlines())}
    assert {name: count for name, count in rows.items() if count != (0, 0)} == {
        "headlines": (1, 1), "scores": (1, 1), "signals": (1, 1), "bars": (2 * DAYS, DAYS),
    }  # fmt: skip
    assert days(lake, "bars") == [str((NOW - ago * DAY).date()) for ago in reversed(range(DAYS))]
    found = read_export(lake, allow_backfilled=True)
    assert (len(found.signals), len(found.bars)) == (1, 2 * DAYS)
    assert names(lake) == ["bars", "headlines", "scores", "signals"]


def test_days_and_tables_can_be_chosen(home: Shell, tmp_path: Path) -> None:
    """From a day on, until before another; other tables are left alone."""
    first, end = str((NOW - 3 * DAY).date()), str((NOW - DAY).date())
    done = home.run("export", "--to", str(tmp_path / "lake"), "--what", "bars", "--from", first, "--until", end)
    assert done.returncode == 0, done.stderr
    assert "bars" in done.stdout and "written to" in done.stdout
    assert days(tmp_path / "lake", "bars") == [first, str((NOW - 2 * DAY).date())]
    assert names(tmp_path / "lake") == ["bars"]


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["--what", "bars,moods"], "--what bars,moods: there is no moods - any of headlines, scores"),
        (["--what", ","], "--what ,: names nothing"),
        (["--from", "soon"], "--from soon: is no day - as 2026-01-31, in UTC"),
        (["--from", "2026-02-02", "--until", "2026-02-02"], "--until 2026-02-02: is not after --from"),
    ],
)
def test_what_cannot_be_exported_is_one_line(home: Shell, tmp_path: Path, options: list[str], line: str) -> None:
    """Exit 2, the option and the mend; nothing is touched."""
    done = home.run("export", "--to", str(tmp_path / "lake"), *options)
    assert done.returncode == 2
    assert done.stderr.startswith(f"signals: {line}") and done.stderr.count("\n") == 1
    assert not (tmp_path / "lake").exists()


def test_without_pyarrow_one_line_says_so(home: Shell, tmp_path: Path) -> None:
    """It is an extra, and asked for before anything is touched."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "pyarrow.py").write_text("raise ImportError('not here')")
    home.env["PYTHONPATH"] = os.pathsep.join([str(tmp_path / "site"), home.env.get("PYTHONPATH", "")])
    done = home.run("export", "--to", str(tmp_path / "lake"))
    assert (done.returncode, done.stderr) == (
        2, "signals: Parquet: pyarrow is not installed - pip install -e .[research]\n",
    )  # fmt: skip
    assert not (tmp_path / "lake").exists()


def test_a_kill_leaves_whole_days_and_a_mark(home: Shell, tmp_path: Path) -> None:
    """Killed in the middle, every file is whole, the folder says that days are missing, and a second run mends it."""
    store, lake = Store.open(f"sqlite:///{home.home}/signals.db"), tmp_path / "lake"
    many = 150
    with store.write() as conn:
        bars.add(conn, minutes(many))
    store.close()
    running = home.start("export", "--to", str(lake), "--what", "bars")
    while not days(lake, "bars") and running.poll() is None:
        time.sleep(0.005)
    running.send_signal(signal.SIGKILL)
    running.communicate()
    assert running.returncode == -signal.SIGKILL
    assert 0 < len(days(lake, "bars")) < many
    assert (lake / UNFINISHED).exists()
    assert {pq.read_table(path).num_rows for path in lake.glob("bars/*/part.parquet")} == {2}
    assert home.run("export", "--to", str(lake), "--what", "bars").returncode == 0
    assert len(days(lake, "bars")) == many
    assert names(lake) == ["bars"]
