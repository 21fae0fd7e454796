"""The message: bytes out, bytes in, and nothing else let through."""

import datetime as dt
import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signals.delivery import wire
from signals.errors import MessageError
from signals.message import Signal

from .conftest import NOW, make_heartbeat, make_retraction, make_signal

GOLDEN = Path(__file__).parent / "golden"
MESSAGE = wire.encode_signal(make_signal(), epoch="e1", seq=1234)

CONTRACT = """specversion id source type subject time datacontenttype dataschema epoch seq data
    signal_id story_id revision action supersedes source_published_at known_at scored_at valid_until backfilled
    pair direction p_up p_flat p_down strength usd_effect jpy_effect horizon_s abstained abstain_reason
    relevance topics novelty mentions_24h n_sources evidence
    ref_price ref_price_at ref_age_s ref_source stale market_open return_5m_bp return_60m_bp volatility_60m_bp
    title url source lang headline_ids model_id policy_id event_window headline_id"""
ENVELOPE, DATA = CONTRACT.split()[:11], CONTRACT.split()[11:]


@pytest.fixture
def golden_day(monkeypatch: pytest.MonkeyPatch) -> dt.datetime:
    """The time at which the messages on file were made; what is made now is made then."""
    at = NOW.replace(year=2026)
    monkeypatch.setattr("tests.delivery.conftest.NOW", at)
    return at


@pytest.mark.usefixtures("golden_day")
def test_headline_is_the_golden_message() -> None:
    """A headline signal leaves the house as the very bytes on file: bots depend on them."""
    message = wire.encode_signal(make_signal(), epoch="e1", seq=1234)
    assert message.event == (GOLDEN / "headline.v1.json").read_bytes().rstrip(b"\n")


def test_heartbeat_is_the_golden_message(golden_day: dt.datetime) -> None:
    """A heartbeat leaves the house as the very bytes on file."""
    message = wire.encode_heartbeat(make_heartbeat(), epoch="e1", now=golden_day)
    assert message.event == (GOLDEN / "heartbeat.v1.json").read_bytes().rstrip(b"\n")


@pytest.mark.usefixtures("golden_day")
def test_retraction_is_the_golden_message() -> None:
    """A retraction leaves the house as the very bytes on file."""
    message = wire.encode_retraction(make_retraction(), epoch="e1", seq=1235)
    assert message.event == (GOLDEN / "retraction.v1.json").read_bytes().rstrip(b"\n")


def test_fields_stand_in_the_order_of_the_contract() -> None:
    """Envelope and data have the contract's fields, all of them, in its order."""
    message = json.loads(MESSAGE.event)
    assert list(message) == ENVELOPE
    assert list(message["data"]) == DATA


def test_envelope_tells_what_it_carries() -> None:
    """Type, schema, source and subject agree, and time is when the signal was scored."""
    event = wire.decode(MESSAGE.event)
    assert isinstance(event, wire.Event)
    assert (event.type, event.dataschema) == ("signals.headline.v1", "urn:signals:headline:1")
    assert (event.source, event.subject) == ("/signals/usdjpy", "USDJPY")
    assert (event.time, event.seq, event.epoch) == (make_signal().scored_at, 1234, "e1")


def test_id_follows_the_content_not_the_number() -> None:
    """A repeat under another number or epoch has the same id; another signal or action has not."""
    again = wire.encode_signal(make_signal(), epoch="e2", seq=1)
    assert again.message_id == MESSAGE.message_id == json.loads(MESSAGE.event)["id"]
    others = [make_signal(2), make_signal(action="retracted")]
    ids = {wire.encode_signal(other, epoch="e1", seq=1234).message_id for other in others}
    assert len(ids | {MESSAGE.message_id}) == 3


def test_heartbeat_repeats_the_last_number() -> None:
    """A heartbeat does not count: its `seq` is the last one."""
    event = wire.decode(wire.encode_heartbeat(make_heartbeat(7), epoch="e1", now=NOW).event)
    assert event.seq == 7


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (wire.INDEX, wire.Index(value=-0.25, half_life_s=900, n_signals=3, n_sources=2)),
        (wire.RETRACTION, make_retraction(reason="a reason made later")),
    ],
)
def test_other_types_come_back(kind: str, data: wire.Data) -> None:
    """Index and retraction are read by their own type."""
    envelope = msgspec.json.decode(MESSAGE.event) | {"type": kind, "data": msgspec.to_builtins(data)}
    event = wire.decode(msgspec.json.encode(envelope))
    assert isinstance(event, wire.Event)
    assert event.data == data


def changed(path: str, value: object) -> bytes:
    """The golden headline with one value replaced, or taken out (`...`)."""
    message = json.loads(MESSAGE.event)
    *parents, last = path.split(".")
    place = message
    for parent in parents:
        place = place[parent]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return json.dumps(message).encode()


BROKEN = {
    "nothing": b"",
    "no JSON": b"hello",
    "an array": b"[1]",
    "cut off": MESSAGE.event[:-5],
    "two messages": MESSAGE.event * 2,
    "not UTF-8": MESSAGE.event.replace(b"BOJ hikes to", b"BOJ \xff\xfe to"),
    "half a surrogate": MESSAGE.event.replace(b"BOJ hikes to", b"BOJ \\ud800 to"),
    "deep": b"[" * 200_000,
    "deep in an unknown field": MESSAGE.event[:-1] + b',"x":' + b"[" * 200_000 + b"]" * 200_000 + b"}",
    "not a number": changed("data.p_up", float("nan")),
    "infinite": changed("data.ref_price", float("inf")),
    "beyond floats": MESSAGE.event.replace(b"152.31", b"1e999"),
    "beyond integers": MESSAGE.event.replace(b'"seq":1234', b'"seq":' + b"9" * 5000),
    "beyond exact integers": changed("seq", 2**53),
    "negative seq": changed("seq", -1),
    "seq as text": changed("seq", "1234"),
    "seq as bool": changed("seq", True),
    "other CloudEvents": changed("specversion", "0.3"),
    "no id": changed("id", ...),
    "empty id": changed("id", ""),
    "no epoch": changed("epoch", ...),
    "null data": changed("data", None),
    "data of another type": changed("type", wire.HEARTBEAT),
    "time without a zone": changed("time", "2026-02-13T00:26:03"),
    "time of another zone": changed("time", "2026-02-13T09:26:03+09:00"),
    "no time": changed("time", "yesterday"),
    "data time without a zone": changed("data.known_at", "2026-02-13T00:26:03"),
    "missing field": changed("data.model_id", ...),
    "other direction": changed("data.direction", "sideways"),
    "probability above one": changed("data.p_up", 1.01),
    "effect below minus one": changed("data.jpy_effect", -1.5),
    "text as number": changed("data.title", 5),
    "number as text": changed("data.strength", "0.5"),
    "broken evidence": changed("data.evidence", [{"text": "x"}]),
}


@pytest.mark.parametrize("message", BROKEN.values(), ids=BROKEN)
def test_broken_messages_are_refused(message: bytes) -> None:
    """Whatever is no message of ours raises `MessageError`, and only that."""
    with pytest.raises(MessageError):
        wire.decode(message)


def test_unknown_fields_are_ignored() -> None:
    """The schema may grow: fields that are not known here change nothing."""
    assert wire.decode(changed("data.mood", "dark")) == wire.decode(MESSAGE.event)
    assert wire.decode(changed("traceparent", "00-1")) == wire.decode(MESSAGE.event)


def test_unknown_types_keep_their_number() -> None:
    """A type made after this code is told apart, and its place in the sequence can be read."""
    event = wire.decode(changed("type", "signals.mood.v1"))
    assert isinstance(event, wire.UnknownEvent)
    assert (event.type, event.epoch, event.seq) == ("signals.mood.v1", "e1", 1234)


def test_place_survives_broken_data() -> None:
    """Epoch and number can be read where the data cannot; where they cannot either, there is none."""
    assert wire.place_of(changed("data", None)) == wire.Place(epoch="e1", seq=1234)
    assert wire.place_of(b"\xff") is None


def test_text_that_is_not_unicode_costs_its_own_message() -> None:
    """Half a surrogate pair in a title raises `MessageError`, which the caller can tell from a fault."""
    with pytest.raises(MessageError, match="Unicode"):
        wire.encode_signal(make_signal(title="\ud800"), epoch="e1", seq=1)


finite = st.floats(allow_nan=False, allow_infinity=False)
unit = st.floats(0, 1)
times = st.datetimes(timezones=st.just(dt.UTC))
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@given(
    st.fixed_dictionaries(
        {"p_up": unit, "strength": unit, "jpy_effect": st.floats(-1, 1), "ref_price": st.none() | finite,
         "return_5m_bp": st.none() | finite, "title": texts, "url": st.none() | texts, "known_at": times,
         "source_published_at": st.none() | times, "topics": st.lists(texts, max_size=3).map(tuple)}
    )
)  # fmt: skip
def test_signals_come_back_as_they_went(changes: dict[str, object]) -> None:
    """Any signal, encoded and decoded, is the same; and so are its bytes the second time."""
    signal = make_signal(**changes)  # type: ignore[arg-type]
    message = wire.encode_signal(signal, epoch="e", seq=0)
    event = wire.decode(message.event)
    assert isinstance(event, wire.Event)
    assert isinstance(event.data, Signal)
    assert event.data == signal
    assert wire.encode_signal(event.data, epoch="e", seq=0) == message


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
spliced = st.builds(
    lambda start, length, put: MESSAGE.event[:start] + put + MESSAGE.event[start + length :],
    st.integers(0, len(MESSAGE.event)),
    st.integers(0, 40),
    st.binary(max_size=10),
)
replaced = st.builds(changed, st.sampled_from(ENVELOPE + [f"data.{name}" for name in DATA]), json_values)


@given(st.binary() | spliced | replaced)
def test_no_bytes_can_do_more_than_be_refused(message: bytes) -> None:
    """Any bytes give an event within its ranges, an unknown one, or `MessageError`: nothing else."""
    try:
        event = wire.decode(message)
    except MessageError as exc:
        assert "\n" not in str(exc)
        return
    assert 0 <= event.seq < 2**53
    if isinstance(event, wire.Event) and isinstance(event.data, Signal):
        assert 0 <= event.data.p_up <= 1
        assert event.time.tzinfo is not None
