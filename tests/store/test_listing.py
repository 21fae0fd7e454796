"""Signals as a page lists them: filtered, newest first, a page at a time without gap or repeat."""

import pytest
import sqlalchemy as sa

from signals.message import Index
from signals.store import Store, headlines, listing, runs, signals
from signals.store.listing import Before, Filter
from tests.core.conftest import make_signal
from tests.store.conftest import CHANNEL, MINUTE, NOW, make_headline, make_run


def keep(conn: sa.Connection, *told: object) -> None:
    """Keep signals, each with its headline."""
    headlines.add(conn, [make_headline(headline_id=one.headline_id, known_at=one.known_at) for one in told])
    signals.add(conn, [], told, channel=CHANNEL, now=NOW, encode=lambda _, epoch, seq: (f"{epoch}-{seq}", b"{}"))


def make(name: str, ago: int = 0, **changes: object) -> object:
    at = NOW - ago * MINUTE
    return make_signal(signal_id=name, headline_id=name, known_at=at, scored_at=at, **changes)


def names(conn: sa.Connection, wanted: Filter, **more: object) -> list[str]:
    return [one.data["signal_id"] for one in listing.signals(conn, wanted, **({"limit": 99} | more))]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Filter(), ["d", "c", "b", "a"]),
        (Filter(direction="up"), ["b"]),
        (Filter(direction="down"), ["c", "a"]),
        (Filter(direction="unknown"), ["d"]),
        (Filter(topic="us.labor"), ["b"]),
        (Filter(topic="us"), []),
        (Filter(topic="%"), []),
        (Filter(source="desk"), ["c"]),
        (Filter(strength_min=0.585), ["c", "b"]),
        (Filter(text="boj"), ["c", "a"]),
        (Filter(text="100%"), ["b"]),
        (Filter(text="0_"), []),
        (Filter(since=NOW - MINUTE), ["d", "c"]),
        (Filter(direction="down", source="desk", text="BOJ"), ["c"]),
    ],
)
def test_a_filter_finds_what_it_says(store: Store, wanted: Filter, found: list[str]) -> None:
    """Each filter alone and together; wildcards of the database are just characters; the count agrees."""
    with store.write() as conn:
        keep(
            conn,
            make("a", 3, strength=0.2),
            make("b", 2, direction="up", topics=("us.labor",), title="Payrolls 100% up"),
            make("c", 1, source="desk"),
            make("d", 0, direction="up", abstained=True, abstain_reason="x", strength=0.0, title="?"),
        )
    with store.read() as conn:
        assert names(conn, wanted) == found
        assert listing.count(conn, wanted, most=99) == len(found)
        assert listing.count(conn, wanted, most=1) == min(1, len(found))


def test_pages_follow_one_another_also_where_times_are_equal(store: Store) -> None:
    """Each signal stands on one page, whatever became known at the same moment."""
    with store.write() as conn:
        keep(conn, *(make(f"s{n}", n // 3) for n in range(8)))
    seen: list[str] = []
    before = None
    with store.read() as conn:
        while page := listing.signals(conn, Filter(), limit=2, before=before):
            seen += [one.data["signal_id"] for one in page]
            before = Before(NOW - (int(seen[-1][1:]) // 3) * MINUTE, seen[-1])
    assert seen == ["s2", "s1", "s0", "s5", "s4", "s3", "s7", "s6"]


def test_imported_history_was_never_told(store: Store) -> None:
    """What is made of it is in no list, but is found by its id."""
    with store.write() as conn:
        headlines.add(conn, [make_headline(headline_id="old")], imported=True)
        keep(conn, make("old"))
    with store.read() as conn:
        assert names(conn, Filter()) == []
        assert listing.signal(conn, "old") is not None
        assert listing.signal(conn, "none") is None


def test_the_index_comes_with_the_last_before_it(store: Store) -> None:
    """So that its value at the beginning of a stretch is known."""
    with store.write() as conn:
        for ago in (5, 4, 3, 2, 1):
            one = Index(value=ago / 10, half_life_s=900, n_signals=1, n_sources=1)
            signals.add(
                conn, [], [one], channel=CHANNEL, now=NOW - ago * MINUTE, encode=lambda *_, ago=ago: (str(ago), b"{}")
            )
    with store.read() as conn:
        assert [point.value for point in listing.index(conn, NOW - 2 * MINUTE, limit=9)] == [0.3, 0.2, 0.1]
        assert [point.value for point in listing.index(conn, NOW - 5 * MINUTE, limit=2)] == [0.2, 0.1]


def test_runs_are_listed_without_the_good_ones_of_quiet_jobs(store: Store) -> None:
    """Newest first, since a time; a heartbeat that failed is among them."""
    with store.write() as conn:
        for number, (job, outcome, ago) in enumerate(
            [("ingest", "ok", 1), ("heartbeat", "ok", 1), ("heartbeat", "failed", 2), ("ingest", "ok", 9)]
        ):
            runs.begin(conn, make_run(f"r{number}", job=job, outcome=outcome, started_at=NOW - ago * MINUTE))
    with store.read() as conn:
        found = listing.runs_since(conn, NOW - 5 * MINUTE, without={"heartbeat"}, limit=9)
    assert [(run.job, run.outcome) for run in found] == [("ingest", "ok"), ("heartbeat", "failed")]
