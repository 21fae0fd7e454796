"""`signals serve` and `signals work` side by side, as a firm runs them: two processes, one Redis."""

import signal

from signals.delivery import acl
from signals.delivery.endpoints import endpoint
from signals.sources import inbox
from tests.jobs.conftest import shell  # noqa: F401 - a fixture
from tests.jobs.test_serve import connected, redis, serving, told, until


def test_what_is_pushed_is_scored_by_a_worker_and_told_at_once(shell):  # noqa: F811 - the fixture
    """Though every tick is far off: by the worker while it lives, by the service once it is killed."""
    made = shell("")
    made.env["SIGNALS__WORKERS__ENABLED"] = "true"
    made.env["SIGNALS__WORKERS__SILENCE_S"] = "2"
    for job in ("INGEST", "INBOX", "PUBLISH", "PRICES"):
        made.env[f"SIGNALS__JOBS__{job}__EVERY_S"] = "3600"
    with serving(made):
        url = acl.with_login(endpoint(made.home, "redis"), acl.PUBLISHER, acl.password(made.home))
        channel, pusher = connected(made.home), redis.Redis.from_url(url)
        worker = made.start("work")
        try:
            until(lambda: [row for row in consumers(pusher) if row["name"] != b"ingest"])
            pusher.xadd(inbox.STREAM, {"id": "1", "title": "Yen surges as BOJ hikes rates to 1.0%"})
            until(lambda: len(told(channel)) == 1)
            assert [row["name"] for row in consumers(pusher) if row["name"] == b"ingest"] == []
        finally:
            worker.send_signal(signal.SIGKILL)
            worker.communicate()
        pusher.xadd(inbox.STREAM, {"id": "2", "title": "Dollar slides after US payrolls miss forecasts"})
        until(lambda: len(told(channel)) == 2)
        done = made.run("jobs", "history", "--job", "inbox", "--limit", "1")
        assert "no worker has been heard" in " ".join(done.stdout.split())
        pusher.close()


def consumers(client):
    """Who takes from the inbox."""
    return client.xinfo_consumers(inbox.STREAM, inbox.GROUP) if client.exists(inbox.STREAM) else []
