"""The properties that hold across the house."""

import datetime as dt
import math
import random

import msgspec
import pytest

from jobs import publish
from jobs.catalogue import runner_for
from signals.model import Bar, Headline, Policy
from signals.pipeline import step, story_index
from signals.research.replay import replay
from signals.store import archive, bars, headlines, signals
from signals.text import headline_id, script_lang
from tests.properties.conftest import START

TITLES = (
    "BOJ hikes policy rate to 1.0%",
    "Fed cuts rates by 25bp",
    "Yen surges on intervention talk",
    "日銀、利上げ見送り 円安進む",
    "US CPI m/m 0.5% vs 0.3% exp",
    "Dollar General raises outlook",
    "USD/JPY consolidates below 150.00",
    "Japan's finance minister warns against excessive moves",
    "US jobless claims 231K vs 220K expected",
    "Euro climbs after ECB decision",
    "Stocks plunge as war fears grip markets",
    "米雇用統計、予想下回る",
)


def news(count: int, seed: int) -> list[Headline]:
    """Made headlines, some repeated, some from an archive, in a seeded order."""
    chance = random.Random(seed)
    made = []
    for number in range(count):
        title = f"{chance.choice(TITLES)}{chance.choice(['', '', f' ({number})'])}"
        known_at = START - dt.timedelta(minutes=chance.randrange(1, 600))
        source = chance.choice(["wire", "blog"])
        made.append(
            Headline(
                headline_id=headline_id(source, f"https://example.com/{number}", title),
                source=source,
                url=f"https://example.com/{number}",
                title=title,
                lang=script_lang(title),
                source_published_at=chance.choice([None, known_at - dt.timedelta(minutes=2)]),
                known_at=known_at,
                backfilled=chance.random() < 0.2,
            )
        )
    return made


def minutes(hours: int, seed: int) -> list[Bar]:
    """A seeded random walk of closed one-minute bars before START."""
    chance = random.Random(seed)
    made, price = [], 150.0
    open_at = START - dt.timedelta(hours=hours)
    while open_at < START:
        close = price * math.exp(chance.gauss(0, 2e-4))
        close_at = open_at + dt.timedelta(minutes=1)
        low, high = min(price, close), max(price, close)
        made.append(
            Bar(
                open_at=open_at,
                close_at=close_at,
                open=price,
                high=high,
                low=low,
                close=close,
                source="yahoo",
                known_at=close_at,
            )
        )
        open_at, price = close_at, close
    return made


def test_live_is_replay(app, clock):
    """The archive of a live run, replayed, gives the same messages byte for byte."""
    runner = runner_for(app)
    batch, walk = news(120, seed=1), minutes(12, seed=2)
    for part in range(4):
        with app.store.write() as conn:
            headlines.add(conn, batch[part * 30 : part * 30 + 30])
            learned = [msgspec.structs.replace(bar, known_at=clock()) for bar in walk[part * 180 : part * 180 + 180]]
            bars.add(conn, learned)
        assert runner.run("publish", "manual").outcome == "ok"
        clock.forward(minutes=7)
    with app.store.read() as conn:
        live = [row.event.decode() for row in signals.tail(conn, after_seq=0, limit=1000)]
        epoch, last_seq = signals.channel_state(conn, "USDJPY")
        taken, kept = list(archive.steps(conn)), bars.closed_within(conn, [(START - dt.timedelta(days=9), clock())])
    again = replay(taken, kept, scorer=app.scorer, policy=app.settings.policy, events=app.settings.events)
    assert [publish.encode(at, told, epoch, n).event.decode() for n, (at, told, _) in enumerate(again, 1)] == live
    assert len(live) == last_seq > 15


@pytest.mark.parametrize("cut_minutes", [60, 240, 500])
def test_no_look_ahead(model, cut_minutes):
    """Cutting the archive at any moment changes no signal known before it."""
    batch, walk = news(80, seed=3), minutes(12, seed=4)
    cut = START - dt.timedelta(minutes=cut_minutes)
    policy = Policy()

    def told(headlines_, bars_):
        return step(story_index(policy), headlines_, bars_, START, scorer=model, policy=policy).signals

    whole = [s for s in told(batch, walk) if s.known_at < cut]
    part = told([h for h in batch if h.known_at < cut], [b for b in walk if b.close_at < cut])
    assert whole == part
    assert whole


def test_nothing_is_sent_twice_and_nothing_is_lost_whatever_step_dies(app, monkeypatch):
    """An error at any step of publishing leaves what is not done to the next run, and nothing else."""
    runner = runner_for(app)
    with app.store.write() as conn:
        headlines.add(conn, news(60, seed=5))
    for module, name in (
        (publish.signals, "add"),
        (publish.headlines, "mark_taken"),
        (publish.signals, "mark_published"),
    ):
        with monkeypatch.context() as broken:
            broken.setattr(module, name, _dies)
            assert runner.run("publish", "manual").outcome == "failed"
    assert runner.run("publish", "manual").outcome == "ok"
    client = app.redis()
    logged = [fields[b"event"] for _, fields in client.xrange("signals:{usdjpy}:log")]
    client.close()
    with app.store.read() as conn:
        assert logged == [row.event for row in signals.tail(conn, after_seq=0, limit=1000)]
        assert headlines.waiting(conn, limit=10) == []


def _dies(*_, **__):
    raise OSError("the disk is gone")


def test_a_wiped_redis_is_given_its_messages_back(app):
    """Redis that comes back empty gets the tail of the outbox, in order, under the same epoch."""
    runner = runner_for(app)
    with app.store.write() as conn:
        headlines.add(conn, news(40, seed=6))
    runner.run("publish", "manual")
    client = app.redis()
    before = [fields for _, fields in client.xrange("signals:{usdjpy}:log")]
    client.flushall()
    assert runner.run("publish", "manual").outcome == "ok"
    assert [fields for _, fields in client.xrange("signals:{usdjpy}:log")] == before
    client.close()


@pytest.mark.parametrize(
    ("text", "mirror"),
    [
        ("BOJ raises interest rates", "BOJ cuts interest rates"),
        ("Fed raises rates by 25bp in surprise move", "Fed cuts rates by 25bp in surprise move"),
        ("Yen surges against the dollar", "Yen tumbles against the dollar"),
        ("Dollar jumps broadly", "Dollar slides broadly"),
        ("US CPI m/m 0.5% vs 0.3% exp", "US CPI m/m 0.1% vs 0.3% exp"),
        ("US payrolls 250K vs 150K expected", "US payrolls 50K vs 150K expected"),
        ("US jobless claims 200K vs 230K expected", "US jobless claims 260K vs 230K expected"),
        ("US Treasury yields climb", "US Treasury yields fall"),
        ("Hawkish Fed lifts dollar", "Dovish Fed weighs on dollar"),
        ("Hawkish BOJ lifts yen", "Dovish BOJ weighs on yen"),
        ("Fed hikes rates", "BOJ hikes rates"),
        ("ドル円、150円台に上昇", "ドル円、150円台に下落"),
        ("円高進行", "円安進行"),
    ],
)
def test_a_mirrored_event_flips_the_sign(model, text, mirror):
    """Each kind of event, mirrored, pushes the other way."""
    _, shares = model.probabilities([text, mirror])
    (up, _, down), (mirror_up, _, mirror_down) = shares
    assert (up - down) * (mirror_up - mirror_down) < 0


def test_a_bad_feed_costs_only_itself(app, feed_rows):
    """Among sources that are missing, broken or misconfigured, the sound one is read whole."""
    app.settings = feed_rows(app.settings)
    done = runner_for(app).run("ingest", "manual")
    assert done.outcome == "partial"
    assert done.counts["new"] == 16
    assert done.counts["failed"] == 3
    assert {note.partition(":")[0] for note in done.notes} == {"missing", "nameless", "kindless"}
