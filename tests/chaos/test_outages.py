"""Redis goes away, hangs, is emptied or set back under a hundred signals a second; service and bot live on."""

import json

import pytest

from tests.chaos.outages import RATE, away, hung, set_back, under_load
from tests.chaos.server import running
from tests.chaos.service import quiet_shell

pytestmark = pytest.mark.slow


@pytest.fixture
def server(tmp_path):
    with running(tmp_path / "server") as made:
        yield made


@pytest.fixture
def shell(tmp_path, server):
    return quiet_shell(tmp_path, SIGNALS_REDIS_URL=server.url)


def clean(verdict):
    """Everything once, in order, no gap."""
    return sum(verdict[1:]) == 0 and verdict.sent > 2 * RATE


def test_a_server_that_was_away_gets_all_in_order(shell, service, server):
    """Dead for 5 s: what was taken meanwhile comes after, and no later signal before it."""
    outcome = under_load(shell.home, service, server, away(server, 5))
    assert clean(outcome.bot), outcome
    assert clean(outcome.stream), outcome
    assert outcome.meanwhile > 2 * RATE, outcome


def test_a_server_that_hung_gets_all_in_order(shell, service, server):
    """Hung for 5 s with open connections: what was sent into it counts only if it took it."""
    outcome = under_load(shell.home, service, server, hung(server, 5))
    assert clean(outcome.bot), outcome
    assert clean(outcome.stream), outcome


@pytest.mark.parametrize("how", ["FLUSHALL", "an empty folder"])
def test_a_server_that_lost_everything_gets_all_live_signals_back(shell, service, server, how):
    """Wiped at work: the stream has every live signal again, and the bot sees none twice and misses none."""
    wipe = server.client.flushall if how == "FLUSHALL" else server.lose_everything
    outcome = under_load(shell.home, service, server, wipe)
    assert clean(outcome.bot), outcome
    assert clean(outcome.stream), outcome


def test_a_server_that_was_set_back_gets_its_tail_again(shell, service, server, tmp_path):
    """Started with what it had 2 s ago, as a copy that takes over: it is sent what it lacks, the bot nothing twice."""
    outcome = under_load(shell.home, service, server, set_back(server, 2, tmp_path))
    assert clean(outcome.bot), outcome
    assert clean(outcome.stream), outcome
    assert outcome.meanwhile > RATE, outcome


def test_news_by_the_hundred_makes_no_row_each_while_redis_is_away(shell, service, server):
    """Away for 5 s: failed runs at the schedule's pace, and one row that counts what came and waited meanwhile."""
    under_load(shell.home, service, server, away(server, 5))
    service.end()
    listed = shell.run("jobs", "history", "--job", "publish", "--limit", "100000", "--json")
    runs = [json.loads(line) for line in listed.stdout.splitlines()]
    bad = [run for run in runs if run["outcome"] in ("failed", "skipped")]
    told = [run for run in bad if "times news came and waited" in run["error"]]
    assert [run["trigger"] for run in told] == ["chain"], bad
    assert int(told[0]["error"].split()[0]) > 20, told  # headlines come up to thirty in a push
    assert len(bad) < 15, bad
