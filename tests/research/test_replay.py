"""Replay: what makes it quick changes nothing of what comes out."""

import datetime as dt
from collections.abc import Sequence

import msgspec
import pytest

from signals.market.bars import BarTable
from signals.message import Index, Retraction, Signal
from signals.model import Evidence, Headline, Policy, Score, Withdrawal
from signals.pipeline import step, story_index
from signals.research import replay as module
from signals.research.replay import replay
from tests.core.conftest import DAY, HOUR, MINUTE, NOW, SECOND, FakeScorer, climb, make_bar, make_headline

POLICY = Policy()
WHAT = ("BOJ hikes to 1.0%", "Fed cuts by 25bp", "BOJ seen hiking in June", "Weather turns fair", "Fed minutes due")


class Explains(FakeScorer):
    """Counts what it is asked to explain."""

    explained = 0

    def score(self, headlines: Sequence[Headline]) -> list[Score]:
        """With one piece of evidence each, its headline's own."""
        self.explained += len(headlines)
        return [
            msgspec.structs.replace(
                score, evidence=(Evidence(span=None, text=score.headline_id, feature="f", weight=1.0),)
            )
            for score in super().score(headlines)
        ]  # fmt: skip

    def answers(self, headlines: Sequence[Headline]) -> list[Score]:
        """Without."""
        return [msgspec.structs.replace(score, evidence=()) for score in super().score(headlines)]


def steps(days: int = 6) -> list[module.Step]:
    """News every hour, much of it repeated, a withdrawal a day; later steps name from when on their facts are known."""
    made: list[module.Step] = []
    for number in range(days * 24):
        known_at = NOW + number * HOUR
        one = make_headline(f"{WHAT[number % 5]} {number // 7}", known_at, headline_id=f"h{number:03}")
        fallen = (
            [Withdrawal(headline_id=f"h{number - 6:03}", known_at=known_at, reason="withdrawn")]
            if number % 24 == 10
            else []
        )
        made.append((known_at + SECOND, [one], fallen, number % 3 == 0, known_at))
    return made


def told(*arguments, **options) -> list[bytes]:
    """The bytes of all that a replay tells."""
    return [msgspec.json.encode(one.told) for one in replay(*arguments, policy=POLICY, **options)]


def test_batches_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scored one step at a time or all at once, with bars in a list or asked for: the same bytes."""
    walk = [msgspec.structs.replace(bar, known_at=bar.close_at + MINUTE) for bar in climb(6 * 24 * 60, NOW + 6 * DAY)]
    whole = told(steps(), walk, scorer=FakeScorer())
    assert len(whole) > 100
    assert told(steps(), lambda _: walk[::-1], scorer=FakeScorer()) == whole
    monkeypatch.setattr(module, "BATCH", 1)
    assert told(steps(), walk, scorer=FakeScorer()) == whole


def test_what_is_forgotten_is_not_missed() -> None:
    """The same with and without being told what is too old for all that is still to come."""
    for late in (0, 30, 60):  # a step that takes old news keeps what that needs
        some = steps()
        at, headlines, withdrawals, history, _ = some[-1]
        old = make_headline(f"{WHAT[0]} 3", NOW + late * HOUR, headline_id="late")
        some[-1] = (at, [*headlines, old], withdrawals, history, None)
        some = [(at, h, w, history, min(later or at, old.known_at)) for at, h, w, history, later in some]
        kept = [(*one[:4], None) for one in some]
        assert told(some, [], scorer=FakeScorer()) == told(kept, [], scorer=FakeScorer())


def test_evidence_is_asked_for_of_signals_only() -> None:
    """And they have the evidence that they would have had; without it nothing else differs."""
    quick, slow = Explains(), Explains()
    found = [one.told for one in replay(steps(), [], scorer=quick, policy=POLICY)]
    made = [one for one in found if isinstance(one, Signal)]
    assert quick.explained == len(made) > 50
    assert all(one.evidence[0].text == one.headline_id for one in made)
    bare = [one.told for one in replay(steps(), [], scorer=slow, policy=POLICY, explained=False)]
    assert slow.explained == 0
    assert bare == [msgspec.structs.replace(one, evidence=()) if isinstance(one, Signal) else one for one in found]
    assert {type(one) for one in found} == {Signal, Retraction, Index}


def test_a_table_that_learns_is_the_table_of_what_is_known() -> None:
    """Bar by bar in any order, with corrections and what comes late: as if made anew of what was known by then."""
    bars = [
        *climb(300),
        *(make_bar(NOW - n * HOUR, 151 + n / 9, length_s=3600, known_at=NOW - n * HOUR + 7 * MINUTE) for n in range(9)),
        *(make_bar(NOW - n * 9 * MINUTE, 149.5, known_at=NOW - n * 5 * MINUTE) for n in range(1, 9)),
        *(make_bar(NOW - n * DAY, 140, length_s=0, source="ecb") for n in range(3)),
    ]
    table, seen = BarTable(), 0
    order = sorted(bars, key=lambda bar: bar.known_at)
    for minute in range(-300, 30, 3):
        now = NOW + minute * MINUTE
        known = [bar for bar in order if bar.known_at <= now]
        table.learn(reversed(known[seen:]))
        seen = len(known)
        for ago in (0, 1, 50):
            asked = now - ago * MINUTE
            assert table.context(asked, 900) == BarTable(bars, now).context(asked, 900)


def test_a_step_takes_a_table_as_well_as_bars() -> None:
    """The same signals."""
    headlines = [make_headline(title, NOW + n * SECOND) for n, title in enumerate(WHAT)]
    walk = climb(90)
    now = NOW + MINUTE
    both = [
        step(story_index(POLICY), headlines, prices, now, scorer=FakeScorer(), policy=POLICY).told
        for prices in (walk, BarTable(walk, now))
    ]
    assert both[0] == both[1] != []
    assert dt.timedelta(0) < both[0][0].known_at - both[0][0].ref_price_at
