"""The drill of machine and process: a full disk, a clock that jumps, a broken model, a service that is killed."""

import contextlib
import os
import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

import signals
from jobs import standing
from tests.chaos.disk import can_have_one, fill, free, on_a_disk_of, seen_from_outside
from tests.chaos.server import running
from tests.drill.clock import Clock
from tests.drill.service import Drill, mended, quiet, see, shown, until

pytestmark = pytest.mark.slow


@contextlib.contextmanager
def by_a_clock(folder: Path, **more: str) -> Iterator[tuple[Drill, Clock]]:
    """A service with a clock that can be set."""
    clock = Clock(folder)
    with closing(Drill(folder, clock=clock.now, module="tests.drill.launch", **clock.env, **more)) as made:
        yield made, clock


def test_a_clock_that_jumps(tmp_path: Path) -> None:
    """Set ten minutes ahead: told with its size; set back, the scheduler waits, is started anew, and all is quiet."""
    with by_a_clock(tmp_path) as (drill, clock):
        drill.start()
        quiet(drill)
        clock.set_ahead(605)
        shown(
            drill, "clock", sentence="Clock", doctor="alert:clock",
            metric=lambda said: said['signals_findings{severity="warning"}'] > 0,
        )  # fmt: skip
        assert "forward by 10 min" in drill.alerts("clock")[0].text
        clock.set_ahead(-605)
        see(drill, lambda: "forward" not in drill.sentence(), "its way back")
        clock.pass_by(4000)  # the scheduler waits for the time it had planned: its minder starts it anew
        mended(drill, "clock", sentence="Clock")


def test_a_model_that_is_broken(tmp_path: Path) -> None:
    """Half a file in the home: the shipped model works in its place, and that is told; deleted, all is quiet."""
    with closing(Drill(tmp_path)) as drill:
        broken = drill.home / "model" / "model.skops"
        broken.parent.mkdir(parents=True)
        broken.write_bytes(b"half a mod")
        drill.start()
        shown(
            drill, "model", sentence="Shipped model is used instead", doctor="model:home",
            metric=lambda said: said['signals_alerts_open{severity="warning"}'] == 1,
        )  # fmt: skip
        assert drill.ready() == (200, [])
        drill.stop()
        broken.unlink()
        drill.start()
        mended(drill, "model", sentence="model")


def test_a_disk_that_is_full(tmp_path: Path) -> None:
    """Not a byte is left for store and log: told all the same; with room again the alerts are kept and closed."""
    if not can_have_one(tmp_path):
        pytest.skip("this machine lets nobody make a disk of his own (unshare -m)")
    (home := tmp_path / "home").mkdir()
    with running(tmp_path / "server") as server:
        more = {"SIGNALS__FRESHNESS__SERVICE__DISK_FREE_MB": "4", "SIGNALS_REDIS_URL": server.url}
        with closing(Drill(tmp_path, before=on_a_disk_of("48m", home), **more)) as drill:
            drill.start()
            drill.look_at(seen_from_outside(drill.process.pid, home))
            quiet(drill)
            fill(drill.home)
            shown(
                drill, "disk", sentence="Disk almost full", doctor="disk",
                metric=lambda said: said["signals_disk_free_bytes"] < 4_000_000,
            )  # fmt: skip
            free(drill.home)
            mended(drill, "disk", sentence="Disk")


def test_a_scheduler_that_dies(tmp_path: Path) -> None:
    """It ends and all else lives: the page says so, it is not ready; its minder kills it at last, and all is quiet."""
    with by_a_clock(tmp_path) as (drill, clock):
        drill.start()
        quiet(drill)
        os.kill(until(lambda: standing.read(drill.home), "its word of itself").pid, signal.SIGUSR1)
        clock.pass_by(120)
        until(lambda: "Scheduler stopped" in drill.sentence(), "the page's word of it")
        until(lambda: drill.metrics()["signals_ready"] == 0, "it in the metrics")
        status, why = drill.ready()
        assert (status, "scheduler" in why) == (503, True)
        ready = next(line for line in drill.doctor("service") if line.check == "service:ready")
        assert ready.status == "fail"
        assert "Scheduler stopped" in ready.text
        clock.pass_by(4000)  # longer than service.kill_after_s
        until(lambda: drill.log("service.killed"), "its end by its minder")
        until(lambda: drill.log("service.start"), "the next start", 60)
        until(lambda: drill.sentence().startswith("Quiet"), "a quiet service", 60)
        assert drill.ready() == (200, [])


def test_a_service_that_is_killed(tmp_path: Path) -> None:
    """A bot hears of the silence within its deadline, the doctor of the death; started again both say all is well."""
    with running(tmp_path / "server") as server, closing(Drill(tmp_path, SIGNALS_REDIS_URL=server.url)) as drill:
        drill.start()
        quiet(drill)
        with signals.connect(server.url, heartbeat_deadline_s=3) as client:
            told = client.signals("all")
            drill.process.kill()
            drill.process.wait(20)
            silence = next(one for one in told if isinstance(one, signals.Silence))
            assert silence.kind == "publisher"
            dead = drill.doctor("service")[0]
            assert (dead.status, "killed" in dead.text, bool(dead.mend)) == ("fail", True, True)
            drill.start()
            assert next(one for one in told if isinstance(one, signals.Restored))
        assert drill.doctor("service")[0].status == "ok"
        quiet(drill)
