"""What holds across the house for history that someone brings: news goes first, and history stays in the store."""

import datetime as dt

import msgspec
import sqlalchemy as sa

from jobs import publish
from jobs.admission import admit_history
from jobs.catalogue import runner_for
from signals.model import Index, Retraction, Signal, Withdrawal
from signals.research.replay import replay
from signals.store import archive, bars, headlines, schema, signals, withdrawals
from tests.properties.conftest import START
from tests.properties.test_house import minutes, news

DISTANT = dt.timedelta(hours=1)


def brought(count: int, seed: int, ago: dt.timedelta = DISTANT) -> list:
    """Headlines of history, of other sources than the news."""
    return [
        msgspec.structs.replace(
            one,
            headline_id=f"history-{ago}-{one.headline_id}",
            source="history",
            known_at=one.known_at - ago,
            source_published_at=one.known_at - ago,
            backfilled=True,
        )
        for one in news(count, seed)
    ]


def sent(conn: sa.Connection) -> list[str]:
    """The messages in the outbox."""
    return [row.event.decode() for row in signals.tail(conn, after_seq=0, limit=1000)]


def test_live_is_replay_with_history_brought_in(app, clock):
    """The archive, replayed, gives every signal that was kept, and of news the same messages byte for byte."""
    runner = runner_for(app)
    batch, past, walk = news(120, seed=1), brought(120, seed=7), minutes(12, seed=2)
    for part in range(4):
        mine = slice(part * 30, part * 30 + 30)
        with app.store.write() as conn:
            headlines.add(conn, batch[mine])
            admit_history(conn, past[mine])
            kept = conn.execute(sa.select(schema.signals.c.headline_id).where(schema.signals.c.retracted_at.is_(None)))
            fallen = [name for name in sorted(kept.scalars()) if name.startswith("history")][:1]
            withdrawals.add(conn, [Withdrawal(headline_id=n, known_at=clock(), reason="withdrawn") for n in fallen])
            learned = [msgspec.structs.replace(bar, known_at=clock()) for bar in walk[part * 180 : part * 180 + 180]]
            bars.add(conn, learned)
        assert runner.run("publish", "manual").outcome == "ok"
        clock.forward(minutes=7)
    with app.store.read() as conn:
        live = sent(conn)
        epoch, last_seq = signals.channel_state(conn, "USDJPY")
        stored = conn.execute(sa.select(schema.signals.c.data, schema.signals.c.retracted_at)).all()
        taken, kept = list(archive.steps(conn)), bars.closed_within(conn, [(START - dt.timedelta(days=9), clock())])
    again = list(replay(taken, kept, scorer=app.scorer, policy=app.settings.policy, events=app.settings.events))
    made = {one.signal_id: one for _, one, _ in again if isinstance(one, Signal)}
    retracted = {one.signal_id for _, one, _ in again if isinstance(one, Retraction)}
    assert {data["signal_id"]: msgspec.convert(data, Signal) for data, _ in stored} == made
    assert {data["signal_id"] for data, at in stored if at} == retracted
    told = [(at, one) for at, one, history in again if not history]
    assert all(
        history == (made[one.signal_id].source == "history") for _, one, history in again if not isinstance(one, Index)
    )
    encoded = [publish.encode(at, one, epoch, seq).event.decode() for seq, (at, one) in enumerate(told, 1)]
    assert encoded == live
    assert len(live) == last_seq > 10
    assert len(made) > sum(isinstance(one, Signal) for _, one in told)
    assert any(made[name].source == "history" for name in retracted)


def test_news_goes_before_history_that_waits(app, monkeypatch):
    """However much older history waits, news is taken first, and what comes in meanwhile right after a batch of it."""
    late, first = news(40, seed=5)[:20], news(40, seed=6)[20:]
    with app.store.write() as conn:
        admit_history(conn, brought(60, seed=8, ago=dt.timedelta(days=9)))
        headlines.add(conn, first)
    monkeypatch.setattr(publish, "_BATCH", 25)
    runner, real = runner_for(app), publish.take

    def take(app_, counts, **how):
        took = real(app_, counts, **how)
        if how and took:  # news arrives while history is read
            with app.store.write() as conn:
                headlines.add(conn, late)
        return took

    monkeypatch.setattr(publish, "take", take)
    done = runner.run("publish", "manual")
    table = schema.headlines
    with app.store.read() as conn:
        order = conn.execute(sa.select(table.c.headline_id, table.c.imported).order_by(table.c.scored_at)).all()
        assert len(sent(conn)) == done.counts["sent"] == done.counts["signals"] + done.counts["indexes"] > 0
    fresh = {one.headline_id for one in late} - {one.headline_id for one in first}
    assert not any(imported for _, imported in order[: len(first)])
    assert all(imported for _, imported in order[len(first) : len(first) + 25])
    following = order[len(first) + 25 :]
    assert {name for name, _ in following[: len(fresh)]} == fresh
    assert all(imported for _, imported in following[len(fresh) :])
    assert len(order) == 60 + len(first) + len(fresh)


def test_a_run_gives_history_only_so_much_time(app, monkeypatch):
    """History that does not fit into a run waits for the next; the news of this one is sent all the same."""
    with app.store.write() as conn:
        admit_history(conn, brought(60, seed=8))
        headlines.add(conn, news(20, seed=5))
    monkeypatch.setattr(publish, "_BATCH", 25)
    monkeypatch.setattr(publish, "_HISTORY_S", 0.0)
    done = runner_for(app).run("publish", "manual")
    assert done.outcome == "ok"
    assert done.counts["sent"] == done.counts["signals"] + done.counts["indexes"] > 0
    with app.store.read() as conn:
        assert headlines.history_waiting(conn) == 60


def test_a_withdrawal_waits_for_its_headline_but_not_for_others(app, clock):
    """What is taken back while history waits is taken back at once, unless its own headline is still to come."""
    past, (fresh, *_) = brought(2, seed=8), [one for one in news(40, seed=5) if one.source_published_at]
    with app.store.write() as conn:
        admit_history(conn, past)
        headlines.add(conn, [fresh])
        names = (past[0].headline_id, fresh.headline_id)
        withdrawals.add(conn, [Withdrawal(headline_id=name, known_at=clock(), reason="withdrawn") for name in names])
        assert [len(withdrawals.waiting(conn, imported=imported)) for imported in (False, True)] == [1, 1]
        assert withdrawals.waiting(conn, ()) == withdrawals.waiting(conn, (), imported=True) == []
        assert [one.headline_id for one in withdrawals.waiting(conn, {fresh.headline_id})] == [fresh.headline_id]
    done = runner_for(app).run("publish", "manual")
    assert done.outcome == "ok"
    with app.store.read() as conn:
        assert [step.withdrawals and step.withdrawals[0].headline_id for step in archive.steps(conn)] == [
            fresh.headline_id, past[0].headline_id,
        ]  # fmt: skip
        assert all(past[0].headline_id not in event for event in sent(conn))
