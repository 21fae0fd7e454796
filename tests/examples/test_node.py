"""The consumer in Node, and what its tests stand on."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from signals.delivery.broker import EmbeddedBroker
from signals.delivery.publisher import Publisher
from tests.delivery.conftest import KEYS, NOW, beat, put

from . import nodejs
from .conftest import PAST, Program, Start, retraction_row, row

Consumer = Callable[..., Program]


@pytest.fixture
def consumer(start: Start, url: str) -> Consumer:
    """Starts the consumer on the real server."""
    node = nodejs.needed()
    return lambda *words, at=url: start(node, nodejs.NODE / "consumer.mjs", "--url", at, *words)


def seqs(program: Program) -> list[int]:
    """Numbers of the signals it printed."""
    return [int(line.split()[1]) for line in program.out]


def test_prints_one_line_a_signal(consumer: Consumer, publisher: Publisher, server: Any) -> None:
    """From a place in the log it prints each signal after it: id, number, direction, strength, price, title."""
    publisher.publish_many([row(seq) for seq in (1, 2, 3)], now=NOW, restart=True)
    first, second, third = (stream_id.decode() for stream_id, _ in server.xrange(KEYS.log))
    program = consumer("--from", first, "--count", 2)
    assert program.end() == 0
    assert program.out == [
        f"{second} 2 down 0.8232 152.31 headline 2",
        f"{third} 3 down 0.8232 152.31 headline 3",
    ]
    assert [line for line in program.err if "gap" in line] == []


def test_drops_what_has_expired(consumer: Consumer, publisher: Publisher) -> None:
    """A signal whose time is over is not printed, though it counts in the sequence; a retraction is told."""
    rows = [row(1, PAST), row(2), retraction_row(3, 2), row(4)]
    publisher.publish_many(rows, now=NOW, restart=True)
    program = consumer("--from", 0, "--count", 2)
    assert program.end() == 0
    assert seqs(program) == [2, 4]
    assert program.err == ["# expired: 1", "# retracted: signal-2 withdrawn"]


def test_follows_and_hears_heartbeats(consumer: Consumer, publisher: Publisher) -> None:
    """After the log it prints what comes, and hears heartbeats on a second connection while it waits."""
    publisher.publish(row(1), now=NOW, restart=True)
    program = consumer("--from", 0, "--count", 3)
    program.wait_for("headline 1")
    beat(publisher, last_seq=1)
    program.wait_for("# heartbeat: seq 1 down: fed")
    publisher.publish_many([row(2), row(3)], now=NOW)
    assert program.end() == 0
    assert seqs(program) == [1, 2, 3]


def test_tells_gaps_and_repeats(consumer: Consumer, server: Any) -> None:
    """A jump in `seq` is told, a repeat left out, a broken message skipped, and an epoch begins with 1."""
    for number, seq in enumerate((1, 2, 2, 5), 1):
        put(server, f"{number}-0", row(seq))
    server.xadd(KEYS.log, {"event": b"\xff{"}, id="5-0")
    put(server, "6-0", row(6))
    put(server, "7-0", row(2, epoch="e2"))
    program = consumer("--from", 0, "--count", 5)
    assert program.end() == 0
    assert seqs(program) == [1, 2, 5, 6, 2]
    told = [line for line in program.err if "gap" in line]
    assert [line.split(" cannot")[0] for line in told] == ["# gap: 3 to 4 of e1", "# gap: 1 to 1 of e2"]


def test_sees_a_gap_right_after_its_place(consumer: Consumer, server: Any) -> None:
    """What is missing between the last message seen and the first new one is told, though that was another run's."""
    put(server, "1-0", row(1))
    put(server, "2-0", row(4))
    program = consumer("--from", "1-0", "--count", 1)
    assert program.end() == 0
    assert program.err == ["# gap: 2 to 3 of e1 cannot be had - stand aside"]


def test_reads_another_log_from_its_beginning(consumer: Consumer, server: Any) -> None:
    """Where the server was wiped, the new log is read from its beginning, and what was seen before left out."""
    put(server, "5-0", row(1))
    program = consumer("--from", 0, "--count", 2)
    program.wait_for("headline 1")
    server.delete(KEYS.log)
    put(server, "1-0", row(1))
    put(server, "2-0", row(2))
    assert program.end() == 0
    assert seqs(program) == [1, 2]


def test_tells_silence_once(consumer: Consumer, publisher: Publisher) -> None:
    """Without a heartbeat within the deadline it says so, once."""
    program = consumer("--deadline-s", 0.001, "--count", 1)
    program.wait_for("silence")
    publisher.publish(row(1), now=NOW, restart=True)
    assert program.end() == 0
    assert len([line for line in program.err if "silence" in line]) == 1


def test_survives_a_restart_of_the_server(consumer: Consumer, broker: EmbeddedBroker, home: Path) -> None:
    """The server gone and back, it goes on behind the last signal: none lost, none twice."""
    import redis

    at = broker.ensure()
    with redis.Redis.from_url(at) as client:
        Publisher(client).publish(row(1), now=NOW, restart=True)
        program = consumer("--from", 0, "--count", 2, at=at)
        program.wait_for("headline 1")
    broker.stop()
    program.wait_for("connection")
    with EmbeddedBroker(home, int(at.rpartition(":")[2])) as again, redis.Redis.from_url(again.ensure()) as client:
        Publisher(client).publish(row(2), now=NOW)
        assert program.end() == 0
    assert seqs(program) == [1, 2]


def test_the_lock_file_holds_hashes_and_no_addresses() -> None:
    """Every package is pinned by a hash, and none by where it was once fetched."""
    packages = json.loads((nodejs.NODE / "package-lock.json").read_text())["packages"]
    del packages[""]
    assert [name for name, package in packages.items() if not package["integrity"].startswith("sha512-")] == []
    assert [name for name, package in packages.items() if "resolved" in package] == []


@pytest.mark.parametrize(("ci", "outcome"), [("true", pytest.fail.Exception), ("", pytest.skip.Exception)])
def test_a_missing_node_is_no_success(
    ci: str, outcome: type[BaseException], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Without Node, or its packages, tests fail in CI and are skipped elsewhere, saying what to install."""
    monkeypatch.setenv("CI", ci)
    with pytest.raises(outcome, match="install Node"):
        nodejs.needed(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(outcome, match="install Node"):
        nodejs.needed()
