"""A PostgreSQL of the tests' own: Debian's programs, on a socket in a folder of its own, for as long as it is needed.

Nothing of a server that the machine may run is touched, and no port is opened but where a test asks for one.
"""

import contextlib
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from signals.store import Store

_QUICK = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
"""For tests, whose data may die with the machine."""
_SMALL = {"shared_buffers": "32MB", "max_connections": "60", "jit": "off", "log_min_messages": "fatal"}


def programs() -> Path | None:
    """Debian's newest `initdb` and its kin; null where there are none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[4]))
    if found:
        return found[-1].parent
    there = shutil.which("initdb")
    return Path(there).parent if there else None


class Postgres:
    """A running server. `close` ends it and removes its folder.

    Parameters
    ----------
    port : where it listens on 127.0.0.1 beside its socket, 0 for nowhere.
    lasting : commits reach the disk, as they do in earnest; for timings.
    """

    def __init__(self, *, port: int = 0, lasting: bool = False) -> None:
        bin_folder = programs()
        if bin_folder is None:
            raise FileNotFoundError("no PostgreSQL here: sh .ci/postgres, or Debian's package postgresql")
        self._folder = Path(tempfile.mkdtemp(prefix="pg-"))  # not under pytest's: a socket's path must be short
        self._user = "nobody" if os.geteuid() == 0 else None  # the server refuses to be root
        if self._user:
            os.chown(self._folder, pwd.getpwnam(self._user).pw_uid, -1)
        self.data = self._folder / "data"
        how = ("-U", "signals", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
        make = (bin_folder / "initdb", "-D", self.data, *how)
        subprocess.run(make, check=True, user=self._user, stdout=subprocess.DEVNULL, cwd=self._folder)
        options = {"unix_socket_directories": str(self._folder), "listen_addresses": "127.0.0.1" if port else ""}
        options |= _SMALL | ({} if lasting else _QUICK) | ({"port": str(port)} if port else {})
        settings = itertools.chain.from_iterable(("-c", f"{name}={value}") for name, value in options.items())
        self.port = port or 5432
        self._numbers = itertools.count(1)
        self._command = [bin_folder / "postgres", "-D", self.data, *settings]
        self._ready = [bin_folder / "pg_isready", "-q", "-t", "1", "-h", self._folder, "-p", str(self.port)]
        self.start()

    def url(self, database: str, *, host: str = "") -> str:
        """The address of a database, by the socket or by the host that is given (its `port` included)."""
        if host:
            return f"postgresql+psycopg://signals@{host}/{database}"
        return f"postgresql+psycopg://signals@/{database}?host={self._folder}&port={self.port}"

    def create(self, template: str = "template1", more: str = "") -> str:
        """A new database like another, which nobody may be connected to; its name."""
        name = f"t{next(self._numbers)}"
        self.say(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY {more}")
        return name

    def drop(self, database: str) -> None:
        """Remove a database, whoever is connected to it."""
        self.say(f"DROP DATABASE {database} WITH (FORCE)")

    def say(self, statement: str) -> None:
        """Carry out a statement as the owner of all."""
        where = f"host={self._folder} port={self.port} user=signals dbname=postgres"
        with psycopg.connect(where, autocommit=True) as conn:
            conn.execute(statement.encode())

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._process = subprocess.Popen(self._command, user=self._user, cwd=self._folder, stderr=subprocess.DEVNULL)
        while subprocess.run(self._ready, check=False).returncode:
            assert self._process.poll() is None, "PostgreSQL ended as it started"

    def stop(self, how: signal.Signals = signal.SIGQUIT) -> None:
        """End it: at once, as a crash does; by SIGINT in order."""
        self._process.send_signal(how)
        self._process.wait(20)

    def close(self) -> None:
        """End it for good."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)


@contextlib.contextmanager
def server(*, lasting: bool = False) -> Iterator[Postgres]:
    """A server for a session of tests; they are skipped where there is none, but in CI."""
    if programs() is None:
        mend = "no PostgreSQL here: sh .ci/postgres, or Debian's package postgresql"
        if os.environ.get("CI") == "true":
            pytest.fail(mend)
        pytest.skip(mend)
    made = Postgres(lasting=lasting)
    try:
        yield made
    finally:
        made.close()


class Databases:
    """Databases of one server that have our tables.

    Parameters
    ----------
    on : the server. The tables are made once.

    They sort texts as English does, as a user's may: who wants code points must say so.
    """

    def __init__(self, on: Postgres) -> None:
        self.on = on
        self._template = on.create("template0", "LOCALE_PROVIDER icu ICU_LOCALE 'en-US'")
        Store.open(on.url(self._template)).close()

    @contextlib.contextmanager
    def one(self) -> Iterator[str]:
        """The address of a database with nothing in its tables, dropped at the end."""
        name = self.on.create(self._template)
        try:
            yield self.on.url(name)
        finally:
            self.on.drop(name)
