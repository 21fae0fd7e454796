"""Log lines that cannot be written: one line says so, once, and they go on when they can; no job hears of it."""

import io
import json
import logging
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from jobs import logs
from tests.chaos.disk import can_have_one, on_a_disk_of
from tests.conftest import ROOT

FULL = Path("/dev/full")
ON_A_FULL_DISK = """
import pathlib, sys
from jobs import logs
from tests.chaos.disk import fill, free
home = pathlib.Path(sys.argv[1])
logs.configure(home)
logs.logger().info("job.start", n=-1)
fill(home)
for n in range(200):
    logs.logger().info("job.start", n=n, pad="x" * 100)
free(home)
logs.logger().info("job.end", n=200)
print(logs.log_file(home).read_text(), end="")
"""


@pytest.fixture
def home(tmp_path):
    """A home whose logs no later test writes to."""
    yield tmp_path
    logs.configure(tmp_path, stream=io.StringIO())


def entries(text):
    """The lines as JSON; one that a full disk cut off is null."""
    return [logs._parsed(line) for line in text.splitlines()]


def events(text):
    return [entry["event"] for entry in entries(text) if entry]


def test_a_full_disk_costs_one_line_on_stderr_and_the_file_goes_on_with_room(tmp_path):
    """200 lines into a really full disk: stderr has each of them and one line more, with the mend; then all is well."""
    if not can_have_one(tmp_path):
        pytest.skip("this machine lets nobody make a disk of his own (unshare -m)")
    command = [*on_a_disk_of("1m", tmp_path), sys.executable, "-c", ON_A_FULL_DISK, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    told = entries(done.stderr)
    assert len(told) == 1 + 200 + 1 + 2, done.stderr[-2000:]
    assert all(told), done.stderr
    failed = [entry for entry in told if entry["event"] == "log.failed"]
    assert [entry["error"] for entry in failed] == [
        "cannot be written: No space left on device - free disk space there"
    ]
    assert failed[0]["place"] == str(logs.log_file(tmp_path))
    written = [entry for entry in entries(done.stdout) if entry]
    assert [entry["event"] for entry in written[-2:]] == ["job.end", "log.resumed"]
    assert written[-1]["lost"] + len(written) - 2 >= 200  # each line is in the file, or counted as lost


def test_each_fault_is_told_when_it_begins_changes_and_comes_again(home):
    """A file that became a folder, then a folder that is gone: one line each; told again after it had worked."""
    screen = io.StringIO()
    logs.configure(home, stream=screen)
    path = logs.log_file(home)
    path.mkdir()
    for _ in range(3):
        logs.logger().info("job.start")
    path.rmdir()
    path.parent.rmdir()
    for _ in range(3):
        logs.logger().info("job.start")
    path.parent.mkdir()
    logs.logger().info("job.start")
    path.unlink()
    logging.getLogger("signals").handlers[0].let_go()
    path.mkdir()
    logs.logger().info("job.end")
    told = [entry for entry in entries(screen.getvalue()) if entry["event"].startswith("log.")]
    assert [entry["event"] for entry in told] == ["log.failed", "log.failed", "log.resumed", "log.failed"]
    assert "Is a directory" in told[0]["error"]
    assert "make its folder again" in told[1]["error"]
    assert told[2]["lost"] == 6


@pytest.mark.skipif(not FULL.exists(), reason="this machine has no /dev/full")
def test_a_stderr_that_takes_nothing_is_told_in_the_file(home):
    """Whatever stderr leads to is full: the file has all lines and one that says so; nobody is raised at."""
    full = FULL.open("w", buffering=1)
    logs.configure(home, stream=full)
    for _ in range(50):
        logs.logger().info("job.start")
    assert events(logs.log_file(home).read_text()) == ["job.start", "log.failed", *["job.start"] * 49]
    with pytest.raises(OSError, match="No space left"):
        full.close()


def test_both_ways_gone_hold_up_nobody(home):
    """File and stderr fail at once, in many threads: every caller goes on."""
    logs.log_file(home).mkdir(parents=True)
    closed = io.StringIO()
    logs.configure(home, stream=closed)
    closed.close()
    threads = [
        threading.Thread(target=lambda: [logs.logger().info("job.start") for _ in range(50)], daemon=True)
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert not any(thread.is_alive() for thread in threads)


def test_a_title_that_is_no_unicode_is_written_all_the_same(home):
    """Half a surrogate pair, as senders get wrong: the line stands in the file, escaped."""
    logs.configure(home, stream=io.StringIO())
    logs.logger().info("source.note", note="yen \ud83d up", run_id="r1")
    assert [json.dumps(entry["note"]) for entry in logs.lines_of(home, "r1")] == ['"yen \\ud83d up"']
