"""Bars from Yahoo, read by yfinance's own code from a server on 127.0.0.1."""

import datetime as dt
import json
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from signals.errors import PermanentError, PriceError
from signals.market.hours import is_open
from signals.prices.budget import CONNECT_S
from signals.prices.checks import in_fx_week
from signals.prices.reading import PriceReading
from signals.prices.scale import Kept
from signals.prices.yahoo import read_yahoo
from tests.prices.conftest import NOW

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:yfinance")  # of pandas, against yfinance's code

MINUTE = dt.timedelta(minutes=1)
HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)

Read = Callable[..., PriceReading]


@pytest.fixture
def read(yahoo: Any, tmp_path: Path) -> Read:
    """Reads 1m bars of the last hour from the service, unless told otherwise."""

    def call(**options: Any) -> PriceReading:
        given: dict[str, Any] = {
            "interval": "1m", "since": yahoo.now - HOUR, "cache_dir": tmp_path / "yfinance",
            "session_factory": yahoo.session, **options,
        }  # fmt: skip
        return read_yahoo(given.pop("clock", lambda: yahoo.now), **given)

    return call


@pytest.fixture
def minutes(yahoo: Any) -> Any:
    """The service with 1m bars of the last day, the last of them not yet closed."""
    yahoo.walk(60, yahoo.now.replace(second=0) - DAY, yahoo.now.replace(second=0))
    return yahoo


def at(row: list[Any]) -> dt.datetime:
    return dt.datetime.fromtimestamp(row[0], dt.UTC)


def reason(read: Read, **options: Any) -> str:
    with pytest.raises(PriceError) as caught:
        read(**options)
    assert caught.value.where.startswith("yahoo USDJPY=X 1")
    assert "\n" not in str(caught.value)
    return caught.value.reason


def test_closed_minutes_are_read_as_they_are(minutes: Any, read: Read) -> None:
    """Each closed bar since `since` arrives with Yahoo's prices, in UTC, known at the time of receipt."""
    bars, notes = read()
    expected = [row for row in minutes.rows if minutes.now - HOUR <= at(row) and at(row) + MINUTE <= minutes.now]
    assert [[b.open_at.timestamp(), b.open, b.high, b.low, b.close] for b in bars] == expected
    assert len(bars) == 59 and notes == ()
    assert {(b.pair, b.source, b.known_at, b.close_at - b.open_at) for b in bars} == {
        ("USDJPY", "yahoo", minutes.now, MINUTE)
    }
    assert {b.open_at.tzinfo for b in bars} == {dt.UTC}


def test_a_bar_that_has_not_closed_is_left_out(minutes: Any, read: Read) -> None:
    """Neither the bar in progress nor the live quote that Yahoo appends to it becomes a bar."""
    minutes.rows.append([int(minutes.now.timestamp()), 157.0, 157.0, 157.0, 157.0])
    bars, notes = read()
    assert bars[-1].close_at == minutes.now.replace(second=0)
    assert notes == ()


def test_a_bar_that_closed_while_yahoo_answered_is_left_out(minutes: Any, read: Read) -> None:
    """What closed between the question and the receipt may lack its last ticks: it waits for the next call."""
    times = iter([minutes.now, *[minutes.now + MINUTE] * 100])
    bars, _ = read(clock=lambda: next(times))
    assert bars[-1].close_at == minutes.now.replace(second=0)
    assert bars[-1].known_at == minutes.now + MINUTE


def test_the_first_read_of_minutes_stays_within_what_yahoo_gives(yahoo: Any, read: Read) -> None:
    """With no `since`, 8 days of minutes come in requests of at most 7 days, without a bar lost or repeated."""
    yahoo.walk(60, yahoo.now.replace(second=0) - 10 * DAY, yahoo.now.replace(second=0))
    bars, _ = read(since=None)
    spans = sorted((int(query["period1"]), int(query["period2"])) for query in yahoo.charts)
    assert len(spans) == 2 and spans[0][1] == spans[1][0]
    assert all(end - start <= 7 * 86400 for start, end in spans)
    assert 0 <= spans[0][0] - (yahoo.now - 8 * DAY).timestamp() <= 600
    # The exchange's day ends at 23:59 London time: yfinance drops what opens then.
    expected = [row for row in yahoo.rows if spans[0][0] <= row[0] < yahoo.now.timestamp() - 60]
    assert [b.open_at for b in bars] == [at(row) for row in expected if f"{at(row):%H:%M}" != "23:59"]


def test_of_two_requests_one_may_fail(yahoo: Any, read: Read) -> None:
    """What the other gave is returned, with a note that names the span and the reason; both failing is an error."""
    yahoo.walk(60, yahoo.now.replace(second=0) - 10 * DAY, yahoo.now.replace(second=0))
    yahoo.broken_before = yahoo.now - 6 * DAY
    bars, notes = read(since=None)
    assert yahoo.now - 5 * DAY < bars[0].open_at and bars[-1].close_at == yahoo.now.replace(second=0)
    assert len(notes) == 1
    assert "2026-02-24T12:05Z to 2026-02-28T12:03Z failed: http_500" in notes[0]
    yahoo.broken_before = yahoo.now
    assert reason(read, since=None) == "http_500"


def test_a_span_in_the_past_is_read_to_its_end(minutes: Any, read: Read) -> None:
    """With `until`, bars that close later are asked for only to judge the last ones, and not returned."""
    base = minutes.now.replace(second=0) - 5 * HOUR
    bars, _ = read(since=base, until=base + HOUR)
    assert [bar.open_at for bar in bars] == [base + m * MINUTE for m in range(60)]
    assert int(minutes.charts[-1]["period2"]) == (base + HOUR + 5 * MINUTE).timestamp()


def test_two_years_of_hours_come_in_one_request(yahoo: Any, read: Read) -> None:
    """With no `since`, 730 days of hours come at once and through daylight saving."""
    yahoo.walk(3600, yahoo.now.replace(minute=0, second=0) - 740 * DAY, yahoo.now.replace(minute=0, second=0))
    bars, notes = read(interval="1h", since=None)
    assert len(yahoo.charts) == 1 and notes == ()
    assert 0 <= (bars[0].open_at - (yahoo.now - 730 * DAY)).total_seconds() <= 7200
    assert [b.open_at for b in bars] == [at(r) for r in yahoo.rows if bars[0].open_at <= at(r) <= yahoo.now - HOUR]
    assert all(is_open(b.open_at) and b.close_at - b.open_at == HOUR for b in bars)


def test_since_beyond_the_reach_is_cut(yahoo: Any, read: Read) -> None:
    """A gap longer than Yahoo keeps is filled as far as Yahoo goes."""
    yahoo.walk(60, yahoo.now.replace(second=0) - 9 * DAY, yahoo.now)
    bars, _ = read(since=yahoo.now - 100 * DAY)
    assert yahoo.now - 8 * DAY < bars[0].open_at < yahoo.now - 8 * DAY + HOUR


def test_while_the_market_is_closed_nothing_is_asked(yahoo: Any, read: Read) -> None:
    """At the weekend, and before the next bar closes, there is nothing to ask: no request, no error."""
    saturday = dt.datetime(2026, 3, 7, 12, 0, tzinfo=dt.UTC)
    assert read(clock=lambda: saturday, since=saturday - 6 * HOUR) == ((), ())
    assert read(since=yahoo.now - dt.timedelta(seconds=30)) == ((), ())
    sunday = dt.datetime(2026, 3, 8, 21, 59, tzinfo=dt.UTC)  # the week opened at 21:00: New York has changed its clocks
    assert read(clock=lambda: sunday, interval="1h", since=sunday - 30 * HOUR - MINUTE) == ((), ())
    assert yahoo.hits == []


def test_rows_that_are_no_prices_are_dropped_with_a_note(minutes: Any, read: Read) -> None:
    """Each bad row costs only itself; the note names the bar and the reason."""
    base = minutes.now.replace(second=0)
    minutes.set(base - 50 * MINUTE, None, None, None, None)
    minutes.set(base - 45 * MINUTE, 157.0, 157.1, None, 157.0)
    minutes.set(base - 40 * MINUTE, 157.0, 156.0, 158.0, 157.0)
    minutes.set(base - 35 * MINUTE, 0.0, 157.0, 0.0, 157.0)
    minutes.set(base - 30 * MINUTE, -157.0, 157.0, -157.0, 157.0)
    minutes.set(base - 25 * MINUTE, 157.0, 167.0, 157.0, 167.0)
    minutes.set(base - 20 * MINUTE, 1.57, 1.571, 1.569, 1.57)
    minutes.set(base - 15 * MINUTE, 15700.0, 15710.0, 15690.0, 15700.0)
    bars, notes = read()
    dropped = {base - m * MINUTE for m in (50, 45, 40, 35, 30, 25, 20, 15)}
    assert {b.open_at for b in bars} == {base - m * MINUTE for m in range(1, 60)} - dropped
    assert [note.removeprefix("yahoo USDJPY=X 1m: ").split(" (open")[0] for note in notes] == [
        "2 bars dropped, the first 2026-03-04T11:10:00Z: no price",
        "2026-03-04T11:40:00Z dropped: 100 times off",
        "2026-03-04T11:45:00Z dropped: 100 times off",
        "2026-03-04T11:20:00Z dropped: impossible prices",
        "2026-03-04T11:25:00Z dropped: impossible prices",
        "2026-03-04T11:30:00Z dropped: impossible prices",
        "2026-03-04T11:35:00Z dropped: more than 5% from its neighbours",
    ]


def test_a_bad_last_bar_is_told_by_those_before_since(minutes: Any, read: Read) -> None:
    """One new bar is judged by older ones, which are neither returned nor noted."""
    base = minutes.now.replace(second=0)
    minutes.set(base - 10 * MINUTE, 1.57, 1.57, 1.57, 1.57)
    minutes.set(base - MINUTE, 167.0, 167.0, 167.0, 167.0)
    bars, notes = read(since=base - 2 * MINUTE)
    assert [b.open_at for b in bars] == [base - 2 * MINUTE]
    assert len(notes) == 1 and "11:59:00Z dropped: more than 5%" in notes[0]


def test_rows_off_the_grid_and_outside_the_week_are_dropped(yahoo: Any, read: Read) -> None:
    """A live quote and a weekend's stale rows are no bars; each kind is one line."""
    monday = dt.datetime(2026, 3, 9, 0, 0, 30, tzinfo=dt.UTC)
    friday = dt.datetime(2026, 3, 6, 21, 0, tzinfo=dt.UTC)
    yahoo.walk(60, friday, monday)
    stale = [[int((friday + HOUR + m * MINUTE).timestamp()), 157.0, 157.0, 157.0, 157.0] for m in range(30)]
    live = [int((monday - 10 * MINUTE).timestamp()) + 7, 157.0, 157.0, 157.0, 157.0]
    yahoo.rows = sorted([*yahoo.rows, *stale, live])
    bars, notes = read(clock=lambda: monday, since=friday)
    assert all(is_open(b.open_at) and b.open_at.second == 0 for b in bars)
    assert [note.removeprefix("yahoo USDJPY=X 1m: ") for note in notes] == [
        "2026-03-08T23:50:37Z dropped: not on the grid of bars (a live quote)",
        "30 bars dropped, the first 2026-03-06T22:00:00Z: outside the FX week",
    ]


def test_the_fx_week_is_the_markets() -> None:
    """Prices and the market's clock agree on every half hour of two years."""
    times = pd.date_range("2025-01-01", "2026-12-31", freq="30min", tz="UTC")
    assert in_fx_week(times).tolist() == [is_open(time.to_pydatetime()) for time in times]


KEPT = Kept(NOW - HOUR, 157.0)


def scaled(service: Any, by: Callable[[float], float], since: dt.datetime | None = None) -> None:
    """The service speaks of another price, from then on."""
    service.rows = [
        [row[0], by(row[1]), *sorted((by(row[2]), by(row[3])), reverse=True), by(row[4])]
        if since is None or at(row) >= since
        else row
        for row in service.rows
    ]


@pytest.mark.parametrize(
    ("by", "figure"),
    [(lambda p: p / 100, "1.5"), (lambda p: p * 100, "155"), (lambda p: 1 / p, "0.0064"), (lambda p: p * 0.72, "11")],
    ids=["a hundredth", "a hundredfold", "dollar per yen", "another currency"],
)
@pytest.mark.parametrize("since", [None, NOW - HOUR / 2], ids=["all", "from now on"])
def test_another_scale_is_refused_with_both_figures(
    minutes: Any, read: Read, by: Callable[[float], float], figure: str, since: dt.datetime | None
) -> None:
    """As a whole or from some minute on: no bar is taken, and the reason names what came and what is held."""
    scaled(minutes, by, since)
    with pytest.raises(PriceError) as caught:
        read(since=NOW - HOUR / 2, again=10 * MINUTE, kept=KEPT)
    assert caught.value.reason == "other_scale"
    assert f"close at about {figure}" in caught.value.problem
    assert "the last kept close is 157 at 2026-03-04T11:00Z" in caught.value.problem


def test_what_came_before_the_scale_changed_is_kept(minutes: Any, read: Read) -> None:
    """Bars that follow from what is held are taken; the rest are one note with both figures."""
    scaled(minutes, lambda price: price * 1.2, NOW - HOUR / 2)
    bars, notes = read(kept=KEPT)
    assert NOW - 35 * MINUTE < bars[-1].close_at <= NOW - 29 * MINUTE
    assert len(notes) < 8 and "at another scale (close 18" in notes[-1] and "the last kept close is 15" in notes[-1]


def test_a_scale_that_comes_back_costs_what_lies_between(minutes: Any, read: Read) -> None:
    """After a quarter of an hour at another scale the next good bars are taken again."""
    scaled(minutes, lambda price: price * 1.2, NOW - 40 * MINUTE)
    scaled(minutes, lambda price: price / 1.2, NOW - 25 * MINUTE)
    bars, _ = read(kept=KEPT)
    assert {b.open_at for b in bars} >= {NOW.replace(second=0) - m * MINUTE for m in (*range(1, 20), *range(50, 60))}
    assert all(150 < b.close < 165 for b in bars)


def test_one_bad_minute_is_no_other_scale(minutes: Any, read: Read) -> None:
    """A single wrong bar costs itself, even as the only new one."""
    minutes.set(NOW.replace(second=0) - MINUTE, 1.57, 1.57, 1.57, 1.57)
    bars, notes = read(since=NOW.replace(second=0) - MINUTE, kept=KEPT)
    assert bars == () and len(notes) == 1 and "100 times off" in notes[0]


def test_a_price_that_moved_far_in_a_long_time_is_taken(minutes: Any, read: Read) -> None:
    """After months without service the market may be elsewhere; twice as high it is not."""
    assert len(read(kept=Kept(NOW - 90 * DAY, 125.0)).bars) == 59
    with pytest.raises(PriceError, match="the last kept close is 70"):
        read(kept=Kept(NOW - 90 * DAY, 70.0))


def test_prices_all_wrong_are_an_error(minutes: Any, read: Read) -> None:
    """With nothing held to compare, a change of scale as a whole is still not taken for a quiet market."""
    minutes.rows = [[row[0], *(price / 100 for price in row[1:])] for row in minutes.rows]
    assert reason(read) == "other_shape"


def test_rows_without_a_price_are_an_empty_answer(minutes: Any, read: Read) -> None:
    """Rows of nulls alone, while the market is open, are as good as none."""
    minutes.rows = [[row[0], None, None, None, None] for row in minutes.rows]
    assert reason(read) == "empty_answer"


def test_an_empty_answer_is_an_error(yahoo: Any, read: Read) -> None:
    """Yahoo's answer without rows, while the market is open, is never "no prices"."""
    assert reason(read) == "empty_answer"
    yahoo.body = json.dumps({"chart": {"result": [], "error": None}})
    assert reason(read) == "empty_answer"


@pytest.mark.parametrize("body", ["", "<html>Oops</html>", '{"chart":{"result":null,"error":{"description":"x"}}}'])
@pytest.mark.parametrize(("status", "expected"), [(500, "http_500"), (404, "http_404"), (429, "rate_limited")])
def test_an_http_error_is_named(minutes: Any, read: Read, status: int, expected: str, body: str) -> None:
    """Whatever its body, an HTTP error is told by its status, before and after the time zone is known."""
    minutes.status, minutes.body = status, body
    assert reason(read) == expected
    minutes.status, minutes.body = 200, None
    read()
    minutes.status, minutes.body = status, body
    assert reason(read) == expected


def test_what_yahoo_says_is_passed_on(minutes: Any, read: Read) -> None:
    """Yahoo's own words stand in the error."""
    minutes.status = 422
    minutes.body = json.dumps({"chart": {"result": None, "error": {"description": "1m data not available"}}})
    with pytest.raises(PriceError, match="HTTP 422: 1m data not available"):
        read()


def test_another_cookie_is_tried_once(minutes: Any, read: Read) -> None:
    """A refusal that a fresh cookie mends goes unnoticed; one that stays is named after the second answer."""
    minutes.refusals = 1
    assert len(read().bars) == 59
    minutes.hits.clear()
    minutes.refusals = 9
    assert reason(read) == "http_401"
    assert sum("/chart/" in path for path, _ in minutes.hits) == 2


@pytest.mark.parametrize(
    "body",
    ["<html>Sign in</html>", "Will be right back", "[]", "{}", "null", '{"finance":{"result":null}}',
     '{"chart":{"result":[{"meta":{}}],"error":null}}', '{"chart":{"result":[{"indicators":{"quote":[{"a":1}]}}],'
     '"error":null}}'],
)  # fmt: skip
def test_an_answer_of_another_shape_is_named(minutes: Any, read: Read, body: str) -> None:
    """Anything but Yahoo's chart JSON is `other_shape`, before and after the time zone is known."""
    minutes.body = body
    assert reason(read) == "other_shape"
    minutes.body = None
    read()
    minutes.body = body
    assert reason(read) == "other_shape"


def test_a_failure_is_not_remembered(minutes: Any, read: Read) -> None:
    """yfinance keeps answers for the life of the process; a bad one must not outlive its call."""
    minutes.body = "<html>"
    assert reason(read) == "other_shape"
    minutes.body = None
    assert len(read().bars) == 59


def test_refused_connections_fail_at_once(yahoo: Any, read: Read) -> None:
    """With nobody listening it is `unreachable`, after one try for a cookie and one for the prices."""
    tries: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as taken:
        yahoo.port = taken.getsockname()[1]  # free again once the block ends

    def counted() -> Any:
        session = yahoo.session()
        send = session.request

        def request(method: Any, url: str, **options: Any) -> Any:
            tries.append(url)
            return send(method, url, **options)

        session.request = request
        return session

    assert reason(read, session_factory=counted) == "unreachable"
    assert len(tries) == 2


def test_prices_come_without_a_cookie(minutes: Any, read: Read) -> None:
    """Where the cookie's host cannot be reached, prices still arrive."""

    def without_cookie() -> Any:
        session = minutes.session()
        send = session.request

        def request(method: Any, url: str, **options: Any) -> Any:
            return send(method, url if "/chart/" in url else "http://127.0.0.1:9/", **options)

        session.request = request
        return session

    assert len(read(session_factory=without_cookie).bars) == 59


def test_a_silent_server_is_given_up_in_time(minutes: Any, read: Read) -> None:
    """The whole call ends within `timeout_s`, whatever yfinance tries, as a timeout."""
    began = time.monotonic()
    minutes.silent = True
    assert (
        reason(read, timeout_s=0.5, clock=lambda: minutes.now + dt.timedelta(seconds=time.monotonic() - began))
        == "timeout"
    )
    assert time.monotonic() - began < 2


def test_once_the_time_is_used_up_nothing_is_sent(minutes: Any, read: Read) -> None:
    """A request that would begin after the end is a timeout, not one without a limit."""
    times = iter([minutes.now, minutes.now, *[minutes.now + HOUR] * 100])
    assert reason(read, clock=lambda: next(times)) == "timeout"
    assert minutes.hits == []


def test_threads_may_read_at_once(minutes: Any, read: Read) -> None:
    """Jobs run in threads, and yfinance has one session and one cache for all: each gets its bars."""
    with ThreadPoolExecutor(4) as pool:
        readings = [future.result() for future in [pool.submit(read) for _ in range(8)]]
    assert [len(reading.bars) for reading in readings] == [59] * 8


def test_a_network_that_swallows_everything_is_unreachable(yahoo: Any, read: Read) -> None:
    """Connections that never come about are `unreachable`, within the bound for each and not yfinance's 30 s."""
    began = time.monotonic()
    with socket.create_server(("127.0.0.1", 0), backlog=1) as full:
        waiting = [socket.socket() for _ in range(8)]
        for client in waiting:
            client.setblocking(False)
            client.connect_ex(full.getsockname())
        yahoo.port = full.getsockname()[1]
        assert reason(read, timeout_s=1.0) == "unreachable"
        for client in waiting:
            client.close()
    assert time.monotonic() - began < 2 * CONNECT_S


def test_the_bound_ends_with_the_call(minutes: Any, read: Read) -> None:
    """yfinance keeps the session for whoever comes next: it must not stay bounded to a time gone by."""
    session = minutes.session()
    plain = session.request
    read(session_factory=lambda: session)
    assert session.request == plain


def test_a_broken_cache_is_named(minutes: Any, read: Read, tmp_path: Path) -> None:
    """A cache file that is no database is an error that names its folder and the mend."""
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "tkr-tz.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(PermanentError) as caught:
        read(cache_dir=broken)
    assert caught.value.where == str(broken) and "tkr-tz.db" in caught.value.mend


def test_the_time_zone_is_asked_once(minutes: Any, read: Read, tmp_path: Path) -> None:
    """The cache folder is made and used: the second call asks for prices only."""
    read()
    minutes.hits.clear()
    read()
    assert (tmp_path / "yfinance" / "tkr-tz.db").exists()
    assert [path for path, _ in minutes.hits if "/chart/" in path and "getcrumb" not in path] == [
        "/query2.finance.yahoo.com/v8/finance/chart/USDJPY=X"
    ]
