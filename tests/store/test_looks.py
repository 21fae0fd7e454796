"""What the page, the metrics, the watchdog and the scorecard ask of the store, on each kind of database."""

import json

import pytest
import sqlalchemy as sa

from signals.message import Signal
from signals.model import ForwardReturn, Pause, Withdrawal
from signals.store import (
    Store,
    alerts,
    bars,
    counting,
    counts,
    forward_returns,
    headlines,
    outlook,
    pauses,
    runs,
    schema,
    signals,
    source_days,
    told,
    withdrawals,
)  # fmt: skip
from signals.store.source_days import Look
from tests.store.conftest import (
    CHANNEL,
    DAY,
    HOUR,
    MINUTE,
    NOW,
    SECOND,
    make_bar,
    make_headline,
    make_run,
    make_score,
    make_signal,
    make_story,
)  # fmt: skip
from tests.store.test_alerts import alert

HEADLINE = "signals.headline.v1"


def message(signal: Signal, epoch: str, seq: int) -> tuple[str, bytes]:
    """As much of a message as is looked at."""
    at = signal.scored_at.isoformat()
    return f"m{seq}", json.dumps({"time": at, "data": {"known_at": signal.known_at.isoformat()}}).encode()


def step(store: Store, *numbers: int, at=NOW, sent_at=None, **changes) -> str:
    """A step that took the headlines of these numbers and told each; the epoch."""
    made = [make_headline(number, at - MINUTE, **changes) for number in numbers]
    with store.write() as conn:
        headlines.add(conn, made)
        headlines.mark_taken(conn, made, [make_story(one) for one in made], [], at)
        scores = [make_score(number, abstained=number % 2 == 0) for number in numbers]
        fresh = [make_signal(number, known_at=at - MINUTE, scored_at=at) for number in numbers]
        signals.add(conn, scores, fresh, channel=CHANNEL, now=at, encode=message)
        epoch, last_seq = signals.channel_state(conn, CHANNEL)
        if sent_at:
            rows = signals.tail(conn, after_seq=last_seq - len(numbers), limit=99)
            signals.mark_published(conn, rows, sent_at)
    assert epoch is not None
    return epoch


def test_what_came_since_a_mark_is_counted(store: Store) -> None:
    """Whole steps after the mark, how they were scored, and what was sent of them; nothing before it."""
    with store.read() as conn:
        assert (counting.last_scored_at(conn), counting.last_sent_seq(conn, None)) == (None, 0)
    step(store, 1, 2, sent_at=NOW)
    step(store, 3, 4, 5, at=NOW + HOUR, sent_at=NOW + HOUR)
    epoch = step(store, 6, at=NOW + 2 * HOUR)
    with store.read() as conn:
        assert counting.last_scored_at(conn) == NOW + 2 * HOUR
        assert counting.last_sent_seq(conn, epoch) == 5
        assert [one.scored_at for one in counting.taken(conn, NOW, 1)] == [NOW + HOUR] * 3
        assert len(counting.taken(conn, NOW, 3)) == len(counting.taken(conn, NOW, 99)) == 4
        assert counting.directions(conn, NOW - SECOND, NOW + HOUR) == {"down": 3, "abstained": 2}
        assert [one.seq for one in counting.sent(conn, epoch, 1, 3)] == [2, 3, 4]
        assert counting.sent(conn, "another", 0, 9) == []


def test_sources_and_alerts_are_counted(store: Store) -> None:
    """A source's day, and open alerts by their severity."""
    with store.write() as conn:
        source_days.count(conn, Look("wire", seen=9, new=2), NOW)
        source_days.count(conn, Look("wire", failure="timeout"), NOW - 2 * DAY)
        alerts.hold(conn)
        alerts.save(conn, alert("a"))
        alerts.save(conn, alert("b", key="disk", opened_at=None))
    with store.read() as conn:
        assert counting.of_sources(conn, NOW.date()) == [("wire", NOW.date(), 1, 0, 9, 2, 0)]
        assert counting.open_alerts(conn) == {"warning": 1}


def test_the_digest_counts_what_was_live(store: Store) -> None:
    """Headlines and signals known since a time; nothing of an archive, or of history that was brought."""
    step(store, 1, 2, at=NOW)
    step(store, 3, at=NOW - DAY)
    step(store, 4, at=NOW + SECOND, backfilled=True)
    with store.read() as conn:
        assert counts.headlines_since(conn, NOW - HOUR) == 2
        assert counts.signals_since(conn, NOW - HOUR) == {"down": 2}


def outcome(number: int, **changes) -> ForwardReturn:
    """What came of the signal of this number."""
    values = {
        "signal_id": f"s{number}", "horizon_s": 3600, "outcome": "settled", "entry_at": NOW, "entry_price": 150.0,
        "exit_at": NOW + HOUR, "exit_price": 150.3, "return_bp": 20.0, "cost_bp": 0.5, "source": "yahoo",
        "settled_at": NOW + HOUR,
    }  # fmt: skip
    return ForwardReturn(**(values | changes))


def test_signals_are_settled_once(store: Store) -> None:
    """What has no outcome yet, oldest first; of what has one the first counts; what was not witnessed is left out."""
    step(store, 1, at=NOW)
    step(store, 2, at=NOW - HOUR)
    step(store, 3, at=NOW + SECOND, backfilled=True)
    with store.write() as conn:
        assert [one.signal_id for one in forward_returns.unsettled(conn, NOW, 9)] == ["s2", "s1"]
        assert [one.signal_id for one in forward_returns.unsettled(conn, NOW - HOUR, 9)] == ["s2"]
        assert forward_returns.add(conn, [outcome(2)]) == 1
        assert forward_returns.add(conn, [outcome(2, return_bp=1.0)]) == 0
        assert [one.signal_id for one in forward_returns.unsettled(conn, NOW, 9)] == ["s1"]
    with store.read() as conn:
        found = forward_returns.since(conn, NOW - DAY)
    assert [(one.signal.signal_id, one.outcome) for one in found] == [("s2", outcome(2)), ("s1", None)]


def test_opens_of_every_series(store: Store) -> None:
    """Shortest bars first, each as last learned, those of some sources left out."""
    first = make_bar(NOW, close=150.0)
    again = make_bar(NOW, close=150.5, known_at=NOW + HOUR)
    with store.write() as conn:
        for bar in (make_bar(NOW, length_s=3600), first, again, make_bar(NOW, source="ecb"), make_bar(NOW, source="Z")):
            bars.add(conn, [bar])
    with store.read() as conn:
        found = bars.opens_within(conn, NOW - 2 * HOUR, NOW, max_length_s=3600, without=["ecb"])
    assert [(one.source, one.length_s, one.price) for one in found] == [
        ("Z", 60, [150.125]), ("yahoo", 60, [150.5]), ("yahoo", 3600, [150.125]),
    ]  # fmt: skip


def test_the_outlook_of_a_source(store: Store) -> None:
    """Its newest headline, and the lag of the quickest of five that tell one."""
    with store.read() as conn:
        assert outlook.source(conn, "wire", NOW - DAY) == (None, None)
    step(store, *range(5), source_published_at=NOW - MINUTE - 7 * SECOND)
    with store.read() as conn:
        assert outlook.source(conn, "wire", NOW - DAY) == (NOW - MINUTE, 7.0)
        assert outlook.source(conn, "wire", NOW).lag_s is None


def test_the_outlook_of_jobs(store: Store) -> None:
    """The last run of each, when it last went well, and how the last ones ended."""
    with store.write() as conn:
        for ago, ended in ((3, "ok"), (2, "failed"), (1, "missed"), (0, "running")):
            runs.begin(conn, make_run(f"r{ago}", NOW - ago * MINUTE, outcome=ended))
        looked = outlook.jobs(conn, ["ingest", "prices"], NOW - 2 * MINUTE)
        assert looked["prices"] == (None, None, "")
        assert (looked["ingest"].last_ok_at, looked["ingest"].recent) == (NOW - 3 * MINUTE, "xx")
        assert [run.run_id for run in runs.running(conn, ["manual"])] == ["r0"]
        assert runs.running(conn, ["schedule"]) == []
        assert runs.close_left(conn, ["manual"], NOW, "it was killed") == 1
        assert runs.running(conn) == []


def test_the_outlook_of_the_outbox(store: Store) -> None:
    """What waits and since when, when the newest signal was made, and how quick the last ones were sent."""
    step(store, 1, sent_at=NOW + 2 * SECOND)
    epoch = step(store, 2, 3, at=NOW + HOUR)
    with store.read() as conn:
        found = outlook.outbox(conn, epoch, HEADLINE, NOW)
        assert found == (2, NOW + HOUR, NOW + HOUR, 62.0)
        assert outlook.outbox(conn, None, HEADLINE, NOW) == (0, None, None, None)


def test_pauses_hold_until_their_time(store: Store) -> None:
    """The last one of a job counts, those that are over do not, and lifting says whether there was one."""
    first, second = (Pause(job="ingest", paused_at=NOW, until=NOW + n * HOUR, why=f"{n}") for n in (1, 2))
    with store.write() as conn:
        for one in (first, second, Pause(job="Train", paused_at=NOW, until=None, why="")):
            pauses.put(conn, one)
        assert list(pauses.standing(conn, NOW)) == ["Train", "ingest"]
        assert pauses.standing(conn, NOW)["ingest"] == second
        assert list(pauses.standing(conn, NOW + 2 * HOUR)) == ["Train"]
        assert pauses.thin(conn, NOW + 2 * HOUR) == 1
        assert (pauses.lift(conn, "Train"), pauses.lift(conn, "Train")) == (True, False)


def test_items_of_a_source_and_what_its_list_lacks(store: Store) -> None:
    """An item's headlines, and since when the list lacks them; null once it holds them again."""
    made = [make_headline(n, item_id="one" if n < 3 else "other") for n in (1, 2, 3)]
    with store.write() as conn:
        headlines.add(conn, made)
        assert sorted(withdrawals.of_item(conn, "one")) == ["h1", "h2"]
        withdrawals.mark_missing(conn, ["h3", "h1"], NOW)
        withdrawals.mark_missing(conn, ["h1"], None)
        withdrawals.mark_missing(conn, [], NOW)
        found = {one.headline_id: one.missing_at for one in withdrawals.listed(conn, "wire", NOW - DAY)}
    assert found == {"h1": None, "h2": None, "h3": NOW}


def test_what_was_told_comes_back_for_research(store: Store) -> None:
    """The text of each signal as it was told, by time; what was retracted, and when that became known."""
    step(store, 2, at=NOW)
    step(store, 1, at=NOW - HOUR)
    with store.write() as conn:
        withdrawals.add(conn, [Withdrawal(headline_id="h1", known_at=NOW, reason="vanished")])
        withdrawals.mark_taken(conn, withdrawals.waiting(conn), NOW + SECOND)
        gone = schema.signals.c.signal_id == "s1"
        conn.execute(sa.update(schema.signals).where(gone).values(retracted_at=NOW + SECOND))
    with store.read() as conn:
        texts = [text for batch in told.texts(conn, NOW - DAY, NOW + DAY) for text in batch]
        assert [json.loads(text)["signal_id"] for text in texts] == ["s1", "s2"]
        assert told.kept(conn, ["s1", "x"])["s1"][1] == NOW + SECOND
        (reason,) = conn.execute(sa.select(schema.withdrawals.c.reason)).scalars()
    assert reason == "vanished"


@pytest.mark.parametrize("name", ["title", "body", "summary"])
def test_a_null_character_costs_nothing_but_itself(store: Store, name: str) -> None:
    """A database that has none keeps a mark in its place, and the rest."""
    with store.write() as conn:
        headlines.add(conn, [make_headline(**{name: "a\0b"})])
        (found,) = headlines.waiting(conn, limit=1)
    kept = {"sqlite": "a\0b", "postgresql": "a\ufffdb"}
    assert getattr(found, name) == kept[store.engine.dialect.name]
