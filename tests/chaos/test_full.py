"""No room left, for store or server or both: it is told, nothing is lost, and the work goes on by itself."""

import json
import shutil
from collections import Counter
from contextlib import closing

import pytest

from tests.chaos.disk import can_have_one, fill, free, on_a_disk_of, seen_from_outside
from tests.chaos.load import Bot, Feeder, in_stream, seen_by
from tests.chaos.outages import RATE, under_load
from tests.chaos.server import running
from tests.chaos.service import Born, Nursery, connected, quiet_shell, until

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _disks(tmp_path):
    if not can_have_one(tmp_path):
        pytest.skip("this machine lets nobody make a disk of his own (unshare -m)")


@pytest.fixture
def home(shell):
    shell.home.mkdir()
    return shell.home


@pytest.fixture
def small(shell, home):
    """A nursery whose home lies on a small disk."""
    with closing(Nursery(before=on_a_disk_of("48m", home))) as made:
        yield made


def history(shell, home=None):
    """What `signals jobs history` tells of failed runs: how often which error, of which job."""
    if home is not None:  # on a disk that only the service sees
        shutil.copytree(home, copied := shell.home.parent / "copied", ignore=shutil.ignore_patterns("filler"))
        shell.env["SIGNALS_HOME"] = str(copied)
    done = shell.run("jobs", "history", "--limit", "1000", "--json")
    assert done.returncode == 0, done.stderr
    runs = [json.loads(line) for line in done.stdout.splitlines()]
    return Counter(f"{run['job']}: {run['error']}" for run in runs if run["outcome"] == "failed")


def said(errors, *words):
    """Whether some error has all these words, in one line."""
    return any(all(word in error for word in words) and "\n" not in error for error in errors)


@pytest.mark.parametrize("killed", [False, True], ids=["lives on", "is killed"])
def test_a_full_disk_stops_the_work_and_nothing_else(shell, small, killed):
    """Store and server on one full disk: pushes are refused in words, runs fail in words; once there is room all goes
    on, even if service and server were killed meanwhile, and every headline that was acknowledged is a signal, once.
    """
    home, service = seen_from_outside(small.pid, shell.home), Born(small, shell)
    service.start()
    feeder, bot = Feeder(home, RATE), Bot(home)
    feeder.start()
    bot.start()
    until(lambda: len(bot.seen) > RATE, "a second's worth of signals")
    fill(home)
    until(lambda: sum(feeder.refusals.values()) > 2, "a push that is refused")
    if killed:
        service.kill()
        service.start()
    free(home)
    before = len(feeder.acknowledged)
    until(lambda: len(bot.seen) > before + RATE, "what came after there was room again")
    feeder.end()
    bot.join(60)
    with connected(home) as server:
        stream = in_stream(server, feeder.acknowledged)
    service.end()
    for verdict in (seen_by(bot, feeder.acknowledged), stream):
        assert sum(verdict[1:]) == 0, verdict
    assert said(feeder.refusals, "full - free disk space under SIGNALS_HOME"), feeder.refusals
    errors = history(shell, home)
    assert killed or said(errors, "publish", "disk"), errors
    assert not said(errors, "does not answer"), errors  # it does: all but writes


def test_a_server_whose_disk_is_full_is_told_of_and_gets_all_later(tmp_path, nursery):
    """The store has room, the server's log has none: pushes are taken, runs fail in words, and all comes after."""
    (folder := tmp_path / "server").mkdir()
    with running(folder, before=on_a_disk_of("24m", folder)) as server:
        shell = quiet_shell(tmp_path, SIGNALS_REDIS_URL=server.url)
        seen = seen_from_outside(server.pid, folder)

        def trouble():
            fill(seen)
            until(lambda: said(history(shell), "publish", "cannot write to its disk"), "a word of it in the history")
            free(seen)

        with closing(Born(nursery, shell)) as service:
            outcome = under_load(shell.home, service, server, trouble)
    assert sum(outcome.bot[1:]) == 0, outcome
    assert sum(outcome.stream[1:]) == 0, outcome
    assert outcome.meanwhile > RATE / 2, outcome
