"""What an export reads of the store: every row once, in its day, in order."""

import datetime as dt
from typing import Any

import msgspec
import pytest

from signals.message import Index, Retraction
from signals.model import Skip, Withdrawal
from signals.store import Store, bars, exported, headlines, runs, withdrawals
from signals.store import signals as told
from tests.store.conftest import (
    CHANNEL,
    DAY,
    HOUR,
    MINUTE,
    NOW,
    SECOND,
    encode,
    make_bar,
    make_headline,
    make_run,
    make_score,
    make_signal,
    make_story,
)  # fmt: skip

MIDNIGHT = NOW.replace(hour=0, minute=0, second=0, microsecond=0)


def read(store: Store, name: str, low: dt.datetime = MIDNIGHT, size: int = 100) -> list[dict[str, Any]]:
    """A day's rows of a table."""
    with store.read() as conn:
        batches = exported.batches(conn, name, low, low + DAY, size=size)
        return [dict(zip(batch, row, strict=True)) for batch in batches for row in zip(*batch.values(), strict=True)]


def tell(store: Store, *signals: Any, at: dt.datetime = NOW, headlined: Any = (), skips: Any = ()) -> None:
    """Keep headlines and what a step told of them."""
    with store.write() as conn:
        headlines.add(conn, headlined)
        headlines.mark_taken(conn, headlined, [make_story(*headlined)] if headlined else [], skips, at)
        told.add(conn, [], signals, channel=CHANNEL, now=at, encode=lambda *_: (f"m{at}{_[2]}", b""))


def test_a_row_stands_in_its_day(store: Store) -> None:
    """From midnight to midnight, UTC: the first instant is in, the last is not; in order of time."""
    times = [MIDNIGHT - SECOND, MIDNIGHT, MIDNIGHT + HOUR, MIDNIGHT + DAY]
    with store.write() as conn:
        headlines.add(conn, [make_headline(n, at) for n, at in enumerate(reversed(times))])
        assert exported.span(conn, "headlines") == (times[0], times[-1])
    assert [row["known_at"] for row in read(store, "headlines")] == times[1:3]


def test_every_version_of_a_bar_is_read(store: Store) -> None:
    """Bars of all sources and lengths that opened on the day, also those that close on the next."""
    made = [
        make_bar(MIDNIGHT + MINUTE), make_bar(MIDNIGHT + MINUTE, 150.5, known_at=MIDNIGHT + HOUR),
        make_bar(MIDNIGHT + DAY, length_s=86_400, source="ecb"), make_bar(MIDNIGHT),
        make_bar(MIDNIGHT + DAY + MINUTE), make_bar(MIDNIGHT + HOUR, source="other", length_s=3600),
    ]  # fmt: skip
    with store.write() as conn:
        for bar in made:
            bars.add(conn, [bar])
    found = read(store, "bars", size=2)
    assert found == [msgspec.structs.asdict(made[n]) for n in (2, 5, 0, 1)]


def test_a_day_comes_in_batches(store: Store) -> None:
    """No more rows at once than asked for."""
    with store.write() as conn:
        bars.add(conn, [make_bar(MIDNIGHT + n * MINUTE) for n in range(1, 8)])
    with store.read() as conn:
        sizes = [len(batch["source"]) for batch in exported.batches(conn, "bars", MIDNIGHT, MIDNIGHT + DAY, size=3)]
    assert sizes == [3, 3, 1]


def test_signals_are_read_as_they_were_told(store: Store) -> None:
    """All their fields, evidence as plain values."""
    signal = make_signal()
    tell(store, signal)
    (found,) = read(store, "signals")
    assert found == msgspec.structs.asdict(signal) | {"evidence": msgspec.to_builtins(signal.evidence)}


def test_scores_have_the_day_of_their_headline(store: Store) -> None:
    """A score has no time of its own."""
    with store.write() as conn:
        headlines.add(conn, [make_headline(1), make_headline(2, NOW + DAY)])
        told.add(conn, [make_score(1), make_score(2)], [], channel=CHANNEL, now=NOW, encode=encode)
        assert exported.span(conn, "scores") == (NOW, NOW + DAY)
    assert [(row["headline_id"], row["known_at"]) for row in read(store, "scores")] == [("h1", NOW)]


@pytest.mark.parametrize("by", ["own", "notice", "both"])
def test_a_retraction_is_read_as_it_was_told(store: Store, by: str) -> None:
    """By the withdrawal of the signal's headline, or the headline of its story that says so; of both the first."""
    notice = make_headline(2, NOW + MINUTE)
    gone = Withdrawal(headline_id="h1", known_at=NOW + 2 * MINUTE, reason="vanished")
    causes = {"own": ("h1", gone.known_at, "vanished"), "notice": ("h2", notice.known_at, "withdrawn")}
    headline_id, known_at, reason = causes["own" if by == "own" else "notice"]
    tell(store, make_signal(), headlined=[make_headline(1)])
    at = NOW + 3 * MINUTE
    retraction = Retraction(
        signal_id="s1", story_id="story-h1", headline_id=headline_id, known_at=known_at, retracted_at=at,
        valid_until=NOW + HOUR, reason=reason,
    )  # fmt: skip
    with store.write() as conn:
        if by != "own":
            story = make_story(make_headline(1), notice)
            headlines.add(conn, [notice])
            headlines.mark_taken(conn, [notice], [story], [Skip(headline_id="h2", reason="withdrawal")], at)
        if by != "notice":
            withdrawals.add(conn, [gone])
            withdrawals.mark_taken(conn, [gone], at)
    tell(store, retraction, at=at)
    assert read(store, "retractions") == [msgspec.structs.asdict(retraction)]


def test_the_rest_is_read(store: Store) -> None:
    """Withdrawals, the index and runs of jobs, with what stands in the store beside their fields."""
    run, gone = make_run(counts={"new": 2}, notes=("wire: late",)), Withdrawal(
        headline_id="h1", known_at=NOW, reason="withdrawn"
    )  # fmt: skip
    index = Index(value=0.25, half_life_s=900, n_signals=2, n_sources=1)
    with store.write() as conn:
        runs.begin(conn, run)
        withdrawals.add(conn, [gone])
    tell(store, index)
    assert read(store, "job_runs") == [msgspec.structs.asdict(run) | {"notes": ["wire: late"]}]
    assert read(store, "withdrawals") == [msgspec.structs.asdict(gone) | {"taken_at": None}]
    assert read(store, "indexes") == [msgspec.structs.asdict(index) | {"at": NOW}]


def test_an_empty_store_has_no_span(store: Store) -> None:
    """Nothing to export, of no table."""
    with store.read() as conn:
        assert {name: exported.span(conn, name) for name in exported.NAMES} == dict.fromkeys(exported.NAMES)
    assert [read(store, name) for name in exported.NAMES] == [[]] * len(exported.NAMES)
