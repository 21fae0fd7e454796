"""A real database for each test, of each kind, and records to keep in it."""

import datetime as dt
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from signals.message import Signal
from signals.model import Bar, Evidence, Headline, JobRun, Score, Story
from signals.store import Store

NOW = dt.datetime(2026, 3, 4, 12, 0, 0, 120394, tzinfo=dt.UTC)
SECOND, MINUTE, HOUR, DAY = (dt.timedelta(**{unit: 1}) for unit in ("seconds", "minutes", "hours", "days"))
CHANNEL = "USDJPY"


def url_of(path: Path) -> str:
    """The address of a SQLite file."""
    return f"sqlite:///{path}"


@pytest.fixture(scope="session")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated file with nothing in it, made once."""
    path = tmp_path_factory.mktemp("blank") / "signals.db"
    Store.open(url_of(path)).close()
    return path


@pytest.fixture
def path(blank: Path, tmp_path: Path) -> Path:
    """This test's own copy of it."""
    return Path(shutil.copy(blank, tmp_path / "signals.db"))


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a migrated database with nothing in it: a test that asks for it runs on each kind."""
    if request.param == "sqlite":
        yield url_of(request.getfixturevalue("path"))
        return
    with request.getfixturevalue("databases").one() as made:
        yield made


on_sqlite = pytest.mark.parametrize("url", ["sqlite"], indirect=True)
"""For what is about the file itself."""


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """An open store with nothing in it."""
    store = Store.open(url)
    yield store
    store.close()


def make_headline(number: int = 1, known_at: dt.datetime = NOW, **changes: object) -> Headline:
    """A headline, different for each number."""
    values = {
        "headline_id": f"h{number}", "source": "wire", "url": f"https://example.org/{number}",
        "title": f"BOJ hikes 日銀「利上げ」 {number}", "summary": "In short.", "body": "At length.\nAnd on.",
        "lang": "en", "source_published_at": known_at - MINUTE, "known_at": known_at,
    }  # fmt: skip
    return Headline(**(values | changes))  # type: ignore[arg-type]


def make_story(*headlines: Headline) -> Story:
    """The story these headlines tell, as it stands after the last."""
    return Story(
        story_id=f"story-{headlines[0].headline_id}",
        first_known_at=headlines[0].known_at,
        headline_ids=tuple(headline.headline_id for headline in headlines),
        revision=len(headlines),
    )


def make_bar(
    close_at: dt.datetime = NOW, close: float = 150.125, *, length_s: int = 60, source: str = "yahoo", **changes: object
) -> Bar:
    """A bar learned as it closed."""
    values = {
        "open_at": close_at - dt.timedelta(seconds=length_s), "close_at": close_at, "open": close, "high": close + 0.1,
        "low": close - 0.1, "close": close, "source": source, "known_at": close_at,
    }  # fmt: skip
    return Bar(**(values | changes))  # type: ignore[arg-type]


def make_score(number: int = 1, **changes: object) -> Score:
    """The score of the headline of that number."""
    values = {
        "headline_id": f"h{number}", "model_id": "model-1", "relevance": 0.9, "relevant": True, "direction": "down",
        "p_up": 0.1, "p_flat": 0.15, "p_down": 0.75, "usd_effect": 0.0, "jpy_effect": 0.8, "topics": ("boj.policy",),
        "lang": "en", "evidence": (Evidence(span=(0, 9), text="BOJ hikes", feature="boj.tighten", weight=-2.1),),
    }  # fmt: skip
    return Score(**(values | changes))  # type: ignore[arg-type]


def make_signal(number: int = 1, *, known_at: dt.datetime = NOW, **changes: object) -> Signal:
    """A signal, different for each number, valid for an hour."""
    values = {
        "signal_id": f"s{number}", "story_id": f"story-h{number}", "revision": 1, "action": "created",
        "supersedes": None, "source_published_at": None, "known_at": known_at, "scored_at": known_at,
        "valid_until": known_at + HOUR, "backfilled": False, "pair": "USDJPY", "direction": "down", "p_up": 0.1,
        "p_flat": 0.15, "p_down": 0.75, "strength": 0.585, "usd_effect": 0.0, "jpy_effect": 0.8, "horizon_s": 3600,
        "abstained": False, "abstain_reason": None, "relevance": 0.9, "topics": ("boj.policy",), "novelty": 1.0,
        "mentions_24h": 1, "n_sources": 1, "ref_price": 150.125, "ref_price_at": known_at - SECOND, "ref_age_s": 1.0,
        "evidence": (Evidence(span=None, text="", feature="rest", weight=0.25),), "ref_source": "yahoo",
        "stale": False, "market_open": True, "return_5m_bp": -1.5, "return_60m_bp": None, "volatility_60m_bp": 8.25,
        "title": "BOJ hikes 日銀", "url": None, "source": "wire", "lang": "en", "headline_ids": (f"h{number}",),
        "model_id": "model-1", "policy_id": "policy-1", "headline_id": f"h{number}",
    }  # fmt: skip
    return Signal(**(values | changes))  # type: ignore[arg-type]


def make_run(run_id: str = "r1", started_at: dt.datetime = NOW, **changes: object) -> JobRun:
    """A run that is going on."""
    values = {"run_id": run_id, "job": "ingest", "trigger": "manual", "scheduled_at": None, "started_at": started_at}
    return JobRun(**(values | changes))  # type: ignore[arg-type]


def encode(signal: Signal, epoch: str, seq: int) -> tuple[str, bytes]:
    """A message that can be told from every other."""
    return f"m-{signal.signal_id}", f"{epoch} {seq} {signal.signal_id}".encode()
