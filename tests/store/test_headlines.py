"""Headlines: kept once, handed out until taken, and told of afterwards as they were taken."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from signals.model import Headline, Skip, SkipReason, Story, Withdrawal
from signals.store import Store, archive, headlines, schema, withdrawals
from signals.store.headlines import Told

from .conftest import DAY, HOUR, MINUTE, NOW, SECOND, make_headline, make_story, url_of


def take(store: Store, *told: Headline, at: dt.datetime = NOW, skips: tuple[Skip, ...] = ()) -> None:
    """Mark headlines taken, each in a story of its own."""
    with store.write() as conn:
        headlines.mark_taken(conn, told, [make_story(h) for h in told], skips, at)


def test_what_is_kept_comes_back_as_it_was(store: Store) -> None:
    """Every field, filled or not, is read as it was written."""
    full = make_headline(1, backfilled=True)
    bare = make_headline(2, url=None, summary="", body="", source_published_at=None)
    with store.write() as conn:
        assert headlines.add(conn, [full, bare]) == 2
        assert headlines.waiting(conn, limit=10) == [bare, full]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, blank: Path) -> Iterator[Store]:
    """A store for many examples; none of them is committed."""
    path = tmp_path_factory.mktemp("shared") / "signals.db"
    path.write_bytes(blank.read_bytes())
    store = Store.open(url_of(path))
    yield store
    store.close()


any_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


@settings(deadline=None, derandomize=True, database=None)
@given(any_text, any_text, st.datetimes(timezones=st.just(dt.UTC)))
def test_any_text_and_time_comes_back_as_it_was(shared: Store, title: str, body: str, known_at: dt.datetime) -> None:
    """Quotes, emoji, line ends and even a null character are kept, and a time to the microsecond."""
    headline = make_headline(title=title, body=body, known_at=known_at, source_published_at=None)
    with shared.read() as conn:
        headlines.add(conn, [headline])
        assert headlines.waiting(conn, limit=1) == [headline]
        conn.rollback()


def test_a_headline_is_kept_once(store: Store) -> None:
    """Adding again, in one go or later, adds nothing and changes nothing: the first telling stays."""
    first = make_headline(1)
    with store.write() as conn:
        assert headlines.add(conn, [first, first]) == 1
    later = msgspec.structs.replace(first, known_at=NOW + DAY, body="Other.")
    with store.write() as conn:
        assert headlines.add(conn, [later, make_headline(2)]) == 1
        assert headlines.waiting(conn, limit=10) == [first, make_headline(2)]


def test_many_headlines_at_once(store: Store) -> None:
    """More rows than one statement takes are all kept, and counted."""
    with store.write() as conn:
        assert headlines.add(conn, (make_headline(number) for number in range(1201))) == 1201
        assert headlines.add(conn, (make_headline(number) for number in range(1202))) == 1
        assert headlines.count(conn) == 1202


def test_waiting_headlines_are_the_oldest_not_taken(store: Store) -> None:
    """Oldest first, ties by id, no more than asked for; what was taken waits no longer."""
    late, early, tied = make_headline(1), make_headline(3, NOW - HOUR), make_headline(2, NOW - HOUR)
    with store.write() as conn:
        headlines.add(conn, [late, early, tied])
        assert headlines.waiting(conn, limit=2) == [tied, early]
    take(store, tied, early)
    with store.read() as conn:
        assert headlines.waiting(conn, limit=2) == [late]


def test_taking_records_story_and_reason(store: Store) -> None:
    """When it was taken, its story, and why it made no signal if it made none."""
    one, other = make_headline(1), make_headline(2)
    with store.write() as conn:
        headlines.add(conn, [one, other])
    take(store, one, other, at=NOW + MINUTE, skips=(Skip(headline_id="h2", reason="irrelevant"),))
    with store.read() as conn:
        table = schema.headlines.c
        query = sa.select(table.headline_id, table.scored_at, table.story_id, table.skip_reason)
        assert [tuple(row) for row in conn.execute(query.order_by(table.headline_id))] == [
            ("h1", NOW + MINUTE, "story-h1", None),
            ("h2", NOW + MINUTE, "story-h2", "irrelevant"),
        ]


def test_taking_nothing_is_nothing(store: Store) -> None:
    """An empty step leaves no trace."""
    take(store)
    with store.read() as conn:
        assert list(archive.steps(conn)) == []


def stories(store: Store) -> list[Story]:
    """The stories on file."""
    with store.read() as conn:
        rows = conn.execute(sa.select(schema.stories).order_by(schema.stories.c.story_id))
        return [Story(**dict(row._mapping) | {"headline_ids": tuple(row.headline_ids)}) for row in rows]


def test_a_story_grows_with_its_headlines(store: Store) -> None:
    """A story on file holds all its headlines, whichever step took them; others stay as they are."""
    first, second, third, other = (make_headline(n, NOW + n * MINUTE) for n in (1, 2, 3, 9))
    with store.write() as conn:
        headlines.add(conn, [first, second, third, other])
        headlines.mark_taken(conn, [first, second], [make_story(first), make_story(first, second)], [], NOW)
        headlines.mark_taken(conn, [other], [make_story(other)], [], NOW + SECOND)
        headlines.mark_taken(conn, [third], [make_story(first, second, third)], [], NOW + MINUTE)
    assert stories(store) == [make_story(first, second, third), make_story(other)]


def test_a_late_arrival_does_not_shorten_its_story(store: Store) -> None:
    """A headline taken later but known earlier knows less than the story on file: that keeps what it has."""
    first, second, third = (make_headline(n, NOW + n * MINUTE) for n in (1, 2, 3))
    with store.write() as conn:
        headlines.add(conn, [first, second, third])
        headlines.mark_taken(conn, [first, third], [make_story(first), make_story(first, third)], [], NOW)
        headlines.mark_taken(conn, [second], [make_story(first, second)], [], NOW + HOUR)
    assert stories(store) == [make_story(first, second, third)]


def test_told_within_spans(store: Store) -> None:
    """Taken headlines known within any of the spans, both ends included, each once, oldest first."""
    kept = [make_headline(number, NOW + number * HOUR) for number in range(6)]
    with store.write() as conn:
        headlines.add(conn, [*kept, make_headline(9, NOW + HOUR)])
    take(store, *kept)
    spans = [(NOW + 3 * HOUR, NOW + 4 * HOUR), (NOW, NOW + HOUR), (NOW + HOUR, NOW + 90 * MINUTE)]
    with store.read() as conn:
        found = headlines.told(conn, spans)
        assert headlines.told(conn, []) == []
    assert [told.headline_id for told in found] == ["h0", "h1", "h3", "h4"]
    assert found[0] == Told(NOW, "h0", "story-h0", "wire", kept[0].title, kept[0].item_id, near=True)


def test_told_says_what_bears_on_the_pair(store: Store) -> None:
    """Only what was skipped as irrelevant does not: a repeat and what was too old may be repeated themselves."""
    reasons: list[SkipReason | None] = ["irrelevant", "duplicate", "stale_news", None]
    kept = [make_headline(number) for number in range(len(reasons))]
    skips = [Skip(headline_id=h.headline_id, reason=why) for h, why in zip(kept, reasons, strict=True) if why]
    with store.write() as conn:
        headlines.add(conn, kept)
        headlines.mark_taken(conn, kept, [make_story(one) for one in kept], skips, NOW)
        assert [told.near for told in headlines.told(conn, [(NOW, NOW)])] == [False, True, True, True]


def test_steps_come_back_as_they_were_taken(store: Store) -> None:
    """Each step's time with what it took, in its order; what still waits is no history yet."""
    kept = [make_headline(number, NOW - number * MINUTE) for number in range(5)]
    with store.write() as conn:
        headlines.add(conn, kept)
        gone, waiting = (Withdrawal(headline_id=f"h{n}", known_at=NOW, reason="withdrawn") for n in (0, 1))
        withdrawals.add(conn, [gone, waiting])
        withdrawals.mark_taken(conn, [gone], NOW + HOUR)
    take(store, kept[0], kept[3], at=NOW + HOUR)
    take(store, kept[1], kept[2], at=NOW + MINUTE)
    with store.read() as conn:
        assert [one[:4] for one in archive.steps(conn)] == [
            (NOW + MINUTE, [kept[2], kept[1]], [], False),
            (NOW + HOUR, [kept[3], kept[0]], [gone], False),
        ]


def test_headlines_are_counted_by_source(store: Store) -> None:
    """Of these sources, of none, of all."""
    with store.write() as conn:
        headlines.add(conn, [make_headline(1), make_headline(2, source="boj"), make_headline(3, source="fed")])
        counts = [headlines.count(conn, sources) for sources in (None, [], ["boj"], ["boj", "fed", "ecb"])]
    assert counts == [3, 0, 1, 2]
