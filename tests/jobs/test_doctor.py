"""`signals doctor`: it finds what is wrong, says what to do, tells no secret and changes nothing."""

import datetime as dt
import json
import os
import signal
import sqlite3
import subprocess
import threading
from contextlib import closing, contextmanager

import pytest
import redis
import sqlalchemy as sa
from typer.testing import CliRunner

from jobs import standing
from jobs.checks.examine import examine
from jobs.checks.line import WORST, Line, ok
from jobs.checks.processes import flock_holder
from jobs.checks.seen import Asked, Seen
from jobs.checks.table import TABLE, Check
from jobs.cli import app
from jobs.settings import load
from signals.model import JobRun
from signals.store import Store, runs, schema
from tests.conftest import ROOT
from tests.delivery.servers import free_port, running
from tests.jobs.conftest import rss_row
from tests.jobs.test_serve import serving, until

NOW = dt.datetime(2026, 11, 30, 12, 0, tzinfo=dt.UTC)
FREE = {"SIGNALS_BROKER_PORT": "0", "SIGNALS_CONSOLE_PORT": "0"}


def examined(home, *names, config=ROOT / "config" / "signals.toml", offline=True, clock=lambda: NOW, **environ):
    """The lines of these checks by their names, as the doctor gives them."""
    told = FREE | {"SIGNALS_HOME": str(home)} | environ
    seen = Seen(Asked(load(config, told), told, clock, offline))
    wanted = [check for check in TABLE if check.name in names]
    assert len(wanted) == len(names)
    return {line.check: line for line in examine(seen, table=wanted)}


def doctor(made, *arguments):
    """The command in this process, which has loaded already what takes it seconds."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name not in made.env]:
            patch.delenv(name)
        for name, value in made.env.items():
            patch.setenv(name, value)
        return CliRunner().invoke(app, ["--config", str(made.config), "doctor", *arguments])


def told(done):
    """The lines of a `--json` output by their names."""
    lines = [Line(**json.loads(line)) for line in done.stdout.splitlines()]
    assert lines[-1].check == "summary", done
    return {line.check: line for line in lines}


@pytest.fixture
def kept(tmp_path):
    """A home with a store in it."""
    (home := tmp_path / "home").mkdir()
    with closing(Store.open(f"sqlite:///{home / 'signals.db'}")) as store:
        yield store
    assert home.exists()


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


def pictured(home):
    """Every file of a home, with its bytes and when it was written."""
    return {
        path.relative_to(home): (path.stat().st_mtime_ns, path.read_bytes() if path.is_file() else None)
        for path in sorted(home.rglob("*"))
    }


# ---- the command


def test_without_a_home_all_is_well_and_none_is_made(shell):
    """A fresh checkout: no failure, exit 0, what the first command will do is said, and no folder appears."""
    made = shell()
    done = doctor(made, "--offline")
    assert done.exit_code == 0, done.output
    assert "FAIL" not in done.stdout
    assert "is not there yet: the first command makes it" in done.stdout
    assert "0 failed" in done.stdout.splitlines()[-1]
    assert not made.home.exists()


def test_broken_settings_are_the_finding(shell):
    """A key that nobody knows: exit 1, a line with file, key and mend; the installation is looked at all the same."""
    made = shell()
    made.config.write_text(made.config.read_text() + "\n[jobs.inget]\nevery_s = 5\n")
    done = made.run("doctor", "--json")
    assert done.returncode == 1, done.stderr
    lines = told(done)
    assert lines["settings"].status == lines["summary"].status == "fail"
    assert f"{made.config}: jobs" in lines["settings"].text
    assert "inget" in lines["settings"].text
    assert lines["settings"].mend
    assert {"python", "packages", "extras", "clock:zones"} <= lines.keys()


@contextmanager
def frozen(made):
    """A service that stands still, so that it changes nothing while it is looked at."""
    with serving(made) as process:
        said = until(lambda: standing.read(made.home))
        for pid in (process.pid, said.pid):
            os.kill(pid, signal.SIGSTOP)
        try:
            yield process
        finally:
            process.kill()  # its child goes with it, and so does the server of that one
            until(lambda: flock_holder(made.home / "redis" / "server.lock") is None)


def test_looking_changes_nothing(shell, feed_server):
    """With a service that stands still, after it was killed, and after a run that ended: byte for byte the same."""
    made = shell(rss_row(feed_server, "/wire", "wire"))
    with frozen(made) as process:
        before = pictured(made.home)
        lines = told(doctor(made, "--json"))
        assert pictured(made.home) == before
        assert f"process {process.pid} " in lines["service"].text
        assert lines["service:ready"].status == "fail"
        assert lines["redis"].status == lines["database"].status == lines["feed:wire"].status == "ok"
    before = pictured(made.home)
    assert any(path.name == "signals.db-wal" and content for path, (_, content) in before.items())
    lines = told(doctor(made, "--json"))
    assert pictured(made.home) == before
    assert (lines["database"].status, lines["jobs"].status) == ("ok", "ok"), lines
    assert lines["service"].status == "fail"
    assert lines["service"].text.startswith("is gone, and did not end by itself")
    assert made.run("run").returncode == 0
    before = pictured(made.home)
    assert told(doctor(made, "--json"))["database"].status == "ok"
    assert pictured(made.home) == before


def test_no_secret_is_told(shell, tmp_path):
    """Passwords of Redis and database, a token in a feed's address, the home's own files: none is in any output."""
    made = shell('[[feed]]\nid = "paid"\nkind = "rss"\nurl = "http://127.0.0.1:9/s3cret-path?key=s3cret-key"\n')
    made.home.mkdir()
    for name in ("redis-password", "token"):
        (made.home / name).write_text("s3cret-of-the-home")
        (made.home / name).chmod(0o644)
    with running(tmp_path / "server", "--requirepass", "s3cret-right") as server:
        made.env |= {
            "SIGNALS_REDIS_URL": f"redis://:s3cret-wrong@127.0.0.1:{server.port}",
            "SIGNALS_DATABASE_URL": "postgresql+psycopg://bob:s3cret-store@127.0.0.1:9/signals",
            "SIGNALS_SIGNING_KEY": "hmac:s3cret-signing-key-0123456789abcdef",
            "SIGNALS_TOKEN": "s3cret-token",
            "SIGNALS__SOURCES__CONTACT": "s3cret@example.org",
        }
        shown = [doctor(made), doctor(made, "--json")]
    lines = told(shown[1])
    assert lines["redis"].text.endswith("(invalid username-password pair or user is disabled)")
    assert lines["database"].status == lines["secrets:token"].status == "fail"
    assert lines["feed:paid"].status == "warn"
    assert "s3cret" not in "".join(one.stdout + one.stderr for one in shown)


# ---- how checks are run


def test_a_check_that_hangs_or_breaks_hides_no_other(tmp_path, monkeypatch):
    """What has not answered by its deadline, and what raises, is a failure of its own line; the others are told."""
    ended = threading.Event()
    monkeypatch.setattr("jobs.checks.home.home", lambda _: list("x" * ended.wait(30)))
    monkeypatch.setattr("jobs.checks.home.secrets", lambda _: 1 / 0)
    monkeypatch.setattr("jobs.checks.files.settings", lambda _: [ok("settings", "well")])
    table = [
        Check("home", "the home", 0.05, "home:home"),
        Check("secrets", "secrets", 5, "home:secrets"),
        Check("settings", "files", 5, "files:settings"),
    ]
    seen = Seen(Asked(load(ROOT / "config" / "signals.toml", {"SIGNALS_HOME": str(tmp_path)}), {}, lambda: NOW, True))
    home, secrets, settings = examine(seen, table=table)
    ended.set()
    assert (home.status, home.text) == ("fail", "no answer within 0.05 s (the home)")
    assert secrets.status == "fail"
    assert "ZeroDivisionError" in secrets.text
    assert settings == ok("settings", "well")


def test_every_line_that_is_not_well_says_what_to_do(tmp_path):
    """In a home that is a file, with a database that is none and a Redis that is none: each line has its mend."""
    (home := tmp_path / "home").write_text("")
    (store := tmp_path / "store.db").write_bytes(b"no database" * 1000)
    told = FREE | {
        "SIGNALS_HOME": str(home),
        "SIGNALS_DATABASE_URL": f"sqlite:///{store}",
        "SIGNALS_REDIS_URL": f"redis://127.0.0.1:{free_port()}",
    }
    seen = Seen(Asked(load(ROOT / "config" / "signals.toml", told), told, lambda: NOW, True))
    lines = list(examine(seen))
    bad = [line for line in lines if line.status != "ok"]
    assert all(line.mend and "\n" not in line.text + line.mend for line in bad), bad
    assert all(line.status in WORST for line in lines)
    assert {"home", "database", "redis"} <= {line.check for line in bad if line.status == "fail"}


# ---- the checks


def test_a_variable_that_nothing_reads_is_named(tmp_path):
    """SIGNALS_REDIS_ULR is no setting: without a word of it one would search for long."""
    lines = examined(tmp_path, "settings", SIGNALS_REDIS_ULR="redis://x", SIGNALS__POLICY__TTL_S="60")
    assert lines["settings:SIGNALS_REDIS_ULR"].status == "warn"
    assert "SIGNALS__POLICY__TTL_S" in lines["settings"].text


def test_secrets_that_others_may_read_are_named_with_their_mend(tmp_path):
    """A mode wider than 0600 is a failure, and the mend is the command."""
    (tmp_path / "token").write_text("x")
    (tmp_path / "token").chmod(0o640)
    line = examined(tmp_path, "secrets")["secrets:token"]
    assert (line.status, line.mend) == ("fail", f"chmod 600 {tmp_path / 'token'}")
    (tmp_path / "token").chmod(0o600)
    assert examined(tmp_path, "secrets")["secrets"].status == "ok"


_HOLD = """
import sqlite3, sys
held = sqlite3.connect(sys.argv[1], isolation_level=None)
held.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def holding(path):
    """Another process that has the store for itself."""
    with subprocess.Popen(
        ["python3", "-c", _HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.stdin.close()


def test_who_keeps_others_from_writing_is_named(kept, home, monkeypatch):
    """A process that holds the database is told by its id; when it lets go, all is well."""
    monkeypatch.setattr("jobs.checks.database.HELD_S", 0.2)
    with holding(home / "signals.db") as process:
        line = examined(home, "database:lock")["database:lock"]
        assert line.status == "fail"
        assert f"locked by process {process.pid} (python" in line.text
        assert str(process.pid) in line.mend
    assert examined(home, "database:lock")["database:lock"].status == "ok"


def test_a_damaged_database_is_found(kept, home):
    """A page overwritten in the middle: the check of integrity fails, and names the file."""
    kept.close()
    path = home / "signals.db"
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (size - 8192))
    line = examined(home, "database:integrity")["database:integrity"]
    assert line.status == "fail"
    assert str(path) in line.text


def test_tables_of_another_version_are_told_and_left_as_they_are(kept, home):
    """Older: a warning; newer: a failure; and looking migrates nothing."""
    for revision, status in (("0001", "warn"), ("9999", "fail")):
        with closing(sqlite3.connect(home / "signals.db")) as other, other:
            other.execute("UPDATE alembic_version SET version_num = ?", (revision,))
        lines = examined(home, "database", "jobs", "prices", "channel")
        assert lines["database"].status == status, lines
        assert f"tables {revision}" in lines["database"].text
        assert all(line.status == "ok" for name, line in lines.items() if name != "database")
        with closing(sqlite3.connect(home / "signals.db")) as other:
            assert other.execute("SELECT version_num FROM alembic_version").fetchone() == (revision,)


def test_a_stranger_on_a_port_is_named_by_its_process(tmp_path, feed_server):
    """What listens there and is not ours fails the check, with its process and the variable to set."""
    port = feed_server.http.server_address[1]
    line = examined(tmp_path, "port", SIGNALS_CONSOLE_PORT=str(port))["port:console"]
    assert line.status == "fail"
    assert f"{port} is taken by process {os.getpid()}" in line.text
    assert "SIGNALS_CONSOLE_PORT" in line.mend
    assert examined(tmp_path, "port", SIGNALS_CONSOLE_PORT=str(free_port()))["port:console"].status == "ok"


def test_redis_is_told_with_who_we_are_and_what_it_would_lose(tmp_path):
    """A server that keeps nothing on disk and drops what it has no room for: two warnings; it may be written to."""
    with running(tmp_path / "server", "--maxmemory-policy", "allkeys-lru", "--maxmemory", "100mb") as server:
        lines = examined(tmp_path, "redis", SIGNALS_REDIS_URL=server.url)
        assert "as default, may write" in lines["redis"].text
        assert lines["redis:persistence"].status == lines["redis:policy"].status == "warn"
        assert "of 100.0 MB" in lines["redis:memory"].text or "of 104.9 MB" in lines["redis:memory"].text


def test_a_user_who_may_not_write_is_found_and_writes_nothing(tmp_path):
    """The right to write is tried without writing: a refusal is a failure naming the user, and no key comes of it."""
    with running(tmp_path / "server") as server, redis.Redis.from_url(server.url) as client:
        client.acl_setuser(
            "reader", enabled=True, nopass=True, keys=["*"], commands=["+@read", "+@connection", "+time"]
        )
        url = f"redis://reader:x@127.0.0.1:{server.port}"
        line = examined(tmp_path, "redis", SIGNALS_REDIS_URL=url)["redis"]
        assert line.status == "fail"
        assert "as reader" in line.text
        assert "forbids this to its user" in line.text
        assert client.dbsize() == 0


def test_a_redis_that_has_less_than_the_store_is_told_by_how_much(kept, home, tmp_path):
    """Three of five messages are there: behind by two; another store's epoch: a warning of its own; all: well."""
    with kept.write() as conn:
        conn.execute(sa.insert(schema.channel), {"name": "USDJPY", "epoch": "e1", "last_seq": 5, "steps": 1})
    with running(tmp_path / "server") as server, redis.Redis.from_url(server.url) as client:
        for said, status, words in (
            ('{"epoch":"e1","seq":3}', "warn", "behind by 2 (seq 3 of 5)"),
            ('{"epoch":"e2","seq":9}', "warn", "epoch e2, ours e1"),
            ('{"epoch":"e1","seq":5}', "ok", "seq 5 of 5"),
        ):
            client.set("signals:{usdjpy}:seq", said)
            line = examined(home, "channel", SIGNALS_REDIS_URL=server.url)["channel"]
            assert (line.status, words in line.text) == (status, True), line


def feeds_file(folder, *rows):
    (folder / "feeds.toml").write_text("".join(rows))
    text = (ROOT / "config" / "signals.toml").read_text().replace("../seeds", str(ROOT / "seeds"))
    for name in ("events.toml", "costs.toml"):
        text = text.replace(name, str(ROOT / "config" / name))
    (path := folder / "signals.toml").write_text(text)
    return path


def test_a_feed_that_does_not_answer_is_told_with_its_mend_and_the_others_go_on(tmp_path, feed_server):
    """One of two answers 404: a warning that names the reason; both: the feeds as a whole fail."""
    feed_server.status["/gone"] = 404
    config = feeds_file(tmp_path, rss_row(feed_server, "/wire", "wire"), rss_row(feed_server, "/gone", "gone"))
    lines = examined(tmp_path, "feeds", config=config, offline=False)
    assert lines["feed:wire"].status == "ok"
    assert lines["feed:gone"].status == "warn"
    assert "http_404" in lines["feed:gone"].text
    assert "feeds" not in lines
    feed_server.status["/wire"] = 500
    lines = examined(tmp_path, "feeds", config=config, offline=False)
    assert lines["feeds"].status == "fail"
    assert examined(tmp_path, "feeds", config=config)["feed:wire"].text == "never asked by ingest"


def test_a_clock_that_is_an_hour_off_the_feeds_is_a_failure(tmp_path, feed_server):
    """The feed's `Date` says another hour than ours: told with its size and the mend; the same hour: well."""
    config = feeds_file(tmp_path, rss_row(feed_server, "/wire", "wire"))
    right = dt.datetime.now(dt.UTC)
    line = examined(tmp_path, "clock", config=config, offline=False, clock=lambda: right - dt.timedelta(hours=1))[
        "clock"
    ]
    assert line.status == "fail"
    assert "1 feeds +3" in line.text
    assert "timedatectl" in line.mend
    line = examined(tmp_path, "clock", config=config, offline=False, clock=lambda: dt.datetime.now(dt.UTC))["clock"]
    assert line.status == "ok"


def test_jobs_that_failed_or_were_left_are_told(kept, home):
    """The last run failed: a warning with its error and where its log is; one that is fine is counted only."""
    at = NOW - dt.timedelta(seconds=30)
    bad = JobRun(
        run_id="r1", job="ingest", trigger="schedule", scheduled_at=at, started_at=at, ended_at=at,
        outcome="failed", error="StoreError: full",
    )  # fmt: skip
    with kept.write() as conn:
        runs.begin(conn, bad)
    lines = examined(home, "jobs")
    assert lines["job:ingest"].text == "failed 30 s ago: StoreError: full"
    assert "signals jobs show r1" in lines["job:ingest"].mend
    assert lines["jobs"].status == "ok"


def test_a_broken_model_in_the_home_is_told_and_the_shipped_one_stands_in(tmp_path):
    """A file that is no model: a warning that names it; the shipped one is loaded; without that one a failure."""
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "model.skops").write_bytes(b"no model")
    lines = examined(tmp_path, "model")
    assert lines["model:home"].status == "warn"
    assert "signals train --force" in lines["model:home"].mend
    assert lines["model"].status == "ok"
    lines = examined(tmp_path, "model", SIGNALS__SEEDS__MODEL=str(tmp_path / "nothing.skops"))
    assert lines["model"].status == "fail"
