"""A service's HTTP port on loopback, with a route that reads and one that changes something."""

import http.client
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
from aiohttp import web as aio
from aiohttp.web_urldispatcher import UrlDispatcher

from jobs.app import App
from jobs.gate import open_to_all
from jobs.routes import Parts
from jobs.settings import Console, load
from jobs.web import Web
from tests.conftest import ROOT

TOKEN = "a token of thirty-two characters"


class Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> str:
        return str(self.json["error"])


class Port:
    """Asks one service; each request on a line of its own."""

    def __init__(self, url: str, app: App) -> None:
        self.netloc = url.removeprefix("http://")
        self.port = int(url.rpartition(":")[2])
        self.origin = f"http://127.0.0.1:{self.port}"
        self.app = app

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            line.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
            got = line.getresponse()
            return Answer(got.status, {name.lower(): value for name, value in got.getheaders()}, got.read())
        finally:
            line.close()

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask("GET", path, **headers)

    def post(self, path: str, body: bytes = b"", **headers: str) -> Answer:
        return self.ask("POST", path, body, **headers)

    def log_in(self) -> str:
        """The cookie of a new session, as a browser sends it."""
        got = self.post("/login", json.dumps({"token": TOKEN}).encode(), Content_Type="application/json")
        return got.headers["set-cookie"].partition(";")[0]


def add_routes(router: UrlDispatcher, parts: Parts) -> None:
    async def read(_request: aio.Request) -> aio.Response:
        return aio.Response(text="read")

    async def change(_request: aio.Request) -> aio.Response:
        return aio.Response(text="changed")

    async def broken(_request: aio.Request) -> aio.Response:
        raise ZeroDivisionError("secret detail")

    @open_to_all
    async def alive(_request: aio.Request) -> aio.Response:
        return aio.Response(text="alive")

    router.add_get("/read", read)
    router.add_post("/change", change)
    router.add_get("/broken", broken)
    router.add_get("/alive", alive)


@pytest.fixture
def serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Port]]:
    """Starts a service's port: `serve(host=…, names=…, routes=…)`."""
    monkeypatch.setenv("SIGNALS_TOKEN", TOKEN)
    started: list[tuple[Web, App]] = []

    def start(host: str = "127.0.0.1", names: tuple[str, ...] = (), routes: Any = (add_routes,), **more: Any) -> Port:
        tmp_path.joinpath("home").mkdir(exist_ok=True)
        settings = load(
            ROOT / "config" / "signals.toml",
            {"SIGNALS_HOME": str(tmp_path / "home"), "SIGNALS_BROKER_PORT": "0", "SIGNALS_CONSOLE_PORT": "0"},
        )
        app = App(msgspec.structs.replace(settings, console=Console(host=host, names=names)))
        made = Web(app, lambda: None, routes, **more)
        port = Port(made.start(), app)
        started.append((made, app))
        return port

    yield start
    for made, app in started:
        made.stop()
        app.close()
