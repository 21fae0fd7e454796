"""The store on a real PostgreSQL, reached by its URL alone: what its server says, and what it is told."""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from signals.errors import ConfigError, StoreError
from signals.store import Store, facts, feeds, headlines, moving, server, signals, source_days
from signals.store.database import address, impatient
from signals.store.faults import mend
from signals.store.glance import glance, nature
from signals.store.source_days import Look
from tests import postgres
from tests.store.conftest import CHANNEL, NOW, SECOND, make_headline


@pytest.fixture
def url(databases: postgres.Databases) -> Iterator[str]:
    """A database with nothing in its tables: here all is about a server."""
    with databases.one() as made:
        yield made


def with_options(url: str, **options: str) -> str:
    """The address for sessions with other settings."""
    words = " ".join(f"-c {name}={value}" for name, value in options.items())
    return sa.make_url(url).update_query_dict({"options": words}).render_as_string(hide_password=False)


def await_waiter(conn: sa.Connection) -> None:
    """Go on once somebody waits for a lock in this database."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    end = time.monotonic() + 20
    while not conn.exec_driver_sql(waiting).scalar_one():
        conn.exec_driver_sql("SELECT pg_stat_clear_snapshot()")
        assert time.monotonic() < end, "nobody waits"


def shown(store: Store, name: str) -> str:
    """A setting of the server, as a session of ours has it."""
    with store.read() as conn:
        return str(conn.exec_driver_sql(f"SHOW {name}").scalar_one())


@pytest.fixture
def opened() -> Iterator[contextlib.ExitStack]:
    """For stores that are closed at the end."""
    with contextlib.ExitStack() as stack:
        yield stack


def test_a_store_is_made_by_its_url(databases: postgres.Databases) -> None:
    """An empty database gets its tables, and is found as it was left."""
    name = databases.on.create()
    url = databases.on.url(name)
    for _ in range(2):
        store = Store.open(url)
        with store.write() as conn:
            epoch, last_seq = signals.open_channel(conn, CHANNEL, NOW)
        store.close()
    databases.on.drop(name)
    assert (len(epoch) > 0, last_seq) == (True, 0)


def test_many_open_an_empty_database_at_once(databases: postgres.Databases, opened: contextlib.ExitStack) -> None:
    """One makes the tables, the others wait and find them; none fails."""
    name = databases.on.create()
    gate, made = threading.Barrier(4), list[Store]()

    def open_it() -> None:
        gate.wait()
        made.append(Store.open(databases.on.url(name)))

    threads = [threading.Thread(target=open_it) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for store in made:
        store.close()
    databases.on.drop(name)
    assert len(made) == 4


def test_sessions_have_a_name_a_zone_and_limits(store: Store) -> None:
    """Who holds what can be told on the server; nobody waits for ever."""
    wished = {"timezone": "UTC", "lock_timeout": "30s", "idle_in_transaction_session_timeout": "5min"}
    assert {name: shown(store, name) for name in wished} == wished
    assert shown(store, "application_name") == server.session_name()
    assert server.session_name().startswith("signals ")
    assert server.session_name().endswith(f" {os.getpid()}")


def test_what_stands_in_the_url_counts_more(url: str, opened: contextlib.ExitStack) -> None:
    """A session setting, a name or a time-out of the user's own is kept; the impatient wait less for locks."""
    own = sa.make_url(with_options(url, lock_timeout="7s")).update_query_dict({"application_name": "mine"})
    store = opened.enter_context(contextlib.closing(Store.open(own.render_as_string(hide_password=False))))
    assert (shown(store, "lock_timeout"), shown(store, "application_name")) == ("7s", "mine")
    quick = opened.enter_context(contextlib.closing(Store.open(impatient(url, 3))))
    assert shown(quick, "lock_timeout") == "3s"


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_the_servers_own_form_of_an_address_will_do(scheme: str) -> None:
    """`postgresql://` means the driver that is there."""
    assert address(f"{scheme}://u:p@h:5/d").drivername == "postgresql+psycopg"


def test_other_databases_are_refused() -> None:
    """Neither SQLite nor PostgreSQL: said at once, not at the first insert."""
    with pytest.raises(ConfigError, match="neither SQLite nor PostgreSQL"):
        Store.open("mysql+pymysql://u:p@h/d")


def test_a_read_changes_nothing(store: Store) -> None:
    """The server refuses writes of who said it would only read."""
    with pytest.raises(StoreError, match="read-only transaction"), store.read() as conn:
        headlines.add(conn, [make_headline()])


def test_a_glance_makes_no_tables(databases: postgres.Databases, opened: contextlib.ExitStack) -> None:
    """An empty database is told to be one, and stays so."""
    name = databases.on.create()
    with contextlib.closing(glance(databases.on.url(name))) as store:
        found = nature(store)
        with store.read() as conn:
            assert sa.inspect(conn).get_table_names() == []
    databases.on.drop(name)
    assert found.program.startswith("PostgreSQL ")
    assert (found.revision, found.current) == (None, False)


def test_what_the_server_says_has_a_mend(url: str, databases: postgres.Databases, opened: contextlib.ExitStack) -> None:
    """A missing database or user, no connection left, a standby that is only read: one line each, with what to do."""
    databases.on.say("CREATE ROLE crowded LOGIN CONNECTION LIMIT 0")
    made = sa.make_url(url)
    faults = {
        made.set(database="nowhere"): r'database "nowhere" does not exist - make it: CREATE DATABASE',
        made.set(username="nobody_here"): r'role "nobody_here" does not exist - make the user: CREATE ROLE',
        made.set(username="crowded"): "too many connections for role .* - raise max_connections",
    }
    for wrong, line in faults.items():
        with pytest.raises(StoreError, match=line) as raised:
            Store.open(wrong.render_as_string(hide_password=False))
        assert "\n" not in str(raised.value)
    databases.on.say("DROP ROLE crowded")
    standby = Store.open(with_options(url, default_transaction_read_only="on"))
    opened.callback(standby.close)
    with pytest.raises(StoreError, match="read-only transaction - this is a standby"), standby.write() as conn:
        headlines.add(conn, [make_headline()])


@pytest.mark.parametrize(
    ("problem", "found"),
    [
        ('FATAL:  password authentication failed for user "bob"', "%40 for @"),
        ("connection to server at 127.0.0.1 failed: fe_sendauth: no password supplied", "%40 for @"),
        ('FATAL:  no pg_hba.conf entry for host "10.0.0.1", user "u", database "d"', "pg_hba.conf"),
        ("FATAL:  sorry, too many clients already", "max_connections"),
        ("FATAL:  remaining connection slots are reserved for roles with the SUPERUSER", "max_connections"),
        ('could not extend file "base/5/16397": No space left on device', "free disk space on the database server"),
        ("cannot set transaction read-write mode during recovery", "standby"),
        ("FATAL:  the database system is starting up", "in a moment"),
        ("terminating connection due to administrator command", "ended our session"),
        ("failed to resolve host 'db.example': Name or service not known", "host's name"),
        ("connection failed: Connection refused", "is the server up"),
        ("database or disk is full", "SIGNALS_HOME"),
        ("nothing that we know", ""),
    ],
)
def test_words_of_servers_and_their_mends(problem: str, found: str) -> None:
    """The more telling words of a line count."""
    assert found in mend(problem) if found else mend(problem) == ""


def test_a_lock_that_stays_is_an_error(url: str, store: Store, opened: contextlib.ExitStack) -> None:
    """Who waits for a channel that another holds gives up after its time, and says where to look."""
    quick = opened.enter_context(contextlib.closing(Store.open(with_options(url, lock_timeout="50ms"))))
    with store.write() as conn:
        signals.open_channel(conn, CHANNEL, NOW)
    with store.write() as conn:
        signals.open_channel(conn, CHANNEL, NOW)
        with pytest.raises(StoreError, match="lock timeout - another session holds it"), quick.write() as other:
            signals.open_channel(other, CHANNEL, NOW)


def test_who_stands_still_in_the_middle_loses_its_locks(url: str, store: Store, opened: contextlib.ExitStack) -> None:
    """A stalled process keeps nobody waiting for ever: the server ends its session, and it finds that out."""
    stalled = opened.enter_context(contextlib.closing(Store.open(url)))
    with pytest.raises(StoreError, match="idle-in-transaction"), stalled.write() as conn:
        conn.exec_driver_sql("SET idle_in_transaction_session_timeout = '50ms'")
        signals.open_channel(conn, CHANNEL, NOW)
        with store.write() as other:  # waits until the server has ended the other's session
            signals.open_channel(other, CHANNEL, NOW)
        conn.exec_driver_sql("SELECT 1")


def test_facts_go_in_one_after_another(store: Store) -> None:
    """Who looks for the newest fact to stamp its own waits for who is about to put one in."""
    with store.write() as conn:
        facts.hold(conn)
        other = threading.Thread(target=_stamped, args=(store, found := []))
        other.start()
        await_waiter(conn)
        headlines.add(conn, [make_headline(known_at=NOW + SECOND)])
    other.join()
    assert found == [NOW + SECOND]


def _stamped(store: Store, found: list[object]) -> None:
    with store.write() as conn:
        facts.hold(conn)
        found.append(facts.last_known_at(conn))


def test_two_who_save_one_state_do_not_meet(store: Store) -> None:
    """Both are kept one after the other: the second waits for the first, and neither fails."""
    with store.write() as conn:
        feeds.save(conn, feeds.FeedState(source="wire", failures=1))
        other = threading.Thread(target=_saved, args=(store,))
        other.start()
        await_waiter(conn)
    other.join()
    with store.read() as conn:
        assert feeds.state(conn, "wire").failures == 2


def _saved(store: Store) -> None:
    with store.write() as conn:
        feeds.save(conn, feeds.FeedState(source="wire", failures=2))


def test_failures_that_are_counted_at_once_are_all_counted(store: Store) -> None:
    """Two who look at one source: neither forgets what the other saw."""
    with store.write() as conn:
        source_days.count(conn, Look("wire", failure="timeout"), NOW)
    with store.write() as conn:
        source_days.count(conn, Look("wire", failure="timeout"), NOW)
        other = threading.Thread(target=_counted, args=(store,))
        other.start()
        await_waiter(conn)
    other.join()
    with store.read() as conn:
        (day,) = source_days.of_day(conn, NOW.date())
    assert (day.asked, day.failures) == (3, {"timeout": 2, "http_500": 1})


def _counted(store: Store) -> None:
    with store.write() as conn:
        source_days.count(conn, Look("wire", failure="http_500"), NOW)


@pytest.mark.parametrize("kept", [(), (3, 7)])
def test_rows_that_a_server_numbers_go_on_after_a_move(store: Store, kept: tuple[int, ...]) -> None:
    """The next number is one more than the highest that was copied; of an empty table the first is 1."""
    numbered = sa.Table(
        "numbered", sa.MetaData(), sa.Column("n", sa.Integer, primary_key=True), sa.Column("x", sa.Text)
    )
    with store.write() as conn:
        numbered.create(conn)
        for number in kept:
            conn.execute(sa.insert(numbered), {"n": number, "x": ""})
        moving.number_on(conn, numbered)
        assert (
            conn.execute(sa.insert(numbered).returning(numbered.c.n), {"x": ""}).scalar_one()
            == max(kept, default=0) + 1
        )


def test_a_database_of_another_encoding_is_refused(databases: postgres.Databases) -> None:
    """It could keep no Japanese: said before anything is in it."""
    name = databases.on.create("template0", "ENCODING 'LATIN1'")
    with pytest.raises(StoreError, match="keeps texts as LATIN1, which has no Japanese - make the database anew"):
        Store.open(databases.on.url(name))
    databases.on.drop(name)


def test_a_store_outlives_its_server(opened: contextlib.ExitStack) -> None:
    """Stopped in order or crashed, and started anew: what was at work fails in our words, the next goes well."""
    with postgres.server() as own:
        store = opened.enter_context(contextlib.closing(Store.open(own.url("postgres"))))
        for how in (signal.SIGINT, signal.SIGQUIT):
            with pytest.raises(StoreError, match=r" - "), store.write() as conn:
                headlines.add(conn, [make_headline()])
                own.stop(how)
                headlines.count(conn)
            with pytest.raises(StoreError, match="is the server up"), store.read() as conn:
                headlines.count(conn)
            own.start()
            with store.read() as conn:
                assert headlines.count(conn) == 0
        store.close()


def test_a_wrong_password_is_told_and_not_printed(opened: contextlib.ExitStack) -> None:
    """On a server that asks for one."""
    with postgres.server() as own:
        own.say("CREATE ROLE bob LOGIN PASSWORD 'right'")
        (own.data / "pg_hba.conf").write_text("local all bob scram-sha-256\nlocal all all trust\n")
        own.say("SELECT pg_reload_conf()")
        url = sa.make_url(own.url("postgres")).set(username="bob", password="wr0ng-0ne")
        with pytest.raises(StoreError, match="password authentication failed") as raised:
            Store.open(url.render_as_string(hide_password=False))
    assert "%40 for @" in raised.value.mend
    assert "wr0ng-0ne" not in f"{raised.value!r}{raised.value.__cause__}"
