"""Stories remembered from step to step are those that would be read anew, and are not read anew."""

import datetime as dt
import random

import sqlalchemy as sa

from jobs import memory
from jobs.catalogue import runner_for
from jobs.memory import StoryMemory
from signals.model import Headline
from signals.store import headlines, schema
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


def live(app, clock, count: int) -> None:
    """Headlines that come in over days, some late, each taken by a step of its own."""
    chance = random.Random(3)
    runner = runner_for(app)
    for number in range(count):
        clock.forward(hours=3)
        late = HOUR * chance.choice([0, 0, 0, 2, 9, 30])
        with app.store.write() as conn:
            headlines.add(conn, [told(number, clock() - late)])
        assert runner.run("publish", "manual").outcome == "ok"


def stories(app) -> list[tuple[str, str]]:
    """Each headline's story."""
    table = schema.headlines
    with app.store.read() as conn:
        return [
            tuple(row) for row in conn.execute(sa.select(table.c.headline_id, table.c.story_id).order_by("headline_id"))
        ]


def test_what_is_remembered_is_what_would_be_read(app, clock, model, tmp_path, monkeypatch) -> None:
    """A service that forgets after each step gives every headline the same story, through evictions and late news."""
    live(app, clock, 60)
    monkeypatch.setattr(StoryMemory, "keep", lambda *_, **__: None)
    with service(tmp_path / "other", other := Clock(START), model) as forgetful:
        live(forgetful, other, 60)
        assert stories(app) == stories(forgetful)
    assert len({story for _, story in stories(app)}) > len(TITLES)


def test_a_step_after_another_reads_nothing_again(app, clock, monkeypatch) -> None:
    """Unless another process took one in between: then it does, and goes on from there."""
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
    assert len(reads) == 2


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
