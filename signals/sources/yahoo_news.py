"""News that Yahoo Finance shows for a ticker, through yfinance."""

import asyncio
import datetime as dt
import functools
import json
import threading
from collections.abc import Callable, Mapping
from typing import Any

import yfinance as yf  # type: ignore[import-untyped,unused-ignore]
from curl_cffi.requests import Response, Session
from curl_cffi.requests.exceptions import RequestException
from yfinance.data import YfData  # type: ignore[import-untyped,unused-ignore]
from yfinance.exceptions import YFException  # type: ignore[import-untyped,unused-ignore]

from signals.errors import SourceError
from signals.model import FeedState
from signals.sources.dates import from_epoch, parse_date
from signals.sources.feed import Clock, Feed, Reading
from signals.sources.items import Item, headlines, shorten, web_url
from signals.sources.yahoo_line import Line

SessionFactory = Callable[[], Session[Response]]

TICKER = "JPY=X"
COUNT = 50
TIMEOUT_S = 10.0

_ONE_AT_A_TIME = threading.Lock()
"""The session, its cookie and its crumb are one for all feeds of this kind."""
_FOREIGN = (YFException, LookupError, TypeError, ValueError, AttributeError)
"""What yfinance raises where Yahoo's answer is not the JSON that it expects."""
_NEWER = "has Yahoo changed? look for a newer yfinance"


async def read(
    feed: Feed,
    state: FeedState,
    clock: Clock,
    session: object = None,
    *,
    new_session: SessionFactory | None = None,
    timeout_s: float = TIMEOUT_S,
) -> Reading:
    """The news shown for `feed.query` (default `JPY=X`), newest first as Yahoo gives them.

    Both shapes that yfinance has handed out are read. An item without a date is undated, never dated now.

    Parameters
    ----------
    clock : gives the UTC time now; it also times the requests.
    session : not used; sources are all called alike.
    new_session : makes the HTTP session; null: one that looks like a browser, kept by the process.
    timeout_s : seconds for all requests together.

    Raises
    ------
    SourceError : `reason` is timeout, unreachable, rate_limited, http_<status>, empty_answer or other_shape
        (Yahoo answered something else: never taken for "no news").
    """
    ticker = feed.query or TICKER
    where = f"{feed.id} yahoo {ticker}"
    stream = await asyncio.to_thread(_stream, ticker, new_session, clock, timeout_s, where)
    known_at = clock()
    items, odd = [], []
    for number, entry in enumerate(stream, 1):
        item = _item(entry)
        if item is None:
            odd.append(f"{feed.id}: item {number} has no title where one was: dropped")
        else:
            items.append(item)
    if not items:
        raise SourceError(where, "other_shape", f"none of {len(odd)} items is of a known shape", _NEWER)
    found, notes = headlines(items, feed, known_at)
    return Reading(tuple(found), state, shorten(odd + notes))


def _stream(
    ticker: str, new_session: SessionFactory | None, clock: Clock, timeout_s: float, where: str
) -> list[Mapping[str, Any]]:
    """Yahoo's items as yfinance hands them out; at least one."""
    # Process-wide and left so: with it on, yfinance takes an answer that is no JSON for "no news".
    yf.config.debug.hide_exceptions = False
    with _ONE_AT_A_TIME:
        connection = _private(new_session()) if new_session else _kept()
        source = yf.Ticker(ticker)  # a new one each time: it keeps the news it has once seen
        source._data = connection
        with Line.on(connection._session, clock, timeout_s) as line:
            try:
                stream: list[Mapping[str, Any]] = source.get_news(count=COUNT)
            except RequestException as error:
                raise line.failure(where, error) from error
            except _FOREIGN as error:
                raise _not_news(line, where, f"{type(error).__name__}: {error}"[:200]) from error
            if not stream or line.answer is None or line.answer.status_code >= 400:
                raise _not_news(line, where, "no list of news in the answer")
            return stream


def _private(session: Session[Response]) -> Any:
    """A connection to Yahoo apart from the one that yfinance shares among all of the process.

    Whoever reads prices meanwhile would else send requests through our session, and we through theirs.
    """
    return type.__call__(YfData, session=session)


@functools.cache
def _kept() -> Any:
    return _private(Session(impersonate="chrome"))


def _not_news(line: Line, where: str, problem: str) -> SourceError:
    """Why there is no news: a status, an empty list, or an answer of another shape."""
    answer = line.answer
    if answer is not None and answer.status_code == 429:
        return SourceError(where, "rate_limited", "Yahoo answered HTTP 429", "raise the feed's every_s")
    if answer is not None and answer.status_code >= 400:
        status = answer.status_code
        return SourceError(where, f"http_{status}", f"Yahoo answered HTTP {status}")
    try:
        stream = json.loads(answer.text)["data"]["tickerStream"]["stream"] if answer is not None else None
    except (LookupError, TypeError, ValueError):
        stream = None
    if isinstance(stream, list) and all(isinstance(entry, dict) for entry in stream):
        return SourceError(where, "empty_answer", "Yahoo has no news for this ticker", "is the ticker right?")
    return SourceError(where, "other_shape", problem, _NEWER)


def _item(entry: Mapping[str, Any]) -> Item | None:
    """An item of either shape: nested under `content`, or flat with `providerPublishTime`."""
    nested = entry.get("content")
    fields = nested if isinstance(nested, dict) else entry
    title = fields.get("title")
    if not isinstance(title, str) or not title.strip():
        return None
    date, published_at = _date(fields)
    return Item(
        title=title,
        summary=_text(fields.get("summary")) or _text(fields.get("description")),
        link=_link(fields),
        own_id=_text(entry.get("id")) or _text(fields.get("id")) or _text(fields.get("uuid")) or None,
        date=date,
        published_at=published_at,
    )


def _date(fields: Mapping[str, Any]) -> tuple[str, dt.datetime | None]:
    epoch = fields.get("providerPublishTime")
    if epoch is not None:
        return str(epoch), from_epoch(epoch)
    raw = _text(fields.get("pubDate")) or _text(fields.get("displayTime"))
    return raw, parse_date(raw)


def _link(fields: Mapping[str, Any]) -> str | None:
    for name in ("canonicalUrl", "clickThroughUrl", "link"):
        value = fields.get(name)
        url = web_url(_text(value.get("url") if isinstance(value, dict) else value))
        if url:
            return url
    return None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
