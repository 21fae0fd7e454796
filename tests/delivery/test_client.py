"""What a bot reads: nothing lost, nothing twice, nothing stale, and to know what is missing."""

import datetime as dt
from typing import Any

import msgspec
import pytest
import redis

from signals.delivery.client import Client, connect
from signals.delivery.items import Gap, Received
from signals.delivery.keys import EVENT_FIELD
from signals.delivery.publisher import Publisher
from signals.errors import ConfigError

from .conftest import (
    HOUR,
    KEYS,
    NOW,
    Clock,
    make_row,
    make_rows,
    make_signal,
    put,
    received,
    seqs,
    there,
)

STALE = dt.timedelta(seconds=-1)


def test_reads_what_is_there(client: Client, publisher: Publisher) -> None:
    """`all` gives every message of the log, in order, as it was sent."""
    publisher.publish_many(make_rows(1, 450), now=NOW, restart=True)
    items = there(client)
    assert seqs(items) == list(range(1, 451))
    assert isinstance(items[0], Received)
    assert items[0].signal == make_signal(1)
    assert not items[0].expired


def test_new_begins_with_the_call(client: Client, publisher: Publisher) -> None:
    """`new` gives what is sent from the call on, even before the first item is asked for."""
    publisher.publish(make_row(1), now=NOW, restart=True)
    items = client.signals("new", count=2)
    publisher.publish_many(make_rows(2, 3), now=NOW)
    assert seqs(list(items)) == [2, 3]


def test_new_on_an_empty_log(client: Client, publisher: Publisher) -> None:
    """`new` begins before the first message was ever sent."""
    items = client.signals(count=1)
    publisher.publish(make_row(1), now=NOW, restart=True)
    assert seqs(list(items)) == [1]


def test_resumes_by_id(client: Client, publisher: Publisher) -> None:
    """Given the id of the last message seen, reading goes on with the next: none lost, none twice."""
    publisher.publish_many(make_rows(1, 3), now=NOW, restart=True)
    first = next(client.signals("all"))
    assert isinstance(first, Received)
    assert first.stream_id is not None
    assert seqs(there(client, first.stream_id)) == [2, 3]


def test_an_age_counts_back_from_now(client: Client, server: Any) -> None:
    """A timedelta gives what was sent since then."""
    for seq, age in enumerate((dt.timedelta(hours=2), dt.timedelta(minutes=59), dt.timedelta(0)), start=1):
        put(server, f"{int((NOW - age).timestamp() * 1000)}-0", make_row(seq))
    assert seqs(there(client, HOUR)) == [2, 3]
    assert seqs(there(client, dt.timedelta.max)) == [1, 2, 3]


@pytest.mark.parametrize("start", ["yesterday", "", "1-2-3", "-1", "9" * 20, "$"])
def test_a_start_that_is_none_is_named(client: Client, start: str) -> None:
    """A place that is none raises at once, naming what would be one."""
    with pytest.raises(ConfigError, match="no place in the log"):
        client.signals(start)


def test_count_and_timeout_end_the_reading(client: Client, publisher: Publisher) -> None:
    """`count` ends after so many messages, `timeout_s` when nothing comes."""
    publisher.publish_many(make_rows(1, 5), now=NOW, restart=True)
    assert seqs(list(client.signals("all", count=3))) == [1, 2, 3]
    assert list(client.signals("all", count=0)) == []
    assert list(client.signals("new", timeout_s=0.05)) == []


def test_sees_what_was_trimmed(client: Client, publisher: Publisher, server: Any) -> None:
    """Messages that the log dropped before they were read are told as a gap."""
    publisher.publish(make_row(1), now=NOW, restart=True)
    items = client.signals("all")
    assert seqs([next(items)]) == [1]
    publisher.publish_many(make_rows(2, 6), now=NOW)
    server.xtrim(KEYS.log, maxlen=2, approximate=False)
    assert seqs([next(items), next(items), next(items)]) == [(2, 4), 5, 6]
    assert seqs(there(client)) == [5, 6]  # whoever asks for what is there misses nothing


def test_a_hole_is_filled_from_the_log(client: Client, server: Any) -> None:
    """Missing messages that stand elsewhere in the log are given first; only the rest is a gap."""
    put(server, "5000-0", make_row(1))
    items = client.signals("all")
    assert seqs([next(items)]) == [1]
    server.delete(KEYS.log)  # a copy whose clock was behind took over
    for stream_id, seq in (("4000-0", 1), ("4100-0", 3), ("6000-0", 5)):
        put(server, stream_id, make_row(seq))
    assert seqs([next(items) for _ in range(4)]) == [(2, 2), 3, (4, 4), 5]


def test_resuming_from_a_trimmed_place_tells_so(client: Client, server: Any) -> None:
    """Where the log no longer has the place to resume from, what may be missing is told first."""
    for seq in (7, 8):
        put(server, f"{seq}000-0", make_row(seq))
    assert seqs(there(client, "5000-0")) == [(None, 6), 7, 8]
    assert seqs(there(client, "7000-0")) == [8]
    assert seqs(there(client, "7500-0")) == [8]


def test_a_hole_after_the_resumed_place_is_seen(client: Client, server: Any) -> None:
    """The message at the place to resume from says which comes next."""
    put(server, "1000-0", make_row(1))
    put(server, "3000-0", make_row(3))
    assert seqs(there(client, "1000-0")) == [(2, 2), 3]


def test_repeats_are_dropped(client: Client, server: Any) -> None:
    """The same number, or the same content under another number or epoch, comes once."""
    put(server, "1-0", make_row(1))
    put(server, "2-0", make_row(1))
    put(server, "3-0", make_row(2))
    put(server, "4-0", make_row(1, epoch="e2", number=1))
    put(server, "5-0", make_row(2, epoch="e2", number=9))
    items = there(client)
    assert [item.signal.signal_id for item in received(items)] == ["signal-1", "signal-2", "signal-9"]
    assert client.counts.repeats == 2


def test_a_repeat_of_the_resumed_place_is_dropped(client: Client, server: Any) -> None:
    """After a tail was lost and sent again, the message to resume from does not come twice."""
    put(server, "1000-0", make_row(2))
    put(server, "2000-0", make_row(2))
    put(server, "3000-0", make_row(3))
    assert seqs(there(client, "1000-0")) == [3]


def test_a_new_epoch_begins_anew(client: Client, publisher: Publisher) -> None:
    """A new epoch that begins with 1 is no gap; one that does not has one."""
    publisher.publish_many(make_rows(1, 2), now=NOW, restart=True)
    items = client.signals("all")
    assert seqs([next(items), next(items)]) == [1, 2]
    publisher.publish(make_row(1, epoch="e2", number=11), now=NOW, restart=True)
    assert seqs([next(items)]) == [1]
    publisher.publish(make_row(4, epoch="e3", number=12), now=NOW, restart=True)
    assert [next(items), *seqs([next(items)])] == [Gap(epoch="e3", missing_from=1, missing_to=3), 4]


def test_expired_signals_are_dropped_unless_asked_for(client: Client, url: str, clock: Clock) -> None:
    """A bot gets only what it may act on; who wants to see the rest gets it marked."""
    with redis.Redis.from_url(url) as server:
        rows = [make_row(1, valid_for=STALE), make_row(2, valid_for=dt.timedelta(0)), make_row(3)]
        Publisher(server).publish_many(rows, now=NOW, restart=True)
    assert seqs(there(client)) == [3]
    assert client.counts.expired == 2
    with connect(url, live_only=False, clock=clock) as watcher:
        items = received(there(watcher))
        assert [(item.event.seq, item.expired) for item in items] == [(1, True), (2, True), (3, False)]


def test_time_is_told_when_a_signal_is_handed_out(client: Client, publisher: Publisher, clock: Clock) -> None:
    """A signal that expires while the bot is busy with the one before is not handed out."""
    publisher.publish_many(make_rows(1, 2), now=NOW, restart=True)
    items = client.signals("all", timeout_s=0)
    assert seqs([next(items)]) == [1]
    clock.forward(3600)
    assert seqs(list(items)) == []


def test_bad_messages_cost_only_themselves(client: Client, server: Any) -> None:
    """Broken bytes and unknown types are counted and skipped, and leave no gap where their number can be read."""
    message = msgspec.json.decode(make_row(2).event)
    unknown = msgspec.json.encode(message | {"type": "signals.mood.v1"})
    broken = msgspec.json.encode(message | {"seq": 3, "data": 7})
    put(server, "1-0", make_row(1))
    for number, event in enumerate((unknown, broken, b"\xff\xfe", b""), start=2):
        server.xadd(KEYS.log, {EVENT_FIELD: event}, id=f"{number}-0")
    server.xadd(KEYS.log, {"other": "field"}, id="7-0")
    put(server, "8-0", make_row(4))
    assert seqs(there(client)) == [1, 4]
    assert client.invalid == 5
