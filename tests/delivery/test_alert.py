"""Alerts as others read them: the message and its schema, the channel for strangers, the signed webhook."""

import asyncio
import datetime as dt
import hashlib
import hmac
import json

import jsonschema  # type: ignore[import-untyped,unused-ignore]
import msgspec
import pytest
import redis
import stamina

from signals.delivery import alert, broker, schema, webhook
from signals.delivery.acl import PUBLISHER
from signals.errors import BrokerError, MessageError
from tests.delivery.test_schema import GOLDEN
from tests.jobs.receivers import Listener, Receiver

NOW = dt.datetime(2026, 3, 4, 12, 0, tzinfo=dt.UTC)
FILE = GOLDEN / "alert.v1.json"


def told() -> alert.Alert:
    return alert.Alert(
        alert_id="a1", action="opened", key="source:boj", severity="warning", text="boj down for 12 min (timeout)",
        mend="look at its url in a browser", opened_at=NOW, last_seen_at=NOW, closed_at=None,
    )  # fmt: skip


def test_the_message_is_the_one_on_file() -> None:
    """Its bytes are a promise; read, it is what it was; and it is valid by the schema that we hand out."""
    made = alert.encode_alert(told(), message_id="m1", time=NOW)
    assert made == FILE.read_bytes().rstrip(b"\n")
    assert alert.decode_alert(made).data == told()
    check = jsonschema.Draft202012Validator(schema.json_schema(alert.ALERT))
    check.validate(json.loads(made))
    assert not check.is_valid(json.loads(made) | {"type": "signals.headline.v1"})
    assert not check.is_valid(json.loads(made) | {"data": {}})


def test_every_field_says_what_it_means() -> None:
    """As with the other messages."""
    whole = schema.json_schema(alert.ALERT)
    parts = [whole, *whole["$defs"].values()]
    assert [name for part in parts for name, field in part["properties"].items() if not field.get("description")] == []


def test_what_is_no_alert_is_refused() -> None:
    """A message of another kind, or none at all."""
    for wrong in (b"{}", b"\xff", (GOLDEN / "index.v1.json").read_bytes()):
        with pytest.raises(MessageError):
            alert.decode_alert(wrong)


def test_a_stranger_hears_it_and_cannot_send_one(tmp_path) -> None:
    """On the home's own server: who has no password may subscribe to `signals.alerts`, and not publish there."""
    with broker.EmbeddedBroker(tmp_path, 0) as server:
        mine = server.ensure()
        assert f"{PUBLISHER}:" in mine
        stranger = f"redis://{mine.rpartition('@')[2]}"
        listener = Listener(stranger)
        with redis.Redis.from_url(mine) as client, redis.Redis.from_url(stranger) as other:
            assert alert.publish_alert(client, b"x", lambda event: event + b"signed") == 1
            with pytest.raises(BrokerError, match="forbids this to its user"):
                alert.publish_alert(other, b"y")
        assert listener.heard() == [b"xsigned"]
        listener.close()


@pytest.fixture
def receiver():
    stamina.set_testing(True, attempts=3, cap=True)
    made = Receiver()
    yield made
    made.close()
    stamina.set_testing(False)


def post(url: str) -> None:
    asyncio.run(webhook.post(url, "s" * 20, "m1", b'{"a":1}', now=NOW))


def test_the_signature_is_what_the_text_says(receiver) -> None:
    """Computed here by hand, from the header and the body as they came."""
    post(f"http://{receiver.host}/")
    ((headers, body),) = receiver.got
    signed = f"{int(NOW.timestamp())}.".encode() + b'{"a":1}'
    expected = "hmac-sha256=" + hmac.new(b"s" * 20, signed, hashlib.sha256).hexdigest()
    assert (headers["X-Signals-Signature"], body) == (expected, b'{"a":1}')
    assert headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("status", [302, 404, 500])
def test_any_answer_but_a_good_one_is_told(receiver, status) -> None:
    """After three tries; a redirect is not followed, since what is signed is meant for this address."""
    receiver.status = status
    with pytest.raises(webhook.WebhookError, match=f"^127.0.0.1: answered {status}"):
        post(f"http://{receiver.host}/?token=hidden")
    assert receiver.refused == 3


def test_nobody_there_is_told_without_the_address(receiver) -> None:
    """The host alone: what stands after it may be a token."""
    receiver.close()
    with pytest.raises(webhook.WebhookError) as raised:
        post(f"http://{receiver.host}/hidden")
    assert "hidden" not in str(raised.value)
    receiver.http = Receiver().http  # for its end


def test_the_golden_message_is_json() -> None:
    """One line, as it is sent."""
    assert msgspec.json.decode(FILE.read_bytes())["dataschema"] == "urn:signals:alert:1"
