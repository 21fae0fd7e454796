"""How commands end: readers that leave, second services, models that can't be read, runs cut short."""

import datetime as dt
import json
import subprocess

from jobs.runner import Report, Runner
from signals.model import JobRun
from signals.store import Store, runs
from tests.jobs.test_serve import serving, until


def test_a_reader_that_leaves_ends_nothing(shell):
    """`signals run | head -1` does the whole cycle and exits 0."""
    made = shell()
    line = f"{' '.join(made.command('run'))} | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", line], env=made.env, capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "0", done.stderr
    history = [json.loads(one) for one in made.run("jobs", "history", "--json").stdout.splitlines()]
    assert [run["job"] for run in history] == ["publish", "prices", "inbox", "ingest"]


def test_a_second_service_on_one_home_is_refused(shell):
    """Two services would do every job twice: the second is told so in one line."""
    made = shell()
    with serving(made):
        second = made.run("serve")
    assert second.returncode == 2
    assert "another `signals serve`" in second.stderr


def test_a_broken_model_at_home_is_told_and_passed_over(shell):
    """What this code can't read costs a line on stderr; the shipped model answers."""
    made = shell()
    (made.home / "model").mkdir(parents=True)
    (made.home / "model" / "model.skops").write_bytes(b"made by another version")
    done = made.run("score", "--json", "Yen surges")
    assert done.returncode == 0
    assert "the shipped model is used instead" in done.stderr
    assert json.loads(done.stdout)["direction"] == "down"


def test_jobs_takes_its_options_without_a_word(shell):
    """`signals jobs --json` is the list, with when each is next due in the service that runs, unless it is paused."""
    made = shell()
    with serving(made):
        made.run("jobs", "pause", "train")
        until(lambda: (made.home / "service.json").exists())
        shown = made.run("jobs")
        listed = {job["job"]: job for job in map(json.loads, made.run("jobs", "--json").stdout.splitlines())}
    assert "The service runs since" in shown.stdout
    assert listed["retention"]["next_run_at"] is not None
    assert listed["train"]["next_run_at"] is None


def test_a_home_that_cannot_be_made_is_one_line(shell, tmp_path):
    """An ordinary file where the home should be is named, without a traceback."""
    made = shell()
    (tmp_path / "file").write_text("")
    made.env["SIGNALS_HOME"] = str(tmp_path / "file")
    done = made.run("run")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert str(tmp_path / "file") in done.stderr


def test_a_killed_run_is_closed_once_its_time_has_passed_and_a_live_one_is_not(tmp_path):
    """A row left `running` counts as interrupted only when no live run could be that old."""
    store = Store.open(f"sqlite:///{tmp_path / 's.db'}")
    now = dt.datetime(2026, 3, 4, 9, 0, tzinfo=dt.UTC)
    with store.write() as conn:
        for run_id, age_s in (("killed", 3600), ("alive", 20)):
            at = now - dt.timedelta(seconds=age_s)
            runs.begin(conn, JobRun(run_id=run_id, job="j", trigger="manual", scheduled_at=None, started_at=at))
    Runner({"j": (lambda run: Report({}), 50)}, store, lambda: now).run("j", "manual")
    with store.read() as conn:
        outcomes = {run.run_id: run.outcome for run in runs.recent(conn)}
    store.close()
    assert outcomes["killed"] == "failed"
    assert outcomes["alive"] == "running"
