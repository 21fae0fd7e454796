"""What systemd is told: that the service is up, ends, and lives. Without NOTIFY_SOCKET nobody is told anything.

Source: sd_notify(3) and systemd.service(5): one datagram a message; with WatchdogSec a service that says nothing for
so long is killed and started anew.
"""

import os
import socket
import threading
from collections.abc import Callable, Mapping

_SOONER = 3
"""As often as this within the time that systemd waits."""


class Systemd:
    """The line to systemd.

    Parameters
    ----------
    environ : as systemd gives it.
    """

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        self._address = environ.get("NOTIFY_SOCKET", "").replace("@", "\0", 1)
        mine = environ.get("WATCHDOG_PID") in (None, str(os.getpid()))
        usec = environ.get("WATCHDOG_USEC", "")
        self.every_s = int(usec) / 1e6 / _SOONER if mine and usec.isdecimal() else 0.0
        """How often it wants a sign of life; 0: never."""
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def ready(self, alive: Callable[[], bool]) -> None:
        """The service is up. From now on its watchdog is fed while `alive` says so."""
        self.tell("READY=1")
        if self._address and self.every_s:
            self._thread = threading.Thread(target=self._feed, args=(alive,), name="systemd", daemon=True)
            self._thread.start()

    def end(self) -> None:
        """The service ends."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
        self.tell("STOPPING=1")

    def tell(self, state: str) -> None:
        """One message. Raises OSError where systemd's socket is gone."""
        if not self._address:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as line:
            line.connect(self._address)
            line.sendall(state.encode())

    def _feed(self, alive: Callable[[], bool]) -> None:
        while not self._ended.wait(self.every_s):
            if alive():
                self.tell("WATCHDOG=1")
