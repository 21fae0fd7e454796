"""What counts as fresh: every objective, at its edge, on looks made by hand."""

import datetime as dt

import msgspec
import pytest

from jobs.freshness import alive, judge, not_alive, roots, sentence
from jobs.objectives import Freshness, JobOverride, PriceOverride, SourceOverride
from jobs.observed import ChannelSeen, InboxSeen, JobSeen, Observed, PriceSeen, SourceSeen
from signals.model import JobRun

NOW = dt.datetime(2026, 3, 4, 12, 0, tzinfo=dt.UTC)  # a Wednesday
SUNDAY_OPENING = dt.datetime(2026, 3, 1, 22, 0, tzinfo=dt.UTC)
FRIDAY_CLOSE = dt.datetime(2026, 2, 27, 22, 0, tzinfo=dt.UTC)
CHRISTMAS_OVER = dt.datetime(2025, 12, 25, 22, 0, tzinfo=dt.UTC)  # a Thursday
DAY = dt.timedelta(days=1)
SHIPPED = Freshness()


def ago(seconds, at=NOW):
    return at - dt.timedelta(seconds=seconds)


def source(name="boj", **fields):
    answered = {"last_attempt_at": ago(30), "last_success_at": ago(30), "recent": "....."}
    return SourceSeen(name, enabled=True, every_s=60, **answered | fields)


def job(name, every_s=60, **fields):
    last = fields.pop("last_run", run(name))
    made = {"enabled": True, "paused": False, "timeout_s": 50, "last_ok_at": ago(30), "next_run_at": NOW}
    return JobSeen(name=name, every_s=every_s, last_run=last, **made | fields)


def run(name, outcome="ok", error=None, notes=(), at=None):
    at = at or ago(30)
    return JobRun(
        run_id="r", job=name, trigger="schedule", scheduled_at=at, started_at=at, ended_at=at, outcome=outcome,
        error=error, notes=notes,
    )  # fmt: skip


def look(**fields):
    """A look at a service where all is well, but for what is given."""
    well = Observed(
        at=NOW,
        read_at=NOW,
        sources=(source(),),
        jobs=(job("ingest"), job("publish", 15), job("prices"), job("watchdog", 15)),
        prices=(PriceSeen("yahoo", 60, ago(60)), PriceSeen("yahoo", 3600, ago(1800)), PriceSeen("ecb", 0, ago(90_000))),
        channel=ChannelSeen("e", 7, ago(600), 0, None, 3.0),
        last_headline_at=ago(200),
        market_open=True,
        model_id="m",
        store_fault=None,
        broker_fault=None,
        disk_free_bytes=10**10,
        clock_offset_s=0.1,
        started_at=ago(86_400),
        judged_at=ago(10),
    )
    return well._replace(**fields)


def found(observed, objectives=SHIPPED):
    return {one.key: one for one in judge(observed, objectives)}


def test_all_is_well():
    """Nothing is found, and the sentence says so with the age of the last headline."""
    assert judge(look(), SHIPPED) == []
    assert sentence(look(), []) == "Quiet: 1 source fresh, last headline 3 min ago"
    assert alive(look())


def test_an_inbox_that_workers_should_score_is_told_where_they_do_not():
    """None alive, or more waiting than may; where no workers are wanted, the inbox is the service's own matter."""
    seen = InboxSeen(waiting=5, pending=0, scored=0, rejected=2, workers=1, wanted=True, most=10)
    assert found(look(inbox=seen)) == {}
    assert found(look(inbox=seen._replace(wanted=False, workers=0, waiting=99))) == {}
    assert "does it by itself" in found(look(inbox=seen._replace(workers=0)))["inbox"].text
    behind = found(look(inbox=seen._replace(waiting=11)))["inbox"]
    assert (behind.severity, behind.text) == ("warning", "Inbox behind: 11 pushed headlines wait (1 workers, 0 scored)")


DOWN = {"last_success_at": ago(720), "failures": 4, "last_error": "http_500: server error"}


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (source(last_success_at=ago(3000), next_attempt_at=NOW + dt.timedelta(minutes=9)), None),
        (source(last_success_at=ago(3000)), None),  # not asked: that is ingest's fault, and found there
        (source(last_success_at=ago(300), failures=1, last_error="timeout: no answer"), None),
        (source(last_success_at=ago(301), failures=1, last_error="timeout: no answer"), "boj down for 5 min"),
        (source(**DOWN), "boj down for 12 min (http_500: server error)"),
        (source(last_success_at=None, failures=1, last_error="http_404: not found"), "boj never answered"),
        (source(**DOWN)._replace(enabled=False), None),
        (source(**DOWN)._replace(every_s=900), None),  # asked every quarter of an hour: three of them may pass
        (source(recent="x.x.xx", failures=1, last_error="timeout: slow"), "boj failed 4 of its last 6 times"),
        (source(recent="x" * 8 + "....."), None),  # five good ones in a row: over
        (source(lag_s=3601), "boj tells news 60 min late"),
        (source(lag_s=3600), None),
    ],
)
def test_a_source(seen, expected):
    """Down is who fails for longer than its objective; who answers and has nothing new is fresh."""
    one = found(look(sources=(seen,))).get("source:boj")
    assert (one and one.text.startswith(expected)) if expected else one is None, one


def test_a_source_may_have_objectives_of_its_own():
    """Ten minutes for this one: five are no fault, eleven are; what it has not of its own is everybody's."""
    own = Freshness(sources={"boj": SourceOverride(age_s=600)})
    late = {"failures": 1, "last_error": "timeout: x"}
    assert not found(look(sources=(source(last_success_at=ago(400), **late),)), own)
    assert found(look(sources=(source(last_success_at=ago(660), **late),)), own)
    assert own.of_source("boj").error_share == own.source.error_share


def test_a_mend_is_named_by_reason():
    """What to do about a source that has moved is another thing than about one that wants a login."""
    mends = {
        reason: found(look(sources=(source(last_success_at=ago(999), failures=1, last_error=f"{reason}: x"),)))[
            "source:boj"
        ].mend
        for reason in ("http_404", "http_401", "rate_limited", "configuration", "unreachable")
    }
    assert len(set(mends.values())) == 5
    assert all(mends.values())


def test_many_sources_down_have_one_cause():
    """All of three down: the network, told once, and not three times; two of five are two."""
    three = tuple(source(name, **DOWN) for name in "abc")
    wrong = judge(look(sources=three), SHIPPED)
    assert [one.key for one in roots(wrong)] == ["sources"]
    assert sentence(look(sources=three), wrong) == "All 3 sources down for 12 min"
    two = (*three[:2], source("d"), source("e"), source("f"))
    assert [one.key for one in roots(judge(look(sources=two), SHIPPED))] == ["source:a", "source:b"]


def test_the_articles_do_not_make_up_for_the_network():
    """A folder that is read is no sign that the network is there."""
    down = tuple(source(name, **DOWN) for name in "abc")
    wrong = found(look(sources=(*down, source("articles", remote=False))))
    assert wrong["sources"].severity == "critical"


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (job("ingest", last_ok_at=ago(180)), None),
        (
            job("ingest", last_ok_at=ago(200), last_run=run("ingest", "failed", "StoreError: x")),
            "ingest has not succee",
        ),
        (job("ingest", last_ok_at=ago(200), running_since=ago(190)), "ingest has been running for 3 min"),
        (job("ingest", last_ok_at=ago(200), paused=True), None),
        (job("ingest", last_ok_at=ago(200), enabled=False), None),
        (job("ingest", recent=".x.xxx"), "ingest failed 4 of its last 6 times"),
        (
            job("train", 86_400, last_ok_at=ago(90_000), last_run=run("train", "failed", "ModelError: y")),
            "train failed",
        ),
        (job("train", 86_400, last_ok_at=ago(400_000), last_run=run("train")), None),  # we began a day ago
    ],
)
def test_a_job(seen, expected):
    """A job that does not end well within its rounds is found; one that is paused or off is meant to stand."""
    one = found(look(jobs=(seen, job("watchdog", 15)))).get(f"job:{seen.name}")
    assert (one and one.text.startswith(expected)) if expected else one is None, one


def test_a_job_may_have_objectives_of_its_own():
    """Ten rounds for this one."""
    late = look(jobs=(job("ingest", last_ok_at=ago(400)), job("watchdog", 15)))
    assert "job:ingest" in found(late)
    assert found(late, Freshness(jobs={"ingest": JobOverride(rounds=10)})) == {}


@pytest.mark.parametrize(
    ("at", "closed_at", "wrong"),
    [
        (NOW, ago(900), False),
        (NOW, ago(901), True),
        (SUNDAY_OPENING + dt.timedelta(minutes=10), FRIDAY_CLOSE, False),  # two days, of which ten minutes were open
        (SUNDAY_OPENING + dt.timedelta(minutes=16), FRIDAY_CLOSE, True),
        (SUNDAY_OPENING + dt.timedelta(minutes=10), FRIDAY_CLOSE - dt.timedelta(minutes=6), True),
        (CHRISTMAS_OVER + dt.timedelta(minutes=10), CHRISTMAS_OVER - DAY, False),
        (CHRISTMAS_OVER + dt.timedelta(minutes=16), CHRISTMAS_OVER - DAY, True),
    ],
)
def test_prices_age_while_the_market_is_open(at, closed_at, wrong):
    """Neither the weekend nor Christmas makes a price old."""
    seen = look(at=at, read_at=at, prices=(PriceSeen("yahoo", 60, closed_at),), jobs=(), sources=())
    assert ("prices" in found(seen)) is wrong


def test_a_closed_week_excuses_prices():
    """On a Saturday nobody quotes, and what was missed before the close comes no more: the sentence says why."""
    at = FRIDAY_CLOSE + dt.timedelta(hours=20)
    quiet = source(last_attempt_at=at, last_success_at=at)
    closed = PriceSeen("yahoo", 60, FRIDAY_CLOSE - dt.timedelta(minutes=40))
    seen = look(
        at=at, read_at=at, market_open=False, prices=(closed,), jobs=(), sources=(quiet,),
        last_headline_at=ago(7300, at),
    )  # fmt: skip
    assert judge(seen, SHIPPED) == []
    assert sentence(seen, []) == "Quiet: 1 source fresh, last headline 2 h ago, market closed"


def test_old_prices_say_why():
    """What the job noted of its source stands in the text, and the mend is that of its reason."""
    jobs = (job("prices", last_run=run("prices", "partial", notes=("yahoo: rate_limited (429)",))), job("watchdog", 15))
    one = found(look(prices=(PriceSeen("yahoo", 60, ago(1500)),), jobs=jobs))["prices"]
    assert one.text == "USD/JPY prices 25 min old (rate_limited (429))"
    assert "Yahoo wants fewer requests" in one.mend


def test_the_reference_has_a_day_and_a_half():
    """Where Yahoo is disabled the ECB's rates of yesterday are fresh; each source has its own objective."""
    assert found(look(prices=(PriceSeen("ecb", 0, ago(100_000)),))) == {}
    assert "prices" in found(look(prices=(PriceSeen("ecb", 0, ago(150_000)),)))
    own = Freshness(prices={"ecb": PriceOverride(age_s=1)})
    assert "prices" in found(look(prices=(PriceSeen("ecb", 0, ago(100)),)), own)


@pytest.mark.parametrize(
    ("fields", "key", "text"),
    [
        ({"broker_fault": "cannot be reached", "broker_fault_since": ago(40),
          "channel": ChannelSeen("e", 7, ago(60), 12, ago(50))}, "broker", "Redis away for 40 s: 12 signals wait"),
        ({"channel": ChannelSeen("e", 7, ago(60), 2, ago(61))}, "channel", "Channel behind: 2 signals wait for 61 s"),
        ({"channel": ChannelSeen("e", 7, ago(60), 2, ago(60))}, None, ""),
        ({"channel": ChannelSeen("e", 7, ago(60), 0, None, 121.0)}, "channel", "Signals reach the channel 2 min after"),
        ({"store_fault": "database is locked", "store_fault_since": ago(9)}, "store", "Store fails for 9 s"),
        ({"disk_free_bytes": 499_000_000}, "disk", "Disk almost full: 499 MB"),
        ({"disk_free_bytes": 500_000_000}, None, ""),
        ({"clock_offset_s": -5.5}, "clock", "Clock 5 s behind"),
        ({"clock_jump_s": 3600.0}, "clock", "Clock was set forward by 60 min"),
        ({"clock_offset_s": None}, None, ""),
        ({"model_fault": "model.skops: is broken"}, "model", "Shipped model is used instead"),
        ({"jobs": (job("publish", 15, last_run=run("publish", "failed", "ModelError: gone")), job("watchdog", 15))},
         "model", "No model: nothing is scored"),
    ],
)  # fmt: skip
def test_the_service(fields, key, text):
    """Each part of the service that fails has its finding, with since when."""
    wrong = roots(judge(look(**fields), SHIPPED))
    assert [one.key for one in wrong] == ([key] if key else []), wrong
    assert not key or (wrong[0].text.startswith(text) and wrong[0].mend)


def test_a_scheduler_that_stopped():
    """Its next runs are a minute overdue: readiness must fail, and of the jobs nothing is said besides."""
    jobs = (job("ingest", next_run_at=ago(61), last_ok_at=ago(400)), job("watchdog", 15, next_run_at=ago(61)))
    seen = look(jobs=jobs)
    wrong = judge(seen, SHIPPED)
    assert [one.key for one in roots(wrong)] == ["scheduler"]
    assert sentence(seen, wrong) == "Scheduler stopped"
    assert not alive(seen)
    assert alive(look(jobs=(job("ingest", next_run_at=ago(59)), job("watchdog", 15))))


def test_a_scheduler_that_is_late():
    """Half a minute of drift is a warning, and it lives."""
    seen = look(jobs=(job("ingest", next_run_at=ago(31)), job("watchdog", 15)))
    assert found(seen)["scheduler"].severity == "warning"
    assert alive(seen)


def test_one_job_that_begins_late_explains_nothing():
    """Old prices and a feed that is down have causes of their own; so has publishing that a spare model serves."""
    late = job("ingest", next_run_at=ago(31))
    hung = job("publish", 15, last_ok_at=ago(200))
    seen = look(
        jobs=(late, hung, job("watchdog", 15)),
        sources=(source(**DOWN),),
        prices=(PriceSeen("yahoo", 60, ago(1500)),),
        model_fault="model.skops: is broken",
    )
    keys = {one.key for one in roots(judge(seen, SHIPPED))}
    assert keys == {"scheduler", "source:boj", "prices", "job:publish", "model"}


def test_a_clock_set_forward_makes_no_start_late():
    """What was due while the machine slept began late, and `clock` says why; what is due now and stands is late."""
    begun = msgspec.structs.replace(run("scorecard", at=ago(20)), scheduled_at=ago(140))
    seen = look(jobs=(job("scorecard", 300, last_run=begun), job("watchdog", 15)), clock_jump_s=600.0)
    assert set(found(seen)) == {"clock"}
    assert set(found(seen._replace(clock_jump_s=-600.0))) == {"clock", "scheduler"}
    waits = look(jobs=(job("ingest", next_run_at=ago(31)), job("watchdog", 15)), clock_jump_s=600.0)
    assert set(found(waits)) == {"clock", "scheduler"}


def test_a_start_that_was_late():
    """A run that began 40 s after its time is drift, for a minute; its second try is late by design, and is none."""
    late = run("ingest", at=ago(20))
    begun = msgspec.structs.replace(late, scheduled_at=ago(60))
    seen = look(jobs=(job("ingest", last_run=begun), job("watchdog", 15)))
    assert found(seen)["scheduler"].text == "Scheduler 40 s late (job ingest)"
    old = msgspec.structs.replace(late, started_at=ago(61), scheduled_at=ago(101))
    assert found(look(jobs=(job("ingest", last_run=old), job("watchdog", 15)))) == {}
    again = msgspec.structs.replace(begun, attempt=2)
    assert found(look(jobs=(job("ingest", last_run=again), job("watchdog", 15)))) == {}


def test_a_clock_that_was_set_back_stops_the_scheduler():
    """The next run is an hour away of a job that runs each minute."""
    later = NOW + dt.timedelta(hours=1)
    seen = look(jobs=(job("ingest", next_run_at=later), job("watchdog", 15, next_run_at=later)))
    assert found(seen)["scheduler"].text.startswith("Scheduler waits for 59 min")
    assert not alive(seen)


def test_without_a_schedule_the_last_runs_tell():
    """Seen from another process: no job has run for ten minutes, so the service is down."""
    old = [job(name, next_run_at=None, last_run=run(name, at=ago(600))) for name in ("ingest", "watchdog")]
    seen = look(jobs=tuple(old), started_at=None, judged_at=ago(600))
    assert [one.key for one in roots(judge(seen, SHIPPED))] == ["scheduler"]
    assert not alive(seen)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"judged_at": ago(61)}, "Watchdog silent for 61 s"),
        ({"judged_at": ago(59)}, None),
        ({"judged_at": None, "started_at": ago(61)}, "Watchdog silent for 61 s"),
        ({"judged_at": None, "started_at": ago(5)}, None),
        ({"judged_at": None, "started_at": None}, "Watchdog has never judged"),
        ({"judged_at": ago(9999), "jobs": (job("watchdog", 15, enabled=False),)}, None),
    ],
)
def test_a_watchdog_that_is_silent_is_no_life(fields, why):
    """Who watches is watched: a minute without a judgement, and readiness fails with the reason."""
    assert not_alive(look(**fields)) == why


def test_what_the_store_said_long_ago_is_not_judged():
    """Read two minutes ago: nothing is known of sources, jobs and prices; the store is the finding."""
    seen = look(read_at=ago(120), store_fault="no answer", sources=(source(**DOWN),))
    assert list(found(seen)) == ["store"]
    never = look(read_at=None, sources=None, prices=None, channel=None, store_fault="no answer")
    assert list(found(never)) == ["store"]


def test_the_worst_comes_first_and_two_are_named():
    """Critical before warning; what is left over is counted."""
    sources = tuple(source(name, **DOWN) for name in "ab") + tuple(source(name) for name in "cdef")
    seen = look(sources=sources, broker_fault="gone", broker_fault_since=ago(40), disk_free_bytes=4 * 10**8)
    assert (
        sentence(seen, judge(seen, SHIPPED))
        == "Redis away for 40 s; Disk almost full: 400 MB free in the home, and 2 more"
    )


def test_before_anything_is_known():
    """A service that has just started is not called quiet."""
    never = source(last_success_at=None, last_attempt_at=None, recent="")
    assert sentence(look(sources=None), []) == "Starting: nothing is known yet"
    assert sentence(look(sources=(never,)), []) == "Starting: no source has been asked yet"
