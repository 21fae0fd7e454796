"""Manners of a feed: what it wishes in its document, where it has moved, and what it hears of us."""

import datetime as dt
from random import Random

import aiohttp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signals import sources
from signals.errors import ConfigError
from signals.model import FeedState
from signals.sources import rss
from signals.sources.fetch import fetch
from signals.sources.guard import USER_AGENT, open_session, user_agent
from signals.sources.manners import Wishes, after_success, document_wishes

from .conftest import Site, blank, clock, rss_feed
from .hostile.cases import read
from .hostile.damage import spoil

FRIDAY = dt.datetime(2026, 3, 6, 22, 30, tzinfo=dt.UTC)
WEEKEND = frozenset({5, 6})
FEED = "<rss version='2.0'><channel>{}<item><title>Yen rises</title></item></channel></rss>"


def skipping(*days: str) -> str:
    """A channel's element that names days."""
    return f"<skipDays>{''.join(f'<day>{day}</day>' for day in days)}</skipDays>"


def test_days_to_skip_are_skipped() -> None:
    """From Friday night to Monday morning, near its beginning; a day not named changes nothing."""
    at = after_success("x", 7200, Wishes(skip_days=WEEKEND), FRIDAY)
    assert dt.datetime(2026, 3, 9, tzinfo=dt.UTC) <= at < dt.datetime(2026, 3, 9, 0, 10, tzinfo=dt.UTC)
    assert after_success("x", 3600, Wishes(skip_days=WEEKEND), FRIDAY) == FRIDAY + dt.timedelta(hours=1)


def test_hours_of_the_day_after_are_skipped_too() -> None:
    """After skipped days the skipped hours still count, and a skipped hour may lead into a skipped day."""
    both = Wishes(skip_hours=frozenset({0, 1, 23}), skip_days=WEEKEND)
    at = after_success("x", 1800, both, FRIDAY)  # 23:00 on Friday
    assert (at.weekday(), at.hour) == (0, 2)


@given(
    st.frozensets(st.integers(0, 6), max_size=6), st.frozensets(st.integers(0, 23), max_size=23), st.integers(5, 10**6)
)
def test_a_source_is_asked_in_an_allowed_hour_within_its_week(
    days: frozenset[int], hours: frozenset[int], every_s: int
) -> None:
    """Whatever is skipped, the time is allowed, not before the interval, and at most a week and a day after it."""
    at = after_success("x", every_s, Wishes(None, hours, days), FRIDAY)
    due = FRIDAY + dt.timedelta(seconds=every_s)
    assert at.weekday() not in days
    assert at.hour not in hours
    assert due <= at <= due + dt.timedelta(days=8)


@pytest.mark.parametrize(
    ("channel", "wishes"),
    [
        (skipping("Saturday", "sunday"), Wishes(None, frozenset(), WEEKEND)),
        (f"<ttl>60</ttl><skipHours><hour>0</hour><hour> 24 </hour><hour>7</hour></skipHours>{skipping('Monday')}",
         Wishes(3600, frozenset({0, 7}), frozenset({0}))),
        (skipping("Caturday", "sun", "", "Sunday!"), Wishes()),
        (skipping("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"), Wishes()),
        ("<day>Sunday</day><hour>3</hour>", Wishes()),
        ("<skipDays><day>Sunday</day>", Wishes(None, frozenset(), frozenset({6}))),
        ("<ttl>99999999999</ttl>", Wishes()),
    ],
)  # fmt: skip
def test_wishes_are_read_from_the_channel(channel: str, wishes: Wishes) -> None:
    """Days by their English names, hours and minutes as numbers; nonsense says nothing, all seven days neither."""
    assert read(FEED.format(channel).encode(), "").wishes == wishes
    assert read(FEED.format(channel).encode("utf-16"), "").wishes == wishes


def test_an_item_wishes_nothing() -> None:
    """What stands in an item is the item's."""
    body = FEED.format("").replace("<title>", f"<ttl>60</ttl>{skipping('Sunday')}<title>")
    assert read(body.encode(), "").wishes == Wishes()


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(st.randoms(use_true_random=False), st.none() | st.integers(0, 10**12))
def test_any_channel_wishes_something_possible(chance: Random, fresh_s: int | None) -> None:
    """Whatever stands there, the next time can be told."""
    channel = spoil(chance, f"<ttl>60</ttl><skipHours><hour>3</hour></skipHours>{skipping('Sunday')}")
    wishes = document_wishes(channel, fresh_s)
    assert after_success("x", 60, wishes, FRIDAY) > FRIDAY


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("statuses", "moved_to"),
    [
        ((301,), "/1"),
        ((308,), "/1"),
        ((302,), None),
        ((307,), None),
        ((301, 302), "/1"),
        ((301, 308), "/2"),
        ((302, 301), None),
    ],
)
async def test_a_feed_that_has_moved_for_good_is_told(
    site: Site, session: aiohttp.ClientSession, statuses: tuple[int, ...], moved_to: str | None
) -> None:
    """The address after the last permanent redirect from the row's own on; what a temporary one leads to is not."""
    for step, status in enumerate(statuses):
        site.put(f"/{step}", status=status, Location=f"/{step + 1}")
    site.put(f"/{len(statuses)}", FEED.format(""))
    feed = rss_feed(site.url("/0"))
    reading = await sources.read(feed, blank(feed), clock, session)
    told = [f"wire: has moved for good to {site.url(moved_to)}: change the row"] if moved_to else []
    assert list(reading.notes) == told
    assert len(reading.headlines) == 1


@pytest.mark.asyncio
async def test_a_move_is_told_when_nothing_is_new_and_without_secrets(
    site: Site, session: aiohttp.ClientSession
) -> None:
    """A 304 behind the redirect says it too; a key in the new address is not written into the notes."""
    site.put("/old", status=301, Location="/new?apikey=S3CRET&q=1")
    site.put("/new", status=304)
    feed = rss_feed(site.url("/old"))
    reading = await rss.read(feed, FeedState(source="wire", etag='"v1"'), clock, session)
    assert reading.unchanged
    assert len(reading.notes) == 1
    assert "q=1" in reading.notes[0]
    assert "S3CRET" not in reading.notes[0]


@pytest.mark.asyncio
async def test_servers_hear_who_asks_and_whom_to_tell(site: Site) -> None:
    """The name, what we do, and the contact where one is given; each redirect's server hears it."""
    site.put("/old", status=302, Location="/new")
    site.put("/new", FEED.format(""))
    for contact, expected in (
        ("", "usdjpy-signals/0.1 (news reader for USD/JPY)"),
        ("mailto:ops@desk.example", "usdjpy-signals/0.1 (news reader for USD/JPY; +mailto:ops@desk.example)"),
    ):
        async with open_session(proxies={}, contact=contact) as session:
            feed = rss_feed(site.url("/old"))
            await fetch(session, feed, blank(feed), clock)
        assert {request.headers["User-Agent"] for request in site.requests[-2:]} == {expected}
    assert user_agent("") == USER_AGENT


@pytest.mark.parametrize("contact", ["a b", "x)", "ops@desk.example\r\nCookie: 1", "連絡先", "x" * 500, "()"])
def test_a_contact_that_cannot_stand_in_a_header_is_refused(contact: str) -> None:
    """It names the value and the mend, and starts no header of its own."""
    with pytest.raises(ConfigError, match="contact"):
        user_agent(contact)
