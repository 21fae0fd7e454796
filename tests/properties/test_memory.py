"""Stories remembered from step to step are those that would be read anew, and are not read anew."""

import datetime as dt
import random

import sqlalchemy as sa

from jobs import memory
from jobs.catalogue import runner_for
from jobs.memory import StoryMemory, VoiceMemory
from signals.model import Headline, Withdrawal
from signals.store import headlines, schema, withdrawals
from tests.properties.conftest import START, Clock, service

HOUR = dt.timedelta(hours=1)
TITLES = ("BOJ hikes rates to 1.0%", "Fed cuts rates by 25bp", "Yen slides past 160", "US payrolls rise 200,000")


def told(number: int, known_at: dt.datetime) -> Headline:
    """One of a few titles, by a source of its own."""
    return Headline(
        headline_id=f"h{number:03}",
        source=f"s{number}",
        url=None,
        title=TITLES[number % len(TITLES)],
        lang="en",
        source_published_at=known_at,
        known_at=known_at,
    )


def live(app, clock, count: int, *others) -> None:
    """Headlines that come in over days, some late, some taken back, each by a step of its own; of whose turn it is."""
    chance = random.Random(3)
    services = (app, *others)
    runners = [runner_for(each) for each in services]
    for number in range(count):
        clock.forward(hours=3, minutes=chance.choice([0, 0, -170]))
        late = HOUR * chance.choice([0, 0, 0, 2, 9, 30])
        with app.store.write() as conn:
            headlines.add(conn, [told(number, clock() - late)])
            if chance.random() < 0.3:
                back = Withdrawal(headline_id=f"h{number - 1:03}", known_at=clock(), reason="withdrawn")
                withdrawals.add(conn, [back])
        turn = chance.randrange(6) * number % len(services)
        assert runners[turn].run("publish", "manual").outcome == "ok"
        for place, each in enumerate(services):
            if chance.random() < 0.5 and place != turn:
                with each.store.read() as conn:
                    each.stories.follow(conn, clock())
                    each.voices.follow(conn, clock())


def stories(app) -> list[tuple[str, str]]:
    """Each headline's story."""
    table = schema.headlines
    with app.store.read() as conn:
        return [
            tuple(row) for row in conn.execute(sa.select(table.c.headline_id, table.c.story_id).order_by("headline_id"))
        ]


def outbox(app) -> list[bytes]:
    """Every message, in order."""
    table = schema.outbox
    with app.store.read() as conn:
        return list(conn.execute(sa.select(table.c.event).order_by(table.c.seq)).scalars())


def test_services_that_lead_in_turn_tell_what_one_would(app, clock, model, tmp_path, monkeypatch) -> None:
    """Each follows what the others tell, or catches up when it is its turn: the bytes are those of one that forgets."""
    url = app.settings.database_url
    with (
        service(tmp_path / "second", clock, model, url) as second,
        service(tmp_path / "third", clock, model, url) as third,
    ):
        live(app, clock, 60, second, third)
    monkeypatch.setattr(StoryMemory, "keep", lambda *_, **__: None)
    monkeypatch.setattr(VoiceMemory, "keep", lambda *_, **__: None)
    with service(tmp_path / "other", other := Clock(START), model) as forgetful:
        live(forgetful, other, 60, forgetful, forgetful)
        assert stories(app) == stories(forgetful)
        assert outbox(app) == outbox(forgetful)
    told_back = [event for event in outbox(app) if b"signals.retraction.v1" in event]
    assert len(told_back) >= 3


def test_what_is_remembered_is_what_would_be_read(app, clock, model, tmp_path, monkeypatch) -> None:
    """A service that forgets after each step gives every headline the same story, through evictions and late news."""
    live(app, clock, 60)
    monkeypatch.setattr(StoryMemory, "keep", lambda *_, **__: None)
    with service(tmp_path / "other", other := Clock(START), model) as forgetful:
        live(forgetful, other, 60)
        assert stories(app) == stories(forgetful)
    assert len({story for _, story in stories(app)}) > len(TITLES)


def test_a_step_after_another_reads_nothing_again(app, clock, monkeypatch) -> None:
    """Nor where another process took one in between: it adds what that one told, and goes on from there."""
    reads = []
    real = headlines.told
    monkeypatch.setattr(
        memory.headlines, "told", lambda conn, spans, **how: reads.append(spans) or real(conn, spans, **how)
    )
    live(app, clock, 1)
    assert len(reads) == 1
    runner = runner_for(app)
    for number in range(1, 6):
        clock.forward(minutes=10)
        with app.store.write() as conn:
            headlines.add(conn, [told(number, clock())])
        runner.run("publish", "manual")
    assert len(reads) == 1
    with app.store.write() as conn:
        conn.execute(sa.update(schema.channel).values(steps=schema.channel.c.steps + 1))
        headlines.add(conn, [told(7, clock())])
    runner.run("publish", "manual")
    assert len(reads) == 1


def test_a_step_that_failed_is_forgotten(app, clock, monkeypatch) -> None:
    """What it had put into stories was not committed: the next reads them from the store."""
    live(app, clock, 2)
    with app.store.write() as conn:
        headlines.add(conn, [told(2, clock())])
    runner = runner_for(app)
    with monkeypatch.context() as broken:
        broken.setattr("jobs.publish.headlines.mark_taken", lambda *_: 1 / 0)
        assert runner.run("publish", "manual").outcome == "failed"
    assert runner.run("publish", "manual").outcome == "ok"
    assert len({story for _, story in stories(app)}) == 3
