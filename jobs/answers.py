"""What the HTTP port answers with: JSON, headers that let a page do nothing but its own, errors in one form."""

import math
from collections.abc import Mapping
from typing import Any

import msgspec
from aiohttp import web

_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cache-Control": "no-store",
}
"""Of every answer; one that has a header of these already keeps its own."""


class Refused(Exception):
    """A request that is not served: status, why, and in how many seconds it may be tried again."""

    def __init__(self, status: int, why: str, *, wait_s: float | None = None) -> None:
        super().__init__(status, why)
        self.status = status
        self.why = why
        self.wait_s = wait_s


def said(status: int, told: Any, headers: Mapping[str, str] | None = None) -> web.Response:
    """An answer of JSON."""
    return web.Response(status=status, body=msgspec.json.encode(told), content_type="application/json", headers=headers)


def refusal(refused: Refused) -> web.Response:
    """The answer to what is not served."""
    headers = {}
    if refused.wait_s is not None:
        headers["Retry-After"] = str(max(1, math.ceil(refused.wait_s)))
    if refused.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="signals"'
    return said(refused.status, {"error": refused.why}, headers)


async def dress(_request: web.BaseRequest, response: web.StreamResponse) -> None:
    """Put the headers on an answer, streams and errors too, as it is sent."""
    response.headers["Server"] = "signals"
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
