"""`signals work` as processes: they outlive poison, hangs and their Redis, and end when asked to."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import redis
from typer.testing import CliRunner

from jobs.cli import app as commands
from signals.sources import inbox, rejects, scored
from tests.conftest import ROOT
from tests.delivery.servers import free_port, running

from .fragile import HANGS, KILLS
from .test_worker import until

_ENV = {
    "SIGNALS__WORKERS__RECLAIM_AFTER_S": "1.5", "SIGNALS__WORKERS__MAX_DELIVERIES": "2", "SIGNALS__WORKERS__BATCH": "5",
    "SIGNALS__WORKERS__ENABLED": "true",
}  # fmt: skip


def started(folder: Path, url: str, *command: str) -> "subprocess.Popen[str]":
    """A process with its log in the folder."""
    env = os.environ | _ENV | {"SIGNALS_HOME": str(folder / "home"), "SIGNALS_REDIS_URL": url}
    with (folder / "log").open("a") as log:
        return subprocess.Popen([sys.executable, "-m", *command], env=env, cwd=ROOT, stderr=log, text=True)


def events(folder: Path, name: str) -> list[dict[str, object]]:
    """What the workers said of one kind."""
    lines = [json.loads(line) for line in (folder / "log").read_text().splitlines() if line.startswith("{")]
    return [one for one in lines if one["event"] == name]


def push(client: "redis.Redis", *titles: str) -> None:
    """Send these."""
    for number, title in enumerate(titles):
        client.xadd(inbox.STREAM, {"id": f"{title}{number}", "title": title})


def empty(client: "redis.Redis") -> None:
    """Wait until nothing waits."""
    until(lambda: client.xlen(inbox.STREAM) == 0, "the inbox is not emptied")


def handed(client: "redis.Redis") -> int:
    """How much lies there scored."""
    return int(client.xlen(scored.SCORED))


def deaths(folder: Path) -> set[str]:
    """How workers died, as it was told."""
    return {one["error"] for one in events(folder, "worker.died")}


def test_poison_kills_a_few_workers_and_no_other_headline(tmp_path: Path) -> None:
    """What kills its worker, or hangs in it, ends among the dead letters after so many deaths; all else is scored."""
    with running(tmp_path / "server") as server, redis.Redis.from_url(server.url) as client:
        push(client, "BOJ hikes to 1.0%", KILLS, "Fed cuts rates by 25bp", HANGS, *("Yen slides" for _ in range(20)))
        pool = started(tmp_path, server.url, "tests.workers.fragile", str(ROOT / "config" / "signals.toml"))
        try:
            empty(client)
            until(
                lambda: (
                    {"killed by SIGKILL", "exit code 1"} == {one["error"] for one in events(tmp_path, "worker.died")}
                ),
                "both ways to die are not told",
            )
        finally:
            pool.terminate()
        assert pool.wait(30) == 0
        assert handed(client) == 22
        letters = rejects.newest(client, 9)
        assert sorted(KILLS in one.text for one in letters) == [False, True]
        assert {one.deliveries for one in letters} == {2}
        assert all(one.reason.startswith("given to 2 workers, and each died or hung") for one in letters)
    assert len(events(tmp_path, "worker.died")) >= 3


def test_workers_outlive_their_redis_and_end_when_asked(tmp_path: Path) -> None:
    """They say once that it is gone and once that it is back, go on, and leave nothing and no name behind."""
    port = free_port()
    with running(tmp_path / "server", "--appendonly", "yes", port=port) as server:
        workers = started(tmp_path, server.url, "jobs", "work", "--name", "w", "--processes", "1")
        with redis.Redis.from_url(server.url) as client:
            push(client, *("Yen slides" for _ in range(12)))
            empty(client)
    until(lambda: events(tmp_path, "worker.redis_lost"), "they do not notice")
    back = running(tmp_path / "server", "--appendonly", "yes", port=port)
    with back as server, redis.Redis.from_url(server.url) as client:
        push(client, *("Dollar slides" for _ in range(7)))
        empty(client)
        workers.terminate()
        assert workers.wait(30) == 0
        assert handed(client) == 19
        assert client.xinfo_consumers(inbox.STREAM, inbox.GROUP) == []
    assert [len(events(tmp_path, f"worker.{name}")) for name in ("redis_lost", "redis_back", "stop")] == [1, 1, 1]
    counts = [one["counts"] for one in events(tmp_path, "worker.counts")]
    assert sum(one["handed"] for one in counts) == 19
    assert events(tmp_path, "worker.start")[0]["worker"].startswith("w-")


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Runs a command on a server with two dead letters."""
    with running(tmp_path / "server") as server, redis.Redis.from_url(server.url) as client:
        monkeypatch.setenv("SIGNALS_REDIS_URL", server.url)
        monkeypatch.setenv("SIGNALS_HOME", str(tmp_path / "home"))
        for number in (1, 2):
            inbox.reject(client, b"%d-0" % number, {b"headline": b"[red]no"}, f"why {number}", "w-1", 3)
        yield client, lambda *words: CliRunner().invoke(commands, list(words))


def test_dead_letters_are_shown_and_put_back_by_hand(shell) -> None:
    """As a table with text as it is, as JSON, by id and all; an id that there is none of is one line and exit 1."""
    client, run = shell
    table = run("inbox", "rejected", "--limit", "1").output
    assert "why 2" in table
    assert "[red]no" in table
    assert "and 1 older ones" in table
    rows = [json.loads(line) for line in run("inbox", "rejected", "--json").output.splitlines()]
    assert [(row["reason"], row["consumer"], row["deliveries"]) for row in rows] == [
        ("why 2", "w-1", 3),
        ("why 1", "w-1", 3),
    ]
    assert run("inbox", "redrive").exception.problem == "needs ids, or --all"
    done = run("inbox", "redrive", rows[1]["rejected_id"], "7-7")
    assert done.output.splitlines()[0] == "1 back in the inbox"
    assert str(done.exception).startswith("7-7: there is no dead letter of this id")
    assert run("inbox", "redrive", "--all").output == "1 back in the inbox\n"
    assert run("inbox", "rejected").output == "no dead letters\n"
    assert client.xlen(inbox.STREAM) == 2
