"""A service whose inbox workers score, in this process: real store, Redis and model, and a clock set by hand."""

import datetime as dt
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from jobs.app import App
from jobs.catalogue import runner_for
from jobs.scoring_worker import ScoringWorker
from jobs.settings import Workers
from signals.model import Headline, JobRun, Score
from signals.pipeline import Scorer
from signals.scoring.model import ScoringModel
from signals.sources import inbox
from signals.store import headlines, signals
from tests.conftest import ROOT
from tests.properties.conftest import START, Clock, service

QUICK = Workers(enabled=True, batch=20, reclaim_after_s=0.03, max_deliveries=2)

Made = Callable[..., "Desk"]


class Desk:
    """One service, and the way into its inbox."""

    def __init__(self, app: App, settings: Workers) -> None:
        app.settings = msgspec.structs.replace(app.settings, workers=settings)
        self.app = app
        self.redis = app.redis()
        self.runner = runner_for(app)
        inbox.join(self.redis)

    def push(self, *items: dict[str, Any]) -> None:
        """Send these as they are, in this order."""
        for one in items:
            self.redis.xadd(inbox.STREAM, {inbox.FIELD: json.dumps({"source": "wire"} | one)})

    def worker(self, name: str, scorer: Scorer | None = None) -> ScoringWorker:
        """A worker that has joined."""
        made = ScoringWorker(self.redis, scorer or self.app.scorer, self.app.settings.workers, name, self.app.clock)
        made.begin()
        return made

    def run(self, job: str) -> JobRun:
        """Run a job by hand."""
        return self.runner.run(job, "manual")

    def stored(self) -> list[str]:
        """Titles that wait for a step, in the order in which it will take them."""
        with self.app.store.read() as conn:
            return [one.title for one in headlines.waiting(conn, limit=10_000)]

    def told(self) -> list[bytes]:
        """Every message made so far, without the name of its store."""
        with self.app.store.read() as conn:
            epoch, _ = signals.channel_state(conn, "USDJPY")
            rows = signals.tail(conn, after_seq=0, limit=10_000)
        return [row.event.replace(str(epoch).encode(), b"EPOCH") for row in rows]


class Picky:
    """A scorer that counts what it is asked for, and fails on a word."""

    def __init__(self, model: ScoringModel, word: str = "\0") -> None:
        self.model_id = model.model_id
        self.asked: list[str] = []
        self._model = model
        self._word = word

    def score(self, headlines: Sequence[Headline]) -> list[Score]:
        """The model's scores."""
        if any(self._word in one.title for one in headlines):
            raise ArithmeticError("no number")
        self.asked += [one.title for one in headlines]
        return self._model.score(headlines)


@pytest.fixture(scope="session")
def model() -> ScoringModel:
    return ScoringModel.load(ROOT / "seeds" / "model" / "model.skops")


@pytest.fixture
def desk(tmp_path: Path, model: ScoringModel) -> Iterator[Made]:
    """Makes desks, each on a home of its own."""
    homes: list[Any] = []

    def made(settings: Workers = QUICK) -> Desk:
        homes.append(service(tmp_path / f"home{len(homes)}", Clock(START), model))
        return Desk(homes[-1].__enter__(), settings)

    yield made
    for one in homes:
        one.__exit__(None, None, None)


def day(count: int) -> list[dict[str, Any]]:
    """News of every kind: firsts, corrections, repeats in other words, what is taken back and sent again."""
    at = START - dt.timedelta(minutes=5)
    sent: list[dict[str, Any]] = []
    for number in range(count):
        thing = f"{number % (count // 3)}"
        title = ("BOJ hikes rates to {}.0%", "BOJ hikes rates to {}.25%, not as said", "Yen slides past {}", "")[
            number % 4
        ]
        if title:
            title = title.format(100 + number % 7)
            sent.append({"id": thing, "title": title, "published_at": at.isoformat(), "body": f"Take {number}."})
        else:
            sent.append({"id": thing, "withdrawn": True})
    return sent
