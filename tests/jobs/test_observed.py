"""One look at a service: what it sees on real parts, that it never waits, and that it starts nothing."""

import contextlib
import datetime as dt
import json
import sqlite3
import time

import pytest

from jobs.app import App
from jobs.catalogue import runner_for
from jobs.freshness import alive, judge, sentence
from jobs.logs import logger
from jobs.observed import observe
from jobs.publish import encode, send
from jobs.runner import Deadline, Run
from jobs.settings import load
from jobs.steadiness import Steadiness
from signals.delivery.endpoints import endpoint
from signals.delivery.outbox import OutboxRow
from signals.errors import ConfigError
from signals.model import FeedState
from signals.store import alerts, bars, feeds, headlines, signals
from signals.store.alerts import Alert
from tests.conftest import ROOT
from tests.core.conftest import make_bar, make_headline, make_signal
from tests.jobs.conftest import Shell, rss_row
from tests.jobs.test_serve import serving, until

NOW = dt.datetime(2026, 3, 4, 12, 0, tzinfo=dt.UTC)
SECOND = dt.timedelta(seconds=1)
FEED = '[[feed]]\nid = "boj"\nkind = "rss"\nurl = "https://feed.example/rss"\nevery_s = 60\n\n'


@pytest.fixture
def shell(tmp_path):
    return Shell(tmp_path, FEED)


@pytest.fixture
def app(shell):
    with contextlib.closing(App(load(shell.config, shell.env), clock=lambda: NOW)) as made:
        yield made


def test_a_holiday_is_seen_as_a_closed_market(shell):
    """On Christmas nobody quotes, whatever day of the week it is: no price is old then."""
    christmas = dt.datetime(2025, 12, 25, 12, 0, tzinfo=dt.UTC)
    with contextlib.closing(App(load(shell.config, shell.env), clock=lambda: christmas)) as made:
        with made.store.write() as conn:
            bars.add(conn, [make_bar(christmas - 3600 * 15 * SECOND, 150.0, known_at=christmas)])
        seen = observe(made)
        assert not seen.market_open
        assert "prices" not in {one.key for one in judge(seen, made.settings.freshness)}


def message(epoch, seq, *, known_at=NOW, time=NOW):
    return f"{epoch}-{seq}", json.dumps({"time": time.isoformat(), "data": {"known_at": known_at.isoformat()}}).encode()


def test_it_sees_what_the_store_holds(app):
    """Sources with their newest headline and lag, bars, the outbox with how long it took, and the last runs."""
    with app.store.write() as conn:
        feeds.save(conn, FeedState(source="boj", last_attempt_at=NOW, last_success_at=NOW, recent=".x."))
        for number in range(5):
            at = NOW - number * 60 * SECOND
            published = at - (40 + number) * SECOND
            name = f"h{number}"
            headlines.add(conn, [make_headline(name, source="boj", known_at=at, source_published_at=published)])
        bars.add(conn, [make_bar(NOW - 60 * SECOND, 150.0, known_at=NOW)])
        told = make_signal(signal_id="s", headline_id="h0", known_at=NOW, scored_at=NOW)
        encode = lambda _, epoch, seq: message(epoch, seq, time=NOW + SECOND)  # noqa: E731
        signals.add(conn, [], [told], channel="USDJPY", now=NOW, encode=encode)
    runner_for(app).run("retention", "manual")
    seen = observe(app)
    (boj,) = seen.sources
    assert (boj.last_success_at, boj.recent, boj.last_new_at, boj.lag_s) == (NOW, ".x.", NOW, 40)
    assert seen.prices[0].last_close_at == NOW - 60 * SECOND
    assert (seen.channel.last_seq, seen.channel.outbox_depth, seen.channel.oldest_unsent_at) == (1, 1, NOW + SECOND)
    assert (seen.read_at, seen.last_headline_at, seen.market_open) == (NOW, NOW, True)
    with app.store.write() as conn:
        signals.mark_published(conn, signals.tail(conn, after_seq=0, limit=9), NOW + 7 * SECOND)
    again = observe(app)
    assert (again.channel.outbox_depth, again.channel.lag_s, again.channel.last_signal_at) == (0, 7, NOW + SECOND)
    by_name = {job.name: job for job in again.jobs}
    assert (by_name["retention"].last_run.outcome, by_name["retention"].recent) == ("ok", ".")
    assert by_name["retention"].last_ok_at == NOW
    assert by_name["ingest"].last_run is None


def test_what_a_killed_publisher_sent_does_not_wait(app):
    """Sent and not marked: it looks as if it waited until publishing finds it in Redis; it is not sent again."""
    with app.store.write() as conn:
        headlines.add(conn, [make_headline("h0", source="boj", known_at=NOW)])
        told = make_signal(signal_id="s", headline_id="h0", known_at=NOW, scored_at=NOW, valid_until=NOW + 60 * SECOND)
        signals.add(
            conn, [], [told], channel="USDJPY", now=NOW, encode=lambda told, epoch, seq: encode(NOW, told, epoch, seq)
        )
    run = Run("r", "manual", Deadline("publish", 60), logger())
    with app.store.read() as conn:
        rows = [OutboxRow(*row) for row in signals.tail(conn, after_seq=0, limit=9)]
    app.publisher().publish_many(rows, now=NOW, restart=True)
    assert observe(app).channel.outbox_depth == 1
    assert send(app, run) == 0
    assert observe(app).channel.outbox_depth == 0


def test_looking_starts_nothing(app):
    """No server is started for the look; that none runs is what it sees."""
    seen = observe(app)
    assert seen.broker_fault == "asking Redis: no server of this home runs"
    assert endpoint(app.settings.home, "redis") is None


def test_it_sees_a_server_that_is_there(app):
    """No fault; and the clock of this look is months behind that of Redis."""
    app.redis_url()
    seen = observe(app)
    assert seen.broker_fault is None
    assert seen.clock_offset_s < -86_400


def test_a_store_that_nobody_can_read_holds_up_no_look(app):
    """Locked against readers too: the look comes within a second or so, tells why, and has what was read before."""
    app.redis_url()
    first = observe(app)
    app.store.close()
    with contextlib.closing(sqlite3.connect(app.settings.home / "signals.db", isolation_level=None)) as other:
        other.execute("PRAGMA busy_timeout=10000")
        other.execute("PRAGMA journal_mode=DELETE")
        other.execute("BEGIN EXCLUSIVE")
        began = time.monotonic()
        seen = observe(app)
        took_s = time.monotonic() - began
        other.execute("ROLLBACK")
    assert took_s < 2
    assert seen.store_fault.startswith("reading the store: ")
    assert (seen.store_fault_since, seen.read_at, seen.sources) == (NOW, first.read_at, first.sources)
    until(lambda: observe(app).store_fault is None)


def test_a_clock_that_jumps_is_seen_for_some_minutes():
    """An hour forward between two looks that were ten seconds apart; five minutes later it is not told any more."""
    ticks = [0.0]
    steady = Steadiness(lambda: ticks[0])
    assert steady.jump_s(NOW) is None
    ticks[0] = 10
    assert steady.jump_s(NOW + 10 * SECOND) is None
    ticks[0] = 20
    assert steady.jump_s(NOW + 3620 * SECOND) == 3600
    ticks[0] = 40
    assert steady.jump_s(NOW + 3640 * SECOND) == 3600
    ticks[0] = 400
    assert steady.jump_s(NOW + 4000 * SECOND) is None


def test_a_broken_model_of_the_home_is_seen(app, capsys):
    """The shipped one is in its place, which the look tells, with the file."""
    place = app.settings.home / "model" / "model.skops"
    place.parent.mkdir(parents=True)
    place.write_bytes(b"no model")
    assert app.scorer.model_id
    seen = observe(app)
    assert seen.model_id == app.scorer.model_id
    assert str(place) in seen.model_fault
    assert "model" in {one.key for one in judge(seen, app.settings.freshness)}
    assert "the shipped model is used instead" in capsys.readouterr().err


def test_objectives_in_a_row_of_the_feeds(tmp_path):
    """A row's own objectives hold for it; those of the settings go before them."""
    rows = FEED.replace("every_s = 60", "every_s = 60\nfreshness = { age_s = 900, lag_s = 0 }")
    made = Shell(tmp_path, rows)
    own = load(made.config, made.env).freshness.of_source("boj")
    assert (own.age_s, own.lag_s, own.error_share) == (900, 0, 0.5)
    over = load(made.config, made.env | {"SIGNALS__FRESHNESS__SOURCES__BOJ__AGE_S": "60"})
    assert over.freshness.of_source("boj").age_s == 60


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        (
            {"SIGNALS__FRESHNESS__SOURCES__ECB__AGE_S": "9"},
            "freshness.sources.ecb: there is none of that name",
        ),
        ({"SIGNALS__FRESHNESS__JOBS__X__ROUNDS": "9"}, "freshness.jobs.x: there is none of that name"),
        ({"SIGNALS__ALERTS__DIGEST_AT": '"25:00"'}, "SIGNALS__ALERTS__DIGEST_AT: "),
        ({"SIGNALS__ALERTS__FOR_S": "-1"}, "SIGNALS__ALERTS__FOR_S: "),
        ({"SIGNALS_WEBHOOK_URL": "ftp://h/hidden"}, "SIGNALS_WEBHOOK_URL: is no address of a web server"),
        ({"SIGNALS_WEBHOOK_URL": "https://h/hidden"}, "SIGNALS_WEBHOOK_SECRET: is missing or too short"),
    ],
)
def test_a_mistake_in_objectives_or_ways_is_one_line(environ, said):
    """It names the key or the variable; what may be a secret stands in none."""
    with pytest.raises(ConfigError) as raised:
        load(ROOT / "config" / "signals.toml", environ)
    assert said in str(raised.value)
    assert "hidden" not in str(raised.value)


def test_a_mistake_in_a_row_names_the_row(tmp_path):
    """The file, the feed and the key."""
    made = Shell(tmp_path, FEED.replace("every_s = 60", "every_s = 60\nfreshness = { age = 900 }"))
    with pytest.raises(ConfigError, match=r"feeds.toml: freshness|feeds.toml: .*age"):
        load(made.config, made.env)


def test_alerts_from_the_shell(shell):
    """None at first; open ones with their mend; closed ones on request, and all of them for programs."""
    assert shell.run("alerts").stdout.strip() == "no alert is open"
    app = App(load(shell.config, shell.env))
    now = app.clock()
    fields = {"severity": "critical", "first_seen_at": now, "opened_at": now, "last_seen_at": now, "mend": "mend it"}
    with app.store.write() as conn:
        alerts.save(conn, Alert(alert_id="a", key="broker", text="Redis away", **fields))
        alerts.save(conn, Alert(alert_id="b", key="disk", text="Disk almost full", closed_at=now, **fields))
        alerts.save(conn, Alert(alert_id="c", key="clock", text="Clock", **fields | {"opened_at": None}))
    app.close()
    shown = shell.run("alerts").stdout
    assert "Redis away" in shown
    assert "mend it" in shown
    assert "Disk" not in shown
    assert "Clock" not in shown
    told = [json.loads(line) for line in shell.run("alerts", "--all", "--json").stdout.splitlines()]
    assert sorted(one["key"] for one in told) == ["broker", "disk"]
    assert {one["closed_at"] is None for one in told} == {True, False}


def test_a_service_is_watched(tmp_path, feed_server):
    """A feed that answers 500 from the first: within seconds its alert is open, by the service's own watchdog."""
    feed_server.status["/a"] = 500
    made = Shell(tmp_path, rss_row(feed_server, "/a", "wire"))
    made.env |= {"SIGNALS__JOBS__WATCHDOG__EVERY_S": "1", "SIGNALS__ALERTS__FOR_S": "0"}

    app = App(load(made.config, made.env))

    def opened():
        with app.store.read() as conn:
            return [one for one in alerts.told(conn, limit=9) if one.key == "source:wire"]

    with serving(made), contextlib.closing(app):
        (one,) = until(opened, 30)
        seen = observe(app)
    assert one.text.startswith("wire never answered (http_500")
    assert alive(seen)
    assert "wire never answered" in sentence(seen, judge(seen, app.settings.freshness))
