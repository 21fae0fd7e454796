"""Work shared among bots: each message to one of them, none lost with the one that had it."""

from typing import Any

import pytest
import redis

from signals.delivery.items import Silence
from signals.delivery.keys import EVENT_FIELD
from signals.delivery.publisher import Publisher
from signals.errors import ConfigError

from .conftest import KEYS, NOW, Clock, Connect, make_row, make_rows, until
from .test_client_retractions import STALE, retract

GROUP = "traders"


@pytest.fixture
def bot(url: str, clock: Clock, joined: Connect) -> Any:
    """A client whose silences do not matter here."""
    with joined(url, clock=clock, heartbeat_deadline_s=None) as client:
        yield client


def take(bot: Any, consumer: str, count: int | None = None, **limits: Any) -> list[Any]:
    """Tasks that can be had without waiting."""
    return list(bot.work(GROUP, consumer, start="all", timeout_s=0, count=count, **limits))


def numbers(tasks: list[Any]) -> list[int]:
    """Their `seq`."""
    return [task.received.event.seq for task in tasks]


def test_each_message_goes_to_one(bot: Any, publisher: Publisher) -> None:
    """Two consumers share the log; what is acknowledged never comes again."""
    publisher.publish_many(make_rows(1, 5), now=NOW, restart=True)
    one, other = take(bot, "a", 2), take(bot, "b")
    assert (numbers(one), numbers(other)) == ([1, 2], [3, 4, 5])
    assert [task.ack() for task in one + other] == [True] * 5
    assert not one[0].ack()  # no longer open
    assert bot.pending(GROUP) == ()
    assert take(bot, "a", idle_s=0.001) == []


def test_what_was_not_acknowledged_comes_again(bot: Any, publisher: Publisher) -> None:
    """After its idle time it goes to who asks, and says how often it was handed out."""
    publisher.publish_many(make_rows(1, 3), now=NOW, restart=True)
    for task in take(bot, "a"):
        if task.received.event.seq == 2:
            task.ack()
    assert take(bot, "b", idle_s=60) == []
    until(lambda: all(each.idle_s > 0.002 for each in bot.pending(GROUP)))
    again = take(bot, "b", 2, idle_s=0.002)
    assert [(task.received.event.seq, task.deliveries) for task in again] == [(1, 2), (3, 2)]
    assert [(each.consumer, each.deliveries) for each in bot.pending(GROUP)] == [("b", 2), ("b", 2)]
    until(lambda: all(each.idle_s > 0.002 for each in bot.pending(GROUP)))
    assert [task.deliveries for task in take(bot, "b", 2, idle_s=0.002)] == [3, 3]


def test_many_open_messages_are_all_looked_at(bot: Any, publisher: Publisher, server: Any) -> None:
    """An idle one is found behind hundreds that are not."""
    publisher.publish_many(make_rows(1, 300), now=NOW, restart=True)
    tasks = take(bot, "a")
    server.xclaim(KEYS.log, GROUP, "a", 0, [tasks[-1].stream_id], idle=3_600_000, justid=True)
    assert numbers(take(bot, "b", 1, idle_s=60)) == [300]


def test_what_must_not_be_acted_on_never_comes_back(bot: Any, publisher: Publisher, server: Any) -> None:
    """Expired, retracted and unreadable messages are acknowledged and counted, not handed out."""
    rows = [make_row(1, valid_for=STALE), make_row(2), make_row(3), retract(4, 2)]
    publisher.publish_many(rows, now=NOW, restart=True)
    server.xadd(KEYS.log, {EVENT_FIELD: b"junk"})
    server.xadd(KEYS.log, {"other": b"field"})
    assert numbers(take(bot, "a")) == [3, 4]
    assert (bot.counts.expired, bot.counts.retracted, bot.counts.invalid) == (1, 1, 2)
    assert len(bot.pending(GROUP)) == 2


def test_new_begins_with_the_group(bot: Any, publisher: Publisher) -> None:
    """A group made with `new` gets what is sent from then on; one that exists goes on where it was."""
    publisher.publish(make_row(1), now=NOW, restart=True)
    assert list(bot.work(GROUP, "a", timeout_s=0)) == []
    publisher.publish(make_row(2), now=NOW)
    assert numbers(take(bot, "a")) == [2]


def test_a_wiped_server_gets_its_group_again(bot: Any, publisher: Publisher, server: Any) -> None:
    """The group is made anew from the beginning of the log, so nothing sent meanwhile is missed."""
    publisher.publish(make_row(1), now=NOW, restart=True)
    tasks = bot.work(GROUP, "a", start="all")
    assert numbers([next(tasks)]) == [1]
    server.flushall()
    publisher.publish_many(make_rows(1, 2), now=NOW, restart=True)
    assert numbers([next(tasks), next(tasks)]) == [1, 2]
    tasks.close()


def test_a_worker_hears_the_silence_too(url: str, clock: Clock, joined: Connect) -> None:
    """A dead publisher is told to workers as to readers."""
    with joined(url, clock=clock) as client:
        tasks = client.work(GROUP, "a", timeout_s=5)
        clock.forward(16)
        told = next(tasks)
        assert isinstance(told, Silence)
        assert told.kind == "publisher"
        tasks.close()


@pytest.mark.parametrize(("group", "consumer", "idle_s"), [("", "a", 1), ("g", "", 1), ("g", "a", 0)])
def test_names_are_needed(bot: Any, group: str, consumer: str, idle_s: float) -> None:
    """A group without a name, or an idle time that is none, is refused before anything is asked."""
    with pytest.raises(ConfigError, match="needs a group"):
        bot.work(group, consumer, idle_s=idle_s)


def test_no_group_has_nothing_open(bot: Any, server: redis.Redis) -> None:
    """Asking for what is open where no group is makes none."""
    assert bot.pending(GROUP) == ()
    assert not server.exists(KEYS.log)
