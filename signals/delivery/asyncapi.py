"""The AsyncAPI 3.0 document: where the messages come from, for tools that make clients and pages of it."""

from typing import Any

from signals.delivery.alert import ALERT
from signals.delivery.keys import (
    ALERTS,
    DEFAULT_PORT,
    EVENT_FIELD,
    HEARTBEAT_DEADLINE_S,
    HEARTBEAT_EVERY_S,
    LOG_MAXLEN,
    keys_of,
)
from signals.delivery.wire import HEARTBEAT
from signals.model import PAIR

Schema = dict[str, Any]

_KEYS = keys_of(PAIR)
_SLOT = _KEYS.log[_KEYS.log.index("{") : _KEYS.log.index("}") + 1]
"""The part of a key that says its cluster slot, braces and all."""

_INFO = {
    "title": "USD/JPY signals",
    "version": "1.0.0",
    "description": (
        "USD/JPY sentiment signals from headlines. `up` and `+` mean that the USD/JPY price (JPY per USD) is expected "
        "to rise: dollar stronger, yen weaker. Every message is a CloudEvents 1.0 JSON object. Fields may be added to "
        "a type and are to be ignored where they are not known, as are whole types; none is ever removed or changed."
    ),
    "license": {"name": "Apache-2.0"},
}
_CHANNEL_TEXT = (
    f"Redis PUBLISH: every message, to whoever listens now. Heartbeats come only here, every {HEARTBEAT_EVERY_S} s; "
    f"{HEARTBEAT_DEADLINE_S} s without one mean that the publisher is down or cannot be reached."
)
_LOG_TEXT = (
    f"Redis stream: the same bytes in field `{EVENT_FIELD}`, but heartbeats. The newest {LOG_MAXLEN} entries at "
    "least; XREAD from the id of the last entry seen misses nothing. `seq` rises by one within an `epoch`: a jump "
    "is a gap, a lower number a repeat."
)


_ALERTS_TEXT = (
    "Redis PUBLISH: what is wrong with the service itself, told once as it opens, again while it lasts, and once as it "
    "closes; and a digest a day. No signal ever comes here, and no alert among the signals."
)


def document(schemas: dict[str, Schema]) -> Schema:
    """The whole document.

    Parameters
    ----------
    schemas : JSON Schema of each message type, by type, as `schema.json_schema` makes them.
    """
    names = {kind: kind.split(".")[1] for kind in schemas}
    signals = [name for kind, name in names.items() if kind != ALERT]
    logged = [name for name in signals if name != names[HEARTBEAT]]
    return {
        "asyncapi": "3.0.0",
        "id": f"urn:signals:{PAIR.lower()}",
        "info": _INFO,
        "defaultContentType": "application/cloudevents+json",
        "servers": {"redis": _server()},
        "channels": {
            "published": _channel(_KEYS.channel, _CHANNEL_TEXT, signals, {}),
            "log": _channel(_KEYS.log, _LOG_TEXT, logged, {"parameters": {_SLOT.strip("{}"): _slot()}}),
            "alerts": _channel(ALERTS, _ALERTS_TEXT, [names[ALERT]], {}),
        },
        "operations": {
            "publish": _send("published", signals, "Send to whoever listens now."),
            "append": _send("log", logged, "Append to the log, in the same atomic step."),
            "alert": _send("alerts", [names[ALERT]], "Tell whoever looks after the service."),
        },
        "components": {
            "messages": {name: _message(kind, name, schemas[kind]) for kind, name in names.items()},
            "schemas": _parts(schemas, names),
        },
        "x-redis-keys": {
            _KEYS.latest: "String with an expiry: the last headline signal that may still be acted on.",
            _KEYS.index: "String with an expiry: the last index.",
            _KEYS.seq: 'String: `{"epoch": …, "seq": N}` of the last message in the log.',
        },
    }


def _server() -> Schema:
    return {
        "host": "127.0.0.1:{port}",
        "protocol": "redis",
        "description": "The embedded server, or the one that SIGNALS_REDIS_URL names.",
        "variables": {"port": {"default": str(DEFAULT_PORT), "description": "SIGNALS_BROKER_PORT of the service."}},
    }


def _slot() -> Schema:
    text = "The braces belong to the key: they keep the keys of a pair in one cluster slot."
    return {"enum": [_SLOT], "default": _SLOT, "description": text}


def _channel(address: str, text: str, messages: list[str], more: Schema) -> Schema:
    return {
        "address": address,
        "description": text,
        "servers": [{"$ref": "#/servers/redis"}],
        **more,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
    }


def _send(channel: str, messages: list[str], summary: str) -> Schema:
    return {
        "action": "send",
        "channel": {"$ref": f"#/channels/{channel}"},
        "summary": summary,
        "messages": [{"$ref": f"#/channels/{channel}/messages/{name}"} for name in messages],
    }


def _message(kind: str, name: str, schema: Schema) -> Schema:
    text = schema["$defs"][_data_name(schema)]["description"]
    return {"name": kind, "summary": text, "payload": {"$ref": f"#/components/schemas/{name}"}}


def _parts(schemas: dict[str, Schema], names: dict[str, str]) -> Schema:
    """Every type by name: the messages under their own, what they use under that of its type."""
    used = {part: schema for whole in schemas.values() for part, schema in whole["$defs"].items()}
    tops = {names[kind]: {k: v for k, v in schema.items() if k[0] != "$"} for kind, schema in schemas.items()}
    return {name: _translated(schema) for name, schema in (tops | used).items()}


def _data_name(schema: Schema) -> str:
    return str(schema["properties"]["data"]["$ref"]).rpartition("/")[2]


def _translated(schema: Any) -> Any:
    """From JSON Schema 2020-12 to the dialect of AsyncAPI, which is that of draft 7: other names, the same meaning."""
    if isinstance(schema, list):
        return [_translated(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: _translated(part) for name, part in schema.items()}
    if "$ref" in made:
        return {"$ref": made["$ref"].replace("#/$defs/", "#/components/schemas/")}  # draft 7 reads nothing beside it
    if "prefixItems" in made:
        made["items"] = made.pop("prefixItems")
        made["additionalItems"] = False
    return made
