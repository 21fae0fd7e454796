"""A backup taken while the service writes, put back elsewhere, replays to the same bytes; nothing else is accepted."""

import contextlib
import gzip
import hashlib
import io
import json
import sqlite3
import tarfile
import threading
from pathlib import Path

import msgspec
import pytest

from jobs import logs, replaying
from jobs.app import App
from jobs.backup import back_up
from jobs.catalogue import runner_for
from jobs.history import FIRST, LAST
from jobs.restoring import restore
from jobs.settings import load
from signals.errors import SignalsError
from signals.store import bars, headlines, leases
from signals.store.database import HEAD
from tests.jobs.conftest import ARTICLES, Shell
from tests.properties.conftest import START, Clock
from tests.properties.test_house import minutes, news

SECRET = "of the wire: not to be told"


@pytest.fixture(scope="module")
def backed(tmp_path_factory):
    """A home whose service publishes again and again while backups are taken of it, and those backups."""
    shell = Shell(tmp_path_factory.mktemp("live"), ARTICLES)
    folder = tmp_path_factory.mktemp("backups")
    clock = Clock(START)
    logs.configure(shell.home, stream=io.StringIO())
    with contextlib.closing(App(load(shell.config, shell.env), clock)) as app:
        (shell.home / "token").write_text(SECRET)
        (shell.home / "trials.jsonl").write_text('{"trial": 1}\n')
        with app.store.write() as conn:
            bars.add(conn, [msgspec.structs.replace(bar, known_at=clock()) for bar in minutes(12, seed=2)])
        _publish(app, clock, news(30, seed=1))
        published = threading.Semaphore(0)
        ended = threading.Event()

        def take():
            for number in range(3):
                assert published.acquire(timeout=60)
                back_up(app.settings, folder / f"{number}.tar.gz", clock())
            ended.set()

        thread = threading.Thread(target=take)
        thread.start()
        batch = news(4000, seed=3)
        for part in range(100):
            _publish(app, clock, batch[part * 40 : part * 40 + 40])
            published.release()
            if ended.is_set():
                break
        thread.join()
    return shell, sorted(folder.glob("*.tar.gz"))


def _publish(app, clock, batch):
    known = [msgspec.structs.replace(one, known_at=clock()) for one in batch]
    with app.store.write() as conn:
        headlines.add(conn, known)
    assert runner_for(app).run("publish", "manual").outcome == "ok"
    clock.forward(minutes=1)


def elsewhere(tmp_path, home="restored"):
    made = Shell(tmp_path, ARTICLES)
    made.home = tmp_path / home
    made.env["SIGNALS_HOME"] = str(made.home)
    return made


def names(archive):
    with tarfile.open(archive) as opened:
        return opened.getnames()


def test_each_backup_taken_during_writes_replays_to_the_same_bytes(backed, tmp_path):
    """Whatever moment it caught: a whole one, in which replay finds nothing different."""
    told = []
    for number, archive in enumerate(backed[1]):
        settings = load(None, {"SIGNALS_HOME": str(tmp_path / str(number))})
        restore(settings, archive)
        with contextlib.closing(App(settings)) as app:
            done = replaying.run(app, replaying.Asked(FIRST, LAST))
        assert (done.by_the_same, done.comparison.different) == (True, 0)
        told.append(done.comparison.same)
    assert told == sorted(told)
    assert told[0] < told[-1]  # writes went on between them


def test_no_secret_is_in_it_unless_asked_for(backed, tmp_path):
    """Neither by name nor by content; with them the file says so of itself, and only its owner reads it."""
    shell, (archive, *_) = backed
    assert SECRET.encode() not in gzip.decompress(archive.read_bytes())
    assert not {"token", "token.sha256"} & set(names(archive))
    assert {"signals.db", "trials.jsonl", "settings/signals.toml", "settings/feeds.toml"} <= set(names(archive))
    assert archive.stat().st_mode & 0o777 == 0o600
    told = shell.run("backup", "--with-secrets", "--to", str(tmp_path / "all.tar.gz"))
    assert "with secrets" in told.stdout
    assert {"token", "publisher.password"} & set(names(tmp_path / "all.tar.gz"))
    assert SECRET.encode() in gzip.decompress((tmp_path / "all.tar.gz").read_bytes())


def test_a_home_in_use_is_left_alone(backed, tmp_path):
    """Exit 2, and nothing is touched."""
    made = elsewhere(tmp_path)
    made.home.mkdir()
    (made.home / "mine").write_text("x")
    done = made.run("restore", str(backed[1][0]))
    assert done.returncode == 2
    assert "is not empty" in done.stderr
    assert [path.name for path in made.home.iterdir()] == ["mine"]


def rewritten(archive, to, change):
    """The archive with its entries changed: (name, bytes) pairs in, the same out."""
    with tarfile.open(archive) as old:
        entries = [(entry.name, old.extractfile(entry).read()) for entry in old]
    with tarfile.open(to, "w:gz") as new:
        for name, content in change(entries):
            head = tarfile.TarInfo(name)
            head.size = len(content)
            new.addfile(head, io.BytesIO(content))
    return to


def listed(entries, **more):
    """The entries with another list."""
    made = json.loads(entries[0][1])
    return [(entries[0][0], json.dumps(made | more).encode()), *entries[1:]]


def flipped(content):
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


DAMAGE = {
    "is not what was backed up": lambda found: [(n, flipped(c) if n == "signals.db" else c) for n, c in found],
    "lacks trials.jsonl": lambda found: [one for one in found if one[0] != "trials.jsonl"],
    "which its list does not name": lambda found: [*found, ("../../evil", b"x")],
    "is no backup of ours": lambda found: found[1:],
    "its list cannot be read": lambda found: [(found[0][0], b"{}"), *found[1:]],
    "was made by a newer version": lambda found: listed(found, revision="9999"),
    "holds no store": lambda found: listed(found, files={}),
    "no place in a home": lambda found: listed(
        found, files=json.loads(found[0][1])["files"] | {"../evil": {"bytes": 1, "sha256": ""}}
    ),
    "file is not a database": lambda found: [
        *listed(
            found,
            files=json.loads(found[0][1])["files"]
            | {"signals.db": {"bytes": 4, "sha256": hashlib.sha256(b"none").hexdigest()}},
        )[:1],
        *((name, b"none" if name == "signals.db" else content) for name, content in found[1:]),
    ],
}


@pytest.mark.parametrize("why", DAMAGE)
def test_a_backup_that_is_not_whole_puts_nothing_in_place(backed, tmp_path, why):
    """One line that names the file and what is wrong with it; the home stays empty."""
    archive = rewritten(backed[1][0], tmp_path / "damaged.tar.gz", DAMAGE[why])
    error, left = refused(archive, tmp_path)
    assert type(error).__name__ == "ConfigError"
    assert str(archive) in str(error)
    assert why in str(error)
    assert len(str(error).splitlines()) == 1
    assert left == []


def test_a_file_cut_short_is_refused(backed, tmp_path):
    """As when a disk was full; so is what is no archive at all."""
    whole = backed[1][0].read_bytes()
    for number, content in enumerate((whole[: len(whole) // 2], whole[:100], b"", b"no archive")):
        cut = tmp_path / f"cut{number}.tar.gz"
        cut.write_bytes(content)
        error, left = refused(cut, tmp_path)
        assert type(error).__name__ == "ConfigError"
        assert str(cut) in str(error)
        assert any(why in str(error) for why in ("cannot be unpacked", "is no backup of ours")), error
        assert left == []


def refused(archive, tmp_path):
    """The error with which an archive is refused, and what is in the home then."""
    settings = load(None, {"SIGNALS_HOME": str(tmp_path / "empty")})
    with pytest.raises(SignalsError) as caught:
        restore(settings, archive)
    return caught.value, list((tmp_path / "empty").iterdir())


def test_an_older_store_is_brought_up_to_date(backed, tmp_path):
    """What an earlier version backed up is of use to this one."""
    made = elsewhere(tmp_path)
    assert made.run("restore", str(backed[1][0])).returncode == 0
    with contextlib.closing(sqlite3.connect(made.home / "signals.db")) as store:
        assert store.execute("SELECT version_num FROM alembic_version").fetchone() == (HEAD,)
    assert (made.home / "settings" / "signals.toml").is_file()
    assert not (made.home / ".restoring").exists()


def test_a_server_database_has_tools_of_its_own(tmp_path):
    """One line with the command, without the password."""
    made = elsewhere(tmp_path)
    made.env["SIGNALS_DATABASE_URL"] = "postgresql+psycopg://me:hush@db.example/prices"
    for arguments, tool in ((("backup", "--to", "x"), "pg_dump"), (("restore", "x"), "pg_restore")):
        done = made.run(*arguments)
        assert done.returncode == 2
        assert f"{tool} " in done.stderr
        assert "postgresql://me@db.example/prices" in done.stderr
        assert "hush" not in done.stderr
        assert done.stderr.count("\n") == 1


def test_a_home_without_a_store_is_named(tmp_path):
    """And no file is left behind."""
    made = elsewhere(tmp_path)
    done = made.run("backup", "--to", str(tmp_path / "out.tar.gz"))
    assert (done.returncode, "there is no store here" in done.stderr) == (2, True)
    assert not Path(tmp_path / "out.tar.gz").exists()


def test_a_restored_store_is_led_by_nobody(tmp_path):
    """Whoever restores it leads at once, by a greater token, and is not told of services that were."""
    member = leases.Member("a", "h", "/h", None, True, True, 9, 0, START)
    with contextlib.closing(App(load(None, {"SIGNALS_HOME": str(tmp_path / "old")}))) as app:
        with app.store.write() as conn:
            leases.take(conn, "USDJPY", "a", above=6)
            leases.say(conn, member)
        back_up(app.settings, tmp_path / "copy.tar.gz", START)
    settings = load(None, {"SIGNALS_HOME": str(tmp_path / "new")})
    restore(settings, tmp_path / "copy.tar.gz")
    with contextlib.closing(App(settings)) as app, app.store.write() as conn:
        assert leases.members(conn) == []
        assert leases.take(conn, "USDJPY", "b") == 8
