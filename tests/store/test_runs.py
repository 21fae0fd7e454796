"""The history of job runs."""

import msgspec
import pytest

from signals.errors import StoreError
from signals.model import JobRun
from signals.store import Store, runs

from .conftest import DAY, HOUR, MINUTE, NOW, SECOND, make_run


def keep(store: Store, *new: JobRun) -> None:
    """Put runs on record."""
    with store.write() as conn:
        for run in new:
            runs.begin(conn, run)


def ended(run: JobRun, outcome: str = "ok") -> JobRun:
    """The run a second after it began."""
    return msgspec.structs.replace(run, outcome=outcome, ended_at=run.started_at + SECOND)


def ids(found: list[JobRun]) -> list[str]:
    """Their ids."""
    return [run.run_id for run in found]


def test_a_run_is_on_record_from_its_beginning_to_its_end(store: Store) -> None:
    """Every field comes back, of a run that is going on and of one that has ended."""
    begun = make_run(scheduled_at=NOW - SECOND, trigger="schedule")
    keep(store, begun)
    done = msgspec.structs.replace(
        ended(begun, "partial"), counts={"new": 3, "failed": 1}, error=None, notes=("boj: timeout", "日銀: 遅延")
    )
    with store.write() as conn:
        assert runs.find(conn, "r1") == begun
        runs.finish(conn, done)
        assert runs.find(conn, "r1") == done


def test_an_end_changes_its_own_run_only(store: Store) -> None:
    """Other runs of the job stay as they are."""
    keep(store, make_run("r1"), make_run("r2"))
    with store.write() as conn:
        runs.finish(conn, ended(make_run("r2")))
        assert runs.find(conn, "r1") == make_run("r1")


def test_a_run_begins_once(store: Store) -> None:
    """An id that is on record already is an error of the store, and the record stays."""
    keep(store, make_run())
    with pytest.raises(StoreError, match=r"(?i)unique"):
        keep(store, make_run(job="prices"))
    with store.read() as conn:
        assert runs.find(conn, "r1") == make_run()


def test_recent_runs(store: Store) -> None:
    """Newest first, ties by id, of one job or of all, no more than asked for."""
    keep(
        store,
        make_run("a", NOW),
        make_run("b", NOW + MINUTE, job="prices"),
        make_run("c", NOW + MINUTE),
        make_run("d", NOW - MINUTE),
    )
    with store.read() as conn:
        assert ids(runs.recent(conn)) == ["c", "b", "a", "d"]
        assert ids(runs.recent(conn, limit=2)) == ["c", "b"]
        assert ids(runs.recent(conn, job="ingest")) == ["c", "a", "d"]
        assert runs.recent(conn, job="nothing") == []


def test_recent_runs_without_the_good_ones_of_quiet_jobs(store: Store) -> None:
    """A frequent job is left out while all is well, and shown where it failed or is running."""
    beats = [ended(make_run("b1", job="heartbeat")), ended(make_run("b2", job="heartbeat"), "failed")]
    keep(store, *beats, make_run("b3", job="heartbeat"), ended(make_run("c")))
    with store.read() as conn:
        assert ids(runs.recent(conn, without=["heartbeat"])) == ["c", "b3", "b2"]


def test_find_by_the_beginning_of_an_id(store: Store) -> None:
    """Enough of the id to tell it from others; null where none or several begin so."""
    keep(store, make_run("abc123"), make_run("abd456"), make_run("x%y_z"))
    with store.read() as conn:
        assert runs.find(conn, "abc") == make_run("abc123")
        assert runs.find(conn, "abd456") == make_run("abd456")
        assert runs.find(conn, "x%y") == make_run("x%y_z")
        for nothing in ("ab", "", "abc1234", "bc", "%", "a_c", "x_y"):
            assert runs.find(conn, nothing) is None


def test_thin_drops_what_ended_before(store: Store) -> None:
    """Runs that ended before the moment go, of these jobs or of all; those that end later or not yet stay."""
    old, older, beat = (
        ended(make_run(n, NOW - DAY, job=j)) for n, j in (("a", "ingest"), ("b", "prices"), ("c", "beat"))
    )
    keep(store, old, older, beat, make_run("open", NOW - DAY), ended(make_run("new", NOW)))
    with store.write() as conn:
        assert runs.thin(conn, NOW - DAY + SECOND) == 0
        assert runs.thin(conn, NOW, jobs=["beat"]) == 1
        assert runs.thin(conn, NOW, jobs=[]) == 0
        assert runs.thin(conn, NOW) == 2
        assert ids(runs.recent(conn)) == ["new", "open"]


def test_latest_run_of_each_job(store: Store) -> None:
    """The newest one of every job, and one of two that began together."""
    keep(store, make_run("a"), make_run("b", NOW + HOUR), make_run("c", job="prices"), make_run("d", job="prices"))
    with store.read() as conn:
        assert {job: run.run_id for job, run in runs.latest(conn).items()} == {"ingest": "b", "prices": "d"}


def test_interrupted_runs_are_closed(store: Store) -> None:
    """Runs a killed process left open are failed, with the reason; ended ones and other jobs' stay."""
    keep(store, make_run("a"), ended(make_run("b")), make_run("c", job="prices"))
    with store.write() as conn:
        assert runs.close_interrupted(conn, ["ingest"], NOW + HOUR) == 1
        assert runs.close_interrupted(conn, ["ingest"], NOW + 2 * HOUR) == 0
        closed = runs.find(conn, "a")
        assert closed is not None
        assert (closed.outcome, closed.ended_at) == ("failed", NOW + HOUR)
        assert closed.error is not None
        assert closed.error.startswith("interrupted")
        assert runs.find(conn, "b") == ended(make_run("b"))
        assert runs.find(conn, "c") == make_run("c", job="prices")


def test_runs_that_may_still_be_going_on_are_not_closed(store: Store) -> None:
    """Only those that began long enough ago: a minute's patience spares the run of half a minute."""
    keep(store, make_run("old", NOW - MINUTE), make_run("young", NOW - MINUTE + SECOND))
    with store.write() as conn:
        assert runs.close_interrupted(conn, ["ingest"], NOW, older_than_s=60) == 1
        assert runs.find(conn, "young") == make_run("young", NOW - MINUTE + SECOND)
