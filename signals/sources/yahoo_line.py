"""What yfinance sends on behalf of one reading: bounded in time, its answer kept.

yfinance gives each of its cookie and crumb requests 30 s of its own, which without a network adds up
to minutes, and hands out an empty list for an HTTP error whose body is JSON.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from curl_cffi.requests import Response, Session
from curl_cffi.requests.exceptions import RequestException, Timeout

from signals.errors import SourceError
from signals.sources.feed import Clock

NEWS_PATH = "/xhr/ncp"
CONNECT_S = 3.0
"""How long one connection may take, name look-up and TLS included."""
COOKIE_S = 3.0
"""How long one cookie, consent or crumb request may take: news come without them too."""

_USED_UP = "the time allowed is used up"


class Line:
    """Sends a session's requests within `timeout_s` seconds in all, and keeps the last answer with news."""

    def __init__(self, send: Callable[..., Response], clock: Clock, timeout_s: float) -> None:
        self._send = send
        self._clock = clock
        self._timeout_s = timeout_s
        self._end_at = clock() + dt.timedelta(seconds=timeout_s)
        self._no_cookie: RequestException | None = None
        self.answer: Response | None = None
        """The last answer with news, or in their place."""

    @classmethod
    @contextmanager
    def on(cls, session: Session[Response], clock: Clock, timeout_s: float) -> Iterator["Line"]:
        """Bound what `session` sends inside the block."""
        plain = session.request
        line = cls(plain, clock, timeout_s)
        # On the object, not by a subclass: the caller's session may be of any class, and has its cookies.
        session.request = line.request  # type: ignore[method-assign,assignment]
        try:
            yield line
        finally:
            session.request = plain  # type: ignore[method-assign]

    def request(self, method: Any, url: str, **options: Any) -> Response:
        """In place of `Session.request`. Raises curl's own errors, and its Timeout once the time is used up."""
        news = NEWS_PATH in url
        if self._no_cookie is not None and not news:
            raise self._no_cookie  # the second way to a cookie costs time, and news come without one
        options["timeout"] = self._timeout(news)
        try:
            response = self._send(method, url, **options)
        except RequestException as error:
            if not news:
                self._no_cookie = error
            raise
        if news:
            self.answer = response
        return response

    def _timeout(self, news: bool) -> tuple[float, float]:
        """Seconds to connect, and seconds more until the answer is complete (curl: 0 would be for ever)."""
        left_s = min((self._end_at - self._clock()).total_seconds(), self._timeout_s)
        if left_s < 0.01:
            raise Timeout(_USED_UP)
        connect_s = min(CONNECT_S, left_s / 2)
        return connect_s, (left_s if news else min(left_s, COOKIE_S)) - connect_s

    def failure(self, where: str, error: RequestException) -> SourceError:
        """No answer: `timeout` where the server was reached but too slow, else `unreachable`."""
        problem = str(error).removeprefix("Failed to perform, ").split(" See https://curl")[0][:200]
        if _USED_UP in problem or "Operation timed out" in problem:
            return SourceError(where, "timeout", problem)
        return SourceError(where, "unreachable", problem, "check the network, the proxy and the name server")
