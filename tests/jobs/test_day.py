"""A day of news from 200 feeds: repeats, corrections, items taken back, outages, a clock that is set back."""

import asyncio
import contextlib
import datetime as dt
import io
import random
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from email.utils import format_datetime
from html import escape
from typing import NamedTuple

import msgspec
import pytest
import sqlalchemy as sa
import stamina
from aiohttp import web

from jobs import logs, publish
from jobs.app import App
from jobs.catalogue import runner_for
from jobs.settings import load
from signals.research.replay import replay
from signals.sources.feed import Feed
from signals.store import archive, schema, signals, source_days
from tests.conftest import ROOT
from tests.properties.conftest import Clock

FEEDS, HOSTS, EVENTS = 200, 10, 900
START = dt.datetime(2026, 11, 4, 0, 0, tzinfo=dt.UTC)
TICK = dt.timedelta(minutes=30)
SET_BACK_AT, MENDED_AT, SET_BACK = 26, 30, dt.timedelta(minutes=40)
"""At one tick the machine's clock is set back, at another it is right again; the publishers' clocks always are."""
DOWN = {3: "http_500", 4: "http_500", 50: "unreachable", 51: "not_a_feed", 52: "empty_answer", 53: "http_404"}
"""Feeds that fail between ticks 10 and 18, and how."""
FAILS = range(10, 18)
SOURCES = ("Wire One", "FX Daily", "Kanto Press", "Macro Desk", "Bond Notes")
NAMES = (
    "Ueda", "Uchida", "Himino", "Nakagawa", "Noguchi", "Takata", "Tamura", "Koeda", "Powell", "Jefferson", "Waller",
    "Bowman", "Barr", "Cook", "Miran", "Williams", "Daly", "Goolsbee", "Musalem", "Schmid", "Logan", "Hammack",
    "Bostic", "Kashkari", "Collins", "Barkin", "Katayama", "Mimura", "Bessent", "Kihara",
)  # fmt: skip
VERBS = ("backs", "opposes", "rules out", "hints at", "questions", "defends")
THINGS = (
    "a rate hike in March", "a rate cut in June", "yen intervention", "slower bond purchases", "a weaker dollar",
    "higher Treasury yields", "new tariffs on cars", "a larger budget", "stronger wage growth", "dollar swap lines",
)  # fmt: skip


class Item(NamedTuple):
    """One item of one feed's list."""

    guid: str
    title: str
    published: dt.datetime


class Day:
    """What the publishers do: the events of the day, and each feed's list as it stands at a tick."""

    def __init__(self) -> None:
        chance = random.Random(7)
        said = [f"{name} {verb} {thing}" for name in NAMES for verb in VERBS for thing in THINGS]
        self.events = chance.sample(said, EVENTS)
        self.lists: dict[int, list[Item]] = {feed: [] for feed in range(FEEDS)}
        self.plan: dict[int, list[tuple[int, Item, str]]] = {}
        self.served: dict[tuple[int, str], str] = {}
        """Every feed and title that was handed out, in this order, and its event."""
        self.gone: set[str] = set()
        """Events whose only item is taken back."""
        for number, event in enumerate(self.events):
            self._tell(chance, number, event)

    def _tell(self, chance: random.Random, number: int, event: str) -> None:
        first = chance.randrange(0, 36)
        told_by = chance.sample(range(FEEDS), chance.choice([1, 1, 2, 5, 9, 12]))
        for order, feed in enumerate(told_by):
            tick = first + (order > 0) * chance.randrange(0, 6)
            form = chance.choice(["{}", "{} - {source}", "RPT-{}", "UPDATE 1-{}", "{} | {source}"]) if order else "{}"
            title = form.format(event, source=chance.choice(SOURCES))
            at = START + tick * TICK - dt.timedelta(minutes=chance.randrange(1, 29))
            item = Item(f"{number}", title, at)
            self.plan.setdefault(tick, []).append((feed, item, "add"))
            if len(told_by) == 1 and number % 8 == 0:
                self.plan.setdefault(tick + 3, []).append((feed, item, "take back"))
                self.gone.add(event)
            elif order == 0 and number % 9 == 0:
                self.plan.setdefault(tick + 2, []).append((feed, item, "correct"))

    def turn(self, tick: int) -> None:
        """The lists as they stand at this tick, newest first."""
        for feed, item, what in self.plan.get(tick, []):
            items = self.lists[feed]
            if what == "add":
                items.append(item)
            elif what == "take back":
                items.remove(item)
            else:
                items.remove(item)
                item = item._replace(title=f"CORRECTED-{item.title}, aide says")
                items.append(item)
            self.lists[feed] = sorted(items, key=lambda one: one.published, reverse=True)


FILLER = tuple(Item(f"old-{n}", f"Old news {n}", START - dt.timedelta(hours=50 + n)) for n in range(4))
"""Every list ends with items that are older than the day."""


def document(items: list[Item]) -> str:
    """The feed as RSS."""
    rows = "".join(
        f"<item><title>{escape(one.title)}</title><guid>{one.guid}</guid><pubDate>{format_datetime(one.published)}"
        "</pubDate></item>"
        for one in [*items, *FILLER]
    )
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>t</title>{rows}</channel></rss>'


class Server:
    """All feeds, on ports of their own for each host, in a thread."""

    def __init__(self, day: Day) -> None:
        self.day, self.tick = day, 0
        self.asked: Counter[int] = Counter()
        self._sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(HOSTS)]
        self.ports = [one.getsockname()[1] for one in self._sockets]
        self._loop = asyncio.new_event_loop()
        self._runner = web.AppRunner(self._app(), access_log=None)
        self._loop.run_until_complete(self._listen())
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def _app(self) -> web.Application:
        made = web.Application()
        made.router.add_get("/{feed}", self._answer)
        return made

    async def _listen(self) -> None:
        await self._runner.setup()
        for one in self._sockets:
            await web.SockSite(self._runner, one).start()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        feed = int(request.match_info["feed"])
        self.asked[feed] += 1
        fault = DOWN.get(feed) if self.tick in FAILS else None
        if fault == "unreachable":
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        if fault == "not_a_feed":
            return web.Response(text="<!doctype html><title>Log in</title>", content_type="text/html")
        if fault == "empty_answer":
            return web.Response(text="")
        if fault:
            return web.Response(status=int(fault[5:]))
        for one in self.day.lists[feed]:
            self.day.served.setdefault((feed, one.title), self.day.events[int(one.guid)])
        text = document(self.day.lists[feed])
        etag = f'"{hash(text)}"'
        if request.headers.get("If-None-Match") == etag:
            return web.Response(status=304)
        return web.Response(text=text, content_type="application/rss+xml", headers={"ETag": etag})

    def close(self) -> None:
        """Stop listening."""
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class Lived(NamedTuple):
    """The day as it was lived through."""

    app: App
    day: Day
    server: Server
    notes: list[str]


@pytest.fixture(scope="module")
def lived(tmp_path_factory) -> Iterator[Lived]:
    """The whole day, run once."""
    day, clock = Day(), Clock(START)
    server = Server(day)
    environ = {"SIGNALS_HOME": str(tmp_path_factory.mktemp("home")), "SIGNALS_BROKER_PORT": "0"}
    settings = load(ROOT / "config" / "signals.toml", environ)
    feeds = tuple(
        Feed(
            id=f"feed-{n:03}",
            kind="rss",
            url=f"http://127.0.0.1:{server.ports[n % HOSTS]}/{n}",
            every_s=1800,
            allow_private=True,
        )
        for n in range(FEEDS)
    )
    app = App(msgspec.structs.replace(settings, feeds=feeds), clock)
    logs.configure(settings.home, stream=io.StringIO())
    stamina.set_testing(True, attempts=2)  # without the pauses between attempts
    notes: list[str] = []
    try:
        runner = runner_for(app)
        for tick in range(48):
            server.tick = tick
            day.turn(tick)
            notes += runner.run("ingest", "manual" if tick in FAILS else "schedule").notes
            assert runner.run("publish", "chain").outcome == "ok"
            clock.forward(seconds=TICK.total_seconds())
            if tick == SET_BACK_AT:
                clock.forward(seconds=-SET_BACK.total_seconds())
            elif tick == MENDED_AT:
                clock.forward(seconds=SET_BACK.total_seconds())
        yield Lived(app, day, server, notes)
    finally:
        stamina.set_testing(False)
        app.close()
        server.close()


def rows(lived: Lived, query: sa.Select) -> list[sa.Row]:
    """What the store answers."""
    with lived.app.store.read() as conn:
        return list(conn.execute(query))


pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
H, S = schema.headlines, schema.signals


def test_every_headline_is_stored_once(lived: Lived) -> None:
    """Whatever was listed at any time, through outages and the clock: stored, and no more than once."""
    kept = Counter((int(r.source[5:]), r.title) for r in rows(lived, sa.select(H.c.source, H.c.title)))
    assert len(kept) > 5000
    assert {key for key in kept if not key[1].startswith("Old news")} == set(lived.day.served)
    assert set(kept.values()) == {1}


def test_every_story_is_told_once(lived: Lived) -> None:
    """All tellings of an event are one story with one signal that begins it, and no story holds two events."""
    event_of = lived.day.served
    stories: dict[str, set[str]] = {}
    for row in rows(lived, sa.select(H.c.source, H.c.title, H.c.story_id)):
        if not row.title.startswith("Old news"):
            stories.setdefault(event_of[int(row.source[5:]), row.title], set()).add(row.story_id)
    assert len(stories) == len(set(event_of.values()))
    torn = {event: ids for event, ids in stories.items() if len(ids) > 1}
    assert torn == {}
    merged = [ids for ids, count in Counter(next(iter(ids)) for ids in stories.values()).items() if count > 1]
    assert merged == []
    begun = Counter(r.story_id for r in rows(lived, sa.select(S.c.story_id, S.c.data)) if r.data["action"] == "created")
    assert set(begun.values()) == {1}


def test_corrections_supersede_and_what_is_taken_back_is_retracted(lived: Lived) -> None:
    """Each correction of a told headline is an update; each vanished one's signal falls, and no other."""
    told = rows(lived, sa.select(S.c.title, S.c.data, S.c.retracted_at))
    before = {f"CORRECTED-{row.title}, aide says" for row in told}
    corrected = [row for row in told if row.title in before]
    assert len(corrected) > 20
    assert all(row.data["action"] == "updated" and row.data["supersedes"] for row in corrected)
    fallen = {row.title for row in told if row.retracted_at}
    assert fallen
    assert fallen <= lived.day.gone
    # While the clock is behind, dates lie in the future and are not believed: a gap in the list then tells nothing.
    dated = {row.title for row in told if row.data["source_published_at"]} & lived.day.gone
    assert fallen == dated
    assert len(dated) > 15


def test_the_log_has_no_gap_and_replay_gives_the_same_bytes(lived: Lived) -> None:
    """Through a clock that was set back in the middle of the day."""
    with lived.app.store.read() as conn:
        out = signals.tail(conn, after_seq=0, limit=100_000)
        epoch, last_seq = signals.channel_state(conn, "USDJPY")
        steps = list(archive.steps(conn))
    with contextlib.closing(lived.app.redis()) as client:
        logged = [fields[b"event"] for _, fields in client.xrange("signals:{usdjpy}:log")]
    assert [row.seq for row in out] == list(range(1, last_seq + 1))
    assert logged == [row.event for row in out]
    assert epoch is not None
    again = replay(
        steps, [], scorer=lived.app.scorer, policy=lived.app.settings.policy, events=lived.app.settings.events
    )
    assert [publish.encode(at, told, epoch, n).event for n, (at, told, _) in enumerate(again, 1)] == logged


def test_the_clock_is_told_of(lived: Lived) -> None:
    """That it was set back is on record, with what follows from it."""
    assert any(note.startswith("clock: ") and "s behind the newest headline" in note for note in lived.notes)


def test_the_report_says_what_each_source_did(lived: Lived) -> None:
    """How often it was asked is what its server counted; outages are named by their reason."""
    with lived.app.store.read() as conn:
        days = source_days.of_day(conn, START.date())
    of = {int(day.source[5:]): day for day in days}
    assert len(of) == FEEDS
    assert sum(day.new for day in days) == rows(lived, sa.select(sa.func.count()).select_from(H))[0][0]
    for feed, day in of.items():
        if feed in DOWN:
            assert set(day.failures) == {DOWN[feed]}
            assert day.failed == sum(day.failures.values()) >= 2
        else:
            assert (day.failed, day.failures) == (0, {})
            assert day.asked == lived.server.asked[feed]
