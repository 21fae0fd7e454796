"""Who may ask what of the HTTP port: one middleware before every route.

| who | reads | changes |
|---|---|---|
| a peer on loopback, where the service listens on loopback alone | free | token or session |
| anyone else, and whatever came through a proxy | token or session | token or session |

A route that is open to all is marked so (`open_to_all`). What a browser sends by session must come from our own page:
the cookie is SameSite=Strict, `Origin` must be ours and the header `X-Signals` must be there, which no form can send.
A `Host` that is neither an address nor a name of ours is refused, so no foreign name can be pointed at us.
"""

import asyncio
import ipaddress
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

from aiohttp import web

from jobs.answers import Refused
from jobs.limits import BODY_S, MAX_AT_ONCE, READS, WRONG_TOKENS, Buckets
from jobs.sessions import Sessions
from jobs.tokens import Lock

COOKIE = "signals_session"
HEADER = "X-Signals"
"""Any value: a form of a foreign page cannot send it."""
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Via")
_MISSING = "wants the header Authorization: Bearer TOKEN (file `token` in the home)"

F = TypeVar("F", bound=Callable[..., Any])


def open_to_all(handler: F) -> F:
    """Mark a route that wants no token, whoever asks: it may tell no more than that we are alive."""
    handler.open_to_all = True  # type: ignore[attr-defined]
    return handler


class Gate:
    """Lets requests through, or says why not.

    Parameters
    ----------
    lock : knows the token.
    loopback : whether the service listens on loopback alone.
    names : host names by which browsers reach it, besides localhost and addresses.
    """

    def __init__(self, lock: Lock, *, loopback: bool, names: tuple[str, ...] = ()) -> None:
        self.sessions = Sessions()
        self._lock = lock
        self._loopback = loopback
        self._names = frozenset({"localhost", *(name.lower() for name in names)})
        self._reads = Buckets(READS)
        self._wrong = Buckets(WRONG_TOKENS)
        self._busy = 0

    def allows(self, request: web.Request) -> bool:
        """Whether who asks has shown the token, now or when logging in."""
        return self._by_token(request) or self.sessions.good(request.cookies.get(COOKIE))

    def check(self, request: web.Request, given: str) -> None:
        """Raise unless this is the token; a peer that tries too often has to wait."""
        peer = request.remote or ""
        if wait_s := self._wrong.wait_s(peer):
            raise Refused(429, "too many wrong tokens", wait_s=wait_s)
        if not self._lock.fits(given):
            self._wrong.take(peer)
            raise Refused(401, _MISSING)

    async def admit(self, request: web.Request) -> None:
        """Raise `Refused` for what may not pass; reads the body of what may."""
        self._check_host(request)
        if request.method not in _SAFE:
            self._check_origin(request)
        handler = request.match_info.handler
        if not self._by_token(request):
            self._check_rate(request)
            self._check_stranger(request, open_to_all=getattr(handler, "open_to_all", False))
        if request.can_read_body:
            try:
                async with asyncio.timeout(BODY_S):
                    await request.read()  # kept by the request: the route reads it from there
            except TimeoutError:
                raise Refused(408, f"the body did not arrive within {BODY_S} s") from None

    def begin(self) -> None:
        """Count a request under way; raises where there are too many."""
        if self._busy >= MAX_AT_ONCE:
            raise Refused(503, "too many requests under way", wait_s=1)
        self._busy += 1

    def end(self) -> None:
        """It is answered."""
        self._busy -= 1

    def _by_token(self, request: web.Request) -> bool:
        """Whether the token stands in its head. Raises for one that is wrong: whoever sends one should know."""
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        if not scheme:
            return False
        if scheme.lower() != "bearer":
            raise Refused(401, _MISSING)
        self.check(request, given.strip())
        return True

    def _check_host(self, request: web.Request) -> None:
        if not self._is_ours(request.host):
            raise Refused(421, f"Host: {request.host[:80]} is no name of this service: add it to names in [console]")

    def _is_ours(self, netloc: str) -> bool:
        try:
            name = urlsplit(f"//{netloc}").hostname or ""
        except ValueError:
            return False
        return name in self._names or _is_address(name)

    def _check_origin(self, request: web.Request) -> None:
        """A browser names the page that asks: it must be one of ours. Others than browsers name none."""
        origin = request.headers.get("Origin")
        foreign = origin is not None and urlsplit(origin).netloc.lower() != request.host.lower()
        if foreign or request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
            raise Refused(403, "another page may not ask this")

    def _check_rate(self, request: web.Request) -> None:
        peer = request.remote or ""
        if wait_s := self._reads.wait_s(peer):
            raise Refused(429, f"more than {READS.per_s:g} requests a second", wait_s=wait_s)
        self._reads.take(peer)

    def _check_stranger(self, request: web.Request, *, open_to_all: bool) -> None:
        """What may be asked without the token in its head."""
        if open_to_all:
            return
        known = self.sessions.good(request.cookies.get(COOKIE))
        if request.method in _SAFE:
            if not known and not self._is_near(request):
                raise Refused(401, _MISSING)
            return
        if not known:
            raise Refused(401, _MISSING)
        if HEADER not in request.headers or "Origin" not in request.headers:
            raise Refused(403, f"wants the headers Origin and {HEADER} with a session")

    def _is_near(self, request: web.Request) -> bool:
        """Whether who asks sits at this machine; what came through a proxy may come from anywhere."""
        if not self._loopback or any(name in request.headers for name in _FORWARDED):
            return False
        peer = request.transport.get_extra_info("peername") if request.transport else None
        return peer is not None and is_loopback(str(peer[0]))


def is_loopback(host: str) -> bool:
    """Whether this address, or name, is this machine's own."""
    return host == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
