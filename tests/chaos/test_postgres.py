"""The store is on PostgreSQL: the service is killed, and the database's server is stopped, under load."""

import json
import signal
import time
from collections.abc import Iterator

import pytest

from tests import postgres
from tests.chaos.kills import kill_at_boundaries, kill_services, lasting_server
from tests.chaos.outages import RATE, under_load
from tests.chaos.server import running
from tests.chaos.service import Born, quiet_shell

pytestmark = pytest.mark.slow


@pytest.fixture
def shell(tmp_path, databases):
    """A home whose store is a database of its own."""
    with databases.one() as url:
        yield quiet_shell(tmp_path, SIGNALS_DATABASE_URL=url)


@pytest.fixture
def own() -> Iterator[postgres.Postgres]:
    """A server that may be stopped, and keeps what was committed."""
    with postgres.server(lasting=True) as made:
        yield made


def test_a_killed_service_loses_and_repeats_nothing(shell, service):
    """Killed at random under load: each signal once, in order, no gap; and a replay gives the bytes that were told."""
    with lasting_server(shell.home):
        outcome = kill_services(shell.home, service, 8, 7)
        assert outcome.clean(), outcome
        assert service.end() == 0
    told = shell.run("replay", "--json")
    said = json.loads(told.stdout)
    assert (told.returncode, said["by_the_same"], said["different"]) == (0, True, 0)
    assert said["same"] >= outcome.stream.sent


def test_a_kill_at_any_boundary_of_the_work_loses_and_repeats_nothing(shell, service):
    """Before and after any commit, statement or message of the service's."""
    outcome = kill_at_boundaries(shell.home, service, 6, 11)
    assert outcome.clean(), outcome


def test_a_service_outlives_its_database_server(tmp_path, nursery, own):
    """Stopped in order and away for a second, then crashed: nothing acknowledged is lost, nothing told twice."""

    def trouble() -> None:
        own.stop(signal.SIGINT)
        time.sleep(1)
        own.start()
        own.stop(signal.SIGQUIT)
        own.start()

    with running(tmp_path / "server") as server:
        shell = quiet_shell(tmp_path, SIGNALS_REDIS_URL=server.url, SIGNALS_DATABASE_URL=own.url("postgres"))
        service = Born(nursery, shell)
        try:
            outcome = under_load(shell.home, service, server, trouble)
        finally:
            service.close()
    for verdict in (outcome.bot, outcome.stream):
        assert (sum(verdict[1:]), verdict.sent > 2 * RATE) == (0, True), outcome
