"""`signals migrate-store` from the shell: what it says, and what it refuses."""

import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from jobs import standing
from jobs.cli import main
from signals.store import Store, headlines, moving
from tests.jobs.conftest import Shell
from tests.store.conftest import make_headline, url_of

Said = tuple[int, str, str]


@pytest.fixture
def url(databases):
    """An empty database of a server."""
    with databases.one() as made:
        yield made


@pytest.fixture
def home(tmp_path: Path) -> Shell:
    """A home whose store holds three headlines."""
    made = Shell(tmp_path, "")
    made.home.mkdir()
    keep(url_of(made.home / "signals.db"), 3)
    return made


def keep(url: str, count: int) -> None:
    """Put so many headlines into a store."""
    with contextlib.closing(Store.open(url)) as store, store.write() as conn:
        headlines.add(conn, [make_headline(number) for number in range(count)])


@pytest.fixture
def told(home: Shell, monkeypatch, capsys) -> Callable[..., Said]:
    """Run the command in this home: its exit code and what it printed."""
    monkeypatch.setenv("SIGNALS_HOME", str(home.home))

    def run(*arguments: str) -> Said:
        with pytest.raises(SystemExit) as ended:
            main(["--config", str(home.config), "migrate-store", *arguments])
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return run


def test_a_home_moves_to_a_server_and_back(home, told, url, tmp_path, monkeypatch) -> None:
    """Each table with its count and digest; then what to do next, without the password; both ways."""
    secret = sa.make_url(url).set(password="hush-hush").render_as_string(hide_password=False)
    code, out, err = told(secret)
    assert (code, err) == (0, "")
    assert "headlines            3" in out
    assert "3 rows from sqlite:///" in out
    assert "Next: SIGNALS_DATABASE_URL='postgresql+psycopg://signals:***@/t" in out
    assert "hush" not in out
    monkeypatch.setenv("SIGNALS_DATABASE_URL", url)
    back = url_of(tmp_path / "back.db")
    assert told("-", back)[0] == 0
    for place in (url, back):
        with contextlib.closing(Store.open(place)) as store:
            assert [one.rows for one in moving.digests(store) if one.table == "headlines"] == [3]


def test_a_database_that_holds_anything_is_refused(told, url) -> None:
    """And stays as it is."""
    keep(url, 1)
    code, _, err = told(url)
    assert (code, "is not empty: 1 rows - name an empty database" in err) == (1, True)
    with contextlib.closing(Store.open(url)) as store:
        assert sum(one.rows for one in moving.digests(store)) == 1


def test_what_cannot_be_copied_leaves_nothing(home, told, url) -> None:
    """A name that is too long for the server, in the last of many rows: none is kept, and it says why."""
    with contextlib.closing(Store.open(url_of(home.home / "signals.db"))) as store, store.write() as conn:
        headlines.add(conn, [make_headline(9, source="x" * 99)])
    code, _, err = told(url)
    assert (code, "value too long for type character varying(80)" in err) == (1, True)
    with contextlib.closing(Store.open(url)) as store:
        assert sum(one.rows for one in moving.digests(store)) == 0


def test_rows_that_come_out_otherwise_are_not_kept(home, told, url) -> None:
    """A database that changes what it is given: the comparison finds it, and nothing stays."""
    with contextlib.closing(Store.open(url)) as store, store.write() as conn:
        conn.exec_driver_sql("CREATE FUNCTION dull() RETURNS trigger LANGUAGE plpgsql AS $$"
                             "BEGIN NEW.body := 'dull'; RETURN NEW; END $$")  # fmt: skip
        conn.exec_driver_sql("CREATE TRIGGER dull BEFORE INSERT ON headlines FOR EACH ROW EXECUTE FUNCTION dull()")
    code, _, err = told(url)
    assert code == 1
    assert "headlines came out as 3 rows" in err
    with contextlib.closing(Store.open(url)) as store:
        assert sum(one.rows for one in moving.digests(store)) == 0


def test_a_running_service_must_end_first(home, told, url) -> None:
    """What it wrote meanwhile would be lost."""
    with standing.alone(home.home):
        code, _, err = told(url)
    assert (code, "its service runs, and would go on writing - end `signals serve` first" in err) == (2, True)


def test_a_service_of_another_machine_is_seen(told, url) -> None:
    """By the name of its session on the server."""
    other = sa.make_url(url).update_query_dict({"application_name": "signals elsewhere 77"})
    with contextlib.closing(Store.open(other.render_as_string(hide_password=False))):
        code, _, err = told(url)
    assert (code, "is in use by signals elsewhere 77 - end what runs there first" in err) == (2, True)


def test_a_store_that_is_not_there_is_not_made(told, tmp_path) -> None:
    """A mistyped FROM is no empty store."""
    wrong = tmp_path / "wrong.db"
    code, _, err = told(url_of(wrong), url_of(tmp_path / "to.db"))
    assert (code, f"{wrong}: is not there - is FROM right?" in err) == (2, True)
    assert not wrong.exists()


def test_an_older_store_is_told_to_be_brought_up_first(home, told, url) -> None:
    """Its tables are not those of this code."""
    with contextlib.closing(Store.open(url_of(home.home / "signals.db"))) as store, store.write() as conn:
        conn.exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")
    code, _, err = told(url)
    assert (code, "has the tables 0001, this code wants" in err) == (2, True)


@pytest.mark.parametrize("arguments", [("-",), ("-", "-"), ("postgresql+psycopg://bob:hush@h:five/d",), ("signals",)])
def test_addresses_that_make_no_sense(told, arguments) -> None:
    """The same twice, or none at all: one line, without the password."""
    code, _, err = told(*arguments)
    assert (code, err.count("\n"), "hush" in err) == (2, 1, False)
    assert err.startswith("signals: migrate-store: ")
