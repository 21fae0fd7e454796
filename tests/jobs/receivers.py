"""Receivers of alerts on loopback: a web server that keeps what it is sent, and can be down."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import redis


class Receiver:
    """`got` are (headers, body) of each POST that was taken; `status` is what it answers."""

    def __init__(self):
        self.got = []
        self.refused = 0
        self.status = 200
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if receiver.status == 200:
                    receiver.got.append((dict(self.headers), body))
                else:
                    receiver.refused += 1
                self.send_response(receiver.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self.http.server_address[1]}"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def close(self):
        self.http.shutdown()
        self.http.server_close()

    @property
    def actions(self):
        """What was told of what, in order, of bodies that are alerts."""
        events = [json.loads(body)["data"] for _, body in self.got]
        return [(event["key"], event["action"]) for event in events]


class Listener:
    """Whoever subscribes to `signals.alerts`, as a stranger does."""

    def __init__(self, url):
        self._client = redis.Redis.from_url(url)
        self._heard = self._client.pubsub()
        self._heard.subscribe("signals.alerts")
        assert self._heard.get_message(timeout=5)["type"] == "subscribe"

    def close(self):
        self._heard.close()
        self._client.close()

    def heard(self):
        """All that has come since the last time."""
        found = []
        while message := self._heard.get_message(timeout=0.1):
            found.append(message["data"])
        return found

    def actions(self):
        """The same, as what was told of what."""
        events = [json.loads(body)["data"] for body in self.heard()]
        return [(event["key"], event["action"]) for event in events]
