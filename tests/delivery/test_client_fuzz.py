"""Any bytes at all, and any fault at any step: no crash, no invalid signal, nothing lost and nothing twice."""

import datetime as dt
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from signals.delivery.core import Core
from signals.delivery.items import Item, Received
from signals.delivery.keys import EVENT_FIELD
from signals.delivery.publisher import Publisher
from signals.delivery.steps import Ask, Drop, Hear, Lost, Pause
from signals.delivery.stream import order
from signals.delivery.wire import INDEX, decode, encode_heartbeat
from signals.errors import BrokerError, MessageError
from signals.message import Retraction, Signal

from .conftest import KEYS, NOW, Clock, make_heartbeat, make_row
from .test_client_retractions import make_index, retract

FIELD = EVENT_FIELD.encode()
GOOD = [make_row(1).event, retract(2, 1).event, make_index(3).event, make_row(4).event, make_row(1, "e2", 5).event]
BEAT = encode_heartbeat(make_heartbeat(), epoch="e1", now=NOW).event
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A message of ours with bytes exchanged, cut off or doubled."""
    message = draw(st.sampled_from([*GOOD, BEAT]))
    low, high = sorted(draw(st.tuples(*[st.integers(0, len(message))] * 2)))
    return message[:low] + draw(st.binary(max_size=6)) + message[high:]


@st.composite
def retold(draw: st.DrawFn) -> bytes:
    """A message of ours with fields exchanged for anything JSON can say."""
    message = msgspec.json.decode(draw(st.sampled_from([*GOOD, BEAT])))
    for inner in (message, message["data"]):
        for name in draw(st.lists(st.sampled_from(sorted(inner)), max_size=2)):
            if isinstance(inner, dict):
                inner[name] = draw(values | st.sampled_from(["EURJPY", 2, "e2", "2030-01-01T00:00:00Z"]))
    return msgspec.json.encode(message)


anything = st.binary(max_size=40) | damaged() | retold() | st.sampled_from([*GOOD, BEAT])
good = st.sampled_from(GOOD).map(lambda message: {FIELD: message})
entries = good | good | st.dictionaries(st.just(FIELD) | st.binary(max_size=4), anything, max_size=2)


class Server:
    """What the core asks, answered from memory; every so many commands one is lost."""

    def __init__(self, log: list[dict[bytes, bytes]], heard: list[bytes] = [], faults: frozenset[int] = frozenset()):  # noqa: B006
        self.log = [(f"{number}-0".encode(), fields) for number, fields in enumerate(log, start=1)]
        self.heard, self.faults, self.keys, self.asked = list(heard), faults, {}, 0

    def answer(self, ask: Ask) -> Any:
        """As redis-py would."""
        self.asked += 1
        if self.asked in self.faults:
            raise Lost(BrokerError("redis", "is gone"), passes=True)
        words = ask.words
        match words[0]:
            case "XREAD":
                after = order(str(words[-1]))
                return [[words[-2], [raw for raw in self.log if order(raw[0].decode()) > after][: int(words[2])]]]
            case "XRANGE":
                after = order(str(words[2]).removeprefix("("))
                return [raw for raw in self.log if order(raw[0].decode()) > after][: int(words[-1])]
            case "XREVRANGE":
                until = str(words[2])
                before = (2**64, 0) if until == "+" else order(until.removeprefix("("))
                return [raw for raw in reversed(self.log) if order(raw[0].decode()) < before][: int(words[-1])]
            case "GET":
                return self.keys.get(words[1])
        raise AssertionError(words)

    def run(self, steps: Any) -> list[Item]:
        """Every item."""
        items, answer = [], None
        try:
            step = next(steps)
            while True:
                try:
                    match step:
                        case Ask():
                            answer = self.answer(step)
                        case Hear():
                            answer, self.heard = self.heard, []
                        case Drop() | Pause():
                            answer = None
                        case _:
                            items.append(step)
                            answer = None
                except Lost as lost:
                    step = steps.throw(lost)
                else:
                    step = steps.send(answer)
        except StopIteration as end:
            return [*items, end.value] if end.value is not None else items


def check(items: list[Item], now: dt.datetime) -> None:
    """Every message handed out is a whole one, live, of this pair, and there once."""
    places = [(item.event.epoch, item.event.seq) for item in items if isinstance(item, Received)]
    assert len(places) == len(set(places))
    for item in items:
        if isinstance(item, Received):
            again = decode(msgspec.json.encode(item.event))
            assert again == item.event
            assert item.event.subject.lower() == "usdjpy"
            if isinstance(item.event.data, Signal | Retraction):
                assert item.event.data.valid_until > now


@settings(max_examples=1500, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(entries, max_size=6), st.lists(anything, max_size=3), st.sampled_from(["all", "1-0", "3-0"]))
def test_any_bytes_cost_only_themselves(log: list[dict[bytes, bytes]], heard: list[bytes], start: str) -> None:
    """Whatever stands in the log and comes by the channel, what is handed out is valid, and good ones come."""
    core = Core({"clock": Clock()})
    reading = core.reading(start, None, 0)
    server = Server([*log, {FIELD: make_row(9, "last").event}], heard)
    assert server.run(reading.begin) == []
    items = server.run(reading.items)
    check(items, NOW)
    if start == "all":
        assert any(isinstance(item, Received) and item.event.epoch == "last" for item in items)
    assert core.pulse is not None
    assert core.pulse.status().state in ("live", "waiting")


@settings(max_examples=700, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(entries, max_size=5), anything | st.sampled_from(GOOD) | st.none(), anything | st.none())
def test_any_bytes_in_the_keys(log: list[dict[bytes, bytes]], latest: bytes | None, index: bytes | None) -> None:
    """`latest` and `index` give a valid message or nothing."""
    core, server = Core({"clock": Clock()}), Server(log)
    server.keys = {KEYS.latest: latest, KEYS.index: index}
    found = server.run(core.latest())
    check(found, NOW)
    for item in found:
        assert isinstance(item, Received) and isinstance(item.event.data, Signal)
        assert not _is_taken_back(log, item.event.data.signal_id)
    assert all(item.event.type == INDEX for item in server.run(core.index()))  # type: ignore[union-attr]


def _is_taken_back(log: list[dict[bytes, bytes]], signal_id: str) -> bool:
    """Whether the log ends with a retraction of it, as far as it tells of it."""
    for fields in reversed(log):
        try:
            data = getattr(decode(fields.get(FIELD, b"")), "data", None)
        except MessageError:
            continue
        if isinstance(data, Signal | Retraction) and data.signal_id == signal_id:
            return isinstance(data, Retraction)
    return False


@settings(max_examples=500, deadline=None)
@given(st.integers(1, 30), st.frozensets(st.integers(1, 60), max_size=25))
def test_any_fault_at_any_step_loses_nothing(count: int, faults: frozenset[int]) -> None:
    """A connection lost at any command, as often as one likes: each message once, in order, without a gap."""
    server = Server([{FIELD: make_row(seq).event} for seq in range(1, count + 1)])
    core = Core({"clock": Clock(), "heartbeat_deadline_s": None})
    reading = core.reading("all", count, None)
    server.run(reading.begin)
    server.faults = faults
    assert [item.event.seq for item in server.run(reading.items)] == list(range(1, count + 1))  # type: ignore[union-attr]


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.dictionaries(st.just(FIELD), anything, min_size=1, max_size=1), max_size=6), anything)
def test_any_bytes_by_the_real_server(client: Any, server: Any, log: list[dict[bytes, bytes]], heard: bytes) -> None:
    """The same by way of Redis."""
    server.delete(KEYS.log)
    for fields in log:
        server.xadd(KEYS.log, fields)
    items = client.signals("all", timeout_s=0)
    Publisher(server).heartbeat(heard)
    check(list(items), NOW)
