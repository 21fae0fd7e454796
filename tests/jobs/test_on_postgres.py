"""A home whose store is on PostgreSQL, by its address alone: what a person does with it, from the shell."""

import json
import os
import signal
import subprocess
import urllib.error
import urllib.request
from contextlib import closing
from pathlib import Path

import pytest

from signals.delivery.endpoints import endpoint
from signals.store import Store, moving
from tests import postgres
from tests.jobs.conftest import ARTICLES, Shell
from tests.jobs.test_serve import serving, until

PAGES = (
    "signals?limit=5&text=yen&topic=boj.policy&direction=up", "signals.csv", "chart", "runs", "alerts", "scorecard",
)  # fmt: skip
DATABASE = "SIGNALS_DATABASE_URL"


def answers(url: str) -> bool:
    """Whether what stands there is given."""
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return answer.status == 200
    except urllib.error.HTTPError:
        return False


@pytest.fixture(scope="module")
def lived(tmp_path_factory, databases) -> Shell:
    """Two cycles of the shipped articles; nothing else is reached."""
    with databases.one() as url:
        made = Shell(tmp_path_factory.mktemp("lived"), ARTICLES)
        made.env[DATABASE] = url
        done = [made.run("run") for _ in range(2)]
        assert [(one.returncode, one.stderr) for one in done] == [(0, ""), (0, "")]
        yield made


def test_a_second_cycle_repeats_nothing(lived: Shell) -> None:
    """The first takes all articles and tells them, the second finds nothing new."""
    told = lived.run("jobs", "history", "--json").stdout.splitlines()
    runs = [one for one in map(json.loads, told) if one["job"] == "publish"]
    assert [one["counts"].get("signals", 0) for one in runs] == [0, 15]
    with closing(Store.open(lived.env[DATABASE])) as store, store.read() as conn:
        assert conn.exec_driver_sql("SELECT count(*), max(seq) FROM outbox").one() == (15, 15)
        assert conn.exec_driver_sql("SELECT count(*) FROM headlines").scalar_one() == 16


def test_the_doctor_knows_the_database(lived: Shell) -> None:
    """Its program, its tables and its clock, and no file that it has not."""
    lines = [json.loads(line) for line in lived.run("doctor", "--json").stdout.splitlines()]
    (found,) = (one for one in lines if one.get("check") == "database")
    assert found["status"] == "ok"
    assert "PostgreSQL" in found["text"]
    assert not [one for one in lines if one["status"] == "fail"]


def test_the_page_reads_and_the_service_ends(lived: Shell) -> None:
    """Every read of the console, readiness and metrics answer well."""
    with serving(lived) as process:
        url = endpoint(lived.home, "console")
        until(lambda: answers(f"{url}/readyz"))
        for path in ("/metrics", *(f"/console/api/{one}" for one in PAGES)):
            assert answers(f"{url}{path}"), path
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def test_a_dump_is_a_backup(lived: Shell, databases: postgres.Databases, tmp_path: Path) -> None:
    """The commands that `signals backup` and `restore` name, as they stand there, bring every row back."""
    tools = {"PATH": f"{postgres.programs()}:{os.environ['PATH']}"}
    name = databases.on.create()
    said = lived.run("backup", "--to", str(tmp_path / "x")).stderr
    dump = said.partition("PGPASSWORD=… ")[2].partition(";")[0]
    restored = databases.on.url(name)
    other = Shell(tmp_path, "")
    other.env[DATABASE] = restored
    put_back = other.run("restore", "x").stderr.partition("PGPASSWORD=… ")[2].partition(";")[0]
    for command in (dump, put_back):
        subprocess.run(["sh", "-c", command], check=True, cwd=tmp_path, env=os.environ | tools)
    with closing(Store.open(lived.env[DATABASE])) as old, closing(Store.open(restored)) as new:
        assert moving.digests(new) == moving.digests(old)
    databases.on.drop(name)
