"""The job `prices` over a long time: the real store, yfinance's own code, Yahoo on 127.0.0.1, a clock set by hand."""

import datetime as dt
import functools
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from jobs import logs
from jobs.app import App
from jobs.prices import prices
from jobs.runner import Runner, Trigger
from jobs.settings import load
from signals.market.bars import BarTable
from signals.model import Bar, JobRun
from signals.prices.holes import TRIES
from signals.store import bars
from tests.conftest import ROOT
from tests.prices.conftest import Ecb, Yahoo, ecb_server, fresh_yfinance, yahoo  # noqa: F401 - fixtures
from tests.properties.conftest import Clock

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:yfinance")  # of pandas, against yfinance's code

MINUTE = dt.timedelta(minutes=1)
HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)
NOON = dt.datetime(2026, 3, 4, 12, 0, 30, tzinfo=dt.UTC)
"""A Wednesday, half a minute into a bar."""
FRIDAY_CLOSE = dt.datetime(2026, 3, 6, 22, 0, tzinfo=dt.UTC)


class Desk:
    """A home whose job runs when told to."""

    def __init__(self, app: App, clock: Clock, service: Yahoo, reference: Ecb) -> None:
        self.app, self.clock, self.yahoo, self.ecb = app, clock, service, reference
        body = functools.partial(prices, app, session=service.session)
        self._runner = Runner({"prices": (body, 60)}, app.store, clock)

    def run(self, at: dt.datetime | None = None, trigger: Trigger = "schedule") -> JobRun:
        self.clock.at = at or self.clock.at
        return self._runner.run("prices", trigger)

    def kept(self, length_s: int = 60) -> list[Bar]:
        """Every version of these bars, by when it opened and was learned."""
        with self.app.store.read() as conn:
            found = bars.closed_within(conn, [(NOON - 999 * DAY, NOON + 999 * DAY)], min_length_s=length_s - 1)
        wanted = [bar for bar in found if (bar.close_at - bar.open_at).total_seconds() == length_s]
        return sorted(wanted, key=lambda bar: (bar.open_at, bar.known_at))

    def asked(self, interval: str = "1m") -> int:
        """How often Yahoo was asked for these bars since last time, or at all while it says no to everything."""
        charts = [query for path, query in self.yahoo.hits if "/chart/" in path]
        self.yahoo.hits.clear()
        return sum(query.get("interval") in (interval, "1d") for query in charts)


@pytest.fixture
def clock() -> Clock:
    return Clock(NOON)


@pytest.fixture
def desk(tmp_path: Path, clock: Clock, yahoo: Yahoo, ecb_server: Ecb) -> Iterator[Desk]:  # noqa: F811 - fixtures
    rates = tmp_path / "rates.csv"
    rates.write_text("date,usdjpy\n2026-03-02,157.1\n2026-03-03,157.0\n")
    environ = {"SIGNALS_HOME": str(tmp_path / "home"), "SIGNALS__PRICES__REFERENCE_URL": ecb_server.url}
    settings = load(ROOT / "config" / "signals.toml", environ)
    settings = msgspec.structs.replace(settings, feeds=(), seeds=msgspec.structs.replace(settings.seeds, prices=rates))
    logs.configure(settings.home, stream=io.StringIO())
    app = App(settings, clock)
    yield Desk(app, clock, yahoo, ecb_server)
    app.close()


@pytest.fixture
def minutes(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Callable[[dt.timedelta, dt.timedelta], Desk]:
    """Yahoo with minutes from so long before noon to so long after; hours are left out, to be quick."""
    monkeypatch.setattr("jobs.prices.INTERVALS", ("1m",))

    def walked(before: dt.timedelta, after: dt.timedelta) -> Desk:
        desk.yahoo.walk(60, NOON.replace(second=0) - before, NOON.replace(second=0) + after)
        return desk

    return walked


def opened(found: list[Bar]) -> list[dt.datetime]:
    return [bar.open_at for bar in found]


def about(run: JobRun, word: str) -> list[str]:
    return [note for note in run.notes if word in note]


def test_a_first_run_goes_back_as_far_as_yahoo_answers_and_the_next_goes_on(minutes: Any) -> None:
    """8 days of minutes; then only what closed since; nothing is a hole."""
    desk = minutes(9 * DAY, DAY)
    first = desk.run()
    assert first.counts["failed"] == 0 and first.counts["holes"] == 0
    assert NOON - 8 * DAY <= desk.kept()[0].open_at <= NOON - 8 * DAY + 6 * MINUTE
    second = desk.run(NOON + 3 * MINUTE)
    assert desk.kept()[-1].close_at == (NOON + 3 * MINUTE).replace(second=0)
    assert second.counts["new"] == 3
    assert opened(desk.kept()) == sorted(set(opened(desk.kept())))


def test_after_a_night_without_service_the_gap_is_filled(minutes: Any) -> None:
    """The first run afterwards goes on from the last bar held."""
    desk = minutes(9 * DAY, DAY)
    desk.run()
    run = desk.run(NOON + 10 * HOUR)
    assert run.counts["new"] == 600 and run.counts["filled"] == 0
    assert desk.kept()[-1].close_at == (NOON + 10 * HOUR).replace(second=0)


def test_a_hole_is_found_and_filled_once_yahoo_has_it(minutes: Any) -> None:
    """A partial answer leaves a hole; it is asked for at once and again later, and its filling is on record."""
    desk = minutes(2 * HOUR, DAY)
    lost = desk.yahoo.hide(NOON.replace(second=0) - HOUR, NOON.replace(second=0) - 31 * MINUTE)
    desk.run(NOON)
    found = desk.run(NOON + MINUTE)
    assert found.counts["holes"] >= 1
    span = "hole 2026-03-04T11:00Z to 2026-03-04T11:30Z, 30 bars"
    assert span not in " ".join(found.notes)  # asked for already, in the run before
    desk.yahoo.rows = sorted([*desk.yahoo.rows, *lost])
    assert not about(desk.run(NOON + 5 * MINUTE), span)
    filled = desk.run(NOON + 11 * MINUTE)
    assert about(filled, f"{span}: filled")
    assert filled.counts["filled"] == 30 and filled.outcome == "partial"
    assert set(opened(desk.kept())) >= {NOON.replace(second=0) - m * MINUTE for m in range(31, 61)}


def test_lone_minutes_between_holes_are_filled_with_them(minutes: Any) -> None:
    """What an answer has beside the holes it was asked for is kept where it is missing; what is held stays."""
    desk = minutes(9 * DAY, DAY)
    base = NOON.replace(second=0) - HOUR
    lost = desk.yahoo.hide(base, base + 9 * MINUTE) + desk.yahoo.hide(base + 30 * MINUTE, base + 39 * MINUTE)
    lost += desk.yahoo.hide(base + 20 * MINUTE, base + 20 * MINUTE)
    desk.run(NOON)
    desk.yahoo.rows = sorted([*desk.yahoo.rows, *lost])
    run = desk.run(NOON + 10 * MINUTE)
    assert (run.counts["filled"], run.counts["holes"]) == (21, 0)


def test_a_few_quiet_minutes_are_counted_and_not_told(minutes: Any) -> None:
    """They are asked for like any hole, but do not make a run partial."""
    desk = minutes(9 * DAY, DAY)
    quiet = NOON.replace(second=0) - HOUR
    lost = desk.yahoo.hide(quiet, quiet + 4 * MINUTE)
    first = desk.run(NOON)
    assert (first.counts["holes"], first.outcome) == (1, "ok")
    desk.yahoo.rows = sorted([*desk.yahoo.rows, *lost])
    then = desk.run(NOON + 10 * MINUTE)
    assert (then.counts["holes"], then.counts["filled"], then.outcome) == (0, 5, "ok")


def test_a_hole_that_stays_is_given_up(minutes: Any) -> None:
    """It is asked for a bounded number of times, told each time, then left as it is and still counted."""
    desk = minutes(9 * DAY, 3 * DAY)
    desk.yahoo.hide(NOON.replace(second=0) - HOUR, NOON.replace(second=0) - 31 * MINUTE)
    told = []
    for minutes_later in (0, 1, 9, 10, 11, 40, 70, 71, 200, 430, 431, 900, 1440, 1870, 2500):
        told += about(last := desk.run(NOON + minutes_later * MINUTE), "hole")
    assert [note.partition(": hole ")[2] for note in told] == [
        f"2026-03-04T11:00Z to 2026-03-04T11:30Z, 30 bars: 30 still missing after {n} of {TRIES} tries"
        for n in range(1, TRIES + 1)
    ]
    assert last.counts["holes"] == 1


def test_the_part_that_failed_is_asked_for_again(minutes: Any) -> None:
    """Of the two requests of a first run one fails: the other's bars are kept, and the rest comes later."""
    desk = minutes(9 * DAY, DAY)
    desk.yahoo.broken_before = NOON - 5 * DAY
    first = desk.run()
    assert about(first, "failed: http_500") and about(first, "still missing after 1 of")
    assert desk.kept()[0].open_at > NOON - 5 * DAY
    desk.yahoo.broken_before = None
    second = desk.run(NOON + 11 * MINUTE)
    assert about(second, ": filled") and second.counts["holes"] == 0
    assert desk.kept()[0].open_at < NOON - 7 * DAY - 23 * HOUR


def test_at_the_weekend_yahoo_is_left_in_peace(minutes: Any) -> None:
    """After the close: once more when the last bars have settled, the missing end a few times, then nothing."""
    desk = minutes(HOUR, 6 * DAY)
    desk.yahoo.hide(FRIDAY_CLOSE - 4 * MINUTE, FRIDAY_CLOSE)
    desk.run(FRIDAY_CLOSE - 20 * MINUTE)
    desk.run(FRIDAY_CLOSE + MINUTE)
    desk.asked()
    for hours in range(1, 46):
        desk.run(FRIDAY_CLOSE + hours * HOUR)
    assert desk.asked() <= 3 * TRIES + 1
    desk.run(FRIDAY_CLOSE + 47 * HOUR + 5 * MINUTE)  # New York has changed its clocks: the week opens at 21:00
    assert desk.kept()[-1].close_at == FRIDAY_CLOSE + 47 * HOUR + 5 * MINUTE


def test_a_change_of_clocks_makes_no_hole(desk: Desk) -> None:
    """The Sunday on which New York goes to summer time has its own opening hour."""
    monday = dt.datetime(2026, 3, 9, 9, 0, 30, tzinfo=dt.UTC)
    desk.yahoo.walk(3600, monday.replace(second=0) - 740 * DAY, monday.replace(second=0))
    run = desk.run(monday)
    assert not about(run, "yahoo 1h") and len(desk.kept(3600)) > 12_000


def test_christmas_is_not_asked_for_again(desk: Desk) -> None:
    """Yahoo has nothing on the day: neither a hole nor a note of one."""
    christmas = dt.datetime(2025, 12, 24, 22, 0, tzinfo=dt.UTC)
    desk.yahoo.walk(60, christmas - DAY, christmas + 3 * DAY)
    desk.yahoo.hide(christmas, christmas + DAY - MINUTE)
    desk.run(christmas - HOUR)
    run = desk.run(christmas + 26 * HOUR)
    assert not about(run, "2025-12-25")


def test_a_bar_that_changes_after_its_close_is_a_version(minutes: Any) -> None:
    """It is read again for ten minutes: the old version stays, the new one is known from when it was read."""
    desk = minutes(HOUR, HOUR)
    desk.run(NOON)
    opens = NOON.replace(second=0) - MINUTE
    changed = [157.0, 157.5, 156.5, 157.2]
    desk.yahoo.set(opens, *changed)
    desk.run(NOON + MINUTE)
    first, second = [bar for bar in desk.kept() if bar.open_at == opens]
    assert [second.open, second.high, second.low, second.close] == changed != [first.open, first.high, first.low, 0]
    assert (first.known_at, second.known_at) == (NOON, NOON + MINUTE)
    desk.run(NOON + 2 * MINUTE)
    assert len([bar for bar in desk.kept() if bar.open_at == opens]) == 2


def test_no_bar_is_taken_before_it_has_closed(minutes: Any) -> None:
    """Yahoo always shows the bar that is still going on: whatever the second, it is not kept."""
    desk = minutes(HOUR, HOUR)
    for seconds in (29, 30, 59, 89, 90, 91):
        at = NOON + dt.timedelta(seconds=seconds)
        desk.run(at)
        assert desk.kept()[-1].close_at == at.replace(second=0)
    assert all(bar.close_at <= bar.known_at for bar in desk.kept())


def test_an_hour_is_read_again_once_it_has_settled(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two questions an hour: as it closes and ten minutes later, when what changed becomes a version."""
    monkeypatch.setattr("jobs.prices.INTERVALS", ("1h",))
    desk.yahoo.walk(3600, NOON.replace(second=0) - 30 * DAY, NOON.replace(second=0) + DAY)
    desk.run(NOON)
    desk.asked()
    one = NOON + HOUR
    desk.run(one)
    desk.yahoo.set(NOON.replace(second=0), 157.0, 157.5, 156.5, 157.2)
    for m in range(1, 60):
        desk.run(one + m * MINUTE)
    assert (
        sum(query["interval"] == "1h" and int(query["period2"]) >= one.timestamp() for query in desk.yahoo.charts) == 2
    )
    assert [bar.close for bar in desk.kept(3600) if bar.open_at == NOON.replace(second=0)][1:] == [157.2]


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [(200, '{"chart":{"result":[],"error":null}}', "empty_answer"), (500, "", "http_500"), (429, "", "rate_limited"),
     (200, "<html>", "other_shape")],
)  # fmt: skip
def test_a_failure_has_a_name_and_is_followed_by_patience(minutes: Any, status: int, body: str, reason: str) -> None:
    """It is told, the reference stands, and Yahoo is asked ever less; the first answer brings all that was missed."""
    desk = minutes(9 * DAY, DAY)
    desk.run(NOON)
    desk.yahoo.status, desk.yahoo.body = status, body
    desk.asked()
    asked = 0
    for m in range(1, 61):
        run = desk.run(NOON + m * MINUTE)
        asked += bool(desk.asked())
        assert about(run, reason) and run.outcome == "partial"
    assert 3 <= asked <= 14
    desk.yahoo.status, desk.yahoo.body = 200, None
    well = desk.run(NOON + 4 * HOUR)
    assert not about(well, "yahoo 1m") and desk.kept()[-1].close_at == (NOON + 4 * HOUR).replace(second=0)


def test_a_person_may_ask_at_once_but_not_against_a_429(minutes: Any) -> None:
    """A run by hand passes over our own patience, not over Yahoo's wish for fewer requests."""
    desk = minutes(HOUR, DAY)
    desk.yahoo.status = 500
    desk.run(NOON)
    desk.asked()
    desk.run(NOON + MINUTE / 2, trigger="manual")
    assert desk.asked()
    desk.yahoo.status = 429
    desk.run(NOON + MINUTE, trigger="manual")
    desk.asked()
    desk.run(NOON + 2 * MINUTE, trigger="manual")
    assert not desk.asked()


def test_a_changed_scale_is_told_and_never_stored(minutes: Any) -> None:
    """From some minute on Yahoo speaks of another price: refused for days, and taken again once it is back."""
    desk = minutes(9 * DAY, 2 * DAY)
    desk.run(NOON)
    sound = [list(row) for row in desk.yahoo.rows]
    desk.yahoo.rows = [
        [row[0], *(price * 0.72 for price in row[1:])] if row[0] > NOON.timestamp() else row for row in desk.yahoo.rows
    ]
    for hours, word in ((1, "at another scale"), (6, "other_scale"), (24, "other_scale")):
        run = desk.run(NOON + hours * HOUR)  # the first has a good minute yet
        assert about(run, word) and "the last kept close is 15" in " ".join(run.notes)
    assert min(bar.close for bar in desk.kept()) > 140
    desk.yahoo.rows = sound
    assert desk.run(NOON + 30 * HOUR).counts["failed"] == 0
    assert desk.kept()[-1].close_at == (NOON + 30 * HOUR).replace(second=0)


def reference(desk: Desk) -> list[tuple[str, float]]:
    with desk.app.store.read() as conn:
        found = bars.closed_within(conn, [(NOON - 99 * DAY, NOON + 99 * DAY)], max_length_s=0)
    return sorted((f"{bar.close_at:%m-%d}", bar.close) for bar in found)


AFTER = dt.datetime(2026, 3, 4, 15, 30, tzinfo=dt.UTC)
"""Half an hour after publication."""


def test_while_yahoo_fails_the_reference_is_kept_current(minutes: Any) -> None:
    """The ECB is asked in the same run, once for each day's rates; what comes is joined as stale."""
    desk = minutes(9 * DAY, 2 * DAY)
    desk.ecb.rates = {"2026-03-04": ("1.0800", "169.56"), "2026-03-03": ("1.0000", "157.0")}
    desk.yahoo.status = 500
    for m in range(30):
        run = desk.run(AFTER + m * MINUTE)
        assert about(run, "http_500")
    assert reference(desk) == [("03-02", 157.1), ("03-03", 157.0), ("03-04", 157.0)]
    assert desk.ecb.hits == 1 and not about(run, "ecb")
    table = BarTable(joinable(desk), desk.clock.at)
    context = table.context(desk.clock.at, 900)
    assert (context.ref_source, context.ref_price, context.stale) == ("ecb", 157.0, True)


def joinable(desk: Desk) -> list[Bar]:
    with desk.app.store.read() as conn:
        return bars.closed_within(conn, [(NOON - 99 * DAY, NOON + 99 * DAY)])


def test_while_yahoo_answers_the_ecb_is_not_asked(minutes: Any) -> None:
    """Nobody is asked for what is not needed."""
    desk = minutes(9 * DAY, 2 * DAY)
    desk.run(AFTER)
    assert desk.ecb.hits == 0


def test_with_yahoo_disabled_the_reference_is_all(desk: Desk) -> None:
    """Nothing is asked of Yahoo; the run is ok, and without an address nobody is asked at all."""
    desk.ecb.rates = {"2026-03-04": ("1.0800", "169.56")}
    for url, hits in (("", 0), (desk.ecb.url, 1)):
        rows = msgspec.structs.replace(desk.app.settings.prices, enabled=False, reference_url=url)
        desk.app.settings = msgspec.structs.replace(desk.app.settings, prices=rows)
        run = desk.run(AFTER)
        assert (run.outcome, desk.yahoo.hits, desk.ecb.hits) == ("ok", [], hits)
    assert reference(desk)[-1] == ("03-04", 157.0)


def test_an_ecb_that_fails_is_told_and_asked_ever_less(desk: Desk) -> None:
    """Its reason stands in every run; a late rate on a bank holiday is asked for once an hour."""
    rows = msgspec.structs.replace(desk.app.settings.prices, enabled=False)
    desk.app.settings = msgspec.structs.replace(desk.app.settings, prices=rows)
    desk.ecb.status = 503
    for m in range(60):
        assert about(desk.run(AFTER + m * MINUTE), "http_503")
    assert 3 <= desk.ecb.hits <= 8
    desk.ecb.status, desk.ecb.hits = 200, 0
    desk.ecb.rates = {"2026-03-03": ("1.0000", "157.0")}
    for m in range(0, 240, 5):
        run = desk.run(AFTER + HOUR + HOUR / 2 + m * MINUTE)
    assert run.outcome == "ok" and desk.ecb.hits == 4
