"""Several services lead one after the other: Redis refuses who was overtaken."""

import pytest
import redis

from signals.delivery.keys import keys_of
from signals.delivery.publisher import Overtaken, Publisher

from .conftest import NOW, everything, make_row, make_rows

KEYS = keys_of()


def test_a_greater_token_shuts_out_a_smaller_one(server: redis.Redis) -> None:
    """From its first message on the new leader alone sends; what the old one tries changes nothing at all."""
    old, new = Publisher(server, token=4), Publisher(server, token=5)
    old.publish_many(make_rows(1, 3), now=NOW, restart=True)
    new.publish(make_row(4), now=NOW)
    before = everything(server)
    for tried in (make_rows(5, 6), make_rows(1, 80)):
        with pytest.raises(Overtaken, match="token 5"):
            old.publish_many(tried, now=NOW, restart=True)
    with pytest.raises(Overtaken):
        old.heartbeat(b"{}")
    assert everything(server) == before
    assert (new.leader(), new.publish(make_row(5), now=NOW)) == (5, "sent")


def test_a_heartbeat_is_enough_to_lead(server: redis.Redis) -> None:
    """Before it has any news, the new leader's heartbeat shuts the old one out; it reaches who listens."""
    old, new = Publisher(server, token=4), Publisher(server, token=5)
    old.publish_many(make_rows(1, 3), now=NOW, restart=True)
    with server.pubsub(ignore_subscribe_messages=True) as heard:
        heard.subscribe(KEYS.channel)
        heard.get_message(timeout=1)
        assert new.heartbeat(b"beat") == 1
        assert (heard.get_message(timeout=5) or {})["data"] == b"beat"
    with pytest.raises(Overtaken):
        old.publish(make_row(4), now=NOW)


def test_who_sends_by_hand_has_no_token_and_is_not_shut_out(server: redis.Redis) -> None:
    """`signals run` beside a service: numbers alone decide, and the leader's token stays."""
    Publisher(server, token=7).publish_many(make_rows(1, 3), now=NOW, restart=True)
    by_hand = Publisher(server)
    assert by_hand.publish(make_row(4), now=NOW) == "sent"
    assert by_hand.heartbeat(b"{}") == 0
    assert by_hand.leader() == 7


def test_a_wiped_server_knows_no_leader(server: redis.Redis) -> None:
    """Nobody is shut out by what is gone."""
    Publisher(server, token=7).publish_many(make_rows(1, 3), now=NOW, restart=True)
    server.flushall()
    old = Publisher(server, token=6)
    assert old.leader() == 0
    assert old.publish_many(make_rows(1, 3), now=NOW, restart=True) == 3
    assert old.leader() == 6
