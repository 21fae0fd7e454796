"""The service's own HTTP port: `POST /v1/headlines` for whoever pushes news without Redis.

A headline is answered for once it is stored. Only who knows the token may push: `SIGNALS_TOKEN`, or the
one made at first start in `token` in the home, readable by its owner alone.
"""

import asyncio
import hmac
import os
import secrets
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import web

from jobs.admission import Admitted, admit_handed
from jobs.app import App
from signals.delivery.endpoints import set_endpoint
from signals.errors import ConfigError, SignalsError
from signals.sources.inbox import Handed, Pushed, handed_in
from signals.store import facts

HOST = "127.0.0.1"
MAX_BYTES = 4 * 1024 * 1024
MAX_ITEMS = 1000
_READY_S = 10


def token(home: Path, environ: Mapping[str, str] = os.environ) -> str:
    """The token of this home, made when there is none yet (file mode 0600)."""
    if given := environ.get("SIGNALS_TOKEN"):
        return given
    path = home / "token"
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text(encoding="ascii").strip()
    with os.fdopen(handle, "w") as file:
        file.write(secret := secrets.token_urlsafe(32))
    return secret


class Web:
    """The HTTP server of one service, in a thread of its own.

    Parameters
    ----------
    app : the service's parts.
    ring : called, in a thread, after new headlines were stored.
    """

    def __init__(self, app: App, ring: Callable[[], object]) -> None:
        self._app = app
        self._ring = ring
        self._token = token(app.settings.home)
        self._loop: asyncio.AbstractEventLoop
        self._thread: threading.Thread
        self._runner: web.AppRunner | None = None
        self._url: str | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    def start(self) -> str:
        """Listen; returns the address. Raises ConfigError where the port is taken."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="web", daemon=True)
        self._thread.start()
        try:
            self._url = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(_READY_S)
        except ConfigError:
            self.stop()
            raise
        set_endpoint(self._app.settings.home, "console", self._url)
        return self._url

    def stop(self) -> None:
        """Answer what is under way and stop listening."""
        if self._url is not None:
            set_endpoint(self._app.settings.home, "console", None, only_if=self._url)
        if self._runner is not None:
            asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(_READY_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _listen(self) -> str:
        made = web.Application(client_max_size=MAX_BYTES)
        made.router.add_post("/v1/headlines", self._push)
        self._runner = web.AppRunner(made, access_log=None, handle_signals=False)
        await self._runner.setup()
        port = self._app.settings.console_port
        try:
            await web.TCPSite(self._runner, HOST, port).start()
        except OSError as error:
            mend = "set SIGNALS_CONSOLE_PORT to another, or to 0 for a free one"
            raise ConfigError(f"{HOST}:{port}", f"cannot be listened on: {error.strerror}", mend) from error
        return f"http://{HOST}:{self._runner.addresses[0][1]}"

    async def _push(self, request: web.Request) -> web.Response:
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), self._token.encode()):
            return _said(401, {"error": "wants the header Authorization: Bearer TOKEN (file `token` in the home)"})
        try:
            pushed = _decoded(await request.read())
        except msgspec.MsgspecError as error:
            return _said(422, {"error": str(error)})
        try:
            handed, done = await asyncio.to_thread(self._store, pushed)
        except SignalsError as error:  # not stored, so not acknowledged: the sender tries again
            return _said(503, {"error": str(error)})
        if done.new or done.withdrawn:
            self._later(asyncio.to_thread(self._ring))
        known = sum(one.headline is not None for one in handed) - done.new
        notes = [*(note for one in handed for note in one.notes), *done.notes]
        return _said(200, {"new": done.new, "known": known, "withdrawn": done.withdrawn, "notes": notes})

    def _store(self, pushed: list[Pushed]) -> tuple[list[Handed], Admitted]:
        with self._app.store.write() as conn:
            now = max(self._app.clock(), facts.last_known_at(conn) or self._app.clock())
            handed = [handed_in(one, now) for one in pushed]
            return handed, admit_handed(conn, handed, now)

    def _later(self, work: Any) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _decoded(body: bytes) -> list[Pushed]:
    one_or_more = msgspec.json.decode(body, type=Pushed | list[Pushed])
    pushed = one_or_more if isinstance(one_or_more, list) else [one_or_more]
    if len(pushed) > MAX_ITEMS:
        raise msgspec.ValidationError(f"more than {MAX_ITEMS} headlines at once")
    return pushed


def _said(status: int, told: dict[str, Any]) -> web.Response:
    return web.Response(status=status, body=msgspec.json.encode(told), content_type="application/json")
