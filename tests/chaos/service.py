"""Services to be killed: forked off by a nursery, or started from nothing; and the server of their home."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, TypeVar

import redis

from signals.delivery import acl
from signals.delivery.endpoints import endpoint
from tests.conftest import ROOT
from tests.jobs.conftest import Shell

T = TypeVar("T")
PATIENCE_S = 60.0
_ONE_CORE = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


def until(look: Callable[[], T], what: str, patience_s: float = PATIENCE_S) -> T:
    """Look until something true is seen; the last thing seen."""
    end = time.monotonic() + patience_s
    while not (seen := look()):
        assert time.monotonic() < end, f"{what}: not within {patience_s:g} s"
        time.sleep(0.01)
    return seen


def quiet_shell(folder: Path, **environ: str) -> Shell:
    """A home without sources of its own: what comes is pushed, and publishing is due every second."""
    made = Shell(folder, "")
    made.env |= {
        "SIGNALS__PRICES__ENABLED": "false",
        "SIGNALS__PRICES__REFERENCE_URL": "",
        "SIGNALS__JOBS__PUBLISH__EVERY_S": "1",
        "SIGNALS__JOBS__HEARTBEAT__EVERY_S": "1",
        **_ONE_CORE,
        **environ,
    }
    return made


class Service(Protocol):
    """Something that can be started and killed."""

    def start(self) -> int:
        """Start it; returns its process id."""

    def kill(self) -> None:
        """Kill it."""


class Nursery:
    """A process that services are forked off, as `nursery.py` tells.

    Parameters
    ----------
    before : a command that is to become the nursery, such as one that makes a disk of its own.
    module : what is run.
    """

    def __init__(self, before: tuple[str, ...] = (), module: str = "tests.chaos.nursery") -> None:
        self._asking = threading.Lock()
        self._process = subprocess.Popen(
            [*before, sys.executable, "-m", module, str(ROOT / "config" / "signals.toml")],
            env=os.environ | _ONE_CORE, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._line() == "ready"
        self.pid = self._process.pid

    def ask(self, word: str) -> str:
        """Say a word; the answer."""
        assert self._process.stdin is not None
        with self._asking:
            self._process.stdin.write(f"{word}\n")
            self._process.stdin.flush()
            return self._line()

    def close(self) -> None:
        """End it, and whatever it bore."""
        self._process.communicate(timeout=20)

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


class Born:
    """Services of one home, one at a time, from a nursery."""

    def __init__(self, nursery: Nursery, shell: Shell) -> None:
        self._nursery = nursery
        self.shell = shell
        self._log = shell.home.parent / "stderr.txt"
        self._runs = False
        self._pid = 0

    def start(self, boundary: int = 0) -> int:
        """Start a service; returns its process id at once, long before it is up.

        `boundary`: it kills itself there, as `nursery.py` counts them.
        """
        env = {name: value for name, value in self.shell.env.items() if os.environ.get(name) != value}
        birth = {"config": str(self.shell.config), "log": str(self._log), "env": env, "boundary": boundary}
        self._runs = True
        self._pid = int(self._nursery.ask(json.dumps(birth)))
        return self._pid

    def die(self) -> None:
        """Wait until the service has killed itself."""
        self._killed("wait")

    def kill(self) -> None:
        """End the service as nothing can prevent."""
        self._killed("kill")

    def kill_child(self) -> None:
        """Kill the service and not its minder, which starts it anew; whatever its start has come to."""
        children = Path(f"/proc/{self._pid}/task/{self._pid}/children")
        child = until(lambda: children.read_text().split(), "a child to kill")[0]
        os.kill(int(child), signal.SIGKILL)

    def end(self) -> int:
        """Ask the service to end; its exit status."""
        self._runs = False
        return int(self._nursery.ask(f"end {self._pid}"))

    def close(self) -> None:
        """End the service if it runs."""
        if self._runs:
            self._runs = False
            self._nursery.ask(f"kill {self._pid}")

    def _killed(self, word: str) -> None:
        self._runs = False
        status = self._nursery.ask(f"{word} {self._pid}")
        assert status == str(-signal.SIGKILL), f"it had ended by itself: {status}\n{self._log.read_text()[-2000:]}"


class Whole:
    """Services of one home as a person starts them, one at a time, from nothing."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self._log = shell.home.parent / "stderr.txt"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> int:
        """Start a service; returns its process id at once."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._shell.command("serve"), env=self._shell.env, stdout=subprocess.DEVNULL, stderr=log
            )
        return self._process.pid

    def kill(self) -> None:
        """End the service as nothing can prevent."""
        assert self._process is not None
        self._process.kill()
        assert self._process.wait(20) == -signal.SIGKILL, self._log.read_text()[-2000:]

    def close(self) -> None:
        """End the service if it runs."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait(20)


def connected(home: Path) -> "redis.Redis | None":
    """The server that this home names, if it answers."""
    url = endpoint(home, "redis")
    if url is None:
        return None
    secret = acl.password(home)
    client = redis.Redis.from_url(acl.with_login(url, acl.PUBLISHER, secret) if secret else url, socket_timeout=5)
    try:
        client.ping()
    except redis.RedisError:
        client.close()
        return None
    return client


def kill_server(home: Path) -> None:
    """End this home's server as nothing can prevent; whoever needs it starts it again."""
    client = until(lambda: connected(home), "a server to kill")
    told: Any = client.info("server")
    client.close()
    os.kill(told["process_id"], signal.SIGKILL)
