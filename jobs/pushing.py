"""`POST /v1/headlines`: for whoever pushes news without Redis. A headline is answered for once it is stored."""

import asyncio

import msgspec
from aiohttp import web
from aiohttp.web_urldispatcher import UrlDispatcher

from jobs.admission import Admitted, Stamps, admit_handed
from jobs.answers import said
from jobs.app import App
from jobs.routes import Parts
from signals.sources.inbox import Handed, Pushed, handed_in
from signals.store import facts, leases

MAX_ITEMS = 1000


def add_routes(router: UrlDispatcher, parts: Parts) -> None:
    """Add the route."""

    async def push(request: web.Request) -> web.Response:
        try:
            pushed = _decoded(await request.read())
        except msgspec.MsgspecError as error:
            return said(422, {"error": str(error)})
        handed, done = await asyncio.to_thread(_store, parts.app, pushed)  # not stored: 503, and the sender tries again
        if done.new or done.withdrawn:
            parts.later(asyncio.to_thread(parts.ring))
        known = sum(one.headline is not None for one in handed) - done.new
        notes = [*(note for one in handed for note in one.notes), *done.notes]
        return said(200, {"new": done.new, "known": known, "withdrawn": done.withdrawn, "notes": notes})

    router.add_post("/v1/headlines", push)


def _store(app: App, pushed: list[Pushed]) -> tuple[list[Handed], Admitted]:
    with app.store.write() as conn:
        stamp = Stamps(app.clock, facts.last_known_at(conn))
        handed = [handed_in(one, stamp()) for one in pushed]
        done = admit_handed(conn, handed)
        if app.keeper is not None and not app.keeper.leads and (done.new or done.withdrawn):
            leases.ring(conn, app.keeper.me.name)  # with the news, or not at all
        return handed, done


def _decoded(body: bytes) -> list[Pushed]:
    one_or_more = msgspec.json.decode(body, type=Pushed | list[Pushed])
    pushed = one_or_more if isinstance(one_or_more, list) else [one_or_more]
    if len(pushed) > MAX_ITEMS:
        raise msgspec.ValidationError(f"more than {MAX_ITEMS} headlines at once")
    return pushed
