"""The followers in Python: with nothing but redis-py, and with the shipped client."""

import sys
from typing import Any

import pytest

from signals.delivery.publisher import Publisher
from tests.delivery.conftest import KEYS, NOW, put

from .conftest import HERE, PAST, Start, retraction_row, row

BOTH = pytest.mark.parametrize(("name", "whole"), [("plain_redis.py", "0"), ("with_client.py", "all")])


@BOTH
def test_shows_live_signals_and_goes_on(name: str, whole: str, python: Start, url: str, publisher: Publisher) -> None:
    """From the beginning of the log: expired signals are left out, and what comes later is shown as it comes."""
    publisher.publish_many([row(1, PAST), row(2)], now=NOW, restart=True)
    program = python(name, url, whole)
    program.wait_for("headline 2")
    publisher.publish_many([retraction_row(3, 2), row(4)], now=NOW)
    program.wait_for("headline 4")
    assert [line.partition("down")[2] for line in program.out] == [
        " 0.8232 152.31 headline 2",
        " 0.8232 152.31 headline 4",
    ]


@BOTH
def test_resumes_and_tells_gaps(name: str, whole: str, python: Start, url: str, server: Any) -> None:
    """Given an id it reads on behind it; a jump in the numbers is told, a broken message costs only itself."""
    put(server, "1-0", row(1))
    put(server, "2-0", row(2))
    put(server, "3-0", row(2))
    server.xadd(KEYS.log, {"event": b"\xff{"}, id="4-0")
    put(server, "5-0", row(5))
    program = python(name, url, "1-0")
    program.wait_for("headline 5")
    assert [line.rpartition(" ")[2] for line in program.out] == ["2", "5"]
    program.wait_for("stand aside")


def test_plain_needs_none_of_ours(start: Start, url: str, publisher: Publisher) -> None:
    """`plain_redis.py` runs where our package is not installed."""
    publisher.publish(row(1), now=NOW, restart=True)
    code = (
        "import runpy, sys; sys.modules['signals'] = None; del sys.argv[0]; runpy.run_path(sys.argv[0], {}, '__main__')"
    )
    program = start(sys.executable, "-c", code, HERE / "plain_redis.py", url, 0)
    program.wait_for("headline 1")
    assert program.out == ["down 0.8232 152.31 headline 1"]
