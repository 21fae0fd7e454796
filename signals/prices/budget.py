"""One allowance of time for everything that yfinance sends on behalf of one call.

yfinance takes a timeout for a request, gives its own 30 s to each of the cookie and crumb requests
that come before it, and tries several. With no network that adds up to minutes.
"""

import datetime as dt
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from curl_cffi.requests import Response, Session
from curl_cffi.requests.exceptions import RequestException, Timeout

from signals.errors import PriceError
from signals.prices.reading import Clock

CONNECT_S = 3.0
"""How long one connection may take, name look-up and TLS included."""
COOKIE_S = 3.0
"""How long one cookie, consent or crumb request may take: prices come without them too."""

_CHART = "/v8/finance/chart/"
_OTHER_COOKIE = (401, 403, 429)
"""Answers after which yfinance asks once more with another cookie."""
_USED_UP = "the time allowed is used up"


class Budget:
    """Sends a session's requests within `timeout_s` seconds in all; stops at an answer that says no.

    Parameters
    ----------
    send : `Session.request` of the session whose requests are sent.
    clock : gives the UTC time now.
    timeout_s : seconds from now until the last answer must be there.
    where : what to name in errors.
    """

    def __init__(self, send: Callable[..., Response], clock: Clock, timeout_s: float, where: str) -> None:
        self._send = send
        self._clock = clock
        self._timeout_s = timeout_s
        self._end_at = clock() + dt.timedelta(seconds=timeout_s)
        self.where = where
        self._no_cookie: RequestException | None = None
        self._refused = False
        self.chart: Response | None = None
        """The last answer with prices, or in their place."""

    def request(self, method: Any, url: str, **options: Any) -> Response:
        """In place of `Session.request`.

        Raises
        ------
        PriceError : the answer to a request for prices is an HTTP error that another cookie would not mend.
        RequestException : curl's own errors, and its Timeout once the time is used up.
        """
        chart = _CHART in url
        if self._no_cookie is not None and not chart:
            raise self._no_cookie  # the second way to a cookie costs time, and prices come without one
        options["timeout"] = self._timeout(CONNECT_S if chart else COOKIE_S, chart)
        try:
            response = self._send(method, url, **options)
        except RequestException as error:
            if not chart:
                self._no_cookie = error
            raise
        if chart:
            self._judge(response)
        return response

    def _timeout(self, connect_s: float, chart: bool) -> tuple[float, float]:
        """Seconds to connect, and seconds more until the answer is complete (curl: 0 would be for ever)."""
        left_s = min((self._end_at - self._clock()).total_seconds(), self._timeout_s)
        if left_s < 0.01:
            raise Timeout(_USED_UP)
        connect_s = min(connect_s, left_s / 2)
        return connect_s, (left_s if chart else min(left_s, COOKIE_S)) - connect_s

    def _judge(self, response: Response) -> None:
        self.chart = response
        status = response.status_code
        if status < 400:
            self._refused = False
            return
        if status in _OTHER_COOKIE and not self._refused:
            self._refused = True
            return
        if status == 429:
            raise rate_limited(self.where)
        said = reason_given(response)
        raise PriceError(
            self.where,
            f"http_{status}",
            f"Yahoo answered HTTP {status}" + (f": {said}" if said else ""),
            "is the symbol right?" if status == 404 else "",
        )


@contextmanager
def within(session: Session[Response], clock: Clock, timeout_s: float, where: str) -> Iterator[Budget]:
    """Bound what `session` sends inside the block; yfinance keeps the session after it, unbounded again."""
    plain = session.request
    budget = Budget(plain, clock, timeout_s, where)
    # On the object, not by a subclass: the caller's session may be of any class, and has its cookies.
    session.request = budget.request  # type: ignore[method-assign,assignment]
    try:
        yield budget
    finally:
        session.request = plain  # type: ignore[method-assign]


def reason_given(response: Response) -> str:
    """What Yahoo says is wrong, in its own words; empty where it says nothing."""
    try:
        return str(json.loads(response.text)["chart"]["error"]["description"])[:200]
    except (ValueError, LookupError, TypeError):
        return ""


def rate_limited(where: str) -> PriceError:
    """Yahoo wants fewer requests from this address."""
    return PriceError(where, "rate_limited", "Yahoo answered HTTP 429", "ask less often; it passes within the hour")


def unreachable(where: str, error: RequestException) -> PriceError:
    """No answer: `timeout` where the server was reached but too slow, else `unreachable`."""
    problem = str(error).removeprefix("Failed to perform, ").split(" See https://curl")[0]
    if _USED_UP in problem or "Operation timed out" in problem:
        return PriceError(where, "timeout", problem, "raise the timeout where the line is slow")
    return PriceError(where, "unreachable", problem, "check the network, the proxy and the name server")
