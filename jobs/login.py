"""`/login`: the token once, for a session of a browser; `/logout` ends it."""

from aiohttp import web
from aiohttp.web_urldispatcher import UrlDispatcher

from jobs.answers import Refused, said
from jobs.gate import COOKIE, Gate, open_to_all
from jobs.routes import Parts
from jobs.sessions import LIFE_S

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>signals: log in</title>
<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">
<main><h1>signals</h1><form method="post" action="/login">
<p><label>Token <input name="token" type="password" autocomplete="current-password" required autofocus></label>
<button>Log in</button></p><p>It is in the file <code>token</code> in the service's home.</p>
</form></main></html>
"""


def add_routes(router: UrlDispatcher, parts: Parts) -> None:
    """Add the routes of logging in and out."""
    login = _Login(parts.gate)
    router.add_get("/login", login.page)
    router.add_post("/login", login.log_in)
    router.add_post("/logout", login.log_out)
    router.add_get("/session", login.state)


class _Login:
    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    @open_to_all
    async def page(self, _request: web.Request) -> web.Response:
        """A form for the token."""
        return web.Response(text=_PAGE, content_type="text/html")

    @open_to_all
    async def log_in(self, request: web.Request) -> web.Response:
        """Begin a session for who sends the token, as a form or as JSON `{"token": …}`; a form is sent on to `/`."""
        form = request.content_type != "application/json"
        fields = await request.post() if form else await _object(request)
        self._gate.check(request, str(fields.get("token", "")).strip())
        made = self._gate.sessions.begin()
        answer = web.Response(status=303, headers={"Location": "/"}) if form else said(200, {"session_s": LIFE_S})
        answer.set_cookie(
            COOKIE, made, max_age=LIFE_S, path="/", httponly=True, samesite="Strict", secure=request.secure
        )
        return answer

    @open_to_all
    async def log_out(self, request: web.Request) -> web.Response:
        """End the session of this cookie, if it is one."""
        self._gate.sessions.end(request.cookies.get(COOKIE))
        answer = said(200, {})
        answer.del_cookie(COOKIE, path="/", httponly=True, samesite="Strict")
        return answer

    async def state(self, request: web.Request) -> web.Response:
        """Whether who asks may change anything: what a page shows its buttons by."""
        return said(200, {"may_change": self._gate.allows(request)})


async def _object(request: web.Request) -> dict[str, object]:
    try:
        found = await request.json()
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Refused(422, 'wants {"token": "…"}')
    return found
