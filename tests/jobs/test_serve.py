"""The service: it starts, it says what it does, and it leaves nothing behind however it ends."""

import json
import os
import signal
import subprocess
import time
import urllib.request
from contextlib import contextmanager

import pytest
import redis

from signals.delivery.endpoints import endpoint
from signals.delivery.wire import decode
from signals.message import Signal
from tests.chaos.service import connected
from tests.jobs.conftest import now, rss_row

LOG = "signals:{usdjpy}:log"
PATIENCE_S = 30


def until(look, patience_s=PATIENCE_S):
    """Look until something true is seen; it must be within the time."""
    end = time.monotonic() + patience_s
    while not (seen := look()):
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)
    return seen


def told(client) -> list[Signal]:
    """The signals in the log; indexes stand between them."""
    events = [decode(fields[b"event"]) for _, fields in client.xrange(LOG)]
    return [event.data for event in events if isinstance(event.data, Signal)]


@contextmanager
def serving(made):
    """The service, up; killed at the end if it still runs."""
    errors = made.home.parent / f"stderr-{time.monotonic_ns()}.txt"
    with errors.open("w") as stderr:
        process = subprocess.Popen(made.command("serve"), env=made.env, stdout=subprocess.DEVNULL, stderr=stderr)
        try:
            until(lambda: "service.start" in errors.read_text() or process.poll() is not None)
            assert process.poll() is None, errors.read_text()
            yield process
        finally:
            if process.poll() is None:
                process.kill()
            process.wait(15)


def test_the_service_publishes_new_headlines_and_ends_cleanly_on_sigterm(shell, feed_server):
    """News in the feed becomes a signal without a word from anyone; SIGTERM ends all, exit 0, no server left."""
    feed_server.items["/wire"] = [("Yen surges as BOJ hikes rates to 1.0%", now())]
    made = shell(rss_row(feed_server, "/wire", "wire"))
    made.env["SIGNALS__JOBS__INGEST__EVERY_S"] = "1"
    with serving(made) as process:
        client = connected(made.home)
        until(lambda: len(told(client)) == 1)
        feed_server.items["/wire"].append(("Dollar slides after US payrolls miss forecasts", now()))
        until(lambda: len(told(client)) == 2)
        url = endpoint(made.home, "redis")
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    assert endpoint(made.home, "redis") is None
    with pytest.raises(redis.ConnectionError):
        redis.Redis.from_url(url).ping()


def test_heartbeats_tell_the_state_of_sources_and_jobs(shell, feed_server):
    """A quiet channel still beats: a source that is down is told as down, and the last seq is told."""
    feed_server.status["/dead"] = 500
    made = shell(rss_row(feed_server, "/dead", "dead"))
    made.env |= {"SIGNALS__JOBS__HEARTBEAT__EVERY_S": "1", "SIGNALS__JOBS__INGEST__EVERY_S": "1"}
    with serving(made):
        listener = connected(made.home).pubsub(ignore_subscribe_messages=True)
        listener.subscribe("signals.usdjpy")

        def told_down():
            message = listener.get_message(timeout=1)
            beat = message and decode(message["data"]).data
            return beat if beat and any(source.state == "down" for source in beat.sources) else None

        beat = until(told_down)
        assert [source.id for source in beat.sources] == ["dead"]
        assert beat.last_seq == 0
        assert {job.job for job in beat.jobs} >= {"ingest", "publish", "heartbeat"}


def test_kill_9_leaves_no_server_and_loses_and_repeats_nothing(shell, feed_server):
    """Killed at whatever moment and started again, the log has every signal once, seq without gaps."""
    made = shell(rss_row(feed_server, "/wire", "wire"))
    made.env["SIGNALS__JOBS__INGEST__EVERY_S"] = "1"
    feed_server.items["/wire"] = []
    rounds, each = 4, 15
    for number in range(rounds):
        feed_server.items["/wire"] += [
            (f"USD/JPY climbs to {100 + number}.{item:02} after round {number}", now()) for item in range(each)
        ]
        with serving(made) as process:
            client = connected(made.home)
            # Each round is killed at another moment of its work: as headlines come in, or as signals go out.
            until(lambda client=client, number=number: len(told(client)) >= number * each + number * 3)
            url = endpoint(made.home, "redis")
            os.kill(process.pid, signal.SIGKILL)
        until(lambda url=url: _gone(url))
    with serving(made):
        client = connected(made.home)
        until(lambda: len(told(client)) >= rounds * each)
        events = [decode(fields[b"event"]) for _, fields in client.xrange(LOG)]
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert len({event.id for event in events}) == len(events)
    titles = [event.data.title for event in events if isinstance(event.data, Signal)]
    assert sorted(titles) == sorted(title for title, _ in feed_server.items["/wire"])
    assert len({event.epoch for event in events}) == 1


def _gone(url: str) -> bool:
    try:
        redis.Redis.from_url(url, socket_connect_timeout=1).ping()
    except redis.RedisError:
        return True
    return False


def test_a_stranger_on_the_port_is_one_clear_line(shell, feed_server):
    """A port that another program holds is named, with the mend; nothing of it is touched."""
    made = shell()
    port = str(feed_server.http.server_address[1])
    made.env["SIGNALS_BROKER_PORT"] = port
    done = made.run("broker")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert port in done.stderr
    assert "SIGNALS_BROKER_PORT" in done.stderr


def test_what_is_pushed_becomes_a_signal_without_waiting_for_a_tick(shell):
    """By the stream and by HTTP: each within a moment, though every job's next tick is far off."""
    made = shell("")
    for job in ("INGEST", "INBOX", "PUBLISH", "PRICES"):
        made.env[f"SIGNALS__JOBS__{job}__EVERY_S"] = "3600"
    with serving(made) as process:
        client = connected(made.home)
        pusher = redis.Redis.from_url(
            endpoint(made.home, "redis"),
            username="pusher",
            password=(made.home / "redis-password-pusher").read_text().strip(),
        )
        pusher.xadd("signals:inbox", {"id": "1", "title": "Yen surges as BOJ hikes rates to 1.0%"})
        pusher.close()
        until(lambda: len(told(client)) == 1)
        request = urllib.request.Request(
            f"{endpoint(made.home, 'console')}/v1/headlines",
            data=json.dumps({"id": "2", "title": "Dollar slides after US payrolls miss forecasts"}).encode(),
            headers={"Authorization": f"Bearer {(made.home / 'token').read_text()}"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert json.load(answer) == {"new": 1, "known": 0, "withdrawn": 0, "notes": []}
        until(lambda: len(told(client)) == 2)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    assert endpoint(made.home, "console") is None
