"""One cycle from the shell, as a newcomer runs it."""

import json
import re
import subprocess

import pytest
import redis

from signals.delivery.endpoints import endpoint
from signals.delivery.wire import decode
from tests.jobs.conftest import ARTICLES, CLOSED, now, rss_row

LOG = "signals:{usdjpy}:log"


def stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    process.wait(15)
    for pipe in (process.stdout, process.stderr):
        pipe.close()


@pytest.fixture
def broker(shell):
    """A shell whose Redis runs for the whole test, with the client to look into it."""
    made = shell()
    process = made.start("broker")
    process.stdout.readline()  # it says where it is once it answers
    client = redis.Redis.from_url(endpoint(made.home, "redis"))
    yield made, client
    client.close()
    stop(process)


def test_a_cycle_without_network_publishes_the_shipped_articles_with_prices(broker):
    """With none of its feeds reachable, a first run still handles the articles, and names what it could not reach."""
    made, client = broker
    (made.config.parent / "feeds.toml").write_text(
        ARTICLES + '[[feed]]\nid = "boj"\nkind = "rss"\nurl = "https://www.boj.or.jp/en/rss/whatsnew.xml"\n'
    )
    done = made.run("run")
    assert done.returncode == 0, done.stderr
    assert "boj: " in done.stdout
    assert "yahoo 1m: " in done.stdout
    events = [decode(fields[b"event"]) for _, fields in client.xrange(LOG)]
    assert len(events) >= 12
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    for event in events:
        assert event.data.ref_price is not None
        assert event.data.ref_source == "ecb"
        assert event.data.stale
        assert event.data.ref_price_at <= event.data.known_at
        assert event.data.backfilled
        assert event.data.valid_until < now()


def test_a_subscriber_opened_before_receives_each_signal_once_and_in_order(broker):
    """What SUBSCRIBE hears is the log, byte for byte: every signal once, in order."""
    made, client = broker
    listener = client.pubsub(ignore_subscribe_messages=True)
    listener.subscribe("signals.usdjpy")
    listener.get_message(timeout=5)
    assert made.run("run").returncode == 0
    logged = [fields[b"event"] for _, fields in client.xrange(LOG)]
    heard = []
    while len(heard) < len(logged) and (message := listener.get_message(timeout=5)):
        heard.append(message["data"])
    assert heard == logged
    assert listener.get_message(timeout=0.2) is None
    listener.close()


def test_a_second_run_publishes_nothing_twice(broker):
    """Running it again changes nothing on the channel or in the log."""
    made, client = broker
    assert made.run("run").returncode == 0
    before = client.xrange(LOG)
    again = made.run("run")
    assert again.returncode == 0
    assert "Nothing new to publish" in again.stdout
    assert client.xrange(LOG) == before


def test_a_second_start_of_redis_finds_what_the_first_published(shell):
    """With no server left between them, the next command reads what the last one published."""
    made = shell()
    assert made.run("run").returncode == 0
    watched = made.run("watch", "--count", "2", "--json")
    assert watched.returncode == 0, watched.stderr
    assert [json.loads(line)["event"]["seq"] for line in watched.stdout.splitlines()] == [1, 2]


def test_a_cycle_takes_all_of_two_hundred_items_and_a_dead_feed_costs_only_itself(shell, feed_server):
    """A feed of 200 items is taken whole; one that answers 500 is named and stops nothing."""
    feed_server.items["/wire"] = [(f"BOJ official number {n} speaks of rate hike {n}", now()) for n in range(200)]
    feed_server.status["/dead"] = 500
    made = shell(rss_row(feed_server, "/wire", "wire") + rss_row(feed_server, "/dead", "dead"))
    done = made.run("run")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "200 seen, 200 new" in done.stdout
    assert "dead: http_500" in done.stdout
    history = [json.loads(line) for line in made.run("jobs", "history", "--json").stdout.splitlines()]
    assert {run["job"]: run["outcome"] for run in history} == {
        "ingest": "partial",
        "inbox": "ok",
        "prices": "partial",
        "publish": "ok",
    }
    assert next(run for run in history if run["job"] == "publish")["counts"]["scored"] == 200


def test_history_shows_every_run_and_show_gives_its_log(shell):
    """Each run is on record with its outcome, and its log lines can be read by its id."""
    made = shell()
    made.run("run")
    made.run("jobs", "run", "publish")
    history = [json.loads(line) for line in made.run("jobs", "history", "--json").stdout.splitlines()]
    assert [(run["job"], run["trigger"]) for run in history] == [
        ("publish", "manual"), ("publish", "cycle"), ("prices", "cycle"), ("inbox", "cycle"), ("ingest", "cycle"),
    ]  # fmt: skip
    for run in history[::3]:  # one made by hand, one of the cycle
        shown = json.loads(made.run("jobs", "show", run["run_id"], "--json").stdout)
        assert shown["log"][0]["event"] == "job.start"
        assert shown["log"][-1]["event"] == "job.end"
        assert shown["log"][-1]["outcome"] == run["outcome"]


@pytest.mark.parametrize(
    ("variable", "value", "names"),
    [
        ("SIGNALS__JOBS__INGEST__EVERY_S", "often", "SIGNALS__JOBS__INGEST__EVERY_S"),
        ("SIGNALS__POLICY__TTL", "1", "ttl"),
        ("SIGNALS_BROKER_PORT", "http", "SIGNALS_BROKER_PORT"),
        ("SIGNALS_DATABASE_URL", "nonsense", "SIGNALS_DATABASE_URL"),
    ],
)
def test_a_bad_setting_is_one_line_that_names_it(shell, variable, value, names):
    """A setting that can't be used ends the command with 2 and one line, never a traceback."""
    made = shell()
    made.env[variable] = value
    done = made.run("run")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert names in done.stderr


def test_a_redis_that_cannot_be_reached_fails_the_step_and_loses_nothing(shell):
    """With Redis down the cycle fails with its reason; when it is back, all that waited is sent."""
    made = shell()
    made.env["SIGNALS_REDIS_URL"] = CLOSED.replace("http", "redis")
    failed = made.run("run")
    assert failed.returncode == 1
    assert "127.0.0.1:9" in failed.stdout
    del made.env["SIGNALS_REDIS_URL"]
    done = made.run("run")
    assert done.returncode == 0
    sent = re.search(r"(\d+) sent", done.stdout)
    assert sent is not None
    assert int(sent[1]) >= 12


def test_score_answers_a_line_for_each_line(shell):
    """`signals score --json` reads standard input and keeps its order; the parts add up."""
    done = shell().run("score", "--json", stdin="Yen surges as BOJ hikes rates\nDollar General opens a store\n")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["text"] for line in lines] == ["Yen surges as BOJ hikes rates", "Dollar General opens a store"]
    assert [line["relevant"] for line in lines] == [True, False]
    assert lines[0]["direction"] == "down"
    for line in lines:
        assert line["p_up"] + line["p_flat"] + line["p_down"] == pytest.approx(1)
