"""Bridge the signals into a Redis stream of the form that nautilus_trader reads: fields `topic` and `payload`.

    python nautilus_feed.py redis://127.0.0.1:6379 redis://127.0.0.1:6380 usdjpy-signals   # from, to, stream

In the node (`nautilus_actor.py` has the type and an actor):

    MessageBusConfig(database=DatabaseConfig(port=6380), encoding="json", external_streams=["usdjpy-signals"])

Only signals that may still be acted on are handed over; a `Gap`, a `Silence` or a retraction comes as one of the
same type with `stand_aside` set. What was handed over stands in the key `<stream>:last`, written in one
transaction with it: killed and started again, the bridge goes on with the next, none lost and none twice.
"""

import json
import sys
import time

import redis

import signals

TYPE = "UsdJpySignal"
TOPIC = f"data.{TYPE}*"
"""What an actor hears by `subscribe_data(DataType(UsdJpySignal))`."""
EMPTY = {
    "signal_id": "",
    "direction": "flat",
    "strength": 0.0,
    "p_up": 0.0,
    "p_down": 0.0,
    "valid_until_ns": 0,
    "horizon_s": 0,
    "title": "",
    "stand_aside": "",
}


def times(event, init):
    """The two times of nautilus, nanoseconds as texts: so its serializer wants them."""
    return {"ts_event": str(event), "ts_init": str(init)}


def nanoseconds(at):
    """UNIX time of an aware datetime."""
    return int(at.timestamp() * 1_000_000) * 1000


def of_signal(signal):
    """A headline signal; `ts_event` is when the system knew it, `ts_init` when the signal was made."""
    same = ("signal_id", "direction", "strength", "p_up", "p_down", "horizon_s", "title")
    return {
        **EMPTY,
        **{name: getattr(signal, name) for name in same},
        "valid_until_ns": nanoseconds(signal.valid_until),
        **times(nanoseconds(signal.known_at), nanoseconds(signal.scored_at)),
    }


def payload_of(item):
    """What to hand over of an item of the client; null where it is nothing for a trader."""
    match item:
        case signals.Received(signal=signal) if signal is not None:
            return of_signal(signal)
        case signals.Received(event=signals.Event(data=signals.Retraction() as retraction)):
            at = times(nanoseconds(retraction.known_at), nanoseconds(retraction.retracted_at))
            return {**EMPTY, "signal_id": retraction.signal_id, "stand_aside": "retracted", **at}
        case signals.Gap() | signals.Silence():
            now = time.time_ns()
            return {**EMPTY, "stand_aside": type(item).__name__.lower(), **times(now, now)}
    return None


def hand_over(target, stream, item):
    """Write the entry and the place reached, together or not at all."""
    payload = payload_of(item)
    with target.pipeline(transaction=True) as pipe:
        if payload is not None:
            pipe.xadd(stream, {"topic": TOPIC, "payload": json.dumps({"type": TYPE, **payload})}, maxlen=10_000)
        if isinstance(item, signals.Received):
            pipe.set(f"{stream}:last", item.stream_id)
        pipe.execute()


def main(source, target_url, stream="usdjpy-signals"):
    """Bridge until Ctrl-C."""
    with signals.connect(source) as client, redis.Redis.from_url(target_url) as target:
        last = target.get(f"{stream}:last")
        for item in client.signals(last.decode() if last else "all"):
            hand_over(target, stream, item)


if __name__ == "__main__":
    main(*sys.argv[1:])
