"""Runs of jobs: tried again by the kind of error, kept apart, paused; each on record with its cause and its times."""

import datetime as dt
import json
import subprocess
import sys
from contextlib import closing

import pytest

from jobs import retries
from jobs.causes import in_one_line
from jobs.claims import Claims
from jobs.follow import Following
from jobs.retries import Backoff, Rule, rule_for
from jobs.runner import Report, Runner
from jobs.scheduler import Pace, build, recall
from jobs.settings import Job
from signals.errors import (
    BrokerError,
    ConfigError,
    DeadlineError,
    ModelError,
    PriceError,
    SourceError,
    StoreError,
    TransientError,
)
from signals.store import Store, runs
from tests.conftest import ROOT
from tests.jobs.conftest import now

HOUR = dt.timedelta(hours=1)
TWICE = "from jobs.claims import Claims; import pathlib, sys; c = Claims(['j'], pathlib.Path(sys.argv[1])); "


@pytest.fixture
def store(tmp_path):
    with closing(Store.open(f"sqlite:///{tmp_path / 's.db'}?timeout=0.05")) as made:
        yield made


@pytest.fixture
def at_once(monkeypatch):
    """Retries without their waits."""
    for kind, rule in retries.RULES.items():
        monkeypatch.setitem(retries.RULES, kind, Rule(rule.attempts, 0.0, 0.0))


def failing(*errors):
    """A job that fails with each of these in turn, then does well."""
    left = list(errors)

    def task(_run):
        if left:
            raise left.pop(0)
        return Report({"done": 1})

    return task


def kept(store, job="j"):
    """What is on record, oldest first."""
    with store.read() as conn:
        return list(reversed(runs.recent(conn, job=job)))


def runner_of(store, task, *, due_in_s=None, **options):
    due = (lambda: {"j": now() + dt.timedelta(seconds=due_in_s)}) if due_in_s is not None else dict
    return Runner({"j": (task, 50)}, store, now, next_runs=due, retries=True, **options)


@pytest.mark.usefixtures("at_once")
def test_what_may_pass_is_tried_again_and_each_attempt_is_on_record(store):
    """Redis away twice, then there: three rows, numbered, and the last one is what came of the run."""
    runner = runner_of(store, failing(*[BrokerError("Redis", "gone")] * 2))
    due_at = now()
    assert runner.run("j", "schedule", due_at).outcome == "ok"
    rows = kept(store)
    assert sorted((row.attempt, row.outcome) for row in rows) == [(1, "failed"), (2, "failed"), (3, "ok")]
    assert {row.scheduled_at for row in rows} == {due_at}


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize(
    "error",
    [ModelError("model", "is broken"), ConfigError("a", "b"), ValueError("a defect"), DeadlineError("j", "long")],
)
def test_what_would_only_repeat_is_not_tried_again(store, error):
    """What a person has to mend, a defect, and what ran out of time have one attempt."""
    assert runner_of(store, failing(error)).run("j", "schedule").outcome == "failed"
    assert [row.attempt for row in kept(store)] == [1]


@pytest.mark.usefixtures("at_once")
def test_an_outage_makes_no_storm(store):
    """Down for ten runs: three attempts in the first, one in each other; once well, all of them again."""
    runner = runner_of(store, failing(*[BrokerError("Redis", "gone")] * 12))
    outcomes = [runner.run("j", "schedule").outcome for _ in range(11)]
    assert outcomes == [*["failed"] * 10, "ok"]
    assert len(kept(store)) == 3 + 9 + 1
    assert sorted(row.attempt for row in kept(store))[-2:] == [2, 3]


def test_no_retry_is_begun_that_the_next_run_would_meet(store):
    """Due again in a second: there is no room for another attempt, so there is none, and nobody waits."""
    runner_of(store, failing(BrokerError("Redis", "gone")), due_in_s=1).run("j", "schedule")
    assert [row.attempt for row in kept(store)] == [1]


@pytest.mark.usefixtures("at_once")
def test_an_attempt_has_no_more_time_than_is_left_until_the_next_run(store):
    """The second attempt's deadline is the next run's time, though the job may take longer."""
    left = []

    def task(run):
        left.append(run.deadline.remaining_s())
        if len(left) == 1:
            raise BrokerError("Redis", "gone")
        return Report({})

    runner_of(store, task, due_in_s=20).run("j", "schedule")
    assert left[0] > 40
    assert left[1] <= 20


def test_waits_double_with_jitter_and_have_a_most():
    """From half to all of first, twice that, …; never above the most; then no more."""
    rule = rule_for(StoreError("a", "b"))
    for _ in range(50):
        backoff = Backoff(1000, allowed=True)
        waits = [backoff.next_after(StoreError("a", "b")) for _ in range(rule.attempts)]
        assert waits[-1] is None
        for number, wait_s in enumerate(waits[:-1]):
            whole = min(rule.most_s, rule.first_s * 2**number)
            assert whole / 2 <= wait_s <= whole


def test_the_nearest_class_of_an_error_rules():
    """A kind without a row of its own goes by its base; every rule is bounded and shorter than any job's time."""

    class Odd(PriceError):
        pass

    assert rule_for(Odd("a", "timeout", "c")) == retries.RULES[PriceError]
    assert rule_for(TransientError("a", "b")) == retries.RULES[TransientError]
    assert rule_for(SourceError("a", "timeout", "c")).attempts == 2
    assert all(rule.attempts <= 3 and rule.most_s <= 4 for rule in retries.RULES.values())


def test_the_history_has_the_cause_in_one_line(store):
    """What was raised, and what that came from, without line breaks or secrets."""

    def task(_run):
        try:
            raise ConnectionResetError("reset\nby redis://user:s3cret-word@host/0")
        except ConnectionResetError as error:
            raise BrokerError("Redis host", "cannot be reached", "is it up?") from error

    error = Runner({"j": (task, 50)}, store, now).run("j", "manual").error
    assert error == (
        "BrokerError: Redis host: cannot be reached - is it up?; from ConnectionResetError: reset by redis://***@host/0"
    )
    assert kept(store)[0].error == error


def test_a_cause_that_says_nothing_new_is_left_out():
    """The same words twice help nobody, and a cause that was put aside on purpose stays aside."""
    try:
        try:
            raise OSError("database is locked")
        except OSError as error:
            raise StoreError("s.db", "database is locked") from error
    except StoreError as error:
        assert in_one_line(error) == "StoreError: s.db: database is locked"
    try:
        try:
            raise OSError("secret")
        except OSError:
            raise StoreError("s.db", "no") from None
    except StoreError as error:
        assert in_one_line(error) == "StoreError: s.db: no"


def test_two_processes_never_run_a_job_at_once(store, tmp_path):
    """While another process of the home has the job, a run by hand is skipped and says why; then it runs."""
    locks = tmp_path / "locks"
    other = subprocess.Popen(
        [sys.executable, "-c", TWICE + "print(c.take('j'), flush=True); sys.stdin.read()", str(locks)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert other.stdout.readline().strip() == "None"
    claims = Claims(["j"], locks)
    runner = runner_of(store, failing(), claims=claims)
    skipped = runner.run("j", "manual")
    assert (skipped.outcome, "another process of this home" in skipped.error) == ("skipped", True)
    other.kill()  # whoever dies lets go
    other.communicate(timeout=20)
    assert runner.run("j", "manual").outcome == "ok"
    claims.close()
    again = subprocess.run(
        [sys.executable, "-c", TWICE + "print(c.take('j'))", str(locks)],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=20,
    )  # fmt: skip
    assert again.stdout.strip() == "None"


def test_a_paused_job_runs_by_hand_only_until_it_is_resumed_or_its_time_is_over(store):
    """Its schedule and what it follows leave no row; by hand it runs; then it goes on, by word or by itself."""
    runner = runner_of(store, failing())
    runner.pause("j", why="by\nhand")
    assert runner.paused()["j"].why == "by hand"
    assert [runner.run("j", trigger).outcome for trigger in ("schedule", "chain")] == ["skipped", "skipped"]
    assert kept(store) == []
    assert runner.run("j", "manual").outcome == "ok"
    assert runner.resume("j")
    assert not runner.resume("j")
    assert runner.run("j", "schedule").outcome == "ok"
    runner.pause("j", for_s=-1)
    assert runner.paused() == {}
    assert runner.run("j", "schedule").outcome == "ok"


def test_a_pause_made_by_another_process_holds_at_the_next_tick(store):
    """Two runners over one store: what the one pauses the other does not run."""
    service, by_hand = runner_of(store, failing()), runner_of(store, failing())
    assert service.run("j", "schedule").outcome == "ok"
    by_hand.pause("j", for_s=3600)
    assert service.run("j", "schedule").outcome == "skipped"
    by_hand.resume("j")
    assert service.run("j", "schedule").outcome == "ok"


def test_the_heartbeat_cannot_be_paused(store):
    """Without it the service looks dead: refused, with the reason; an unknown name is refused, too."""
    runner = Runner({"heartbeat": (failing(), 4)}, store, now)
    with pytest.raises(ConfigError, match="cannot be paused"):
        runner.pause("heartbeat")
    with pytest.raises(ConfigError, match="there is no job"):
        runner.pause("nothing")


def test_a_run_on_schedule_has_the_time_it_was_due(store):
    """The row of a fired job says when it was due, and its drift is the time from then to its start."""
    runner, pace = runner_of(store, failing()), Pace([60])
    job = Job(every_s=60, timeout_s=50, grace_s=60)
    scheduler = build(runner, Following(runner, now), {"j": job}, now, pace)
    due_at = now() - dt.timedelta(seconds=2)
    scheduler.get_jobs()[0].modify(next_run_time=due_at)
    scheduler.start()
    scheduler.shutdown(wait=True)
    scheduled = kept(store)[0]
    assert scheduled.scheduled_at == due_at
    assert 2 <= scheduled.drift_s < 30
    assert pace.idle_s() < 0


def test_a_clock_set_back_keeps_no_job_waiting(store):
    """Planned for a time that is an hour away now, they wait for their interval; what is on time is left alone."""
    runner, at = runner_of(store, failing()), now()
    jobs = {name: Job(every_s=every_s, timeout_s=50, grace_s=60) for name, every_s in (("j", 60), ("k", 86_400))}
    scheduler = build(runner, Following(runner, now), jobs, lambda: at + HOUR)
    every_s = {name: float(job.every_s) for name, job in jobs.items()}
    assert recall(scheduler, every_s, at) == ()  # it does not run
    scheduler.start()
    try:
        assert recall(scheduler, every_s, at + HOUR) == ()
        assert recall(scheduler, every_s, at) == ("j", "k")
        due = {job.id: job.next_run_time for job in scheduler.get_jobs()}
        assert due == {name: at + dt.timedelta(seconds=job.every_s) for name, job in jobs.items()}
        assert recall(scheduler, every_s, at) == ()
    finally:
        scheduler.shutdown(wait=True)


def test_the_list_says_what_a_service_that_runs_not_does(shell):
    """No service: nothing is due, in so many words; a pause with its reason is shown; history by outcome and time."""
    made = shell("")
    assert made.run("jobs", "run", "retention").returncode == 0
    paused = made.run("jobs", "pause", "train", "--for", "2h", "--why", "new labels")
    assert "train is paused until" in paused.stdout
    shown = made.run("jobs")
    assert "No service runs on this home" in shown.stdout
    assert "new labels" in shown.stdout
    listed = {row["job"]: row for row in map(json.loads, made.run("jobs", "--json").stdout.splitlines())}
    assert listed["train"]["paused"]["why"] == "new labels"
    assert all(row["next_run_at"] is None for row in listed.values())
    for options, count in ((("--since", "1h"), 1), (("--outcome", "failed"), 0), (("--outcome", "ok"), 1)):
        assert len(made.run("jobs", "history", "--json", *options).stdout.splitlines()) == count
    assert made.run("jobs", "history", "--outcome", "good").returncode == 2
    assert "goes on" in made.run("jobs", "resume", "train").stdout
