"""What is remembered of a source between fetches."""

from signals.model import FeedState
from signals.store import Store, feeds

from .conftest import HOUR, NOW

FULL = FeedState(
    source="boj", etag='W/"abc"', last_modified="Wed, 04 Mar 2026 12:00:00 GMT", last_attempt_at=NOW,
    last_success_at=NOW - HOUR, last_error="timeout: no answer", failures=3,
)  # fmt: skip


def test_a_source_never_read_has_a_blank_state(store: Store) -> None:
    """Nothing is known of it, and asking leaves no trace."""
    with store.read() as conn:
        assert feeds.state(conn, "boj") == FeedState(source="boj")
        assert feeds.states(conn) == []


def test_states_come_back_as_they_were(store: Store) -> None:
    """Every field, filled or not; all sources by name."""
    bare = FeedState(source="abc")
    with store.write() as conn:
        feeds.save(conn, FULL)
        feeds.save(conn, bare)
    with store.read() as conn:
        assert feeds.state(conn, "boj") == FULL
        assert feeds.states(conn) == [bare, FULL]


def test_a_state_takes_the_place_of_the_one_before(store: Store) -> None:
    """The last one counts, field by field: nothing of the old one shines through."""
    with store.write() as conn:
        feeds.save(conn, FULL)
        feeds.save(conn, FeedState(source="boj", last_attempt_at=NOW + HOUR))
    with store.read() as conn:
        assert feeds.states(conn) == [FeedState(source="boj", last_attempt_at=NOW + HOUR)]
