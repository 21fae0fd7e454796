"""The service's own HTTP port: one server, whose routes come from modules of their own.

A module of routes has `def add_routes(router, parts)`. Before each route stands the gate (`jobs/gate.py`), after it
the headers and the one form of errors (`jobs/answers.py`).
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any

from aiohttp import web
from aiohttp.typedefs import Handler

from jobs import limits, login, pushing
from jobs.answers import Refused, dress, refusal
from jobs.app import App
from jobs.gate import Gate, is_loopback
from jobs.logs import logger
from jobs.routes import NextRuns, Parts, Routes
from jobs.tokens import Lock
from signals.delivery.endpoints import set_endpoint
from signals.errors import ConfigError, SignalsError

if TYPE_CHECKING:
    from jobs.follow import Following
    from jobs.runner import Runner

MAX_BYTES = 4 * 1024 * 1024
_READY_S = 10
_END_S = 3.0
"""How long the end waits for answers under way; streams are cut after it."""


class Web:
    """The HTTP server of one service, in a thread of its own.

    Parameters
    ----------
    app : the service's parts.
    ring : called, in a thread, after new headlines were stored.
    routes : `add_routes` of each module, besides pushing and logging in.
    runner, following, next_runs : the jobs of this service, where it runs any.
    """

    def __init__(
        self,
        app: App,
        ring: Callable[[], object],
        routes: Sequence[Routes] = (),
        *,
        runner: "Runner | None" = None,
        following: "Following | None" = None,
        next_runs: NextRuns = dict,
    ) -> None:
        self._app = app
        console = app.settings.console
        self._host = console.host
        self._gate = Gate(Lock(app.settings.home), loopback=is_loopback(self._host), names=console.names)
        made = web.Application(client_max_size=MAX_BYTES, middlewares=[self._answer])
        made.on_response_prepare.append(dress)
        parts = Parts(app, ring, made, self._gate, self._later, runner, following, next_runs)
        for add_routes in (login.add_routes, pushing.add_routes, *routes):
            add_routes(made.router, parts)
        self._http = made
        self._loop: asyncio.AbstractEventLoop
        self._thread: threading.Thread
        self._runner: web.AppRunner | None = None
        self._server: asyncio.Server | None = None
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
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(_READY_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _listen(self) -> str:
        self._runner = web.AppRunner(
            self._http, access_log=None, handle_signals=False, keepalive_timeout=limits.IDLE_S, shutdown_timeout=_END_S
        )
        await self._runner.setup()
        port = self._app.settings.console_port
        assert self._runner.server is not None
        protocol = limits.at_most(self._runner.server, limits.MAX_CONNECTIONS)
        try:
            self._server = await self._loop.create_server(protocol, self._host, port, backlog=128)
        except OSError as error:
            mend = "set SIGNALS_CONSOLE_PORT to another, or to 0 for a free one"
            if not isinstance(error.strerror, str) or error.errno is None or error.errno < 0:
                mend = "set host in [console] to an address of this machine"
            raise ConfigError(f"{self._host}:{port}", f"cannot be listened on: {error.strerror}", mend) from error
        name = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{name}:{self._server.sockets[0].getsockname()[1]}"

    async def _end(self) -> None:
        if self._server is not None:
            self._server.close()
        if self._runner is not None:
            await self._runner.cleanup()

    @web.middleware
    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Through the gate, then the route; whatever goes wrong is one JSON line."""
        try:
            self._gate.begin()
        except Refused as refused:
            return refusal(refused)
        try:
            await self._gate.admit(request)
            return await handler(request)
        except Refused as refused:
            return refusal(refused)
        except web.HTTPException as error:
            if error.status < 400:
                raise
            return refusal(Refused(error.status, _why(error)))
        except SignalsError as error:
            return refusal(Refused(503 if error.transient else 500, str(error)))
        except Exception as error:  # noqa: BLE001 - a defect costs its own request, and its traceback is in the log
            logger().error("web.failed", path=request.path, error=f"{type(error).__name__}: {error}", exc_info=error)
            return refusal(Refused(500, "a defect: its traceback is in the log"))
        finally:
            self._gate.end()

    def _later(self, work: Coroutine[Any, Any, Any]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _why(error: web.HTTPException) -> str:
    if error.status == 413:
        return f"more than {MAX_BYTES} bytes"
    return error.reason
