"""The page itself: files beside this code, read once, under a policy that lets nothing else run or load."""

import functools
import hashlib
from importlib import resources

from aiohttp import web

from jobs.answers import Refused

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",  # a text becomes markup in no browser that knows this
    )
)
HEADERS = {"Content-Security-Policy": POLICY, "Cache-Control": "no-cache"}
"""Beside those of every answer (`jobs/answers.py`); a browser asks each time whether a file is still the same."""
_KINDS = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}


async def page(request: web.Request) -> web.Response:
    """The page."""
    return _answer(request, "index.html")


async def static(request: web.Request) -> web.Response:
    """One file of it."""
    return _answer(request, request.match_info["name"])


def _answer(request: web.Request, name: str) -> web.Response:
    files = _files()
    if name not in files:
        raise Refused(404, f"{name}: there is no such file")
    body, tag = files[name]
    headers = HEADERS | {"ETag": tag}
    if request.headers.get("If-None-Match") == tag:
        return web.Response(status=304, headers=headers)
    kind = _KINDS[name.rpartition(".")[2]]
    return web.Response(body=body, content_type=kind, charset="utf-8", headers=headers)


@functools.cache
def _files() -> dict[str, tuple[bytes, str]]:
    """Every file by name with its tag: a name that is not in here is no file, so no path leads elsewhere."""
    found = {}
    for one in (resources.files("jobs.console") / "static").iterdir():
        if one.name.rpartition(".")[2] in _KINDS:
            body = one.read_bytes()
            found[one.name] = (body, f'"{hashlib.sha256(body).hexdigest()[:20]}"')
    return found
