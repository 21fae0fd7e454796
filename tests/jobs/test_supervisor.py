"""The service and its minder: what hangs is killed, what dies is started anew, and both die together."""

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from jobs.supervisor import Ends
from tests.conftest import ROOT
from tests.jobs.test_serve import until

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="children are found by /proc")


@pytest.fixture
def made(shell):
    """A home whose retention job is due each second, and may take one."""
    made = shell("")
    made.env |= {
        "SIGNALS__PRICES__ENABLED": "false",
        "SIGNALS__PRICES__REFERENCE_URL": "",
        "SIGNALS__JOBS__RETENTION__EVERY_S": "1",
        "SIGNALS__JOBS__RETENTION__TIMEOUT_S": "1",
        "SIGNALS__SERVICE__KILL_AFTER_S": "2",
        "SIGNALS__JOBS__HEARTBEAT__EVERY_S": "1",
    }
    return made


@contextmanager
def minded(made, how):
    """The minder of a service whose retention job does as `hung.py` says, and its log so far."""
    command = [sys.executable, "-m", "tests.jobs.hung", how, "--config", str(made.config), "serve"]
    log = made.home.parent / f"stderr-{how}-{os.urandom(4).hex()}.txt"
    with log.open("w") as stderr:
        process = subprocess.Popen(command, env=made.env, cwd=ROOT, stderr=stderr, stdout=subprocess.DEVNULL)
    try:
        yield process, lambda: [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(15)


def child_of(pid):
    """The process id of its child; null where it has none just now."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(children[0]) if children else None


def lives(pid):
    """Whether it runs; what has ended and waits to be reaped does not."""
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


def events(log, name):
    return [line for line in log() if line["event"] == name]


def history(made, *options):
    done = made.run("jobs", "history", "--json", *options)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_hung_run_ends_by_a_kill_is_on_record_and_the_service_goes_on(made):
    """A thread that never ends is gone soon after its time; its run says so, and the next run of the job does well."""
    with minded(made, "once") as (process, log):
        until(lambda: len(events(log, "service.start")) == 2)
        killed = events(log, "service.killed")
        assert "job retention" in killed[0]["error"]
        until(lambda: any(run["outcome"] == "ok" for run in history(made, "--job", "retention")))
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    first = history(made, "--job", "retention", "--limit", "1000")[-1]
    assert first["outcome"] == "failed"
    assert first["error"].startswith("killed, hung for ")
    assert first["duration_s"] >= 3


@pytest.mark.parametrize(
    ("how", "why"), [("spin", "main loop has not answered"), ("scheduler", "scheduler has started nothing")]
)
def test_a_service_that_does_not_answer_is_killed(made, how, why):
    """Whether the interpreter is held or the scheduler stands still: killed, and up again."""
    with minded(made, how) as (_, log):
        until(lambda: len(events(log, "service.start")) == 2)
        assert why in events(log, "service.killed")[0]["error"]


def test_a_service_that_dies_is_started_at_once_and_by_and_by_more_slowly(made):
    """Each end is told with its cause and the wait; what it was at is on record as interrupted; the minder stays."""
    with minded(made, "crash") as (process, log):
        until(lambda: len(events(log, "service.died")) >= 3)
        died = events(log, "service.died")
        assert [one["wait_s"] for one in died[:3]] == [0, 1, 2]
        assert all("SIGSEGV" in one["error"] for one in died)
        errors = [run["error"] for run in history(made, "--job", "retention")]
        assert "interrupted: the service was killed by SIGSEGV" in errors
        assert process.poll() is None


def test_the_end_of_the_minder_is_the_end_of_the_service(made):
    """Killed as nothing can prevent, it takes service and server along, and the next service starts at once."""
    with minded(made, "none") as (process, log):
        until(lambda: events(log, "service.start"))
        child = child_of(process.pid)
        os.kill(process.pid, signal.SIGKILL)
        process.wait(10)
        with minded(made, "none") as (_, again):
            until(lambda: events(again, "service.start"))
            assert not lives(child)


def test_a_child_killed_from_outside_is_started_anew(made):
    """SIGKILL to the service alone: another one is up, and a clean end still exits 0."""
    with minded(made, "none") as (process, log):
        until(lambda: events(log, "service.start"))
        first = child_of(process.pid)
        os.kill(first, signal.SIGKILL)
        until(lambda: len(events(log, "service.start")) == 2)
        assert child_of(process.pid) != first
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
    assert events(log, "service.stop")


def test_a_start_that_cannot_be_is_one_line_and_its_own_exit_code(made, feed_server):
    """A console's port that another program holds: exit 2, told once, nothing started anew."""
    made.env["SIGNALS_CONSOLE_PORT"] = str(feed_server.http.server_address[1])
    done = made.run("serve")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1, done.stderr


def test_the_wait_before_a_start_grows_and_is_forgotten_after_a_good_time():
    """0, 1, 2, 4 … 60 s; a crash loop from the fifth end on; five minutes up, and the count begins anew."""
    ends = Ends()
    waits = [ends.another(1.0) for _ in range(9)]
    assert waits == [0, 1, 2, 4, 8, 16, 32, 60, 60]
    assert ends.loop
    assert ends.another(301.0) == 0
    assert not ends.loop
