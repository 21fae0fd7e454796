"""Opening and using a database that is not well: one error, one line, one mend."""

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import stamina

from signals.errors import ConfigError, StoreError
from signals.store import Store, database, headlines

from .conftest import make_headline, on_sqlite, url_of

OPENER = """
import sys
import alembic.command
import stamina
from signals.store import Store, headlines
stamina.instrumentation.set_on_retry_hooks([])
print("ready", flush=True)
sys.stdin.readline()
store = Store.open(sys.argv[1])
with store.read() as conn:
    print(headlines.count(conn))
"""
"""Loads all it needs, then waits for the word, so that both open at once."""


def test_two_processes_open_a_fresh_home_at_once(tmp_path: Path) -> None:
    """Whoever comes second waits for the first's migration and finds it done: both get a store."""
    command = [sys.executable, "-c", OPENER, url_of(tmp_path / "signals.db")]
    both = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for process in both:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in both:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    assert [process.communicate(timeout=60) for process in both] == [("0\n", ""), ("0\n", "")]


def test_a_fresh_file_that_another_process_is_about_to_fill(tmp_path: Path) -> None:
    """SQLite refuses the first switch to WAL at once while another holds the file: we try again until it lets go."""
    other = sqlite3.connect(tmp_path / "signals.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    before = stamina.instrumentation.get_on_retry_hooks()
    refused: list[BaseException] = []

    def let_go(details: stamina.instrumentation.RetryDetails) -> None:
        refused.append(details.caused_by)
        if other.in_transaction:
            other.execute("COMMIT")

    stamina.instrumentation.set_on_retry_hooks([let_go])
    try:
        Store.open(url_of(tmp_path / "signals.db")).close()
        assert [str(error) for error in refused] == ["database is locked"]
        assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    finally:
        stamina.instrumentation.set_on_retry_hooks(before)
        other.close()


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for a lock."""
    monkeypatch.setattr(database, "BUSY_S", 0)


@pytest.fixture
def held(path: Path) -> Iterator[sqlite3.Connection]:
    """Another process's connection that is writing."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    yield other
    other.close()


@pytest.mark.usefixtures("hasty", "held")
def test_a_writer_that_cannot_wait_longer_says_who_is_in_the_way(path: Path) -> None:
    """A locked database is a transient error with the mend; nothing of the attempt stays."""
    store = Store.open(url_of(path))
    with pytest.raises(StoreError, match="database is locked - another process holds it"), store.write() as conn:
        headlines.add(conn, [make_headline()])
    with store.read() as conn:
        assert headlines.count(conn) == 0
    store.close()


@on_sqlite
def test_a_writer_waits_for_another(store: Store, held: sqlite3.Connection) -> None:
    """The lock of a writer that ends in time is no error."""

    def write() -> None:
        with store.write() as conn:
            headlines.add(conn, [make_headline()])

    writer = threading.Thread(target=write)
    writer.start()
    held.execute("COMMIT")
    writer.join()
    with store.read() as conn:
        assert headlines.count(conn) == 1


@on_sqlite
def test_sqlite_keeps_what_was_committed(store: Store) -> None:
    """Readers beside a writer, every commit on the disk, half a minute of patience, references held."""
    pragmas = {"journal_mode": "wal", "synchronous": 2, "busy_timeout": 30_000, "foreign_keys": 1}
    with store.read() as conn:
        assert {name: conn.exec_driver_sql(f"PRAGMA {name}").scalar() for name in pragmas} == pragmas


@pytest.mark.usefixtures("hasty", "held")
def test_readers_never_wait_for_a_writer(path: Path) -> None:
    """Opening a migrated file and reading it go on while another process writes."""
    store = Store.open(url_of(path))
    with store.read() as conn:
        assert headlines.count(conn) == 0
    store.close()


def test_a_reader_sees_one_moment(store: Store) -> None:
    """What is written while a transaction reads is not seen in it."""
    with store.read() as reading:
        assert headlines.count(reading) == 0
        with store.write() as writing:
            headlines.add(writing, [make_headline()])
        assert headlines.count(reading) == 0
    with store.read() as reading:
        assert headlines.count(reading) == 1


def test_a_write_is_all_or_nothing(store: Store) -> None:
    """Whatever is raised within a transaction undoes it, and comes out as it was raised."""
    with pytest.raises(ZeroDivisionError), store.write() as conn:
        headlines.add(conn, [make_headline()])
        1 / 0  # noqa: B018
    with store.read() as conn:
        assert headlines.count(conn) == 0


def missing_folder(path: Path) -> str:
    """Nobody made the home."""
    return url_of(path.parent / "missing" / "signals.db")


def folder(path: Path) -> str:
    """The name is a folder's."""
    return url_of(path.parent)


def no_database(path: Path) -> str:
    """The file is somebody's text."""
    path.write_text("Dear diary, today the yen fell. " * 200)
    return url_of(path)


def torn(path: Path) -> str:
    """The disk has lost the pages behind the first."""
    path.write_bytes(path.read_bytes()[:4096] + b"\xff" * 40960)
    return url_of(path)


FAULTS: list[tuple[Callable[[Path], str], str]] = [
    (missing_folder, "unable to open database file - does its folder exist"),
    (folder, "unable to open database file - does its folder exist"),
    (no_database, "file is not a database - move the file away"),
    (torn, "malformed - restore it from a backup"),
]


@pytest.mark.parametrize(("fault", "line"), FAULTS, ids=[fault.__name__ for fault, _ in FAULTS])
def test_a_file_that_cannot_be_opened(path: Path, fault: Callable[[Path], str], line: str) -> None:
    """Each fault is a `StoreError` of one line that names the file and the mend; no other type comes out."""
    url = fault(path)
    with pytest.raises(StoreError, match=line) as raised:
        Store.open(url)
    assert raised.value.where == url
    assert raised.value.transient
    assert "\n" not in str(raised.value)


@pytest.mark.usefixtures("hasty")
def test_a_fresh_file_that_another_process_has_for_itself(tmp_path: Path) -> None:
    """Without a chance to migrate the error is the lock's."""
    other = sqlite3.connect(tmp_path / "signals.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreError, match="database is locked - another process holds it"):
        Store.open(url_of(tmp_path / "signals.db"))
    other.close()


@on_sqlite
def test_a_full_disk(store: Store) -> None:
    """A write that finds no room is undone and says so."""
    with pytest.raises(StoreError, match="is full - free disk space"), store.write() as conn:
        conn.exec_driver_sql("PRAGMA max_page_count = 1")
        headlines.add(conn, [make_headline(number, body="x" * 10_000) for number in range(100)])
    with store.read() as conn:
        assert headlines.count(conn) == 0


def test_a_file_that_may_only_be_read(path: Path) -> None:
    """Without the right to write the error asks for it."""
    store = Store.open(f"sqlite:///file:{path}?mode=ro&uri=true")
    with pytest.raises(StoreError, match="readonly database - may this user write"), store.write() as conn:
        headlines.add(conn, [make_headline()])
    store.close()


def test_a_table_that_vanishes(store: Store) -> None:
    """Tables that are gone while we run are an error of the store, not of the driver."""
    with store.write() as conn:
        conn.exec_driver_sql("DROP TABLE headlines")
    with pytest.raises(StoreError, match=r"no such table|does not exist"), store.read() as conn:
        headlines.count(conn)


def test_the_address_may_say_how_long_to_wait_for_a_lock(tmp_path):
    """`?timeout=SECONDS` is what a writer waits for another; what is no number is an error."""
    url = f"sqlite:///{tmp_path / 's.db'}?timeout="
    store = Store.open(f"{url}0.25")
    with store.read() as conn:
        assert conn.exec_driver_sql("PRAGMA busy_timeout").scalar() == 250
    store.close()
    with pytest.raises(ConfigError, match="timeout is not a number"):
        Store.open(f"{url}soon")
