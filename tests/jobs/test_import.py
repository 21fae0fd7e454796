"""`signals import` from the shell: what is stored and told, kills and stops in the middle, and what comes after."""

import asyncio
import csv
import datetime as dt
import gzip
import json
import signal
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jobs import importing
from jobs.app import App
from jobs.cli.imports import FIELDS, FORMATS
from jobs.settings import load
from signals.sources import tables
from signals.sources.gdelt import Search
from signals.sources.history import NAMES
from tests.jobs.conftest import Shell

MANY = 40_000


def write(path: Path, rows: int, columns: str = "title,date,url,source") -> Path:
    """A file of made headlines, a minute apart."""
    start = dt.datetime(2023, 1, 2, tzinfo=dt.UTC)
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(columns.split(","))
        for n in range(rows):
            at = start + dt.timedelta(minutes=n)
            out.writerow([f"Yen moves in case {n}", at.isoformat(), f"https://example.com/{n}", "wire"])
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


def test_a_folder_is_its_files(home: Shell, tmp_path: Path) -> None:
    """In any depth, but for those that readers pass over; a broken one costs itself; again, nothing is left to do."""
    lake = tmp_path / "lake"
    for day in ("date=1", "date=2"):
        (lake / day).mkdir(parents=True)
    write(lake / "date=1" / "part.csv", 5)
    write(lake / "date=1" / "_left.csv", 3, columns="title,date,url,source")
    (lake / "date=2" / "part.parquet").write_bytes(b"nothing")
    (lake / "README.txt").write_text("not rows")
    done = home.run("import", str(lake), "--json")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith(f"signals: {lake}/date=2/part.parquet: is no Parquet file")
    assert json.loads(done.stdout)["new"] == 5
    pq.write_table(pa.table({"title": ["Yen falls"], "date": ["2024-01-01T00:00:00Z"]}), lake / "date=2/part.parquet")
    first, second = map(json.loads, home.run("import", str(lake), "--json").stdout.splitlines())
    assert (first["done_before"], second["new"]) == (True, 1)
    empty = home.run("import", str(home.home))
    assert empty.returncode == 2 and "holds no file to import" in empty.stderr


def test_a_file_is_stored_once_with_what_was_refused(home: Shell, tmp_path: Path) -> None:
    """Every usable row becomes a backfilled headline known 60 s after it was published; the others are counted."""
    text = "Headline;When;Link\nBOJ hikes;2024-01-31T12:00:00Z;https://example.com/1\n"
    text += (
        "Yen falls;2024-01-31 12:00:00;\n;2024-01-31T12:00:00Z;\nBOJ hikes;2024-01-31T12:00:00Z;https://example.com/1\n"
    )
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(text.encode("utf-8-sig")))
    arguments = ("import", str(path), "--columns", "published_at=When", "--source", "mine", "--json")
    first = told(home.run(*arguments))
    assert first["columns"] == {"title": "Headline", "published_at": "When", "url": "Link"}
    assert (first["rows"], first["new"], first["known"]) == (4, 1, 1)
    assert first["refused"] == {
        "date without a zone": {"count": 1, "rows": [2]},
        "no title": {"count": 1, "rows": [3]},
    }
    fields = "title, source, known_at, source_published_at, backfilled, imported, scored_at"
    stored = [("BOJ hikes", "mine", "2024-01-31 12:01:00.000000", "2024-01-31 12:00:00.000000", 1, 1, None)]
    assert kept(home, f"SELECT {fields} FROM headlines") == stored
    again = told(home.run(*arguments))
    assert (again["done_before"], again["rows"], again["new"]) == (True, 4, 1)
    anew = told(home.run(*arguments, "--again"))
    assert (anew["done_before"], anew["rows"], anew["new"], anew["known"]) == (False, 4, 0, 2)
    zoned = told(home.run(*arguments, "--zone", "Asia/Tokyo", "--delay", "2h"))
    assert (zoned["rows"], zoned["new"], zoned["known"]) == (4, 1, 2)
    known_at = "SELECT known_at FROM headlines WHERE title = 'Yen falls'"
    assert kept(home, known_at) == [("2024-01-31 05:00:00.000000",)]


def test_a_dry_run_shows_and_stores_nothing(home: Shell, tmp_path: Path) -> None:
    """The mapping, the rule, the first five headlines as understood; no store is made."""
    done = home.run("import", str(write(tmp_path / "a.csv", 9)), "--dry-run")
    assert done.returncode == 0
    assert "title=title, published_at=date, url=url, source=source" in done.stdout
    assert "when published + 60 s" in done.stdout
    assert done.stdout.count("Yen moves in case") == 5
    assert "2023-01-02 00:01:00 UTC  wire  en  Yen moves in case 0" in done.stdout
    assert not (home.home / "signals.db").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        ((), 2, "signals: signals import: needs files, or --gdelt QUERY - signals import history.csv"),
        (("none.csv",), 2, "signals: none.csv: cannot be read: No such file or directory"),
        (("F", "--columns", "title"), 2, "signals: --columns title: 'title' is no FIELD=COLUMN"),
        (("F", "--columns", "title=x"), 2, "has no column 'x' for title - its columns are title, date, url, source"),
        (("F", "--zone", "Mars/North"), 2, "signals: --zone Mars/North: no such time zone"),
        (("F", "--delay", "soon"), 2, "signals: --delay soon: is no span of time - 60s, 15m, 2h or 1d"),
        (("F", "--source", "My Wire"), 2, "signals: --source 'My Wire': no name for a source"),
        (("F", "--format", "xls"), 2, "signals: --format xls: no such format - one of csv, tsv,"),
        (("--gdelt", "yen"), 2, "signals: --from: is missing"),
        (("--gdelt", "yen", "--from", "2024-01-02", "--to", "2024-01-01"), 2, "is not after --from"),
        (("--gdelt", "yen", "--from", "2024-01-02", "--to", "2099-01-01"), 2, "lies in the future"),
    ],
)
def test_a_mistake_is_one_line(home: Shell, tmp_path: Path, arguments: tuple[str, ...], code: int, line: str) -> None:
    """What a person gets wrong is one line that names it and the mend."""
    path = write(tmp_path / "F.csv", 1)
    done = home.run("import", *(str(path) if one == "F" else one for one in arguments))
    assert done.returncode == code
    assert line in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_file_of_which_nothing_can_be_used_fails(home: Shell, tmp_path: Path) -> None:
    """A file whose every row is refused is not a success, and says what would help."""
    (tmp_path / "a.csv").write_text("title,date\nYen falls,2024-01-31 12:00\n")
    done = home.run("import", str(tmp_path / "a.csv"))
    assert done.returncode == 1
    assert "1 refused: date without a zone (row 1) - say whose time it is: --zone Asia/Tokyo" in done.stdout


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_an_import_that_is_stopped_goes_on_where_it_was(home: Shell, tmp_path: Path, end: signal.Signals) -> None:
    """After a kill or Ctrl-C in the middle, the same command does the rest: nothing is lost, nothing counted twice."""
    path = write(tmp_path / "a.csv", MANY)
    told(home.run("import", str(write(tmp_path / "b.csv", 1)), "--json"))  # the tables are there
    process = home.start("import", str(path))
    while not kept(home, "SELECT position FROM imports WHERE name LIKE '%a.csv'"):
        assert process.poll() is None
    process.send_signal(end)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == (1 if end == signal.SIGINT else -end)
    if end == signal.SIGINT:
        assert errors == "signals: stopped: the same command goes on from here\n"
    ((position, ended_at),) = kept(home, "SELECT position, ended_at FROM imports WHERE name LIKE '%a.csv'")
    assert 0 < position < MANY
    assert ended_at is None
    assert kept(home, "SELECT count(*) FROM headlines") == [(max(position, 1),)]
    rest = told(home.run("import", str(path), "--json"))
    assert rest["resumed_at"] == position
    assert (rest["rows"], rest["new"], rest["known"]) == (MANY, MANY - 1, 1)
    assert kept(home, "SELECT count(*) FROM headlines") == [(MANY,)]


@pytest.fixture
def gdelt() -> Iterator[tuple[str, list[str]]]:
    """GDELT's API on loopback: one article a day; its address, and the windows it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
            day = query["startdatetime"][:8]
            asked.append(day)
            body = b"Your query was too short or too long.\n"
            if query["query"] != "x":
                title, url = f"Yen falls on {day}", f"https://example.com/{day}"
                one = {
                    "url": url,
                    "title": title,
                    "seendate": f"{day}T101500Z",
                    "domain": "a.example",
                    "language": "English",
                }
                body = json.dumps({"articles": [one]}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/doc", asked
    server.shutdown()
    server.server_close()


def test_a_search_of_gdelt_is_stored_as_known_a_quarter_of_an_hour_after_its_sighting(home: Shell, gdelt) -> None:
    """`seendate` stands for the published time, as an upper bound; done once, it asks for nothing more."""
    url, asked = gdelt
    arguments = ("import", "--gdelt", "usd jpy", "--from", "2024-01-31", "--to", "2024-02-01", "--gdelt-url", url)
    preview = home.run(*arguments, "--dry-run")
    assert "2024-01-31 10:30:00 UTC  a.example  en  Yen falls on 20240131" in preview.stdout
    done = told(home.run(*arguments, "--json"))
    assert (done["rows"], done["new"], done["known_at"]) == (1, 1, "when GDELT saw it + 900 s")
    fields = "title, source, known_at, source_published_at, backfilled, imported"
    assert kept(home, f"SELECT {fields} FROM headlines") == [
        ("Yen falls on 20240131", "a.example", "2024-01-31 10:30:00.000000", "2024-01-31 10:15:00.000000", 1, 1)
    ]
    assert told(home.run(*arguments, "--json"))["done_before"]
    assert asked == ["20240131"] * 2
    refused = home.run(*(("x" if one == "usd jpy" else one) for one in arguments))
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert "GDELT answers: Your query was too short or too long." in refused.stderr


def test_a_search_that_is_stopped_goes_on_where_it_was(home: Shell, gdelt) -> None:
    """A search stopped between two windows asks only for what is left, and counts the whole."""
    url, asked = gdelt
    start = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
    search = Search("yen", start, start + dt.timedelta(days=7), url)
    pauses = iter([None, KeyboardInterrupt])

    async def pause(_seconds: float) -> None:
        if stop := next(pauses, None):
            raise stop

    with closing(App(load(home.config, home.env))) as app:
        plan = importing.search_plan(search, importing.Options())
        with pytest.raises(KeyboardInterrupt):
            asyncio.run(importing.import_search(app, search, plan, pause))
        done = asyncio.run(importing.import_search(app, search, plan, pause))
    assert asked == ["20240101", "20240102", "20240104", "20240105", "20240107"]
    assert done.resumed_at == 3 * 86_400
    assert (done.counts.rows, done.counts.new, done.counts.known) == (5, 5, 0)


def test_what_is_imported_is_scored_and_stays_in_the_store(home: Shell, tmp_path: Path) -> None:
    """The publish job makes signals of history, and sends none of them: the channel is for news."""
    path = tmp_path / "a.jsonl"
    titles = ["BOJ hikes policy rate to 1.0%", "Fed cuts rates by 25bp", "Dollar General raises outlook"]
    rows = [{"title": title, "published": f"2024-01-1{n}T12:00:00Z"} for n, title in enumerate(titles)]
    path.write_text("\n".join(json.dumps(row) for row in rows))
    assert told(home.run("import", str(path), "--json"))["new"] == 3
    done = told(home.run("jobs", "run", "publish", "--json"))
    assert (done["counts"]["scored"], done["counts"]["history"], done["counts"]["signals"]) == (3, 2, 0)
    assert kept(home, "SELECT count(*), (SELECT count(*) FROM outbox) FROM signals") == [(2, 0)]


def test_the_help_names_every_field_and_format() -> None:
    """`--help` is written apart from what it tells of, and says the same."""
    assert FIELDS.split(", ") == list(NAMES)
    assert FORMATS.split(", ") == list(tables.FORMATS)
