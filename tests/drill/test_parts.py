"""The drill of what the service stands on: Redis, the store, a job that hangs."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.chaos.server import Server, running
from tests.conftest import ROOT
from tests.drill.clock import Clock
from tests.drill.service import Drill, mended, quiet, shown

_LAST_PRICES = 'signals_job_last_success_timestamp_seconds{job="prices"}'
REFERENCE = ROOT / "seeds" / "prices" / "usdjpy_daily.csv"

pytestmark = pytest.mark.slow


class Standing(Drill):
    """A service with a Redis of its own, a store that waits for nobody, and a file of prices that can hang."""

    def __init__(self, folder: Path, server: Server, clock: Clock) -> None:
        self.reference = folder / "prices.csv"
        self.reference.write_bytes(REFERENCE.read_bytes())
        store = folder / "home" / "signals.db"
        more = {
            "SIGNALS_REDIS_URL": server.url,
            "SIGNALS_DATABASE_URL": f"sqlite:///{store}?timeout=0.5",
            "SIGNALS__SEEDS__PRICES": str(self.reference),
            "SIGNALS__JOBS__PRICES__TIMEOUT_S": "3",
        }
        super().__init__(folder, clock=clock.now, module="tests.drill.launch", **clock.env, **more)
        self.server, self.store, self.time = server, store, clock


@pytest.fixture(scope="module")
def drill(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standing]:
    folder = tmp_path_factory.mktemp("parts")
    clock = Clock(folder)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in clock.env.items():  # its Redis goes by the same clock, whenever it is started
            patch.setenv(name, value)
        with running(folder / "server") as server, closing(Standing(folder, server, clock)) as made:
            made.start()
            yield made


def test_a_redis_that_is_down(drill: Standing) -> None:
    """Killed: the page says how many signals wait, it is not ready; started again all is sent, and all is quiet."""
    quiet(drill)
    drill.server.kill()
    shown(
        drill, "broker", sentence="Redis away for", doctor="redis",
        metric=lambda said: said["signals_broker_up"] == 0 and said["signals_ready"] == 0,
    )  # fmt: skip
    status, why = drill.ready()
    assert (status, "broker" in why) == (503, True)
    drill.server.start()
    mended(drill, "broker", sentence="Redis")


def test_a_store_that_is_locked(drill: Standing) -> None:
    """Held by another process: it is named with that process; let go, the alert is kept, told once, and closed."""
    quiet(drill)
    with closing(sqlite3.connect(drill.store, isolation_level=None)) as other:
        other.execute("PRAGMA busy_timeout=20000")
        other.execute("BEGIN IMMEDIATE")
        shown(
            drill, "store", sentence="Store fails for", doctor="database:lock",
            metric=lambda said: said["signals_store_up"] == 0,
        )  # fmt: skip
        (line,) = drill.doctor("database:lock")
        assert f"process {os.getpid()}" in line.text
        other.execute("ROLLBACK")
    mended(drill, "store", sentence="Store")


def test_a_job_that_hangs(drill: Standing) -> None:
    """Its file is a pipe that nobody writes to: the job is named; the file is back and all is quiet."""
    quiet(drill)
    pipe = drill.reference.with_name("pipe")
    os.mkfifo(pipe)
    pipe.replace(drill.reference)
    drill.until_running("prices")
    drill.time.pass_by(70)
    shown(
        drill, "job:prices", sentence="prices has not succeeded for", doctor="job:prices",
        metric=lambda said: said[_LAST_PRICES] < drill.clock().timestamp() - 60,
    )  # fmt: skip
    hung = os.open(drill.reference, os.O_WRONLY)
    drill.reference.unlink()
    drill.reference.write_bytes(REFERENCE.read_bytes())
    os.write(hung, REFERENCE.read_bytes()[:60_000])
    os.close(hung)
    mended(drill, "job:prices", sentence="prices")
