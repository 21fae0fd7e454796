"""`signals import --bars` from the shell: what is stored, told and refused, and what the join makes of it."""

import datetime as dt
import gzip
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from jobs.cli.imports import BAR_FIELDS
from signals.prices.history import NAMES
from tests.jobs.conftest import Shell

MONDAY = dt.datetime(2024, 1, 29, tzinfo=dt.UTC)


def write(
    path: Path, count: int, step_h: int = 1, price: float = 148.0, *, header: str = "time,open,high,low,close"
) -> Path:
    """Bars from a Monday on, gzipped if the name says so."""
    lines = [header]
    for n in range(count):
        at = MONDAY + dt.timedelta(hours=n * step_h)
        lines.append(f"{at:%Y-%m-%d %H:%M}Z,{price},{price + 0.2:.2f},{price - 0.2:.2f},{price + 0.1:.2f}")
    text = "\n".join(lines).encode()
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
    return path


def told(done) -> dict:
    """The one object that `--json` printed."""
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def kept(shell: Shell, query: str) -> list:
    """Rows of the store."""
    with closing(sqlite3.connect(shell.home / "signals.db")) as conn:
        return conn.execute(query).fetchall()


@pytest.fixture
def home(shell) -> Shell:
    """A home without any feed."""
    return shell("")


def test_bars_are_stored_once_as_learned_now(home: Shell, tmp_path: Path) -> None:
    """Read again nothing is new; a price that differs is a version beside the old one, known later."""
    path = write(tmp_path / "mine.csv.gz", 72)
    arguments = ("import", str(path), "--bars", "--source", "mine", "--json")
    before = dt.datetime.now(dt.UTC)
    first = told(home.run(*arguments))
    assert (first["rows"], first["new"], first["known"], first["length_s"]) == (72, 72, 0, 3600)
    ((count, opened, closed, known_at),) = kept(
        home, "SELECT count(*), min(open_at), max(close_at), min(known_at) FROM bars WHERE source = 'mine'"
    )
    assert (count, opened, closed) == (72, "2024-01-29 00:00:00.000000", "2024-02-01 00:00:00.000000")
    assert dt.datetime.fromisoformat(known_at).replace(tzinfo=dt.UTC) >= before
    again = told(home.run(*arguments))
    assert (again["new"], again["known"]) == (0, 72)
    write(path, 72, price=148.01)
    changed = told(home.run(*arguments))
    assert (changed["new"], changed["known"]) == (72, 0)
    assert kept(home, "SELECT count(*), count(DISTINCT open_at) FROM bars WHERE source = 'mine'") == [(144, 72)]


def test_what_is_read_is_said_and_a_bad_row_costs_itself(home: Shell, tmp_path: Path) -> None:
    """Columns, length, span, refusals with their rows and the mend; a dry run stores nothing."""
    path = write(tmp_path / "a.csv", 30, header="time,open,high,low,close,volume")
    path.write_text(path.read_text() + "\n2024-01-30 09:00,1,1,1,1\n2024-02-03 12:00Z,148,148,148,148\n")
    done = home.run("import", str(path), "--bars", "--dry-run")
    assert done.returncode == 0
    for line in (
        "columns   open_at=time, open=open, high=high, low=low, close=close; not used: volume",
        "a bar is  1h (the commonest distance of two rows)",
        "they span 2024-01-29 00:00 to 2024-01-30 06:00 UTC, source import",
        "32 rows: 30 good, 2 refused",
        "1 refused: time without a zone (row 31) - say whose time it is: --zone UTC",
        "1 refused: outside the FX week (row 32)",
        "nothing stored: this was a dry run",
    ):
        assert line in done.stdout
    zoned = told(home.run("import", str(path), "--bars", "--json", "--zone", "Asia/Tokyo"))
    assert (zoned["new"], zoned["refused"]) == (30, {
        "its time is there twice": {"count": 1, "rows": [31]}, "outside the FX week": {"count": 1, "rows": [32]},
    })  # fmt: skip


def test_days_are_kept_as_reference_rates_alone(home: Shell, tmp_path: Path) -> None:
    """Nobody could trade on a daily close: such bars need `--source reference`, and shorter ones may not have it."""
    days = str(write(tmp_path / "d.csv", 5, 24))
    refused = home.run("import", days, "--bars", "--zone", "UTC")
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert "--source reference keeps them as reference rates: joined as stale, never traded" in refused.stderr
    assert told(home.run("import", days, "--bars", "--source", "reference", "--json"))["new"] == 5
    hours = str(write(tmp_path / "h.csv", 30))
    assert home.run("import", hours, "--bars", "--source", "reference").returncode == 2


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("none.csv", "--bars"), "signals: none.csv: cannot be read: No such file or directory"),
        (
            ("F", "--bars", "--source", "yahoo"),
            "signals: --source yahoo: is the name of bars that the prices job keeps",
        ),
        (("F", "--bars", "--length", "soon"), "signals: --length soon: is no span of time"),
        (("F", "--bars", "--length", "0m"), "signals: --length 0m: is no length of a bar"),
        (("F", "--bars", "--columns", "close=x"), "has no column 'x' for close"),
        (("F", "--length", "1h"), "signals: --length 1h: is of bars - with --bars"),
        (("--bars", "--gdelt", "yen"), "signals: --bars: GDELT has none"),
        (("EMPTY", "--bars"), "holds no rows - a header and a row for each bar"),
    ],
)
def test_what_cannot_be_done_is_one_line(home: Shell, tmp_path: Path, arguments, line: str) -> None:
    """Exit 2, the file, key or value and the mend; never a traceback."""
    files = {"F": write(tmp_path / "f.csv", 30), "EMPTY": tmp_path / "empty.csv"}
    files["EMPTY"].write_text("time,open,high,low,close\n")
    done = home.run("import", *(str(files.get(one, one)) for one in arguments))
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert line in done.stderr


def test_a_file_without_a_good_row_fails(home: Shell, tmp_path: Path) -> None:
    """No row can be USD/JPY: exit 1, and the reason with its mend."""
    done = home.run("import", str(write(tmp_path / "f.csv", 30, price=30.0)), "--bars")
    assert done.returncode == 1
    assert "30 refused: impossible prices" in done.stdout and "prices are JPY per USD" in done.stdout


def test_imported_headlines_join_imported_bars(home: Shell, tmp_path: Path) -> None:
    """A headline of history has the price of its moment, from bars that had closed by then."""
    told(home.run("import", str(write(tmp_path / "b.csv", 72)), "--bars", "--source", "mine", "--json"))
    news = tmp_path / "n.csv"
    news.write_text("title,date\nBOJ hikes policy rate to 1.0%,2024-01-30T12:30:00Z\n")
    told(home.run("import", str(news), "--json"))
    told(home.run("jobs", "run", "publish", "--json"))
    fields = ", ".join(
        f"json_extract(data, '$.{name}')" for name in ("ref_source", "ref_price", "ref_price_at", "stale")
    )
    assert kept(home, f"SELECT {fields} FROM signals") == [("mine", 148.1, "2024-01-30T12:00:00Z", 1)]


def test_the_help_names_every_field_of_bars() -> None:
    """`--help` is written apart from what it tells of, and says the same."""
    assert BAR_FIELDS.split(", ") == list(NAMES)
