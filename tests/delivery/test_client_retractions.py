"""Signals taken back, too old or late: what reaches a bot, what is marked, what is dropped."""

import datetime as dt
from typing import Any

import msgspec
import pytest

from signals.delivery.client import Client
from signals.delivery.items import Received
from signals.delivery.keys import EVENT_FIELD
from signals.delivery.outbox import OutboxRow
from signals.delivery.publisher import Publisher
from signals.delivery.wire import INDEX, RETRACTION, Encoded, Event, encode_retraction
from signals.errors import ConfigError, MessageError
from signals.message import Index

from .conftest import (
    HOUR,
    KEYS,
    NOW,
    Clock,
    Connect,
    make_retraction,
    make_row,
    make_rows,
    put,
    received,
    seqs,
    there,
)

STALE = dt.timedelta(seconds=-1)


def row_of(message: Encoded, seq: int, kind: str) -> OutboxRow:
    """A message that is no headline, as the outbox keeps it."""
    return OutboxRow("e1", seq, message.message_id, kind, message.event, NOW + HOUR)


def retract(seq: int, number: int, **changes: object) -> OutboxRow:
    """The retraction of a signal."""
    return row_of(encode_retraction(make_retraction(number, **changes), epoch="e1", seq=seq), seq, RETRACTION)


def make_index(seq: int) -> OutboxRow:
    """An index."""
    event = Event(
        id=f"index-{seq}", source="/signals/usdjpy", type=INDEX, subject="USDJPY", time=NOW,
        dataschema="urn:signals:index:1", epoch="e1", seq=seq,
        data=Index(value=0.25, half_life_s=900, n_signals=3, n_sources=2),
    )  # fmt: skip
    return row_of(Encoded(event.id, msgspec.json.encode(event)), seq, INDEX)


def test_a_retraction_reaches_the_bot(client: Client, publisher: Publisher) -> None:
    """A signal taken back after it was handed out: the retraction comes, by its own property."""
    publisher.publish(make_row(1), now=NOW, restart=True)
    items = client.signals("all", timeout_s=5)
    assert seqs([next(items)]) == [1]
    publisher.publish(retract(2, 1), now=NOW)
    told = next(items)
    assert isinstance(told, Received)
    assert (told.retraction, told.signal) == (make_retraction(1), None)
    items.close()  # type: ignore[attr-defined]


def test_a_retraction_of_what_has_expired_is_dropped(url: str, clock: Clock, joined: Connect, publisher: Any) -> None:
    """It comes only while the signal it takes back would be live; who asks for expired ones gets it marked."""
    rows = [make_row(1, valid_for=STALE), retract(2, 1, valid_until=NOW + STALE), make_row(3)]
    publisher.publish_many(rows, now=NOW, restart=True)
    with joined(url, clock=clock) as client:
        assert seqs(there(client)) == [3]
        assert client.counts.expired == 2
    with joined(url, clock=clock, live_only=False) as client:
        told = received(there(client))
        assert [(item.event.seq, item.expired) for item in told] == [(1, True), (2, True), (3, False)]


def test_what_was_taken_back_is_not_handed_out(url: str, clock: Clock, joined: Connect, publisher: Any) -> None:
    """Catching up, a live signal whose retraction stands pages further on is left out; the retraction comes."""
    rows = [*make_rows(1, 450), retract(451, 7)]
    publisher.publish_many(rows, now=NOW, restart=True)
    with joined(url, clock=clock) as client:
        assert seqs(there(client)) == [seq for seq in range(1, 452) if seq != 7]
        assert (client.counts.retracted, client.counts.expired) == (1, 0)
    with joined(url, clock=clock, live_only=False) as client:
        marked = [item.event.seq for item in received(there(client)) if item.retracted]
        assert marked == [7]


def test_latest_passes_over_what_was_taken_back(client: Client, publisher: Publisher, clock: Clock) -> None:
    """The last signal retracted: the one before it stands, if it is live; never a retracted or expired one."""
    rows = [*make_rows(1, 2), *[make_index(seq) for seq in range(3, 40)]]
    publisher.publish_many(rows, now=NOW, restart=True)
    latest = client.latest()
    assert latest is not None
    assert latest.event.seq == 2
    publisher.publish(retract(40, 2), now=NOW)
    latest = client.latest()
    assert latest is not None
    assert latest.event.seq == 1
    publisher.publish(retract(41, 1), now=NOW)
    assert client.latest() is None
    clock.forward(3601)
    assert client.latest() is None


def test_latest_passes_over_what_was_replaced(client: Client, publisher: Publisher, server: Any) -> None:
    """A signal superseded by one that is over does not come back; nor does one whose key outlived it."""
    newer = make_row(2, valid_for=STALE, supersedes="signal-1", action="updated")
    publisher.publish_many([make_row(1), newer], now=NOW, restart=True)
    assert server.get(KEYS.latest) == make_row(1).event
    assert client.latest() is None


def test_latest_needs_no_log_and_no_key(client: Client, publisher: Publisher, server: Any) -> None:
    """A log that was trimmed leaves the key, and a key that ran out leaves the log."""
    publisher.publish_many(make_rows(1, 2), now=NOW, restart=True)
    for gone in (KEYS.log, KEYS.latest):
        kept = server.dump(gone)
        server.delete(gone)
        latest = client.latest()
        assert latest is not None
        assert latest.event.seq == 2
        server.restore(gone, 0, kept)


def test_latest_is_safe_whoever_asks(url: str, clock: Clock, joined: Connect, publisher: Any) -> None:
    """Also a client that wants to see expired signals is not given one as the latest."""
    publisher.publish(make_row(1), now=NOW, restart=True)
    with joined(url, clock=clock, live_only=False) as client:
        assert client.latest() is not None
        clock.forward(3600)
        assert client.latest() is None


def test_the_index(client: Client, publisher: Publisher, server: Any) -> None:
    """`index()` gives the last one as its own property, none where there is none, and counts what is none."""
    assert client.index() is None
    publisher.publish_many([make_index(1)], now=NOW, restart=True)
    told = client.index()
    assert told is not None
    assert told.index == Index(value=0.25, half_life_s=900, n_signals=3, n_sources=2)
    server.set(KEYS.index, make_row(1).event)
    assert client.index() is None
    assert client.invalid == 1


def test_late_ones_are_marked(url: str, clock: Clock, joined: Connect, publisher: Any) -> None:
    """What is still valid and came later than told is delivered and says so."""
    publisher.publish(make_row(1), now=NOW, restart=True)
    with joined(url, clock=clock, late_after_s=30) as client:
        for seconds, late in ((30, False), (1, True)):
            clock.forward(seconds)
            assert [item.late for item in received(there(client))] == [late]


def test_resumes_by_time(client: Client, server: Any) -> None:
    """A time gives what was sent then or later, to the millisecond; one without a zone is refused."""
    for seq, ms in enumerate((1000, 2000, 3000), start=1):
        put(server, f"{ms}-5", make_row(seq))
    for start, expected in ((2.0, [2, 3]), (2.001, [3]), (0, [1, 2, 3]), (9, [])):
        assert seqs(there(client, dt.datetime.fromtimestamp(start, dt.UTC))) == expected  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="time zone"):
        client.signals(dt.datetime(2026, 1, 1))


def test_verification_stands_before_reading(url: str, clock: Clock, joined: Connect, server: Any) -> None:
    """The hook sees the bytes as they stand in Redis; what it refuses is skipped, counted, and leaves a gap."""

    def verify(message: bytes) -> bytes:
        head, _, rest = message.partition(b"|")
        if head != b"signed":
            raise MessageError("message", "is not signed")
        return rest

    for seq, head in enumerate((b"signed|", b"", b"forged|", b"signed|"), start=1):
        server.xadd(KEYS.log, {EVENT_FIELD: head + make_row(seq).event}, id=f"{seq}-0")
    with joined(url, clock=clock, verify=verify) as client:
        assert seqs(there(client)) == [1, (2, 3), 4]
        assert client.invalid == 2
        server.set(KEYS.latest, make_row(9).event)
        found = client.latest()
        assert found is not None
        assert found.event.seq == 4


def test_a_message_of_another_pair_is_none(client: Client, server: Any) -> None:
    """What says that it is about another pair is skipped and counted."""
    server.xadd(KEYS.log, {EVENT_FIELD: make_row(1).event.replace(b'"USDJPY"', b'"EURJPY"')})
    assert there(client) == []
    assert client.invalid == 1
