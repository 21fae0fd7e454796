"""`signals score DATASET --to DIR` from the shell: kills and Ctrl-C, memory, what is told and how it ends."""

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from signals.research.score_dataset import score_dataset
from tests.chaos.service import until
from tests.conftest import ROOT
from tests.jobs.conftest import Shell
from tests.research.test_score_dataset import MODEL, NOW, whole, write

ROWS, PART = 6_000, 200
MIB = 1 << 20


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """A home without a model of its own."""
    return Shell(tmp_path_factory.mktemp("score"), "")


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three files of some thousand headlines."""
    folder = tmp_path_factory.mktemp("lake")
    for number in range(3):
        write(folder / f"{number}.parquet", ROWS // 3)
    return folder


@pytest.fixture(scope="module")
def plain(lake: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files that one process makes of it, none of them disturbed."""
    folder = tmp_path_factory.mktemp("plain") / "scored"
    score_dataset(lake, folder, MODEL, rows_per_part=PART)
    return whole(folder)


def test_a_kill_in_the_middle_costs_what_was_at_work(
    home: Shell, lake: Path, plain: dict[str, bytes], tmp_path: Path
) -> None:
    """Killed with -9, nobody lives on; the same command leaves finished parts untouched, and the bytes are the same."""
    to = tmp_path / "scored"
    with running(home, lake, to) as killed:
        killed.kill()
        killed.wait()
        _wait(lambda: not _session(killed.pid))
    kept = {path: path.stat() for path in to.rglob("[!_]*.parquet")}
    assert 0 < len(kept) < ROWS // PART
    done = home.run("score", str(lake), "--to", str(to), "--processes", "1", "--rows-per-part", str(PART))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{len(kept)} of {ROWS // PART} parts were there\n")
    assert whole(to) == plain
    for path, before in kept.items():
        assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_ctrl_c_says_how_to_go_on(home: Shell, lake: Path, tmp_path: Path) -> None:
    """As a terminal sends it, to all processes at once: one line, and nobody is left."""
    with running(home, lake, tmp_path / "scored") as stopped:
        os.killpg(stopped.pid, signal.SIGINT)
        _, said = stopped.communicate(timeout=30)
        assert (stopped.returncode, said) == (1, "signals: stopped: the same command goes on from here\n")
        until(lambda: not _session(stopped.pid), "somebody is left")


@contextlib.contextmanager
def running(home: Shell, lake: Path, to: Path) -> Iterator[subprocess.Popen[str]]:
    """It on two processes, in a session of its own, with some parts done and others not."""
    command = home.command("score", str(lake), "--to", str(to), "--processes", "2", "--rows-per-part", str(PART))
    started = subprocess.Popen(
        command, env=home.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        _wait(lambda: started.poll() is not None or len(list(to.rglob("[!_]*.parquet"))) > 1)
        yield started
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(started.pid, signal.SIGKILL)
        started.communicate()


def _wait(done: Callable[[], bool], seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < until
        time.sleep(0.01)


def _session(leader: int) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            fields = (path / "stat").read_text().rpartition(")")[2].split()
            if int(fields[3]) == leader and fields[0] != "Z":
                found.append(int(path.name))
    return found


def test_memory_does_not_grow_with_the_archive(home: Shell, tmp_path: Path) -> None:
    """Bodies that are several times as large as what a process may take, and one that is read whole would fill it."""
    body, rows, groups, allowed = "word " * 4_000, 5_000, 16, 576 * MIB
    path = tmp_path / "in" / "large.parquet"
    schema = pa.schema(dict.fromkeys(("title", "body", "date"), pa.string()))
    path.parent.mkdir()
    with pq.ParquetWriter(path, schema, compression="zstd", use_dictionary=False) as file:
        for group in range(groups):
            dates = [f"{NOW:%Y-%m-%dT%H:%M:%SZ}" if number % 50 == 0 else None for number in range(rows)]
            bodies = [f"{group} {number} {body}" for number in range(rows)]
            file.write_table(pa.table({"title": ["Yen falls"] * rows, "body": bodies, "date": dates}, schema))
    assert len(body) * rows * groups > 2.6 * allowed
    asked = ("--memory-per-process", "576MiB", "--processes", "1", "--json")
    done = home.run("score", str(path), "--to", str(tmp_path / "out"), *asked)
    found = json.loads(done.stdout)
    assert (found["rows"], found["scores"]) == (rows * groups, rows * groups // 50)
    assert found["peak_bytes"] < allowed


def test_what_is_partial_is_said_and_ends_with_one(home: Shell, tmp_path: Path) -> None:
    """Each file and row that is not scored, in one line; for programs, too."""
    write(tmp_path / "in" / "a.parquet", 5, published_at=[NOW, None, NOW, None, NOW])
    (tmp_path / "in" / "b.parquet").write_bytes(b"nothing")
    command = ("score", str(tmp_path / "in"), "--to", str(tmp_path / "out"), "--processes", "1")
    done = home.run(*command)
    assert (done.returncode, done.stderr) == (1, "")
    assert "  ! 2 rows not scored: no date (a.parquet:2, a.parquet:4)\n" in done.stdout
    assert f"  ! {tmp_path}/in/b.parquet: is no Parquet file" in done.stdout
    assert done.stdout.endswith("  partial: the others are there; the same command tries what is named here again\n")
    found = json.loads(home.run(*command, "--json").stdout)
    assert (found["partial"], found["scores"], found["before"], found["refused"]["no date"]["rows"]) == (True, 3, 1, 2)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("lake",), "lake: there is no such file or folder - a Parquet file, a folder of them"),
        (("lake", "lake"), "--to: takes one dataset - signals score DATASET --to DIR"),
        (("lake", "--memory-per-process", "much"), "--memory-per-process: 'much' is no size - as 512MiB or 1.5GiB"),
        (("lake", "--memory-per-process", "100MB"), "--memory-per-process: 0.10 GiB is less than a process takes"),
        (("lake", "--processes", "2", "--cluster", "tcp://127.0.0.1:9"), "--processes, --cluster: are two places"),
        (("lake", "--columns", "head=x"), "--columns head=x: no such field"),
    ],
)
def test_a_mistake_is_one_line(home: Shell, tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    """Exit 2, with the mend; nothing is written."""
    done = home.run("score", *arguments, "--to", str(tmp_path / "out"))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"signals: {said}") and done.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_the_folder_of_the_model_is_the_shipped_one() -> None:
    """What these tests take for the model in place is what a home without its own has."""
    assert MODEL == ROOT / "seeds" / "model" / "model.skops"
