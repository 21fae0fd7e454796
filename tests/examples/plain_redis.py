"""Follow the signals with nothing but redis-py: what a client in any language has to do.

    pip install redis
    python plain_redis.py                                       # what comes from now on
    python plain_redis.py redis://127.0.0.1:6379 0              # the whole log
    python plain_redis.py redis://127.0.0.1:6379 1770942363120-0  # what came after that entry

One line a signal on standard output. The stream is the truth: whoever reads on from the id of the last
entry misses nothing. The channel is read only for heartbeats, so that silence explains itself.
`with_client.py` does the same in ten lines.
"""

import datetime as dt
import json
import sys
import time

import redis

CHANNEL = "signals.usdjpy"
LOG = "signals:{usdjpy}:log"  # the braces belong to the key
DEADLINE_S = 15  # three heartbeats missed


class Sequence:
    """`seq` rises by one within an `epoch`; heartbeats do not count."""

    def __init__(self):
        self.last = {}

    def take(self, message):
        """Whether a message is new; tells of a gap before it."""
        epoch, seq = message["epoch"], message["seq"]
        expected = self.last[epoch] + 1 if epoch in self.last else 1 if self.last else seq
        if seq < expected:
            return False  # a repeat
        if seq > expected:
            print(f"# gap: {expected} to {seq - 1} are missing - stand aside", file=sys.stderr)
        self.last[epoch] = seq
        return True


def read(fields):
    """The message of a stream entry; null where it cannot be read, which costs only itself."""
    try:
        return json.loads(fields.get(b"event", b""))
    except ValueError:
        print("# a message that cannot be read", file=sys.stderr)
        return None


def show(message):
    """One line of a signal that may still be acted on."""
    if message["type"] != "signals.headline.v1":
        return  # an index, a retraction, or a type made after this code
    signal = message["data"]
    if dt.datetime.fromisoformat(signal["valid_until"]) <= dt.datetime.now(dt.UTC):
        return  # expired: to be shown, not to be acted on
    print(signal["direction"], signal["strength"], signal["ref_price"], signal["title"], flush=True)


def begin(client, start, sequence):
    """The id to read on from, and what stands there: so a gap right after it is seen."""
    entries = client.xrevrange(LOG, count=1) if start == "new" else client.xrange(LOG, start, start)
    for stream_id, fields in entries:
        message = read(fields)
        if message is not None:
            sequence.take(message)
        return stream_id
    return "0-0" if start == "new" else start


def follow(client, start):
    """Read the log from a place on, for ever, and listen for heartbeats in between."""
    sequence, heard_at = Sequence(), time.monotonic()
    pulse = client.pubsub(ignore_subscribe_messages=True)
    pulse.subscribe(CHANNEL)
    last = begin(client, start, sequence)
    while True:
        for _, entries in client.xread({LOG: last}, block=1000) or []:
            for stream_id, fields in entries:
                message = read(fields)
                if message is not None and sequence.take(message):
                    show(message)
                last = stream_id
        while heard := pulse.get_message():
            if b'"type":"signals.heartbeat.v1"' in heard["data"]:
                heard_at = time.monotonic()
        if time.monotonic() - heard_at > DEADLINE_S:
            print("# silence: the publisher is down - stand aside", file=sys.stderr)
            heard_at = float("inf")


def main(url="redis://127.0.0.1:6379", start="new"):
    """Follow. After a lost connection redis-py tries again for some seconds by itself; then this ends."""
    with redis.Redis.from_url(url) as client:
        follow(client, start)


if __name__ == "__main__":
    main(*sys.argv[1:])
