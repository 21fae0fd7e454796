"""A service in this process: the real store, model and Redis, feeds on loopback, and a clock that is set by hand."""

import contextlib
import datetime as dt
import io
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from jobs import logs
from jobs.app import App
from jobs.settings import load
from signals.scoring.model import ScoringModel
from signals.sources.feed import Feed
from tests.conftest import ROOT

START = dt.datetime(2026, 11, 4, 9, 0, tzinfo=dt.UTC)


class Clock:
    """Stands still until it is moved."""

    def __init__(self, at: dt.datetime) -> None:
        self.at = at

    def __call__(self) -> dt.datetime:
        return self.at

    def forward(self, **span: float) -> None:
        self.at += dt.timedelta(**span)


@pytest.fixture(scope="session")
def model() -> ScoringModel:
    return ScoringModel.load(ROOT / "seeds" / "model" / "model.skops")


@pytest.fixture
def clock() -> Clock:
    return Clock(START)


@contextlib.contextmanager
def service(home: Path, clock: Clock, model: ScoringModel, url: str = "") -> Iterator[App]:
    """A service of its own, on the database of that address or on its home's."""
    env = {"SIGNALS_HOME": str(home), "SIGNALS_BROKER_PORT": "0", "SIGNALS_DATABASE_URL": url}
    settings = load(ROOT / "config" / "signals.toml", env)
    prices = msgspec.structs.replace(settings.prices, enabled=False, reference_url="")
    made = App(msgspec.structs.replace(settings, prices=prices), clock)
    made.__dict__["scorer"] = model
    logs.configure(settings.home, stream=io.StringIO())
    yield made
    made.close()


@pytest.fixture(params=["sqlite", "postgres"])
def app(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock, model: ScoringModel) -> Iterator[App]:
    """A service, on each kind of database."""
    with contextlib.ExitStack() as stack:
        url = ""
        if request.param == "postgres":
            url = stack.enter_context(request.getfixturevalue("databases").one())
        yield stack.enter_context(service(tmp_path / "home", clock, model, url))


@pytest.fixture
def feed_rows(tmp_path: Path):
    """Settings with one sound source among three that can't be read."""
    rows = (
        Feed(id="articles", kind="articles", path=ROOT / "seeds" / "articles"),
        Feed(id="missing", kind="articles", path=tmp_path / "nowhere"),
        Feed(id="nameless", kind="rss"),
        Feed(id="kindless", kind="telegraph", url="https://example.invalid/"),
    )
    return lambda settings: msgspec.structs.replace(settings, feeds=rows)
