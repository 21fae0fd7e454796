"""What is told of the service's own state on the channel `signals.alerts`, and sent by webhook: one type of message.

A CloudEvents 1.0 JSON object like the signals', but with no place in their sequence: alerts are no signals.
"""

import datetime as dt
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from signals.delivery.keys import ALERTS
from signals.delivery.signing import Signer
from signals.delivery.wire import Name, schema_id
from signals.errors import MessageError
from signals.model import Record

if TYPE_CHECKING:
    import redis

ALERT: Final = "signals.alert.v1"


class Alert(Record, frozen=True, kw_only=True):
    """`data` of `signals.alert.v1`: something about the service that a person should know, and what to do about it."""

    alert_id: Name
    """The same from opening to closing; of a digest, `digest-` and its day."""
    action: Name
    """`opened`, `repeated` (it is open still), `closed` or `digest`; an open text."""
    key: Name
    """What it is about: `source:boj`, `job:ingest`, `prices`, `broker`, …; `digest` of a digest. An open text."""
    severity: Name
    """`critical`, `warning`, or `info` of a digest; an open text."""
    text: str
    """What is wrong, in one line; of a digest, several."""
    mend: str
    """What a person can do; empty where there is nothing to do."""
    opened_at: dt.datetime | None
    """UTC; null of a digest."""
    last_seen_at: dt.datetime | None
    """UTC; when it was last found to be so. Null of a digest."""
    closed_at: dt.datetime | None
    """UTC; null while it is open."""


class AlertEvent(msgspec.Struct, frozen=True, kw_only=True):
    """The CloudEvents envelope of an alert."""

    specversion: Literal["1.0"] = "1.0"
    """Of CloudEvents."""
    id: Name
    """Derived from the alert and what is told of it: a repeat has the id of the first."""
    source: Name = "/signals/alerts"
    """Who sends."""
    type: Name = ALERT
    """What `data` holds, and the version of its meaning."""
    time: dt.datetime
    """UTC; when it was told."""
    datacontenttype: Literal["application/json"] = "application/json"
    """Of `data`."""
    dataschema: Name = schema_id(ALERT)
    """Names the JSON Schema of the message."""
    data: Alert
    """What is told."""


def encode_alert(alert: Alert, *, message_id: str, time: dt.datetime) -> bytes:
    """The message; the same values give the same bytes. `time` is UTC."""
    return msgspec.json.encode(AlertEvent(id=message_id, time=time, data=alert))


def decode_alert(message: bytes) -> AlertEvent:
    """Read a message. Raises MessageError where it is none."""
    try:
        return msgspec.json.decode(message, type=AlertEvent)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as exc:
        raise MessageError("message", f"is no alert: {exc}") from exc


def publish_alert(client: "redis.Redis", event: bytes, sign: Signer | None = None) -> int:
    """Send to whoever listens on `signals.alerts` now; returns to how many.

    Raises
    ------
    BrokerError : Redis cannot be reached or refuses.
    """
    from signals.delivery.faults import FAULTS, address_of, broker_error  # here: schemas need no redis

    try:
        return int(client.publish(ALERTS, sign(event) if sign else event))
    except FAULTS as exc:
        raise broker_error(address_of(client), exc) from exc
