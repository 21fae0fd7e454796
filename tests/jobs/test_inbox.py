"""What is pushed in: stored before it is acknowledged, once whatever dies, and told of if it is no headline."""

import contextlib
import copy
import json
import threading
import urllib.error
import urllib.request

import msgspec
import pytest

from jobs.app import App
from jobs.catalogue import runner_for
from jobs.inbox import Doorbell
from jobs.settings import load
from jobs.tokens import token
from jobs.web import Web
from signals.errors import ConfigError, StoreError
from signals.sources.inbox import FIELD, GROUP, REJECTED, STREAM
from signals.store import headlines, withdrawals
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    settings = load(
        ROOT / "config" / "signals.toml",
        {
            "SIGNALS_HOME": str(tmp_path_factory.mktemp("home")),
            "SIGNALS_BROKER_PORT": "0",
            "SIGNALS_CONSOLE_PORT": "0",
        },
    )
    with contextlib.closing(App(settings)) as made:
        yield made


@pytest.fixture
def runner(app):
    return runner_for(app)


@pytest.fixture
def client(app):
    redis = app.redis()
    redis.delete(STREAM, REJECTED)
    return redis


def pushed(number, **more):
    return {"id": f"{number}", "title": f"BOJ hikes, take {number}", "source": "wire"} | more


def stored(app):
    with app.store.read() as conn:
        return {h.title: h for h in headlines.waiting(conn, limit=1000)}


def test_entries_are_stored_and_then_gone_from_the_stream(app, runner, client):
    """Both forms of an entry are read; a settled one is neither pending nor in the stream."""
    entry = pushed(1, summary="<b>The</b> rate", published_at="Mon, 02 Feb 2026 09:00 JST", url="https://x.example/1")
    client.xadd(STREAM, {FIELD: json.dumps(entry)})
    client.xadd(STREAM, {"id": "2", "title": "Yen <i>slides</i>", "source": "wire"})
    run = runner.run("inbox", "manual")
    assert run.outcome == "ok"
    assert run.counts == {"seen": 2, "new": 2, "withdrawn": 0, "rejected": 0}
    made = stored(app)["BOJ hikes, take 1"]
    assert (made.summary, made.source, made.url) == ("The rate", "wire", "https://x.example/1")
    assert made.source_published_at.isoformat() == "2026-02-02T00:00:00+00:00"
    assert "Yen slides" in stored(app)
    assert client.xlen(STREAM) == 0
    assert client.xpending(STREAM, GROUP)["pending"] == 0


def test_the_same_id_and_title_is_the_same_headline(app, runner, client):
    """A sender may send again as often as it likes; another title under the id is a correction, and kept."""
    for title in ("Yen rallies", "Yen rallies", "Yen rallies sharply"):
        client.xadd(STREAM, {"id": "again", "title": title})
    assert runner.run("inbox", "manual").counts["new"] == 2


def test_what_was_taken_and_not_stored_is_taken_again(app, runner, client, monkeypatch):
    """A death between taking and storing, or between storing and settling, loses nothing and doubles nothing."""
    client.xadd(STREAM, {"id": "k1", "title": "Dollar climbs before the kill"})
    for target in ("jobs.admission.headlines.add", "jobs.inbox.stream.settle"):
        with monkeypatch.context() as patch:
            patch.setattr(target, lambda *_: 1 / 0)
            assert runner.run("inbox", "manual").outcome == "failed"
    run = runner.run("inbox", "manual")
    assert run.outcome == "ok"
    assert run.counts["seen"] == 1
    assert "Dollar climbs before the kill" in stored(app)
    assert client.xpending(STREAM, GROUP)["pending"] == 0


def test_a_sender_takes_back_what_it_sent(app, runner, client):
    """By its id alone, under whatever titles it was sent; what was never sent is told of."""
    for title in ("BOJ to act, says aide", "BOJ to act tonight, says aide"):
        client.xadd(STREAM, {"id": "w1", "title": title, "source": "wire"})
    client.xadd(STREAM, {"id": "w1", "withdrawn": "true", "source": "wire"})
    client.xadd(STREAM, {FIELD: '{"id": "w2", "withdrawn": true}'})
    run = runner.run("inbox", "manual")
    assert run.counts == {"seen": 4, "new": 2, "withdrawn": 2, "rejected": 0}
    assert run.notes == ("inbox: withdraws what was never sent by this source and id",)
    with app.store.read() as conn:
        fallen = {withdrawal.headline_id for withdrawal in withdrawals.waiting(conn)}
    assert fallen == {headline.headline_id for title, headline in stored(app).items() if title.startswith("BOJ to act")}


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({FIELD: '{"id": "1"}'}, "missing required field `title`"),
        ({FIELD: "{"}, "truncated"),
        ({"id": "1", "title": "x", "colour": "red"}, "unknown field `colour`"),
        ({FIELD: b"\xff"}, "malformed"),
        ({"id": "1", "title": "<b></b>"}, "neither title nor summary"),
    ],
)
def test_an_entry_that_is_no_headline_is_set_aside_with_its_reason(runner, client, fields, why):
    """It costs only itself: a sound one beside it is stored."""
    client.xadd(STREAM, fields)
    client.xadd(STREAM, pushed(f"beside {why}"))
    run = runner.run("inbox", "manual")
    assert run.outcome == "partial"
    assert run.counts == {"seen": 2, "new": 1, "withdrawn": 0, "rejected": 1}
    assert why in run.notes[0]
    (rejected,) = client.xrange(REJECTED)
    assert why in rejected[1][b"reason"].decode()
    assert client.xlen(STREAM) == 0


def test_a_key_that_is_no_stream_is_one_clear_line(runner, client):
    """Somebody else's key under the name: told in the run, and nothing of it is lost."""
    client.set(STREAM, "theirs")
    run = runner.run("inbox", "manual")
    assert run.outcome == "failed"
    assert run.error.startswith(f"BrokerError: {STREAM}: WRONGTYPE")
    assert client.get(STREAM) == b"theirs"
    client.delete(STREAM)


def test_the_doorbell_rings_for_an_entry(app, client):
    """An entry is taken when it comes, not at the next tick."""
    rung = threading.Event()
    bell = Doorbell(app, rung.set)
    bell.start()
    try:
        client.xadd(STREAM, pushed("bell"))
        assert rung.wait(30)
    finally:
        bell.end()
    assert not bell.is_alive()


@pytest.fixture(scope="module")
def web(app):
    rung = []
    server = Web(app, lambda: rung.append(1))
    url = server.start()
    yield url, (app.settings.home / "token").read_text()
    server.stop()


def post(web, body, token=None):
    url, known = web
    request = urllib.request.Request(f"{url}/v1/headlines", data=body, method="POST")
    request.add_header("Authorization", f"Bearer {known if token is None else token}")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, msgspec.json.decode(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, msgspec.json.decode(error.read())


def test_a_posted_headline_is_stored_when_the_answer_comes(app, web):
    """One or many; again is known, not new."""
    body = json.dumps([pushed("p1"), pushed("p2")]).encode()
    assert post(web, body) == (200, {"new": 2, "known": 0, "withdrawn": 0, "notes": []})
    assert {"BOJ hikes, take p1", "BOJ hikes, take p2"} <= stored(app).keys()
    assert post(web, json.dumps(pushed("p1")).encode()) == (200, {"new": 0, "known": 1, "withdrawn": 0, "notes": []})


def test_who_has_no_token_is_told_what_is_wanted(app, web):
    """And nothing is stored."""
    for wrong in ("", "wrong"):
        status, told = post(web, json.dumps(pushed("p9")).encode(), wrong)
        assert status == 401
        assert "Bearer" in told["error"]
    assert "BOJ hikes, take p9" not in stored(app)


@pytest.mark.parametrize(
    ("body", "why"),
    [(b"{", "truncated"), (b'{"id": "1"}', "title"), (json.dumps([pushed(n) for n in range(1001)]).encode(), "1000")],
)
def test_a_body_that_cannot_be_used_is_refused_whole(web, body, why):
    """422 and the reason: half a batch would be worse than none."""
    status, told = post(web, body)
    assert status == 422
    assert why in told["error"]


def test_a_store_that_cannot_write_acknowledges_nothing(app, web, monkeypatch):
    """503 with the reason: the sender tries again."""

    def full(*_):
        raise StoreError("the store", "is full")

    monkeypatch.setattr("jobs.admission.headlines.add", full)
    assert post(web, json.dumps(pushed("p7")).encode()) == (503, {"error": "the store: is full"})


def test_the_token_is_made_once_and_only_its_owner_can_read_it(app, web):
    """Mode 0600; the next start finds the same."""
    path = app.settings.home / "token"
    assert path.stat().st_mode & 0o777 == 0o600
    assert token(app.settings.home, {}) == path.read_text()
    assert token(app.settings.home, {"SIGNALS_TOKEN": "given by hand and long"}) == "given by hand and long"


def test_a_taken_port_is_one_clear_line(app, web):
    """It names the port and the setting, and leaves nothing behind."""
    taken = int(web[0].rpartition(":")[2])
    second = copy.copy(app)
    second.settings = msgspec.structs.replace(app.settings, console_port=taken)
    with pytest.raises(ConfigError, match=f"{taken}: cannot be listened on.*SIGNALS_CONSOLE_PORT"):
        Web(second, list).start()
