"""One worker: what it does with what nobody can use, with what others lost, and where it has to wait."""

import multiprocessing
import os
import random
import signal
import threading
import time

import msgspec

from jobs.collecting import ALONE
from jobs.handed_bell import HandedBell
from jobs.metrics import Meter
from jobs.observed import InboxSeen, observe
from signals.sources import inbox, rejects, scored

from .conftest import QUICK, Picky

_FORK = multiprocessing.get_context("fork")


def until(look, what, patience_s=60.0):
    """Look until something true is seen."""
    end = time.monotonic() + patience_s
    while not (seen := look()):
        assert time.monotonic() < end, what
        time.sleep(0.005)
    return seen


def titles(desk, count):
    desk.push(*({"id": f"{number}", "title": f"BOJ hikes to {number}.0%"} for number in range(count)))
    return [f"BOJ hikes to {number}.0%" for number in range(count)]


def hold(desk, scored_one):
    """A process that takes a batch, says so and hands nothing on: killed by the caller."""
    client = desk.app.redis()
    scored.take_new(client, "doomed", 20)
    scored_one.set()
    threading.Event().wait()


def test_what_a_killed_worker_held_is_handed_on_by_another(desk) -> None:
    """kill -9 with a batch in hand: all is stored once, in order, and nothing is rejected."""
    made = desk()
    sent = titles(made, 30)
    took = _FORK.Event()
    doomed = _FORK.Process(target=hold, args=(made, took))
    doomed.start()
    assert took.wait(30)
    os.kill(doomed.pid, signal.SIGKILL)
    doomed.join()
    heir = made.worker("heir")
    until(lambda: heir.turn() == 0 and not made.redis.xlen(inbox.STREAM), "nothing is left")
    assert heir.counts["reclaimed"] == 20
    assert made.run("inbox").counts["new"] == 30
    assert made.stored() == sent
    assert made.redis.xlen(inbox.REJECTED) == 0


def labour(desk, name):
    """A worker in a process of its own, until it is killed."""
    desk.redis = desk.app.redis_once()
    worker = desk.worker(name)
    while True:
        worker.turn(5)


def test_workers_killed_at_any_moment_lose_and_repeat_nothing(desk) -> None:
    """Some of them, killed after some milliseconds each, while the service stores: all is there once, in order."""
    made, chance = desk(msgspec.structs.replace(QUICK, batch=7, max_deliveries=99)), random.Random(5)
    sent = titles(made, 250)
    for number in range(8):
        doomed = _FORK.Process(target=labour, args=(made, f"w{number}"))
        doomed.start()
        doomed.join(chance.uniform(0.01, 0.08))
        doomed.kill()
        doomed.join()
        assert doomed.exitcode == -signal.SIGKILL
        assert made.run("inbox").outcome in ("ok", "partial")
    heir = made.worker("heir")
    until(lambda: heir.turn() == 0 and not made.redis.xlen(inbox.STREAM), "nothing is left")
    made.run("inbox")
    assert made.stored() == sent
    assert scored.look(made.redis, 9)[:4] == (0, 0, 0, 0)


def test_who_is_slow_and_not_dead_hands_nothing_on_twice(desk) -> None:
    """What was taken over meanwhile is in one of two hands, whichever is quicker."""
    made = desk()
    titles(made, 3)
    slow, quick = made.worker("slow"), made.worker("quick")
    held = scored.take_new(made.redis, "slow", 3)
    until(lambda: scored.lost(made.redis, 0.03, 9), "it is overdue")
    assert quick.turn() == 3
    assert slow._work(held) == 3
    assert (slow.counts["handed"], quick.counts["handed"]) == (0, 3)
    assert made.redis.xlen(scored.SCORED) == 3


def test_a_worker_that_lost_its_connection_begins_with_its_own(desk) -> None:
    """What it was given and never heard of comes first, at once."""
    made = desk(msgspec.structs.replace(QUICK, reclaim_after_s=60))
    titles(made, 3)
    mine = made.worker("mine")
    scored.take_new(made.redis, "mine", 2)
    mine.begin()
    assert [mine.turn(), mine.turn()] == [2, 1]


def test_what_kills_each_worker_becomes_a_dead_letter_alone(desk) -> None:
    """Only the entry in whose hands they died: what lay beside it is scored. With why, from whom, and how often."""
    made = desk()
    titles(made, 2)
    for name in ("first", "second"):  # the second is given them one by one: it dies of the first that it takes over
        given = scored.take_new(made.redis, name, 2) or [
            scored.claim(made.redis, name, until(lambda: scored.lost(made.redis, 0.03, 9), "overdue")[0], 0.03)
        ]
        assert given
    until(lambda: len(scored.lost(made.redis, 0.03, 9)) == 2, "both are overdue")
    third = made.worker("third")
    until(lambda: third.turn() == 0 and not made.redis.xlen(inbox.STREAM), "nothing is left")
    (letter,) = rejects.newest(made.redis, 9)
    assert letter.reason == "given to 2 workers, and each died or hung with it; the last was second"
    assert (letter.consumer, letter.deliveries) == ("second", 2)
    assert "BOJ hikes to 0.0%" in letter.text
    made.run("inbox")
    assert made.stored() == ["BOJ hikes to 1.0%"]


def test_what_a_model_fails_on_becomes_a_dead_letter_alone(desk, model) -> None:
    """A defect costs the entry that meets it, which says what it was; redriven, it is scored by a mended worker."""
    made = desk()
    sent = titles(made, 3)
    made.worker("broken", Picky(model, "1.0%")).turn()
    (letter,) = rejects.newest(made.redis, 9)
    assert letter.reason == "cannot be scored: ArithmeticError: no number"
    assert made.run("inbox").counts["new"] == 2
    assert rejects.redrive(made.redis, [letter.rejected_id, "1-1"]) == ["1-1"]
    assert made.redis.xlen(inbox.REJECTED) == 0
    made.worker("mended").turn()
    made.run("inbox")
    assert sorted(made.stored()) == sent


def test_redriven_letters_are_as_they_were_sent(desk) -> None:
    """Both forms of an entry, without what was added when they were rejected; the oldest first."""
    made = desk()
    fields = [{b"headline": b'{"id": "1"}'}, {b"id": b"2", b"colour": b"red"}]
    for one in fields:
        made.redis.xadd(inbox.STREAM, one)
    made.worker("a").turn()
    assert rejects.redrive_all(made.redis) == 2
    assert [row[1] for row in made.redis.xrange(inbox.STREAM)] == fields
    assert rejects.redrive_all(made.redis) == 0


def test_workers_wait_where_too_much_lies_there_scored(desk) -> None:
    """They take no more until the service has stored some, count it, and are still seen to live."""
    made = desk(msgspec.structs.replace(QUICK, batch=5, scored_max=8))
    titles(made, 30)
    a = made.worker("a")
    assert [a.turn() for _ in range(4)] == [5, 5, 0, 0]
    assert a.counts["waited"] == 2
    stands = scored.look(made.redis, 5)
    assert (stands.waiting, stands.pending, stands.scored, stands.workers) == (20, 0, 10, 1)
    assert made.run("inbox").counts["new"] == 10
    assert a.turn() == 5


def test_where_no_worker_lives_the_service_scores_and_says_so(desk) -> None:
    """News does not wait for who is gone; the run is partial."""
    made = desk(msgspec.structs.replace(QUICK, scored_max=10))
    sent = titles(made, 50)
    run = made.run("inbox")
    assert (run.outcome, run.notes) == ("partial", (ALONE.format(15.0),))
    assert run.counts["new"] == run.counts["scored"] == 50
    assert made.stored() == sent


def test_where_a_worker_lives_the_service_leaves_it_the_inbox(desk) -> None:
    """As long as it is heard of, and not longer."""
    made = desk()
    made.worker("a").turn()
    titles(made, 2)
    assert made.run("inbox").counts["seen"] == 0
    made.app.settings = msgspec.structs.replace(
        made.app.settings, workers=msgspec.structs.replace(QUICK, silence_s=0.001)
    )
    until(lambda: scored.look(made.redis, 0.001).workers == 0, "it is silent")
    assert made.run("inbox").counts["new"] == 2


def test_all_of_it_is_seen_by_who_looks(desk) -> None:
    """Page, metrics, doctor and watchdog see what waits, is in hand, is scored, was rejected, and who lives."""
    made = desk()
    made.redis.xadd(inbox.STREAM, {"neither": "headline"})
    titles(made, 2)
    a = made.worker("a")
    assert a.turn() == 3
    titles(made, 2)
    scored.take_new(made.redis, "a", 1)
    seen = observe(made.app).inbox
    assert seen == InboxSeen(waiting=2, pending=1, scored=2, rejected=1, workers=1, wanted=True, most=100_000)
    text = Meter(made.app, None, dict).scrape().decode()
    for line in ("inbox_depth 2.0", "inbox_pending 1.0", "inbox_scored 2.0", "inbox_rejected 1.0", "workers 1.0"):
        assert f"\nsignals_{line}\n" in text


def test_who_ends_or_is_long_gone_leaves_no_name_behind(desk) -> None:
    """But for one that holds something: its entries would go with it."""
    made = desk()
    titles(made, 2)
    ended = made.worker("ended")
    scored.take_new(made.redis, "holding", 1)
    ended.turn()
    ended.end()
    names = [row["name"] for row in made.redis.xinfo_consumers(inbox.STREAM, inbox.GROUP)]
    assert names == [b"holding"]
    until(lambda: scored.look(made.redis, 0.001).workers == 0, "it is silent")
    assert scored.forget(made.redis, 0.001) == 0
    assert len(scored.lost(made.redis, 0, 9)) == 1


def test_a_redis_that_lost_everything_is_joined_anew(desk) -> None:
    """Flushed under a worker and a service: both go on with what comes then, and what lay there scored is stored."""
    made = desk()
    a = made.worker("a")
    titles(made, 1)
    a.turn()
    made.redis.delete(inbox.STREAM)
    assert made.run("inbox").counts["new"] == 1
    a.begin()
    made.push({"id": "9", "title": "Yen slides"})
    assert a.turn() == 1
    assert made.run("inbox").counts["new"] == 1


def test_the_bell_rings_for_what_is_handed_on_and_where_nobody_scores(desk) -> None:
    """Not for what is sent: that is a worker's matter as long as one lives."""
    made = desk()
    a = made.worker("a")
    a.turn()
    rung = threading.Semaphore(0)
    bell = HandedBell(made.app, rung.release)
    bell._last, bell.run = scored.newest(made.redis), None
    titles(made, 1)
    assert not bell._wanted(made.redis)
    a.turn()
    assert bell._wanted(made.redis)
    made.run("inbox")
    titles(made, 1)
    a.end()
    assert bell._wanted(made.redis)
