"""A line between a bot and its server that can go dead: it takes bytes, loses them, and closes nothing."""

import contextlib
import socket
import threading
from collections.abc import Iterator


class Proxy:
    """Forwards every connection to a port on this machine, as long as the line is alive.

    Parameters
    ----------
    port : where the server listens.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._dead = threading.Event()
        self._sockets: list[socket.socket] = []
        self._door = socket.create_server(("127.0.0.1", 0))
        self.url = f"redis://127.0.0.1:{self._door.getsockname()[1]}"
        threading.Thread(target=self._accept, name="proxy", daemon=True).start()

    def die(self) -> None:
        """Lose every byte from now on, of connections old and new."""
        self._dead.set()

    def live(self) -> None:
        """Forward again what new connections send; what was lost stays lost, so old ones stay dead."""
        self._dead = threading.Event()

    def close(self) -> None:
        """Close everything."""
        with contextlib.suppress(OSError):
            self._door.shutdown(socket.SHUT_RDWR)
        for one in (self._door, *self._sockets):
            one.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._door.accept()
            except OSError:  # closed
                return
            far = socket.create_connection(("127.0.0.1", self._port))
            self._sockets += [near, far]
            for source, target in ((near, far), (far, near)):
                threading.Thread(target=self._forward, args=(source, target, self._dead), daemon=True).start()

    @staticmethod
    def _forward(source: socket.socket, target: socket.socket, dead: threading.Event) -> None:
        with contextlib.suppress(OSError):  # one end has gone, or `close` was called
            while taken := source.recv(65536):
                if not dead.is_set():
                    target.sendall(taken)
            target.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def between(url: str) -> Iterator[Proxy]:
    """A proxy before that server."""
    proxy = Proxy(int(url.rpartition(":")[2]))
    try:
        yield proxy
    finally:
        proxy.close()
