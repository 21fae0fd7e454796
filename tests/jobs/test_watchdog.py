"""The watchdog on real parts: Redis, a database, a receiver on loopback, apprise's own sender. Time is a parameter."""

import contextlib
import datetime as dt
import json
import sqlite3
import threading

import pytest
import stamina

from jobs import notify
from jobs.app import App
from jobs.aside import Aside
from jobs.logs import logger
from jobs.runner import Deadline, Run
from jobs.settings import load
from jobs.watchdog import Watchdog
from signals.delivery.alert import decode_alert
from signals.delivery.endpoints import endpoint
from signals.delivery.signing import verifier
from signals.delivery.webhook import signature
from signals.model import FeedState
from signals.store import alerts, feeds, notices
from tests.jobs.conftest import Shell
from tests.jobs.receivers import Listener, Receiver

NOW = dt.datetime(2026, 3, 4, 12, 0, tzinfo=dt.UTC)
SECRET = "a secret of the receiver"
IMGHDR = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
"""Apprise asks for it as it loads its plugins."""
FEED = '[[feed]]\nid = "boj"\nkind = "rss"\nurl = "https://feed.example/rss"\nevery_s = 60\n\n'


@pytest.fixture(autouse=True)
def at_once():
    """Tries follow one another without a wait."""
    stamina.set_testing(True, attempts=3, cap=True)
    yield
    stamina.set_testing(False)


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.close()


class House:
    """One home, whose services come and go, and whose time passes as the test says."""

    def __init__(self, folder, **environ):
        self.shell = Shell(folder, FEED)
        self.environ = self.shell.env | {
            "SIGNALS__FRESHNESS__SERVICE__CLOCK_S": "1e12",  # Redis goes by the real clock
            "SIGNALS__ALERTS__DIGEST_AT": '""',
            **environ,
        }
        self.at = NOW
        self.services = []
        self.first = self.service()
        self.first.app.redis_url()
        self.source("well")

    def service(self):
        """Another service on this home."""
        made = Service(self)
        self.services.append(made)
        return made

    def source(self, state):
        """What is known of the source: `well` or `down`."""
        long_ago = self.at - dt.timedelta(hours=1)
        down = {"last_success_at": long_ago, "failures": 5, "last_error": "timeout: no answer", "recent": "xxxxx"}
        fields = down if state == "down" else {"last_success_at": self.at, "recent": "....."}
        with self.first.app.store.write() as conn:
            feeds.save(conn, FeedState(source="boj", last_attempt_at=self.at, **fields))

    def pass_s(self, seconds):
        self.at += dt.timedelta(seconds=seconds)

    def listener(self):
        return contextlib.closing(Listener(endpoint(self.shell.home, "redis")))

    def close(self):
        for one in reversed(self.services):
            one.app.close()


class Service:
    """One service's watchdog."""

    def __init__(self, house):
        ticks = lambda: (house.at - NOW).total_seconds()  # noqa: E731
        self.app = App(load(house.shell.config, house.environ), clock=lambda: house.at, ticks=ticks)
        self.watchdog = Watchdog(self.app, dict)

    def judge(self):
        return self.watchdog(Run("r", "manual", Deadline("watchdog", 14), logger()))


@pytest.fixture
def house(tmp_path, receiver):
    with contextlib.closing(
        House(
            tmp_path,
            SIGNALS_WEBHOOK_URL=f"http://{receiver.host}/hook?token=hidden",
            SIGNALS_WEBHOOK_SECRET=SECRET,
        )
    ) as made:
        yield made


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """A busy machine may take long to send; who sends at once is waited for no longer than that."""
    monkeypatch.setattr("jobs.watchdog._SEND_S", 30.0)


def judge_for(house, seconds, service=None, every_s=15):
    """Judge every 15 s for so long; the last report."""
    report = None
    for _ in range(seconds // every_s):
        report = (service or house.first).judge()
        house.pass_s(every_s)
    return report


ALL = [("source:boj", "opened"), ("source:boj", "repeated"), ("source:boj", "closed")]


def test_it_opens_repeats_and_closes_by_every_way(house, receiver):
    """Down for four hours: three messages by Redis, three by the webhook, the same bytes; then it is closed."""
    with house.listener() as listener:
        house.source("down")
        judge_for(house, 60)
        house.pass_s(14_400)
        house.source("down")
        judge_for(house, 30)
        house.source("well")
        judge_for(house, 90)
        heard = listener.heard()
    assert [json.loads(body)["data"]["action"] for body in heard] == ["opened", "repeated", "closed"]
    assert [body for _, body in receiver.got] == heard
    with house.first.app.store.read() as conn:
        assert alerts.standing(conn) == []
        (kept,) = alerts.told(conn, limit=9)
    assert kept.closed_at is not None
    assert kept.text.startswith("boj down for")
    last = decode_alert(heard[-1]).data
    assert (last.alert_id, last.closed_at) == (kept.alert_id, kept.closed_at)


def test_the_webhook_is_signed(house, receiver):
    """The signature is that of the timestamp and the body by the secret, the timestamp that of the sending."""
    house.source("down")
    judge_for(house, 60)
    ((headers, body),) = receiver.got
    assert headers["X-Signals-Timestamp"] == str(int((NOW + dt.timedelta(seconds=30)).timestamp()))
    assert headers["X-Signals-Signature"] == signature(SECRET, headers["X-Signals-Timestamp"], body)
    assert headers["X-Signals-Id"] == decode_alert(body).id
    assert headers["X-Signals-Signature"] != signature("another secret", headers["X-Signals-Timestamp"], body)


def test_each_once_across_restarts(house, receiver):
    """A new service for every judgement: the time that a fault holds goes on, and each thing is told once."""
    with house.listener() as listener:
        for state, times in (("down", 5), ("well", 7)):
            house.source(state)
            for _ in range(times):
                judge_for(house, 15, house.service())
        assert listener.actions() == [ALL[0], ALL[2]]
    assert receiver.actions == [ALL[0], ALL[2]]


def test_each_once_with_two_judges_at_the_same_time(house, receiver):
    """Two services on one store, judging and sending at the very same moment: still each once."""
    second = house.service()
    failed = []

    def judge(one, gate):
        gate.wait()
        try:
            one.judge()
        except Exception as error:  # noqa: BLE001 - told by the test
            failed.append(error)

    with house.listener() as listener:
        for state, times in (("down", 4), ("well", 6)):
            house.source(state)
            for _ in range(times):
                gate = threading.Barrier(2)
                pair = [threading.Thread(target=judge, args=(one, gate)) for one in (house.first, second)]
                for thread in pair:
                    thread.start()
                for thread in pair:
                    thread.join()
                house.pass_s(15)
        assert listener.actions() == [ALL[0], ALL[2]]
    assert failed == []
    assert receiver.actions == [ALL[0], ALL[2]]


def test_what_cannot_be_sent_is_kept_and_tried_again(house, receiver):
    """The receiver answers 503: Redis has it at once, the notes say what waits and why; then it gets all, in order."""
    receiver.status = 503
    house.source("down")
    with house.listener() as listener:
        report = judge_for(house, 60)
        assert listener.actions() == [ALL[0]]
    assert report.notes == ("webhook: 1 alert waits since 2026-03-04 12:00:30 UTC: answered 503",)
    assert "hidden" not in str(report)
    house.source("well")
    judge_for(house, 90)
    assert receiver.got == []
    receiver.status = 200
    house.pass_s(900)
    house.source("well")
    assert judge_for(house, 15).notes == ()
    assert receiver.actions == [ALL[0], ALL[2]]


def test_a_way_that_is_down_is_tried_at_growing_distances(house, receiver):
    """A quarter of an hour of judging, each quarter of a minute: some tries, not sixty."""
    receiver.status = 500
    house.source("down")
    judge_for(house, 900)
    assert 3 * 4 <= receiver.refused <= 3 * 8  # three tries each time


def test_what_is_a_day_old_is_not_told_any_more(house, receiver):
    """A receiver that comes back after two days hears nothing of what is long over."""
    receiver.status = 500
    house.source("down")
    judge_for(house, 45)
    receiver.status = 200
    house.pass_s(2 * 86_400)
    house.source("well")
    assert house.first.judge().notes == ()
    assert receiver.got == []


def test_a_receiver_that_hangs_holds_up_nothing(house, receiver, monkeypatch):
    """It is told of as sending that gives no answer; the next judgement comes, and Redis has its message."""
    monkeypatch.setattr("jobs.watchdog._SEND_S", 0.05)
    gate = threading.Event()
    ways = house.first.watchdog._sender.ways
    ways["webhook"] = ways["webhook"]._replace(send=lambda *_: gate.wait(20))
    house.source("down")
    with house.listener() as listener:
        report = judge_for(house, 60)
        assert listener.actions() == [ALL[0]]
    assert any(note.startswith("sending alerts: no answer for") for note in report.notes)
    gate.set()


@IMGHDR
def test_apprise_sends_by_its_own_sender(tmp_path, receiver):
    """Its json:// plugin against a server on loopback: title and text with the mend; each address a way of its own."""
    urls = f"json://{receiver.host}/a?:token=hidden json://{receiver.host}/b"
    with contextlib.closing(House(tmp_path, SIGNALS_APPRISE_URLS=urls)) as house:
        house.source("down")
        judge_for(house, 60)
        sent = [json.loads(body) for _, body in receiver.got]
    assert [one["title"] for one in sent] == ["USD/JPY signals: opened, warning"] * 2
    assert sent[0]["message"].startswith("boj down for 60 min (timeout: no answer)\nWhat to do: ")
    assert sent[0]["type"] == "warning"


@IMGHDR
def test_an_address_that_apprise_does_not_know_is_named_without_it(tmp_path):
    """The note has the scheme and the mend, never the token."""
    with contextlib.closing(House(tmp_path, SIGNALS_APPRISE_URLS="nonsense://token-of-mine")) as house:
        house.source("down")
        notes = judge_for(house, 60).notes
    assert len(notes) == 1
    assert "is no address that apprise knows" in notes[0]
    assert "token-of-mine" not in notes[0]


def test_apprise_that_is_missing_is_said_once(tmp_path, monkeypatch):
    """One line in the first run's notes; then all goes on without."""
    monkeypatch.setattr("signals.delivery.chat.installed", lambda: False)
    with contextlib.closing(House(tmp_path, SIGNALS_APPRISE_URLS="json://127.0.0.1:9")) as house:
        assert [note for note in house.first.judge().notes if "apprise is missing" in note]
        assert house.first.judge().notes == ()


def test_a_store_that_is_locked_is_told_of_from_memory(house, receiver):
    """Held by another process: the alert is sent all the same, once; it is kept once the store is free, and closes."""
    judge_for(house, 15)
    other = sqlite3.connect(house.shell.home / "signals.db", isolation_level=None)
    with house.listener() as listener, contextlib.closing(other):
        house.first.app.quick_store.close()
        house.first.app.__dict__["quick_store"] = impatient_store(house)
        other.execute("BEGIN IMMEDIATE")
        judge_for(house, 15)
        assert house.first.app.observer.write_fault is None  # once is any long transaction
        report = judge_for(house, 60)
        assert listener.actions() == [("store", "opened")]
        assert "writing to the store: database is locked" in report.notes
        other.execute("ROLLBACK")
        house.source("well")
        judge_for(house, 105)
        assert listener.actions() == [("store", "closed")]
    with house.first.app.store.read() as conn:
        (kept,) = alerts.told(conn, limit=9)
        assert kept.key == "store"
        assert notices.waiting(conn, ["redis", "webhook"], NOW) == []
        rows = conn.exec_driver_sql("SELECT way, sent_at IS NOT NULL FROM notices").all()
    assert sorted(map(tuple, rows)) == [("redis", 1), ("redis", 1), ("webhook", 1), ("webhook", 1)]
    assert receiver.actions == [("store", "opened"), ("store", "closed")]


@contextlib.contextmanager
def locked(house):
    """The store is held by another process."""
    house.first.app.quick_store.close()
    house.first.app.__dict__["quick_store"] = impatient_store(house)
    with contextlib.closing(sqlite3.connect(house.shell.home / "signals.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def of_the_model(receiver):
    return [action for key, action in receiver.actions if key == "model"]


def test_what_was_over_while_the_store_was_locked_does_not_open_again(house, receiver):
    """Seen before, over while nobody could write it down, there again: what was told from memory is kept as told."""
    app = house.first.app
    app.model_fault = "model.skops: is broken"
    judge_for(house, 15)
    with locked(house):
        app.model_fault = None
        judge_for(house, 15)
        app.model_fault = "model.skops: is broken"
        judge_for(house, 60)
        assert of_the_model(receiver) == ["opened"]
    judge_for(house, 60)
    assert of_the_model(receiver) == ["opened"]
    app.model_fault = None
    judge_for(house, 120)
    assert of_the_model(receiver) == ["opened", "closed"]
    with app.store.read() as conn:
        assert [one.key for one in alerts.told(conn, limit=9)].count("model") == 1


def test_what_was_told_from_memory_and_not_sent_is_sent_later(house, receiver):
    """The sender ends just as the store is written again: what it had not sent is kept, not forgotten."""
    judge_for(house, 15)
    receiver.status = 503
    with locked(house):
        house.first.app.model_fault = "model.skops: is broken"
        judge_for(house, 60)
    receiver.status = 200
    house.first.watchdog._sending.__class__ = Ending
    judge_for(house, 120)
    assert of_the_model(receiver) == ["opened"]


class Ending(Aside):
    """Busy when it is asked first, and not any more when it is asked again."""

    asked = 0

    @property
    def busy(self):
        self.asked += 1
        return self.asked == 1


def impatient_store(house):
    """The same database for who waits a twentieth of a second."""
    from signals.store import Store
    from signals.store.database import impatient

    return Store.open(impatient(house.first.app.settings.database_url, 0.05))


def test_redis_that_is_away_is_told_of_by_the_webhook(tmp_path, receiver):
    """What cannot go by Redis waits; the webhook has it; back again, Redis gets both, in order."""
    with contextlib.closing(
        House(tmp_path, SIGNALS_WEBHOOK_URL=f"http://{receiver.host}/", SIGNALS_WEBHOOK_SECRET=SECRET)
    ) as house:
        house.first.app.close()
        house.services.append(again := Service(house))
        report = judge_for(house, 60, again)
        assert receiver.actions == [("broker", "opened")]
        assert [note for note in report.notes if note.startswith("redis: 1 alert waits")]
        house.services.append(starter := Service(house))
        starter.app.redis_url()
        with house.listener() as listener:
            house.pass_s(120)
            for _ in range(6):
                with starter.app.store.write() as conn:
                    feeds.save(conn, FeedState(source="boj", last_attempt_at=house.at, last_success_at=house.at))
                judge_for(house, 15, again)
            assert listener.actions() == [("broker", "opened"), ("broker", "closed")]


def test_alerts_are_signed_like_the_signals(tmp_path):
    """Where a key is set: what is heard carries its signature, which whoever has the key can check."""
    key = "hmac:" + "k" * 32
    with contextlib.closing(House(tmp_path, SIGNALS_SIGNING_KEY=key)) as house, house.listener() as listener:
        house.source("down")
        judge_for(house, 60)
        (heard,) = listener.heard()
    assert decode_alert(verifier(key, "key")(heard)).data.key == "source:boj"


def test_the_digest_of_a_day_comes_once(tmp_path, receiver):
    """At its time, once for the day, whoever judges; it says what was open and for how long."""
    with contextlib.closing(
        House(
            tmp_path,
            SIGNALS_WEBHOOK_URL=f"http://{receiver.host}/",
            SIGNALS_WEBHOOK_SECRET=SECRET,
            SIGNALS__ALERTS__DIGEST_AT="13:00",
        )
    ) as house:
        house.source("down")
        judge_for(house, 60)
        house.source("well")
        judge_for(house, 90)
        assert receiver.actions == [ALL[0], ALL[2]]
        house.at = NOW + dt.timedelta(hours=1)
        house.source("well")
        for service in (house.first, house.service()):
            judge_for(house, 30, service)
        digests = [decode_alert(body).data for _, body in receiver.got[2:]]
        house.at = NOW + dt.timedelta(hours=25)
        house.source("well")
        judge_for(house, 30)
    assert [one.alert_id for one in digests] == ["digest-2026-03-04"]
    assert digests[0].text.splitlines() == [
        "The 24 hours up to 2026-03-04 13:00 UTC",
        "Headlines: 0. Signals: 0.",
        "Sources down: none.",
        "Scorecard: no call settled.",
        "Alerts: 1, of which 0 open still.",
        "- 12:00 source:boj, for 90 s: boj down for 60 min (timeout: no answer)",
    ]
    assert decode_alert(receiver.got[-1][1]).id == "digest-2026-03-05"


def test_secrets_stand_nowhere(house, receiver):
    """Neither the webhook's address nor its secret is in what is sent, kept or told."""
    receiver.status = 500
    house.source("down")
    report = judge_for(house, 60)
    assert report.notes
    with house.first.app.store.read() as conn:
        kept = conn.exec_driver_sql("SELECT * FROM notices").all() + conn.exec_driver_sql("SELECT * FROM alerts").all()
    assert "hidden" not in str(kept) + str(report)
    assert SECRET not in str(kept) + str(report)


def test_the_ways_of_a_home(house):
    """Redis always; the others where they are set."""
    assert list(notify.ways(house.first.app)) == ["redis", "webhook"]
