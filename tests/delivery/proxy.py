"""A TCP proxy that can be told to swallow, to cut and to be slow: the network between a bot and Redis."""

import contextlib
import socket
import threading
import time
from urllib.parse import urlsplit


class Proxy:
    """Passes bytes between whoever connects and a server, until it is told otherwise.

    Parameters
    ----------
    url : of the server, `redis://HOST:PORT`.
    """

    def __init__(self, url: str) -> None:
        server = urlsplit(url)
        self._server = (server.hostname, server.port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        login = server.netloc.rpartition("@")[0]
        self.url = f"redis://{login and login + '@'}127.0.0.1:{self._listener.getsockname()[1]}"
        self.swallowing = False
        """Take connections and bytes, and give nothing on: a half-open connection looks so."""
        self.delay_s = 0.0
        """Hold bytes up for so long."""
        self.pairs: list[list[socket.socket]] = []
        self.number_of: dict[int, int] = {}
        """Number of a connection by the port from which the server sees it."""
        self.mute: set[int] = set()
        """Connections, by the order in which they came, that are swallowed alone."""
        threading.Thread(target=self._accept, daemon=True).start()

    def die(self) -> None:
        """Lose every byte from now on, of connections old and new."""
        self.swallowing = True

    def live(self) -> None:
        """Pass on again what new connections send; what was lost stays lost, so old ones stay dead."""
        self.mute.update(range(len(self.pairs)))
        self.swallowing = False

    def cut(self) -> None:
        """End all connections at once; new ones are taken."""
        for pair in self.pairs:
            for each in pair:
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """End it."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def __enter__(self) -> "Proxy":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            self.pairs.append([near])
            threading.Thread(target=self._join, args=(near, len(self.pairs) - 1), daemon=True).start()

    def _join(self, near: socket.socket, number: int) -> None:
        with contextlib.suppress(OSError):
            far = socket.create_connection(self._server)
            self.pairs[number] = [near, far]
            self.number_of[far.getsockname()[1]] = number
            threading.Thread(target=self._pass, args=(far, near, number), daemon=True).start()
            self._pass(near, far, number)

    def _pass(self, one: socket.socket, other: socket.socket, number: int) -> None:
        with contextlib.suppress(OSError):
            while got := one.recv(65536):
                if self.swallowing or number in self.mute:
                    continue
                if self.delay_s:
                    time.sleep(self.delay_s)
                other.sendall(got)
        for each in (one, other):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            if each is one:
                each.close()
