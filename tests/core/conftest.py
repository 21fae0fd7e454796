"""What the tests of the core are made of: a fixed moment, makers of each type, a scorer written by hand."""

import datetime as dt
import math
from collections.abc import Iterable, Sequence

from hypothesis import settings
from hypothesis import strategies as st

from signals.message import Retraction, Signal
from signals.model import (
    Bar,
    Direction,
    Evidence,
    FeedState,
    ForwardReturn,
    Headline,
    JobRun,
    Pause,
    PriceContext,
    Record,
    Score,
    Story,
    Withdrawal,
    pair_direction,
)
from signals.stories import Placement

NOW = dt.datetime(2026, 3, 4, 12, 0, tzinfo=dt.UTC)
"""A Wednesday, the market open."""
SECOND, MINUTE, HOUR, DAY = (dt.timedelta(**{unit: 1}) for unit in ("seconds", "minutes", "hours", "days"))
steady = settings(deadline=None, derandomize=True, database=None, max_examples=60)
"""The same examples in every run, so that a failure is never a matter of luck."""


def make_headline(
    title: str = "BOJ hikes policy rate to 1.0%", known_at: dt.datetime = NOW, **changes: object
) -> Headline:
    """A live headline published a minute before it became known; its id is its title unless told otherwise."""
    values = {
        "headline_id": title, "source": "wire", "url": "https://example.org/1", "title": title, "lang": "en",
        "source_published_at": known_at - MINUTE, "known_at": known_at,
    }  # fmt: skip
    return Headline(**(values | changes))  # type: ignore[arg-type]


def make_score(usd_effect: float = 0.0, jpy_effect: float = 0.8, **changes: object) -> Score:
    """A relevant score whose probabilities lean where its legs point: a hawkish Bank of Japan by default."""
    direction = pair_direction(usd_effect, jpy_effect)
    p_up, p_flat, p_down = {"up": (0.75, 0.15, 0.1), "flat": (0.1, 0.8, 0.1), "down": (0.1, 0.15, 0.75)}[direction]
    values = {
        "headline_id": "h", "model_id": "fake-1", "relevance": 0.9, "relevant": True, "direction": direction,
        "p_up": p_up, "p_flat": p_flat, "p_down": p_down, "usd_effect": usd_effect, "jpy_effect": jpy_effect,
        "topics": ("boj.policy",), "lang": "en", "intercept": 0.1,
        "evidence": (Evidence(span=(0, 9), text="BOJ hikes", feature="boj.tighten", weight=-2.1),),
    }  # fmt: skip
    return Score(**(values | changes))  # type: ignore[arg-type]


def make_bar(
    close_at: dt.datetime = NOW, close: float = 150.0, *, length_s: float = 60, source: str = "yahoo", **changes: object
) -> Bar:
    """A bar that did not move, learned as it closed."""
    values = {
        "open_at": close_at - dt.timedelta(seconds=length_s), "close_at": close_at, "open": close, "high": close,
        "low": close, "close": close, "source": source, "known_at": close_at,
    }  # fmt: skip
    return Bar(**(values | changes))  # type: ignore[arg-type]


def climb(count: int, last_close_at: dt.datetime = NOW, step_bp: float = 1.0, price: float = 150.0) -> list[Bar]:
    """One-minute bars, each closing `step_bp` above the one before; the last at `price`."""
    return [
        make_bar(last_close_at - ago * MINUTE, price * math.exp(-ago * step_bp / 1e4)) for ago in reversed(range(count))
    ]


def make_price(**changes: object) -> PriceContext:
    """A fresh price in an open market."""
    values = {
        "ref_price": 150.25, "ref_price_at": NOW - 3 * SECOND, "ref_age_s": 3.0, "ref_source": "yahoo", "stale": False,
        "market_open": True, "return_5m_bp": -1.5, "return_60m_bp": 12.25, "volatility_60m_bp": 8.5,
    }  # fmt: skip
    return PriceContext(**(values | changes))  # type: ignore[arg-type]


def make_place(*headline_ids: str, **changes: object) -> Placement:
    """The place of the last of these headlines in their story."""
    told = headline_ids or ("h",)
    values = {
        "story_id": "story-1", "revision": len(told), "first_known_at": NOW, "headline_ids": told,
        "novelty": 1 / len(told), "mentions_24h": len(told), "n_sources": 1,
    }  # fmt: skip
    return Placement(**(values | changes))  # type: ignore[arg-type]


def make_signal(**changes: object) -> Signal:
    """A headline signal with every field filled."""
    values = {
        "signal_id": "signal-1", "story_id": "story-1", "revision": 1, "action": "created", "supersedes": None,
        "source_published_at": NOW - MINUTE, "known_at": NOW, "scored_at": NOW + SECOND, "valid_until": NOW + HOUR,
        "backfilled": False, "pair": "USDJPY", "direction": "down", "p_up": 0.1, "p_flat": 0.15, "p_down": 0.75,
        "strength": 0.585, "usd_effect": 0.0, "jpy_effect": 0.8, "horizon_s": 3600, "abstained": False,
        "abstain_reason": None, "relevance": 0.9, "topics": ("boj.policy",), "novelty": 1.0, "mentions_24h": 1,
        "n_sources": 1, "evidence": (), "ref_price": 150.25, "ref_price_at": NOW - 3 * SECOND, "ref_age_s": 3.0,
        "ref_source": "yahoo", "stale": False, "market_open": True, "return_5m_bp": -1.5, "return_60m_bp": None,
        "volatility_60m_bp": 8.25, "title": "BOJ hikes", "url": None, "source": "wire", "lang": "en",
        "headline_ids": ("h",), "model_id": "fake-1", "policy_id": "policy-1", "headline_id": "h",
    }  # fmt: skip
    return Signal(**(values | changes))  # type: ignore[arg-type]


def make_retraction(**changes: object) -> Retraction:
    """The retraction of `make_signal`."""
    values = {
        "signal_id": "signal-1", "story_id": "story-1", "headline_id": "h", "known_at": NOW,
        "retracted_at": NOW + SECOND,
        "valid_until": NOW + HOUR, "reason": "withdrawn",
    }  # fmt: skip
    return Retraction(**(values | changes))  # type: ignore[arg-type]


def one_of_each() -> list[Record]:
    """One sound record of every type that holds a time, each of its times filled."""
    return [
        make_headline(),
        Story(story_id="s", first_known_at=NOW, headline_ids=("h",)),
        make_bar(known_at=NOW + DAY),
        make_price(),
        make_signal(),
        Pause(job="ingest", paused_at=NOW, until=NOW + HOUR),
        Withdrawal(headline_id="h", known_at=NOW, reason="withdrawn"),
        make_retraction(),
        ForwardReturn(
            signal_id="s",
            horizon_s=3600,
            outcome="settled",
            entry_at=NOW,
            exit_at=NOW + HOUR,
            return_bp=-4.5,
            settled_at=NOW + DAY,
        ),
        FeedState(source="wire", last_attempt_at=NOW, last_success_at=NOW, next_attempt_at=NOW + SECOND),
        JobRun(run_id="r", job="ingest", trigger="manual", scheduled_at=NOW, started_at=NOW, ended_at=NOW + SECOND),
    ]


LEGS = {"boj": (0.0, 0.8), "fed": (0.8, 0.0)}


class FakeScorer:
    """Scores by one word of the title, and remembers what it was asked."""

    model_id = "fake-1"

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def score(self, headlines: Sequence[Headline]) -> list[Score]:
        """Relevant where the first word is known."""
        self.asked.append([headline.headline_id for headline in headlines])
        return [self._score(headline) for headline in headlines]

    def _score(self, headline: Headline) -> Score:
        legs = LEGS.get(headline.title.split()[0].lower())
        relevance = 0.1 if legs is None else 0.9
        usd_effect, jpy_effect = legs or (0.0, 0.0)
        return make_score(
            usd_effect, jpy_effect, headline_id=headline.headline_id, relevance=relevance, relevant=legs is not None
        )


def minutes(low: int, high: int) -> st.SearchStrategy[dt.timedelta]:
    """So many whole minutes."""
    return st.integers(low, high).map(lambda count: count * MINUTE)


@st.composite
def bars(draw: st.DrawFn, *, before_min: int = 600) -> Bar:
    """A bar of any length and source that closes up to `before_min` minutes before NOW or an hour after it."""
    return make_bar(
        NOW + draw(minutes(-before_min, 60)),
        draw(st.integers(14_000, 16_000)) / 100,
        length_s=draw(st.sampled_from([0, 60, 300, 3600, 86400])),
        source=draw(st.sampled_from(["yahoo", "ecb", "other"])),
    )


@st.composite
def versions(draw: st.DrawFn) -> Bar:
    """A bar learned up to two hours after it closed."""
    bar = draw(bars())
    return make_bar(
        bar.close_at,
        bar.close,
        length_s=(bar.close_at - bar.open_at).total_seconds(),
        source=bar.source,
        known_at=bar.close_at + draw(minutes(0, 120)),
    )


def version_key(bar: Bar) -> tuple[object, ...]:
    """What a store keeps one bar for: of two with the same key only one can exist."""
    return bar.source, bar.open_at, bar.close_at, bar.known_at


TITLES = ("boj hikes rates to 1.0% yen jumps", "fed cuts rates to 0.5% dollar slides", "weather turns fair")
EXTRAS = ("tokyo", "again", "0.5%", "now")


PAGES = (None, "https://example.org/a", "https://example.org/b")


PAGES = (None, "https://example.org/a", "https://example.org/b")


@st.composite
def news(draw: st.DrawFn, max_size: int = 10, pages: bool = False) -> list[Headline]:
    """Headlines over four days in any order, some at one moment, that repeat one another nearly or wholly."""
    made = []
    for number in range(draw(st.integers(0, max_size))):
        extras = draw(st.lists(st.sampled_from(EXTRAS), max_size=2, unique=True))
        known_at = NOW - draw(st.integers(0, 96)) * HOUR
        made.append(
            make_headline(
                " ".join([draw(st.sampled_from(TITLES)), *extras]),
                known_at,
                headline_id=f"{number:02}",
                source=draw(st.sampled_from(["wire", "blog"])),
                url=draw(st.sampled_from(PAGES)) if pages else None,
                source_published_at=draw(st.sampled_from([None, known_at - MINUTE, known_at - 2 * DAY])),
                backfilled=draw(st.booleans()),
            )
        )
    return made


def flipped(direction: Direction) -> Direction:
    """The other way."""
    turned: dict[Direction, Direction] = {"up": "down", "flat": "flat", "down": "up"}
    return turned[direction]


def ids(headlines: Iterable[Headline]) -> list[str]:
    """Their ids, in order."""
    return [headline.headline_id for headline in headlines]
