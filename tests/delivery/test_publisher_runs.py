"""Rows sent together, and what happens to those that come too late."""

import datetime as dt
from typing import Any

from signals.delivery.outbox import RUN_BYTES, RUN_ROWS, runs
from signals.delivery.publisher import Publisher

from .conftest import KEYS, NOW, make_retraction_row, make_row, make_rows
from .test_publisher import listen, logged


def test_a_run_is_one_step_for_its_rows(publisher: Publisher, server: Any) -> None:
    """Of rows sent together each is heard and logged; what stands is what would if each had been sent alone."""
    rows = [make_row(1), make_row(2), make_retraction_row(3, number=2), make_row(4), make_retraction_row(5, number=1)]
    heard = listen(server)
    for cut in range(1, len(rows) + 1):
        server.flushall()
        alone = Publisher(server)
        for number, row in enumerate(rows[:cut]):
            alone.publish(row, now=NOW, restart=number == 0)
        expected = {key: server.get(key) for key in (KEYS.latest, KEYS.index, KEYS.seq)}
        server.flushall()
        assert publisher.publish_many(rows[:cut], now=NOW, restart=True) == cut
        assert {key: server.get(key) for key in expected} == expected
        assert logged(server) == [row.event for row in rows[:cut]]
        messages = [heard.get_message(timeout=5)["data"] for _ in range(2 * cut)]
        assert messages == 2 * [row.event for row in rows[:cut]]


def test_runs_are_short_and_without_holes() -> None:
    """No step holds the server for long: few rows, few bytes, of one epoch, each next to the one before."""
    rows = [*make_rows(1, 150), *make_rows(152, 153), *make_rows(154, 155, "e2"), make_row(9)]
    cut = [list(run) for run in runs(rows)]
    assert [row for run in cut for row in run] == rows
    assert [len(run) for run in cut] == [RUN_ROWS, RUN_ROWS, 22, 2, 2, 1]
    heavy = [row._replace(event=b"x" * (RUN_BYTES // 3)) for row in make_rows(1, 7)]
    assert [len(run) for run in runs(heavy)] == [4, 3]
    assert list(runs([])) == []


def test_what_is_over_when_it_gets_there_is_never_the_latest(publisher: Publisher, server: Any) -> None:
    """A message held up on its way until its time was over leaves the latest key to the one that still holds."""
    row = make_row(1)
    late = dt.timedelta(seconds=int(server.time()[0]) - 1 - NOW.timestamp())  # valid as it is sent, over on arrival
    publisher.publish_many([row, make_row(2, valid_for=late)], now=NOW.replace(year=2020), restart=True)
    publisher.publish(make_row(3, valid_for=late), now=NOW.replace(year=2020))
    assert (server.get(KEYS.latest), server.xlen(KEYS.log)) == (row.event, 3)


def test_a_server_that_keeps_its_clock_to_itself(publisher: Publisher, server: Any) -> None:
    """A user who may not ask the time sends all the same, and what is over by the server's clock is not kept."""
    late = dt.timedelta(seconds=int(server.time()[0]) - 1 - NOW.timestamp())
    server.execute_command("ACL", "SETUSER", "publisher", "-time")
    try:
        publisher.publish(make_row(1), now=NOW, restart=True)
        assert server.get(KEYS.latest) == make_row(1).event
        publisher.publish(make_row(2, valid_for=late), now=NOW.replace(year=2020))
        assert server.exists(KEYS.latest) == 0
    finally:
        server.execute_command("ACL", "SETUSER", "publisher", "+@all")
