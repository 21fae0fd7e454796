"""Look-ahead is found where it is planted, and only there."""

import datetime as dt
from collections.abc import Sequence

import msgspec
import pytest

from signals.market import bars as market
from signals.model import Bar, Headline, Policy, Score, Withdrawal
from signals.research.lookahead import check
from tests.core.conftest import DAY, HOUR, MINUTE, NOW, SECOND, FakeScorer, make_headline

POLICY = Policy()
WORDS = ("alpha", "bravo", "delta", "hotel", "kilo", "lima", "oscar", "papa", "tango", "uniform", "victor", "whiskey")


def steps(
    days: int = 3, *, after: dt.timedelta = 5 * SECOND
) -> list[tuple[dt.datetime, list[Headline], list[Withdrawal], bool, None]]:
    """A headline every two hours, each in a step of its own soon `after`; one withdrawn, one taken a day late."""
    made = []
    for number in range(days * 12):
        words = f"{WORDS[number % 12]} {WORDS[number * 5 % 11]} {number * 37}"
        known_at = NOW + number * 2 * HOUR + 90 * SECOND
        headline = make_headline(f"{('BOJ', 'Fed')[number % 2]} {words}", known_at)
        late = DAY if number == 7 else dt.timedelta(0)
        fallen = (
            [Withdrawal(headline_id=made[-1][1][0].headline_id, known_at=known_at, reason="withdrawn")]
            if number == 5
            else []
        )
        made.append((known_at + after + late, [headline], fallen, False, None))
    return sorted(made, key=lambda one: one[0])


def walk(days: int = 3) -> list[Bar]:
    """Bars of five minutes, each learned two seconds after its close and once more, corrected, an hour later."""
    made = []
    for number in range(days * 288):
        open_at = NOW - 30 * MINUTE + number * 5 * MINUTE
        close = 150 + number % 7 / 10
        bar = Bar(
            open_at=open_at, close_at=open_at + 5 * MINUTE, open=150, high=152, low=149, close=close, source="yahoo",
            known_at=open_at + 5 * MINUTE + 2 * SECOND,
        )  # fmt: skip
        made += [bar, msgspec.structs.replace(bar, close=close + 0.05, known_at=bar.known_at + HOUR)]
    return made


class Peeking(FakeScorer):
    """Leans as the first bar will that closes after the headline was known."""

    def __init__(self, bars: Sequence[Bar]) -> None:
        super().__init__()
        self._bars = sorted(bars, key=lambda bar: bar.close_at)

    def score(self, headlines: Sequence[Headline]) -> list[Score]:
        """Of bars that it was not to have."""
        made = []
        for headline, score in zip(headlines, super().score(headlines), strict=True):
            ahead = next((bar for bar in self._bars if bar.close_at >= headline.known_at), None)
            rises = ahead is not None and ahead.close > 150.25
            made.append(
                msgspec.structs.replace(score, p_up=0.7 if rises else 0.1, p_down=0.1 if rises else 0.7, p_flat=0.2)
            )
        return made


class OfItsBatch(FakeScorer):
    """Is surer of a headline that another one follows in the batch."""

    def score(self, headlines: Sequence[Headline]) -> list[Score]:
        """Of headlines that come later."""
        found = super().score(headlines)
        return [
            msgspec.structs.replace(one, relevance=0.95 if after else 0.9)
            for one, after in zip(found, [*found[1:], None], strict=True)
        ]


def test_the_live_step_does_not_look_ahead() -> None:
    """Cut anywhere, also where a step came late and a bar was corrected: nothing that was said before changes."""
    found = check(steps(), walk(), 8, FakeScorer(), POLICY)
    assert found.differences == []
    assert len(found.cuts) == 8
    assert found.compared > 60
    every = [at + SECOND for at, *_ in steps()]
    assert check(steps(), walk(), every, FakeScorer(), POLICY).differences == []


def test_bars_may_be_asked_for() -> None:
    """What gives the bars of some headlines is cut as well as a list of them."""
    asked = []

    def ask(headlines: Sequence[Headline]) -> list[Bar]:
        asked.append(len(headlines))
        return walk()

    assert check(steps(), ask, 3, FakeScorer(), POLICY).differences == []
    assert asked
    assert check(steps(), ask, 3, lambda bars: Peeking(bars(())), POLICY).differences


def test_a_scorer_that_peeks_at_the_next_bar_is_found() -> None:
    """At the default number of cuts."""
    found = check(steps(), walk(), 5, Peeking, POLICY)
    assert found.differences
    assert all(one.what == "told otherwise" and one.known_at < one.cut for one in found.differences)


def test_a_scorer_that_peeks_at_the_next_headline_is_found() -> None:
    """Headlines are scored in batches of several steps: what shines through from later ones is look-ahead."""
    assert check(steps(), walk(), 5, OfItsBatch(), POLICY).differences


def test_a_price_that_had_not_closed_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """If the join took the bar that was still open when the headline became known, the check would say so."""
    true = market._before

    def peeking(rows: list[market._Close], at: dt.datetime, *, or_at: bool = False) -> market._Close | None:
        return true(rows, at + 5 * MINUTE, or_at=or_at)

    late = steps(after=10 * MINUTE)
    assert check(late, walk(), 5, FakeScorer(), POLICY).differences == []
    monkeypatch.setattr(market, "_before", peeking)
    assert check(late, walk(), 5, FakeScorer(), POLICY).differences


def test_the_last_day_is_always_among_the_cuts() -> None:
    """Whatever the seed draws, one cut lies right after the last signal that is a day older than the newest."""
    known = [at - 5 * SECOND for at, *_ in steps()]
    last = max(one for one in known if one < max(known) - DAY)
    for seed in range(5):
        assert (
            last
            < min(cut for cut in check(steps(), [], 2, FakeScorer(), POLICY, seed=seed).cuts if cut > last)
            <= max(known)
        )
        assert any(
            dt.timedelta(0) < cut - last < SECOND for cut in check(steps(), [], 2, FakeScorer(), POLICY, seed=seed).cuts
        )


def test_an_empty_archive_has_nothing_to_cut() -> None:
    """Nothing was told, so nothing is compared."""
    assert check([], [], 5, FakeScorer(), POLICY) == ((), 0, [])
