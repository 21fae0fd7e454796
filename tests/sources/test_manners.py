"""When to ask again: bounds on what servers wish, patience that grows and is spread, and nothing left to chance."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signals.sources.manners import (
    GONE_S,
    MOST_BACKOFF_S,
    MOST_ORDERED_S,
    MOST_WISHED_S,
    Wishes,
    after_failure,
    after_success,
    freshness_s,
    retry_after_s,
)

NOW = dt.datetime(2026, 3, 4, 12, 30, tzinfo=dt.UTC)


def waited_s(at: dt.datetime) -> float:
    """Seconds from NOW."""
    return (at - NOW).total_seconds()


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Cache-Control": "max-age=600"}, 600),
        ({"Cache-Control": "public, max-age=600, s-maxage=60", "Age": "10"}, 50),
        ({"Cache-Control": "max-age=600", "Age": "700"}, 0),
        ({"Cache-Control": "no-cache, max-age=600"}, None),
        ({"Cache-Control": "max-age=soon"}, None),
        ({"Expires": "Wed, 04 Mar 2026 12:40:00 GMT"}, 600),
        ({"Expires": "Wed, 04 Mar 2026 12:20:00 GMT"}, 0),
        ({"Expires": "0"}, None),
    ],
)
def test_freshness_is_read_from_the_headers(headers, seconds):
    """As RFC 9111 has it; nonsense says nothing."""
    assert freshness_s(headers, NOW) == seconds


@pytest.mark.parametrize(
    ("raw", "seconds"),
    [
        ("120", 120),
        ("Wed, 04 Mar 2026 12:40:00 GMT", 600),
        ("Wed, 04 Mar 2026 12:20:00 GMT", 0),
        ("soon", None),
        ("", None),
        ("-5", None),
    ],
)
def test_retry_after_is_a_number_or_a_date(raw, seconds):
    """What is neither says nothing."""
    assert retry_after_s({"Retry-After": raw}, NOW) == seconds


@pytest.mark.parametrize(("fresh_s", "seconds"), [(None, 60), (10, 60), (600, 600), (10**6, MOST_WISHED_S)])
def test_a_wish_is_honoured_within_bounds(fresh_s, seconds):
    """The row's own interval is the least, an hour the most: a careless header must not silence a feed."""
    assert waited_s(after_success("x", 60, Wishes(fresh_s), NOW)) == seconds


def test_hours_to_skip_are_skipped():
    """The next hour allowed, near its beginning; an hour not named changes nothing."""
    at = after_success("x", 1800, Wishes(skip_hours=frozenset({13, 14})), NOW)
    assert at.hour == 15
    assert at.minute < 10
    assert waited_s(after_success("x", 1800, Wishes(skip_hours=frozenset({12, 20})), NOW)) == 1800


def test_patience_doubles_with_every_failure_up_to_an_hour():
    """With at most a tenth more, which spreads sources that fell silent together."""
    waits = [waited_s(after_failure("x", 60, failures, NOW)) for failures in range(1, 12)]
    for failures, wait in enumerate(waits, 1):
        least = min(60 * 2 ** (failures - 1), MOST_BACKOFF_S)
        assert least <= wait <= 1.1 * least
    assert len({after_failure(f"feed-{n}", 60, 3, NOW) for n in range(50)}) == 50


def test_a_slow_feed_is_not_asked_sooner_for_failing():
    """One read once a day waits its day."""
    assert waited_s(after_failure("x", 86_400, 9, NOW)) >= 86_400


def test_an_order_to_wait_is_obeyed_for_a_day_at_most():
    """Longer than our own patience: obeyed; absurd: bounded."""
    assert waited_s(after_failure("x", 60, 1, NOW, ordered_s=7200)) == 7200
    assert waited_s(after_failure("x", 60, 1, NOW, ordered_s=10**9)) == MOST_ORDERED_S
    assert waited_s(after_failure("x", 60, 1, NOW, gone=True)) == GONE_S


@given(
    st.integers(5, 10**6), st.integers(1, 10**6), st.none() | st.integers(0, 10**12),
    st.frozensets(st.integers(0, 23), max_size=23), st.none() | st.integers(0, 10**12),
)  # fmt: skip
def test_it_is_always_some_time_ahead_and_never_for_good(every_s, failures, ordered_s, hours, fresh_s):
    """Whatever a server says, a source is asked again within its own interval, or a day and its skipped hours."""
    for at in (
        after_failure("x", every_s, failures, NOW, ordered_s=ordered_s),
        after_success("x", every_s, Wishes(fresh_s, hours), NOW),
    ):
        assert NOW < at <= NOW + dt.timedelta(seconds=1.1 * every_s + 2 * MOST_ORDERED_S)
