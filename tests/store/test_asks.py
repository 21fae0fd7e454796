"""What is remembered of questions to price sources, beside what is remembered of feeds."""

from signals.model import FeedState
from signals.store import Store, asks, feeds

from .conftest import NOW


def test_states_are_remembered_by_what_follows_the_prefix(store: Store) -> None:
    """Only those whose name begins so, whatever characters it has; feeds are left alone."""
    first, second = FeedState(source="prices:a_b", failures=2, next_attempt_at=NOW), FeedState(source="prices:axb:c")
    with store.write() as conn:
        feeds.save(conn, FeedState(source="wire"))
        asks.replace(conn, (), [first, second])
    with store.read() as conn:
        assert asks.remembered(conn, "prices:") == {"a_b": first, "axb:c": second}
        assert asks.remembered(conn, "prices:a_") == {"b": first}
        assert asks.remembered(conn, "nobody:") == {}


def test_a_state_takes_the_place_of_the_one_before(store: Store) -> None:
    """Those to forget and those saved anew go, the others stay; nothing to do is fine."""
    with store.write() as conn:
        asks.replace(conn, (), [FeedState(source=f"prices:{name}") for name in "abc"])
        asks.replace(conn, ["prices:a", "prices:unknown"], [FeedState(source="prices:b", failures=1)])
        asks.replace(conn, (), ())
        assert {name: state.failures for name, state in asks.remembered(conn, "prices:").items()} == {"b": 1, "c": 0}
