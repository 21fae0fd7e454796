"""The command line as its users run it: processes of its own, a home in a temporary folder, feeds on loopback."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import format_datetime
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.conftest import ROOT

CLOSED = "http://127.0.0.1:9"
"""Nothing listens there: what a child sends outside is refused at once."""


class FeedServer:
    """RSS on loopback: `items[path]` are (title, published) pairs; `status[path]` answers with an error instead."""

    def __init__(self) -> None:
        self.items: dict[str, list[tuple[str, datetime | None]]] = {}
        self.status: dict[str, int] = {}
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = server.document(self.path).encode()
                self.send_response(server.status.get(self.path, 200))
                self.send_header("Content-Type", "application/rss+xml; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def document(self, path: str) -> str:
        items = "".join(
            f"<item><title>{escape(title)}</title><link>{self.url}{path}/{number}</link>"
            + (f"<pubDate>{format_datetime(at)}</pubDate>" if at else "")
            + "</item>"
            for number, (title, at) in enumerate(self.items.get(path, []))
        )
        return f'<?xml version="1.0"?><rss version="2.0"><channel><title>t</title>{items}</channel></rss>'


@pytest.fixture
def feed_server() -> Iterator[FeedServer]:
    server = FeedServer()
    yield server
    server.http.shutdown()
    server.http.server_close()


class Shell:
    """One home and one configuration, and the commands run on them."""

    def __init__(self, folder: Path, feeds: str) -> None:
        self.home = folder / "home"
        self.config = folder / "config" / "signals.toml"
        self.config.parent.mkdir()
        text = (ROOT / "config" / "signals.toml").read_text().replace("../seeds", str(ROOT / "seeds"))
        for name in ("events.toml", "costs.toml"):
            text = text.replace(name, str(ROOT / "config" / name))
        self.config.write_text(text)
        (self.config.parent / "feeds.toml").write_text(feeds)
        self.env = os.environ | {
            "SIGNALS_HOME": str(self.home),
            "SIGNALS_BROKER_PORT": "0",
            "SIGNALS_CONSOLE_PORT": "0",
            "HTTP_PROXY": CLOSED,
            "HTTPS_PROXY": CLOSED,
            "NO_PROXY": "127.0.0.1,localhost",
            "PYTHONUNBUFFERED": "1",
        }

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "jobs", "--config", str(self.config), *arguments]

    def run(self, *arguments: str, stdin: str | None = None, timeout_s: float = 60) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments), env=self.env, capture_output=True, text=True, input=stdin, timeout=timeout_s
        )

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command(*arguments), env=self.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )


def rss_row(server: FeedServer, path: str, feed_id: str) -> str:
    return (
        f'[[feed]]\nid = "{feed_id}"\nkind = "rss"\nurl = "{server.url}{path}"\nevery_s = 5\nallow_private = true\n\n'
    )


ARTICLES = f'[[feed]]\nid = "articles"\nkind = "articles"\npath = "{ROOT}/seeds/articles"\n\n'


@pytest.fixture
def shell(tmp_path: Path) -> Callable[[str], Shell]:
    return lambda feeds=ARTICLES: Shell(tmp_path, feeds)


def now() -> datetime:
    return datetime.now(UTC)
