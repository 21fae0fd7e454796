"""Scores, signals and the outbox: one step, one transaction, numbers without gaps."""

import pytest
import sqlalchemy as sa

from signals.message import Signal
from signals.store import Store, schema, signals

from .conftest import CHANNEL, HOUR, MINUTE, NOW, SECOND, encode, make_score, make_signal


def add(store: Store, *numbers: int, encode: signals.Encode = encode) -> int:
    """Keep the scores and signals of these numbers."""
    with store.write() as conn:
        return signals.add(
            conn,
            [make_score(number) for number in numbers],
            [make_signal(number) for number in numbers],
            channel=CHANNEL,
            now=NOW,
            encode=encode,
        )


def rows(store: Store, table: sa.Table) -> int:
    """How many rows a table has."""
    with store.read() as conn:
        return int(conn.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())


def tail(store: Store, after_seq: int = 0, limit: int = 100) -> list[signals.Outgoing]:
    """Messages after a number."""
    with store.read() as conn:
        return signals.tail(conn, after_seq=after_seq, limit=limit)


def test_before_the_first_message(store: Store) -> None:
    """A channel that was never used has no epoch, no number and no message."""
    with store.read() as conn:
        assert signals.channel_state(conn, CHANNEL) == (None, 0)
        assert signals.first_live_seq(conn, NOW) is None
        assert signals.recent(conn, limit=5) == []
    assert tail(store) == []


def test_numbers_rise_by_one_in_the_order_given(store: Store) -> None:
    """Steps one after another number on without gaps, within one epoch, and the message knows its number."""
    assert [add(store, 2, 1), add(store), add(store, 3)] == [2, 0, 1]
    sent = tail(store)
    epoch = sent[0].epoch
    assert [(row.seq, row.event) for row in sent] == [
        (n, f"{epoch} {n} s{number}".encode()) for n, number in enumerate((2, 1, 3), 1)
    ]
    with store.read() as conn:
        assert signals.channel_state(conn, CHANNEL) == (epoch, 3)


def test_an_outbox_row_is_what_the_publisher_needs(store: Store) -> None:
    """Epoch, number, id, type, bytes and expiry."""
    add(store, 1)
    (row,) = tail(store)
    assert row == signals.Outgoing(
        row.epoch, 1, "m-s1", "signals.headline.v1", f"{row.epoch} 1 s1".encode(), NOW + HOUR
    )


def test_a_signal_is_kept_once(store: Store) -> None:
    """Again in the same step or in another, a signal takes no number and writes no message."""
    assert add(store, 1, 2) == 2
    assert add(store, 1, 3, 2, 3) == 1
    assert [(row.seq, row.message_id) for row in tail(store)] == [(1, "m-s1"), (2, "m-s2"), (3, "m-s3")]
    assert rows(store, schema.signals) == rows(store, schema.scores) == 3


def test_an_encoder_that_raises_leaves_nothing_behind(store: Store) -> None:
    """One transaction: a message that cannot be made takes the whole step back, and the next numbers on from before."""
    add(store, 1)

    def broken(signal: Signal, epoch: str, seq: int) -> tuple[str, bytes]:
        if seq == 3:
            raise ZeroDivisionError
        return encode(signal, epoch, seq)

    with pytest.raises(ZeroDivisionError):
        add(store, 2, 3, 4, encode=broken)
    assert [rows(store, table) for table in (schema.scores, schema.signals, schema.outbox)] == [1, 1, 1]
    add(store, 5)
    assert [(row.seq, row.message_id) for row in tail(store)] == [(1, "m-s1"), (2, "m-s5")]


def test_scores_are_kept_with_or_without_a_signal(store: Store) -> None:
    """A skipped headline's score is on record; one of another model stands beside it."""
    with store.write() as conn:
        for model_id in ("model-1", "model-2", "model-1"):
            signals.add(conn, [make_score(1, model_id=model_id)], [], channel=CHANNEL, now=NOW, encode=encode)
        kept = conn.execute(sa.select(schema.scores).order_by(schema.scores.c.model_id)).all()
        assert [row.model_id for row in kept] == ["model-1", "model-2"]
        assert kept[0].topics == ["boj.policy"]
        assert kept[0].evidence == [{"span": [0, 9], "text": "BOJ hikes", "feature": "boj.tighten", "weight": -2.1}]
        assert signals.channel_state(conn, CHANNEL) == (None, 0)


def test_tail_is_what_follows(store: Store) -> None:
    """Messages after a number, in order, no more than asked for."""
    add(store, 5, 4, 3, 2, 1)
    assert [row.seq for row in tail(store, after_seq=2)] == [3, 4, 5]
    assert [row.seq for row in tail(store, after_seq=1, limit=2)] == [2, 3]
    assert tail(store, after_seq=5) == []


def test_first_live_message(store: Store) -> None:
    """The first that has not expired; at the moment it expires it is live no more."""
    with store.write() as conn:
        made = [make_signal(number, known_at=NOW + number * MINUTE) for number in (1, 2, 3)]
        signals.add(conn, [], made, channel=CHANNEL, now=NOW, encode=encode)
        live = [signals.first_live_seq(conn, NOW + HOUR + n * MINUTE - SECOND) for n in (0, 1, 2, 3, 4)]
        assert live == [1, 1, 2, 3, None]
        assert signals.first_live_seq(conn, NOW + HOUR + MINUTE) == 2


def test_an_epoch_stays_until_the_store_is_another(store: Store) -> None:
    """Opening a channel again gives its epoch; channels have their own."""
    with store.write() as conn:
        first = signals.open_channel(conn, CHANNEL, NOW)
        assert signals.open_channel(conn, CHANNEL, NOW + HOUR) == first
        assert signals.open_channel(conn, "EURJPY", NOW)[0] != first[0]
    assert first[1] == 0


def test_a_store_made_at_another_time_has_another_epoch(store: Store) -> None:
    """A wiped store begins a new epoch: its numbers are not those of before."""
    with store.write() as conn:
        before, _ = signals.open_channel(conn, CHANNEL, NOW)
        conn.execute(sa.delete(schema.channel))
        after, _ = signals.open_channel(conn, CHANNEL, NOW + SECOND)
    assert before != after


def test_what_was_sent_is_marked(store: Store) -> None:
    """Only the rows handed in carry the time they were sent."""
    add(store, 1, 2, 3, 4)
    with store.write() as conn:
        signals.mark_published(conn, [], NOW)
        signals.mark_published(conn, signals.tail(conn, after_seq=1, limit=2), NOW + SECOND)
        marks = conn.execute(sa.select(schema.outbox.c.published_at).order_by(schema.outbox.c.seq)).scalars().all()
    assert marks == [None, NOW + SECOND, NOW + SECOND, None]


def test_recent_signals_come_back_whole(store: Store) -> None:
    """Newest first by when they were scored, every field as it was."""
    made = [make_signal(number, known_at=NOW + number * MINUTE) for number in (1, 3, 2)]
    with store.write() as conn:
        signals.add(conn, [], made, channel=CHANNEL, now=NOW, encode=encode)
        assert signals.recent(conn, limit=2) == [made[1], made[2]]
