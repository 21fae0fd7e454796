"""One polite HTTP GET of a feed: conditional, bounded in time, size and redirects, public hosts only."""

import asyncio
import datetime as dt
from typing import NamedTuple

import aiohttp
import stamina
from yarl import URL

from signals.errors import ConfigError, SourceError
from signals.model import FeedState
from signals.sources.failures import bad_status, private_address, public_url, request_failure
from signals.sources.feed import Clock, Feed
from signals.sources.guard import HOP, GuardedConnector, Hop, is_private, literal_address
from signals.sources.guard import USER_AGENT as USER_AGENT
from signals.sources.manners import freshness_s

ACCEPT = "application/rss+xml, application/atom+xml, application/rdf+xml, application/xml;q=0.9, */*;q=0.5"
TIMEOUT_S = 10.0
MAX_BYTES = 16 * 1024 * 1024
"""Ten thousand items of a kilobyte and a half."""
MAX_REDIRECTS = 5
ATTEMPTS = 2

_REDIRECTS = (301, 302, 303, 307, 308)
_FOR_GOOD = (301, 308)


class Fetched(NamedTuple):
    """An answer: 2xx with its body, or 304 with none."""

    status: int
    body: bytes
    content_type: str
    """The header as sent; empty where missing."""
    etag: str | None
    last_modified: str | None
    final_url: str
    """Where the redirects led, without credentials."""
    fetched_at: dt.datetime
    """When the last byte was here."""
    fresh_s: int | None = None
    """Seconds for which the answer promises nothing new."""
    moved_to: str | None = None
    """Where the feed has moved for good (301, 308), without secrets; null where it has not."""


class _Redirect(NamedTuple):
    to: URL
    for_good: bool


async def fetch(
    session: aiohttp.ClientSession,
    feed: Feed,
    state: FeedState,
    clock: Clock,
    *,
    timeout_s: float = TIMEOUT_S,
    max_bytes: int = MAX_BYTES,
    attempts: int = ATTEMPTS,
) -> Fetched:
    """GET `feed.url`, telling the server what we have already; once more after a broken connection or a 5xx.

    Parameters
    ----------
    session : from `guard.open_session`; any other would connect to private addresses.
    state : its `etag` and `last_modified` are sent, so that the server may answer 304.
    clock : gives the UTC time now.
    timeout_s : seconds for everything: redirects, the second attempt and the pause before it.
    max_bytes : largest body, after decompression.
    attempts : how often at most; one where the caller paces its requests itself.

    Raises
    ------
    SourceError : no usable answer; `reason` is timeout, unreachable, refused, http_<status>, rate_limited,
        too_large, too_many_redirects or private_address.
    ConfigError : the row has no usable `url`.
    TypeError : the session is not from `open_session`.
    """
    _guard(session)
    url = _configured(feed)
    again = stamina.AsyncRetryingCaller(
        attempts=attempts, timeout=timeout_s, wait_initial=0.2, wait_max=1.0, wait_jitter=0.2
    ).on(_worth_another_try)

    async def attempt() -> Fetched:  # without arguments: stamina logs them, and the url may hold a key
        return await _follow(session, feed, url, state, clock, max_bytes)

    try:
        async with asyncio.timeout(timeout_s):
            return await again(attempt)
    except TimeoutError as error:
        raise SourceError(f"{feed.id} {public_url(url)}", "timeout", f"no answer within {timeout_s:g} s") from error


def _guard(session: aiohttp.ClientSession) -> GuardedConnector:
    if not isinstance(session.connector, GuardedConnector):
        raise TypeError("fetch needs a session from signals.sources.guard.open_session")
    return session.connector


def _configured(feed: Feed) -> URL:
    try:
        url = URL(feed.url or "")
    except ValueError as error:
        raise ConfigError(f"feed {feed.id}", "url is not an address", "correct it in the feeds file") from error
    if not url.host:
        raise ConfigError(f"feed {feed.id}", f"kind {feed.kind} needs a url", 'write url = "https://..." into its row')
    return url


def _worth_another_try(error: Exception) -> bool:
    """Whether a second attempt may do better: the line broke, or the server failed. It never does after a "no"."""
    if not isinstance(error, SourceError) or error.reason == "private_address":
        return False
    cause = error.__cause__
    broken = isinstance(cause, aiohttp.ClientConnectionError | aiohttp.ClientPayloadError)
    return error.reason.startswith("http_5") or (broken and not isinstance(cause, aiohttp.ClientSSLError))


async def _follow(
    session: aiohttp.ClientSession, feed: Feed, url: URL, state: FeedState, clock: Clock, max_bytes: int
) -> Fetched:
    """Follow redirects one by one, each looked at like a first request."""
    start, moved_to, for_good = url, None, True
    for _ in range(MAX_REDIRECTS + 1):
        hop = Hop(may_be_private=feed.allow_private and _same_place(url, start))
        where = f"{feed.id} {public_url(url)}"
        answer = await _get(session, url, hop, state, clock, max_bytes, where)
        if isinstance(answer, Fetched):
            return answer._replace(moved_to=moved_to)
        url = answer.to
        for_good = for_good and answer.for_good  # what comes after a temporary one may be temporary too
        moved_to = public_url(url) if for_good else moved_to
    raise SourceError(
        f"{feed.id} {public_url(start)}", "too_many_redirects", f"more than {MAX_REDIRECTS} redirects",
        "does the address open in a browser?",
    )  # fmt: skip


def _same_place(url: URL, start: URL) -> bool:
    """Same host and port; moving from http to https at their own ports counts as the same."""
    upgrade = (start.scheme, start.port, url.scheme, url.port) == ("http", 80, "https", 443)
    return url.host == start.host and (url.port == start.port or upgrade)


async def _get(
    session: aiohttp.ClientSession, url: URL, hop: Hop, state: FeedState, clock: Clock, max_bytes: int, where: str
) -> Fetched | _Redirect:
    """One request, no redirect followed."""
    if url.scheme not in ("http", "https") or not url.host:
        raise SourceError(where, "refused", "only http and https addresses are fetched", "correct the url")
    address = literal_address(url.host)
    if address and is_private(address) and not hop.may_be_private:
        raise private_address(where, address)
    proxy = _guard(session).proxy_for(url)
    if proxy:  # what is connected to is the proxy, and the proxy looks the name up
        hop = Hop(may_be_private=True)
    token = HOP.set(hop)
    try:
        async with session.get(url, headers=_headers(state), proxy=proxy, allow_redirects=False) as response:
            return await _answer(response, url, state, clock, max_bytes, where)
    except aiohttp.ClientError as error:
        raise request_failure(where, error, hop, clock()) from error
    finally:
        HOP.reset(token)


def _headers(state: FeedState) -> dict[str, str]:
    headers = {"Accept": ACCEPT, "Accept-Encoding": "gzip, deflate"}
    if state.etag:
        headers["If-None-Match"] = state.etag
    if state.last_modified:
        headers["If-Modified-Since"] = state.last_modified
    return headers


async def _answer(
    response: aiohttp.ClientResponse, url: URL, state: FeedState, clock: Clock, max_bytes: int, where: str
) -> Fetched | _Redirect:
    status, headers = response.status, response.headers
    if status in _REDIRECTS and "Location" in headers:
        try:
            return _Redirect(url.join(URL(headers["Location"])), status in _FOR_GOOD)
        except ValueError as error:
            raise SourceError(where, "refused", "it redirects to something that is no address") from error
    asked = bool(state.etag or state.last_modified)
    if not (200 <= status < 300 or (status == 304 and asked)):
        raise bad_status(where, status, headers, now=clock())
    body = b"" if status == 304 else await _body(response, max_bytes, where)
    return Fetched(
        status=status,
        body=body,
        content_type=headers.get("Content-Type", ""),
        etag=headers.get("ETag"),
        last_modified=headers.get("Last-Modified"),
        final_url=str(url.with_user(None)),
        fetched_at=clock(),
        fresh_s=freshness_s(headers, clock()),
    )


async def _body(response: aiohttp.ClientResponse, max_bytes: int, where: str) -> bytes:
    """The decompressed body. Decompression goes step by step, so that a small bomb is stopped while small."""
    chunks, size = [], 0
    async for chunk in response.content.iter_chunked(1 << 16):
        size += len(chunk)
        if size > max_bytes:
            raise SourceError(where, "too_large", f"more than {max_bytes:,} bytes", "is this address a feed?")
        chunks.append(chunk)
    return b"".join(chunks)
