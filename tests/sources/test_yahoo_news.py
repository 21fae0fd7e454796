"""Yahoo's news, through yfinance's own code, from a service on 127.0.0.1."""

import datetime as dt
import socket
import threading
from typing import Any

import pytest
import yfinance as yf  # type: ignore[import-untyped,unused-ignore]
from curl_cffi.requests import Response, Session
from yfinance.data import SingletonMeta, YfData  # type: ignore[import-untyped,unused-ignore]

from signals.errors import SourceError
from signals.sources import yahoo_line, yahoo_news
from signals.sources.feed import Feed, Reading

from .conftest import NOW, Yahoo, blank, clock

pytestmark = pytest.mark.asyncio

FEED = Feed(id="yahoo", kind="yahoo_news")
AT = dt.datetime(2026, 2, 13, 0, 26, tzinfo=dt.UTC)


def nested(number: int = 1, **fields: Any) -> dict[str, Any]:
    """An item as Yahoo sends them now."""
    content = {
        "id": f"id-{number}", "contentType": "STORY", "title": f"Yen rises {number}", "summary": "Dollar <b>falls</b>.",
        "pubDate": "2026-02-13T00:26:00Z", "canonicalUrl": {"url": f"https://finance.example/{number}"},
        "clickThroughUrl": None, **fields,
    }  # fmt: skip
    return {"id": f"id-{number}", "content": content}


def flat(**fields: Any) -> dict[str, Any]:
    """An item as yfinance handed them out before."""
    return {
        "uuid": "u-1", "title": "Yen rises", "publisher": "Wire", "link": "https://finance.example/old",
        "providerPublishTime": int(AT.timestamp()), "type": "STORY", **fields,
    }  # fmt: skip


async def read(yahoo: Yahoo, feed: Feed = FEED, **options: Any) -> Reading:
    """Read the service."""
    return await yahoo_news.read(feed, blank(feed), clock, new_session=yahoo.new_session, **options)


async def failure(yahoo: Yahoo, **options: Any) -> SourceError:
    """The error of a reading that must fail."""
    with pytest.raises(SourceError) as caught:
        await read(yahoo, **options)
    return caught.value


async def test_both_shapes_are_read(yahoo: Yahoo) -> None:
    """Nested and flat items give the same kind of headline."""
    yahoo.serve([nested(), flat()])
    new, old = (await read(yahoo)).headlines
    assert (new.title, new.summary, new.url) == ("Yen rises 1", "Dollar falls.", "https://finance.example/1")
    assert (old.title, old.summary, old.url) == ("Yen rises", "", "https://finance.example/old")
    assert new.source_published_at == old.source_published_at == AT
    assert new.known_at == old.known_at == NOW
    assert new.source == "yahoo"


async def test_undated_items_stay_undated(yahoo: Yahoo) -> None:
    """No date, half a date or nonsense is null: never the time of reading."""
    yahoo.serve(
        [nested(1, pubDate=None), nested(2, pubDate="2026-02-13"), nested(3, pubDate=17), flat(providerPublishTime="x")]
    )
    reading = await read(yahoo)
    assert [headline.source_published_at for headline in reading.headlines] == [None] * 4


async def test_the_address_is_the_first_that_is_one(yahoo: Yahoo) -> None:
    """The publisher's own page, else where Yahoo leads; never a script."""
    yahoo.serve(
        [
            nested(1, canonicalUrl=None, clickThroughUrl={"url": "https://finance.example/click"}),
            nested(2, canonicalUrl={"url": "javascript:alert(1)"}),
        ]
    )
    assert [headline.url for headline in (await read(yahoo)).headlines] == ["https://finance.example/click", None]


async def test_advertisements_are_left_out(yahoo: Yahoo) -> None:
    """What Yahoo marks as one is none of the news."""
    yahoo.serve([{"ad": [{"x": 1}], "content": {"title": "Buy"}}, nested()])
    assert [headline.title for headline in (await read(yahoo)).headlines] == ["Yen rises 1"]


async def test_the_rows_query_is_the_ticker(yahoo: Yahoo, monkeypatch: pytest.MonkeyPatch) -> None:
    """`query` names the ticker; without one it is the yen's."""
    asked: list[str] = []
    ticker = yf.Ticker

    def noted(name: str) -> Any:
        asked.append(name)
        return ticker(name)

    monkeypatch.setattr(yf, "Ticker", noted)
    yahoo.serve([nested()])
    await read(yahoo)
    await read(yahoo, Feed(id="yahoo", kind="yahoo_news", query="EURUSD=X"))
    assert asked == ["JPY=X", "EURUSD=X"]


async def test_each_reading_asks_again(yahoo: Yahoo) -> None:
    """yfinance keeps what it has seen for the life of the process; we do not."""
    yahoo.serve([nested(1)])
    await read(yahoo)
    yahoo.serve([nested(2)])
    assert [headline.title for headline in (await read(yahoo)).headlines] == ["Yen rises 2"]
    assert yahoo.news_requests == 2


async def test_an_empty_list_is_an_empty_answer(yahoo: Yahoo) -> None:
    """A ticker without news is said to have none."""
    yahoo.serve([])
    assert (await failure(yahoo)).reason == "empty_answer"


@pytest.mark.parametrize(
    "body",
    [
        '{"news": []}', "{}", "[]", "null", '{"data": null}', '{"data": {"tickerStream": {"items": []}}}',
        '{"data": {"tickerStream": {"stream": null}}}', '{"data": {"tickerStream": {"stream": {"a": 1}}}}',
        '{"data": {"tickerStream": {"stream": ["a"]}}}', '{"data": {"tickerStream": {"stream": [{"headline": "x"}]}}}',
        '{"data": {"tickerStream": {"stream": [{"content": {"title": 5}}]}}}',
        "<html>Sign in</html>", "", "Will be right back",
    ],
)  # fmt: skip
async def test_another_shape_is_never_no_news(yahoo: Yahoo, body: str) -> None:
    """Whatever is not a list of items that we know is an error of its own."""
    yahoo.body = body
    assert (await failure(yahoo)).reason == "other_shape"


async def test_one_odd_item_costs_only_itself(yahoo: Yahoo) -> None:
    """The others are read, and a note tells."""
    yahoo.serve([{"content": {"headline": "x"}}, nested()])
    reading = await read(yahoo)
    assert len(reading.headlines) == 1
    assert len(reading.notes) == 1


@pytest.mark.parametrize("body", ["", "{}", '{"data": {"tickerStream": {"stream": []}}}', "<html>"])
@pytest.mark.parametrize(("status", "reason"), [(429, "rate_limited"), (500, "http_500"), (404, "http_404")])
async def test_a_bad_status_is_named(yahoo: Yahoo, status: int, reason: str, body: str) -> None:
    """Whatever body comes with it: an error in JSON must not pass for an empty list."""
    yahoo.status, yahoo.body = status, body
    assert (await failure(yahoo)).reason == reason


async def test_news_under_a_bad_status_are_none(yahoo: Yahoo) -> None:
    """A list that comes with an error is not to be trusted."""
    yahoo.serve([nested()])
    yahoo.status = 500
    assert (await failure(yahoo)).reason == "http_500"


async def test_a_service_that_is_down_is_unreachable(yahoo: Yahoo) -> None:
    """Nobody listens at the port."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        yahoo.root = f"http://127.0.0.1:{unused.getsockname()[1]}"
        assert (await failure(yahoo)).reason == "unreachable"


async def test_a_service_that_is_slow_is_given_up(yahoo: Yahoo, monkeypatch: pytest.MonkeyPatch) -> None:
    """All requests together have one allowance of time."""
    released = threading.Event()
    answer = yahoo.answer

    def slow(path: str) -> tuple[int, str]:
        if "/xhr/ncp" in path:
            released.wait()
        return answer(path)

    monkeypatch.setattr(yahoo, "answer", slow)
    try:
        assert (await failure(yahoo, timeout_s=0.2)).reason == "timeout"
    finally:
        released.set()


async def test_news_come_without_a_cookie(yahoo: Yahoo, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cookie service that hangs costs one short wait, not one for each way to a cookie."""
    monkeypatch.setattr(yahoo_line, "COOKIE_S", 0.1)
    released = threading.Event()
    answer = yahoo.answer

    def stuck(path: str) -> tuple[int, str]:
        found = answer(path)
        if "/xhr/ncp" not in path:
            released.wait()
        return found

    monkeypatch.setattr(yahoo, "answer", stuck)
    yahoo.serve([nested()])
    try:
        assert len((await read(yahoo)).headlines) == 1
    finally:
        released.set()
    assert len(yahoo.paths) == 2


async def test_prices_keep_their_connection(yahoo: Yahoo) -> None:
    """yfinance shares one connection in the process: reading news must not put its own in the place of that one."""
    yahoo.serve([nested()])
    theirs: Session[Response] = Session()
    shared = YfData(session=theirs)
    try:
        await read(yahoo)
        assert YfData() is shared
        assert shared._session is theirs
    finally:
        SingletonMeta._instances.pop(YfData)
