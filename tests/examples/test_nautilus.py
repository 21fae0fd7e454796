"""The bridge to nautilus_trader: the form that its message bus reads, once each, through a kill."""

import ast
import json
from typing import Any

import pytest

from signals.delivery.publisher import Publisher
from tests.delivery.conftest import KEYS, NOW, put, until

from . import nautilus_feed
from .conftest import HERE, PAST, Program, Start, retraction_row, row

STREAM = "usdjpy-signals"


@pytest.fixture
def feed(python: Start, url: str) -> Any:
    """Starts the bridge, from the real server into a stream of the same."""
    return lambda: python("nautilus_feed.py", url, url, STREAM)


def payloads(server: Any) -> list[dict[str, Any]]:
    """What nautilus would read."""
    return [json.loads(fields[b"payload"]) for _, fields in server.xrange(STREAM)]


def told(server: Any) -> list[tuple[str, str]]:
    """Title of each signal handed over, or why to stand aside."""
    return [(payload["title"], payload["stand_aside"]) for payload in payloads(server)]


def test_hands_over_what_nautilus_reads(feed: Any, publisher: Publisher, server: Any) -> None:
    """An entry has the two fields that nautilus takes, the payload its type and times in nanoseconds, as texts."""
    publisher.publish_many([row(1, PAST), row(2)], now=NOW, restart=True)
    feed()
    until(lambda: len(payloads(server)) == 1)
    publisher.publish(retraction_row(3, 2), now=NOW)  # read together, a retracted signal would not be handed over
    until(lambda: len(payloads(server)) == 2)
    assert told(server) == [("headline 2", ""), ("", "retracted")]
    assert [set(fields) for _, fields in server.xrange(STREAM)] == [{b"topic", b"payload"}] * 2
    assert {fields[b"topic"] for _, fields in server.xrange(STREAM)} == {b"data.UsdJpySignal*"}
    signal = payloads(server)[0]
    assert signal["type"] == "UsdJpySignal"
    assert signal["ts_event"] == signal["ts_init"] == f"{int(NOW.timestamp())}{NOW:%f}000"
    assert signal["valid_until_ns"] == 4102444800 * 10**9


def test_goes_on_after_a_kill(feed: Any, publisher: Publisher, server: Any) -> None:
    """Killed and started again, it hands over what it had not: nothing lost, nothing twice."""
    publisher.publish_many([row(1), row(2)], now=NOW, restart=True)
    first: Program = feed()
    until(lambda: len(payloads(server)) == 2)
    first.kill()
    publisher.publish_many([row(3), row(4)], now=NOW)
    feed()
    until(lambda: len(payloads(server)) >= 4)
    assert [title for title, _ in told(server)] == ["headline 1", "headline 2", "headline 3", "headline 4"]


def test_a_gap_is_a_reason_to_stand_aside(feed: Any, server: Any) -> None:
    """What cannot be had is told before the signal that comes after it."""
    put(server, "1-0", row(1))
    put(server, "2-0", row(4))
    feed()
    until(lambda: len(payloads(server)) == 3)
    assert told(server) == [("headline 1", ""), ("", "gap"), ("headline 4", "")]
    assert server.get(f"{STREAM}:last") == server.xrevrange(KEYS.log, count=1)[0][0]


def test_the_actor_has_the_fields_of_the_feed() -> None:
    """The type that the node reads has the payload's fields, in its order, with its defaults."""
    tree = ast.parse((HERE / "nautilus_actor.py").read_text())
    struct = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == nautilus_feed.TYPE)
    fields = [node for node in struct.body if isinstance(node, ast.AnnAssign)]
    assert {ast.unparse(node.target): ast.literal_eval(node.value or ast.Constant(...)) for node in fields} == (
        nautilus_feed.EMPTY
    )
    assert [ast.unparse(node.target) for node in fields] == list(nautilus_feed.EMPTY)
