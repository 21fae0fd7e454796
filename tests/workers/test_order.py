"""What several workers hand on is stored as it was sent: once, in order, with the bytes of a service that has none."""

import itertools
import re

import msgspec
import pytest
from redis.crc import key_slot

from jobs import publish
from jobs.collecting import FOREIGN, UNASKED
from jobs.settings import Workers
from signals.research.replay import replay
from signals.sources import inbox, scored
from signals.store import archive, signals

from .conftest import QUICK, Desk, Picky, day

_TIME = re.compile(rb'2026-11-04T09:00:00(?:\.\d+)?Z|(?<="id":")\w+(?=",[^{]{1,60}"signals.index)')
"""Times to the microsecond, and what is derived from one: which it is depends on how many came at once."""


def take_turns(desk: Desk, names: str) -> None:
    """Workers by turns until nothing is left, the service storing in between."""
    workers = [desk.worker(name) for name in names]
    for worker in itertools.cycle(workers):
        done = worker.turn()
        desk.run("inbox")
        if not done and not desk.redis.xlen(inbox.STREAM):
            return


def test_one_two_or_no_workers_make_the_same_messages(desk, model) -> None:
    """The same news, corrected, repeated and taken back, gives the same bytes whoever scores; and so does a replay."""
    news, told = day(120), []
    for workers in ("", "a", "ab"):
        made = desk(QUICK if workers else Workers())
        made.push(*news)
        if workers:
            take_turns(made, workers)
        else:
            made.run("inbox")
        assert made.run("publish").outcome == "ok"
        told.append(made.told())
    none, one, two = ([_TIME.sub(b"TIME", event) for event in events] for events in told)
    assert none == one == two
    assert len(none) > 30
    with made.app.store.read() as conn:
        epoch, _ = signals.channel_state(conn, "USDJPY")
        steps = list(archive.steps(conn))
    again = replay(steps, [], scorer=model, policy=made.app.settings.policy, events=made.app.settings.events)
    live = [publish.encode(at, one, epoch, n).event.replace(epoch.encode(), b"EPOCH") for n, (at, one, _) in
            enumerate(again, 1)]  # fmt: skip
    assert live == told[-1]


def test_a_correction_never_overtakes_what_it_corrects(desk) -> None:
    """What a slow worker holds keeps back all that was sent after it, and nothing that was sent before."""
    made = desk(msgspec.structs.replace(QUICK, batch=2, reclaim_after_s=60))
    titles = [f"BOJ hikes to {number}.0%" for number in range(6)]
    made.push(*({"id": "same", "title": title} for title in titles))
    quick, slow = made.worker("quick"), made.worker("slow")
    assert quick.turn() == 2
    assert len(scored.take_new(made.redis, "slow", 2)) == 2
    assert quick.turn() == 2
    assert made.run("inbox").counts["new"] == 2
    assert made.stored() == titles[:2]
    assert slow.turn() == 2
    assert made.run("inbox").counts["new"] == 4
    assert made.stored() == titles
    assert made.redis.xlen(scored.SCORED) == 0


def test_what_is_sent_again_after_it_was_taken_back_stands(desk) -> None:
    """Whether or not both came at once: the order is the sender's."""
    for workers in (QUICK, Workers()):
        made = desk(workers)
        made.push({"id": "1", "title": "BOJ hikes to 1.0%"}, {"id": "1", "withdrawn": True})
        made.push({"id": "1", "title": "BOJ holds at 0.5%"})
        run = made.run("inbox")
        assert (run.counts["new"], run.counts["withdrawn"]) == (2, 1)


def test_the_service_does_not_score_what_workers_scored(desk, model) -> None:
    """Their scores are used as they are, and only those that this very service would have made."""
    made = desk()
    made.push(*({"id": f"{number}", "title": f"Fed cuts rates by {number}bp"} for number in range(5)))
    made.worker("a").turn()
    made.app.__dict__["scorer"] = mine = Picky(model)
    assert made.run("inbox").counts["scored"] == 5
    assert made.run("publish").counts["scored"] == 5
    assert mine.asked == []


def test_scores_of_another_kind_are_made_anew(desk, model) -> None:
    """A worker with another model or version costs time and is told of; the messages are as they would be."""
    made = desk()
    made.push({"id": "1", "title": "Fed cuts rates by 25bp"})
    old = made.worker("old")
    old._maker = "older:code"
    old.turn()
    made.app.__dict__["scorer"] = mine = Picky(model)
    run = made.run("inbox")
    assert run.notes == (FOREIGN.format("older:code"),)
    made.run("publish")
    assert mine.asked == ["Fed cuts rates by 25bp"]


def test_the_same_headline_with_another_body_keeps_its_own_score(desk, model) -> None:
    """A sender repeats an id and title with other words below: what is stored is scored, not what came last."""
    bodies = ("The yen jumped. BOJ hikes rates to 1.0%.", "The dollar jumped. Fed hikes rates to 6.0%.")
    news = [{"id": "1", "title": "Rates: what we know", "body": body} for body in bodies]
    told = []
    for workers in (QUICK, Workers()):
        made = desk(workers)
        made.push(*news)
        if workers.enabled:
            made.worker("a").turn()
        made.run("inbox")
        made.run("publish")
        with made.app.store.read() as conn:
            told.append(list(archive.steps(conn)))
        told.append(made.told())
    assert told[1] == told[3]


def test_what_lies_there_scored_is_stored_without_the_setting_too(desk) -> None:
    """Turned off while workers go on: nothing is left lying, and the run says that this is not meant."""
    made = desk()
    made.push({"id": "1", "title": "Yen slides"})
    made.worker("a").turn()
    made.app.settings = msgspec.structs.replace(made.app.settings, workers=Workers())
    run = made.run("inbox")
    assert (run.outcome, run.counts["new"], run.notes) == ("partial", 1, (UNASKED,))
    assert made.stored() == ["Yen slides"]


@pytest.mark.parametrize("value", [b"", b"\x93", b"\x93\x80\xc0\xa1x"])
def test_a_strange_entry_among_the_scored_costs_only_itself(desk, value) -> None:
    """What no worker wrote goes to the dead letters with the reason; what lies beside it is stored."""
    made = desk()
    made.push({"id": "1", "title": "Yen slides"})
    made.redis.xadd(scored.SCORED, {"of": "no-id", "scored": value})
    made.worker("a").turn()
    run = made.run("inbox")
    assert (run.outcome, run.counts["new"], run.counts["rejected"]) == ("partial", 1, 1)
    assert made.redis.xlen(scored.SCORED) == 0
    assert made.redis.xlen(inbox.REJECTED) == 1


def test_what_is_handed_on_lies_in_the_inbox_s_slot() -> None:
    """In a cluster one script may move an entry only between keys of one slot; and no bot may read it there."""
    assert key_slot(scored.SCORED.encode()) == key_slot(inbox.STREAM.encode())
    assert not scored.SCORED.startswith("signals:{")
