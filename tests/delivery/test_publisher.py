"""Sending: one atomic step, in order, never twice."""

import datetime as dt
import json
import threading
from typing import Any

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from signals.delivery import wire
from signals.delivery.keys import keys_of
from signals.delivery.outbox import OutboxRow
from signals.delivery.publisher import Behind, Empty, Publisher
from signals.errors import MessageError

from .conftest import HOUR, KEYS, NOW, everything, make_heartbeat, make_retraction_row, make_row, make_rows


def logged(server: Any) -> list[bytes]:
    """The messages in the log, in order."""
    return [fields[b"event"] for _, fields in server.xrange(KEYS.log)]


def listen(server: Any) -> Any:
    """A subscription that is in place."""
    heard = server.pubsub()
    heard.subscribe(KEYS.channel)
    assert heard.get_message(timeout=5)["type"] == "subscribe"
    return heard


def test_names_are_those_of_the_contract() -> None:
    """Channel, log and keys have their promised names, whatever the case of the pair."""
    assert keys_of("USDJPY") == KEYS
    assert (KEYS.channel, KEYS.log) == ("signals.usdjpy", "signals:{usdjpy}:log")
    assert (KEYS.latest, KEYS.index, KEYS.seq) == (
        "signals:{usdjpy}:latest",
        "signals:{usdjpy}:index",
        "signals:{usdjpy}:seq",
    )


def test_one_signal_is_one_step(publisher: Publisher, server: Any) -> None:
    """The same bytes stand in the log and the latest key and were published; the sequence moved on."""
    heard, row = listen(server), make_row(1)
    assert publisher.publish(row, now=NOW, restart=True) == "sent"
    assert logged(server) == [row.event]
    assert server.get(KEYS.latest) == row.event
    assert json.loads(server.get(KEYS.seq)) == {"epoch": "e1", "seq": 1}
    assert publisher.state() == ("e1", 1)
    assert heard.get_message(timeout=5)["data"] == row.event


def test_a_repeat_does_nothing(publisher: Publisher, server: Any) -> None:
    """Sending again leaves the server as it was, and nobody hears it; even with `restart`."""
    publisher.publish_many(make_rows(1, 3), now=NOW, restart=True)
    heard, before = listen(server), everything(server)
    assert publisher.publish_many(make_rows(1, 3), now=NOW) == 0
    assert publisher.publish(make_row(2), now=NOW, restart=True) == "repeat"
    assert everything(server) == before
    assert heard.get_message(timeout=0) is None


def test_a_skipped_row_is_refused(publisher: Publisher, server: Any) -> None:
    """A row that does not follow the last one is not sent, nor are those after it; the answer tells the last."""
    publisher.publish(make_row(1), now=NOW, restart=True)
    before = everything(server)
    with pytest.raises(Behind) as caught:
        publisher.publish_many(make_rows(3, 5), now=NOW)
    assert caught.value.last_seq == 1
    assert everything(server) == before
    assert publisher.publish_many(make_rows(2, 5), now=NOW) == 4
    assert logged(server) == [row.event for row in make_rows(1, 5)]


@pytest.mark.parametrize("epoch", ["e1", "e2"])
def test_a_wiped_server_asks_where_to_begin(publisher: Publisher, server: Any, epoch: str) -> None:
    """A server without a sequence, or with another epoch's, takes nothing until told to restart."""
    assert publisher.state() is None
    if epoch == "e2":
        publisher.publish_many(make_rows(1, 9), now=NOW, restart=True)
    before = everything(server)
    with pytest.raises(Empty):
        publisher.publish_many(make_rows(7, 8, epoch), now=NOW)
    assert everything(server) == before
    assert publisher.publish_many(make_rows(7, 8, epoch), now=NOW, restart=True) == 2
    assert publisher.state() == (epoch, 8)


def test_many_rows_go_in_order(publisher: Publisher, server: Any) -> None:
    """More rows than one round trip holds arrive once each, in order; the overlap of a second call is known."""
    rows = make_rows(1, 1201)
    assert publisher.publish_many(rows[:700], now=NOW, restart=True) == 700
    assert publisher.publish_many(rows[400:], now=NOW) == 501
    assert logged(server) == [row.event for row in rows]
    assert publisher.publish_many([], now=NOW) == 0


def test_a_dropped_script_is_sent_again(publisher: Publisher, server: Any) -> None:
    """Where the server knows no script any more, nothing is lost, doubled or out of order."""
    publisher._by_sha = ("EVALSHA", "0" * 40)  # as after SCRIPT FLUSH within a round trip
    rows = make_rows(1, 5)
    assert publisher.publish_many(rows, now=NOW, restart=True) == 5
    assert logged(server) == [row.event for row in rows]


def test_two_publishers_send_once(url: str, server: Any) -> None:
    """Two publishers with the same outbox at the same time send each row once, in order."""
    rows = make_rows(1, 300)
    Publisher(server).publish(rows[0], now=NOW, restart=True)
    sent: list[int] = []

    def run() -> None:
        with redis.Redis.from_url(url) as client:
            publisher = Publisher(client)
            sent.append(sum(publisher.publish(row, now=NOW) == "sent" for row in rows))

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(sent) == 299
    assert logged(server) == [row.event for row in rows]


@given(steps=st.lists(st.tuples(st.integers(1, 8), st.booleans()), max_size=25))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
def test_no_order_of_sending_leaves_a_hole(publisher: Publisher, server: Any, steps: list[tuple[int, bool]]) -> None:
    """Whatever is sent in whatever order, the log rises by one from where it began."""
    server.flushall()
    for seq, restart in steps:
        try:
            publisher.publish(make_row(seq), now=NOW, restart=restart)
        except (Behind, Empty):
            continue
    seqs = [json.loads(event)["seq"] for event in logged(server)]
    assert seqs == list(range(seqs[0], seqs[0] + len(seqs))) if seqs else publisher.state() is None
    assert not seqs or publisher.state() == ("e1", seqs[-1])


def test_latest_expires_with_its_signal(publisher: Publisher, server: Any) -> None:
    """The latest and index keys end at their message's `valid_until`, whenever it is sent."""
    rows = [make_row(1), OutboxRow("e1", 2, "i", wire.INDEX, b"index", NOW + 2 * HOUR)]
    publisher.publish_many(rows, now=NOW + dt.timedelta(minutes=59), restart=True)
    ends = [server.pexpiretime(key) / 1000 for key in (KEYS.latest, KEYS.index)]
    assert ends == pytest.approx([(NOW + HOUR).timestamp(), (NOW + 2 * HOUR).timestamp()], abs=0.002)


@pytest.mark.parametrize("valid_for", [dt.timedelta(0), dt.timedelta(days=-90)])
def test_an_expired_signal_is_never_the_latest(publisher: Publisher, server: Any, valid_for: dt.timedelta) -> None:
    """A signal whose time is over goes into the log, and leaves the latest key to the one that is valid."""
    publisher.publish(make_row(1), now=NOW, restart=True)
    publisher.publish(make_row(2, valid_for=valid_for), now=NOW)
    assert len(logged(server)) == 2
    assert server.get(KEYS.latest) == make_row(1).event


def test_each_type_has_its_own_key(publisher: Publisher, server: Any) -> None:
    """An index stands in the index key, a retraction in none."""
    until_at = NOW + dt.timedelta(hours=1)
    publisher.publish(OutboxRow("e1", 1, "i", wire.INDEX, b"index", until_at), now=NOW, restart=True)
    publisher.publish(make_retraction_row(2), now=NOW)
    assert (server.get(KEYS.index), server.exists(KEYS.latest)) == (b"index", 0)
    assert server.pttl(KEYS.index) > 0


def test_a_retracted_signal_leaves_the_latest_key(publisher: Publisher, server: Any) -> None:
    """In one step with its retraction a signal is no longer the latest: who hears the one never reads the other."""
    publisher.publish(make_row(1), now=NOW, restart=True)
    heard, row = listen(server), make_retraction_row(2, number=1)
    publisher.publish(row, now=NOW)
    assert heard.get_message(timeout=5)["data"] == row.event
    assert server.exists(KEYS.latest) == 0
    assert publisher.publish(make_row(3), now=NOW) == "sent"
    assert publisher.publish(row, now=NOW) == "repeat"
    assert server.get(KEYS.latest) == make_row(3).event


def test_a_retraction_leaves_another_signal_alone(publisher: Publisher, server: Any) -> None:
    """The latest key keeps a signal that is not the one taken back, and whatever else stands there."""
    publisher.publish_many(make_rows(1, 2), now=NOW, restart=True)
    publisher.publish(make_retraction_row(3, number=1), now=NOW)
    assert server.get(KEYS.latest) == make_row(2).event
    for seq, foreign in enumerate((b"not JSON", b"[]", b'{"data": 7}', b"7"), start=4):
        server.set(KEYS.latest, foreign)
        publisher.publish(make_retraction_row(seq, number=2), now=NOW)
        assert server.get(KEYS.latest) == foreign


def test_a_retraction_of_nothing_is_not_sent(publisher: Publisher, server: Any) -> None:
    """A retraction that names no signal is an error that names its row, and nothing of it is sent."""
    row = make_retraction_row(1)._replace(event=b'{"data": {}}')
    with pytest.raises(MessageError, match=r"outbox row 1: is a retraction that names no signal"):
        publisher.publish(row, now=NOW, restart=True)
    assert server.keys() == []


def test_heartbeats_leave_no_trace(publisher: Publisher, server: Any) -> None:
    """A heartbeat is heard by whoever listens, and changes no key."""
    beat = wire.encode_heartbeat(make_heartbeat(), epoch="e1", now=NOW).event
    assert publisher.heartbeat(beat) == 0
    heard = listen(server)
    assert publisher.heartbeat(beat) == 1
    assert heard.get_message(timeout=5)["data"] == beat
    assert server.keys() == []
