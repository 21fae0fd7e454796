"""A thousand feeds in one ingest: cold, and when all answer that nothing is new. The server is a process of its own."""

import asyncio
import contextlib
import datetime as dt
import multiprocessing
import resource
import socket
import tempfile
import time
from collections.abc import Iterator
from email.utils import format_datetime
from multiprocessing.connection import Connection

import msgspec

from jobs.app import App
from jobs.catalogue import runner_for
from jobs.settings import load
from signals.sources.feed import Feed
from tests.bench.timing import Row
from tests.conftest import ROOT

FEEDS, HOSTS, ITEMS = 1000, 100, 20
PARSED = 200
_ROUNDS = 3


def bench() -> Iterator[Row]:
    """The rows."""
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs,), daemon=True)
    server.start()
    ports: list[int] = ours.recv()
    feeds = tuple(
        Feed(id=f"f{n}", kind="rss", url=f"http://127.0.0.1:{ports[n % HOSTS]}/{n}", allow_private=True)
        for n in range(FEEDS)
    )
    with tempfile.TemporaryDirectory() as home:
        settings = load(ROOT / "config" / "signals.toml", {"SIGNALS_HOME": home})
        jobs = msgspec.structs.replace(
            settings.jobs, ingest=msgspec.structs.replace(settings.jobs.ingest, timeout_s=600)
        )
        with contextlib.closing(App(msgspec.structs.replace(settings, feeds=feeds, jobs=jobs))) as app:
            cold, new = _ingest(app)
            before = _peak_mb()
            again = [_ingest(app)[0] for _ in range(_ROUNDS)]
            grown = _peak_mb() - before
    server.terminate()
    alone = _parsing_s()
    yield Row(f"{FEEDS} feeds, {new} new headlines, cold", cold, "s", "wanted: under 20")
    yield Row("  feedparser alone on as many documents", alone, "s", f"ours is {cold / alone:.2f} x")
    yield Row(f"{FEEDS} feeds, all answering 304", min(again), "s", "wanted: under 4")
    yield Row(f"  growth of peak memory over {_ROUNDS} more rounds", grown, "MB", "wanted: flat")


def _ingest(app: App) -> tuple[float, int]:
    start = time.perf_counter()
    run = runner_for(app).run("ingest", "manual")
    if run.outcome != "ok":
        raise SystemExit(f"ingest was {run.outcome}: {run.error or run.notes[:3]}")
    return time.perf_counter() - start, run.counts["new"]


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _parsing_s() -> float:
    import feedparser  # type: ignore[import-untyped,unused-ignore]

    documents = [document(str(n)) for n in range(PARSED)]
    start = time.perf_counter()
    for text in documents:
        feedparser.parse(text)
    return (time.perf_counter() - start) * FEEDS / PARSED


def document(name: str) -> str:
    """An RSS document of this feed."""
    at = format_datetime(dt.datetime(2026, 3, 4, tzinfo=dt.UTC))
    items = "".join(
        f"<item><title>Feed {name} says {n}: yen and dollar news</title><link>http://x.example/{name}/{n}</link>"
        f"<description>Some &lt;b&gt;words&lt;/b&gt; on item {n}</description><pubDate>{at}</pubDate></item>"
        for n in range(ITEMS)
    )
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>{name}</title>{items}</channel></rss>'


def _serve(pipe: Connection) -> None:
    from aiohttp import web

    async def answer(request: web.Request) -> web.Response:
        if request.headers.get("If-None-Match") == '"1"':
            return web.Response(status=304)
        text = document(request.match_info["name"])
        return web.Response(text=text, content_type="application/rss+xml", headers={"ETag": '"1"'})

    async def main() -> None:
        made = web.Application()
        made.router.add_get("/{name}", answer)
        runner = web.AppRunner(made, access_log=None)
        await runner.setup()
        sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(HOSTS)]
        for one in sockets:
            await web.SockSite(runner, one).start()
        pipe.send([one.getsockname()[1] for one in sockets])
        await asyncio.Event().wait()

    asyncio.run(main())
