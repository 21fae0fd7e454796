"""The lease and the services: who may have it, and what is refused to who had it."""

import threading
from collections.abc import Iterator

import pytest

from signals.errors import StoreError
from signals.store import Store, leases
from signals.store.leases import Fenced, Lease, Member
from signals.store.server import named, session_of
from tests import postgres
from tests.store.conftest import DAY, NOW

NAME = "USDJPY"


def take(store: Store, instance: str, silent: Lease | None = None, above: int = 0) -> int | None:
    """Try to take it."""
    with store.write() as conn:
        return leases.take(conn, NAME, instance, silent=silent, above=above)


def stands(store: Store) -> Lease:
    """The lease."""
    with store.read() as conn:
        return leases.read(conn, NAME)


def make_member(instance: str = "a", **changes: object) -> Member:
    """A service that stands by."""
    values = {"host": "h", "home": "/h", "console": None, "leads": False, "broker_ok": True, "beats": 1, "rings": 0}
    return Member(**({"instance": instance, "seen_at": NOW} | values | changes))  # type: ignore[arg-type]


def test_a_free_lease_goes_to_the_first_and_to_nobody_else(store: Store) -> None:
    """A second service finds it held; the holder itself may take it again, by a greater token."""
    assert stands(store) == Lease(None, 0, 0)
    assert take(store, "a") == 1
    assert take(store, "b") is None
    assert take(store, "a") == 2
    assert stands(store).holder == "a"


def test_a_silent_lease_is_taken_only_as_it_was_seen(store: Store) -> None:
    """One beat in between, and whoever thought it silent goes away empty-handed."""
    token = take(store, "a") or 0
    seen = stands(store)
    with store.write() as conn:
        assert leases.beat(conn, NAME, token)
    assert take(store, "b", seen) is None
    assert take(store, "b", stands(store)) == token + 1
    with store.write() as conn:
        assert not leases.beat(conn, NAME, token)


def test_a_token_exceeds_what_redis_has_seen(store: Store) -> None:
    """A store restored from an older copy does not hand out tokens that Redis would refuse."""
    assert take(store, "a", above=41) == 42


def test_a_lease_that_was_given_up_is_free(store: Store) -> None:
    """Its token stays the greatest; who no longer has it gives nothing up."""
    token = take(store, "a") or 0
    with store.write() as conn:
        assert leases.give_up(conn, NAME, token)
        assert not leases.beat(conn, NAME, token)
    assert take(store, "b") == token + 1
    with store.write() as conn:
        assert not leases.give_up(conn, NAME, token)
    assert stands(store).holder == "b"


def test_what_a_former_leader_writes_is_not_kept(store: Store) -> None:
    """The transaction raises before it does anything, and leaves nothing."""
    token = take(store, "a") or 0
    store.fence = lambda conn: leases.hold(conn, NAME, token)
    with store.write() as conn:
        leases.say(conn, make_member("kept"))
    store.fence = None
    take(store, "b", stands(store))
    store.fence = lambda conn: leases.hold(conn, NAME, token)
    with pytest.raises(Fenced, match=r"token 1 leads no more, 2 does"), store.write() as conn:
        leases.say(conn, make_member("lost"))
    with store.read() as conn:
        assert [one.instance for one in leases.members(conn)] == ["kept"]


def test_services_say_how_they_stand(store: Store) -> None:
    """What is said replaces what was; rings are counted by themselves; who leaves, or is silent for long, is gone."""
    with store.write() as conn:
        leases.say(conn, make_member("a"))
        leases.say(conn, make_member("b", seen_at=NOW - 2 * DAY))
        leases.ring(conn, "a")
        leases.say(conn, make_member("a", leads=True, beats=2))
    with store.write() as conn:
        assert leases.members(conn)[0] == make_member("a", leads=True, beats=2, rings=1)
        assert leases.forget(conn, NOW - DAY) == 1
        leases.leave(conn, "a")
        assert leases.members(conn) == []


@pytest.fixture(scope="module")
def server() -> Iterator[postgres.Postgres]:
    """A server of these tests' own."""
    with postgres.server() as made:
        yield made


@pytest.fixture
def two(server: postgres.Postgres) -> Iterator[tuple[Store, Store]]:
    """The stores of two services on one database."""
    url = server.url(server.create())
    made = tuple(Store.open(named(url, session_of(instance))) for instance in "ab")
    yield made
    for store in made:
        store.close()


def test_whoever_takes_over_waits_for_what_the_leader_is_writing(two: tuple[Store, Store]) -> None:
    """Its transaction is kept or not before the next leader begins; its beats wait for nobody."""
    former, other = two
    token = take(former, "a") or 0
    beating = Store(former.engine)
    former.fence = lambda conn: leases.hold(conn, NAME, token)
    taken = []
    with former.write() as conn:
        leases.say(conn, make_member("a"))
        with beating.write() as beat, pytest.raises(StoreError, match="statement timeout"):
            leases.impatiently(beat, 1)
            assert leases.beat(beat, NAME, token)
            with other.write() as waits:
                leases.impatiently(waits, 0.2)
                leases.take(waits, NAME, "b", silent=stands(other))
        seen = stands(other)
        thread = threading.Thread(target=lambda: taken.append(take(other, "b", seen)))
        thread.start()
        thread.join(0.2)
        assert thread.is_alive()
    thread.join(10)
    assert taken == [token + 1]
    with other.read() as conn:
        assert [one.instance for one in leases.members(conn)] == ["a"]


def test_sessions_of_a_leader_that_stands_still_are_ended(two: tuple[Store, Store]) -> None:
    """What it had begun is undone, and the lease is free to take at once; other services' sessions live on."""
    former, other = two
    token = take(former, "a") or 0
    former.fence = lambda conn: leases.hold(conn, NAME, token)
    with pytest.raises(StoreError, match="terminating connection"), former.write() as conn:
        leases.say(conn, make_member("a"))
        with other.write() as mine:
            assert leases.end_sessions(mine, session_of("a")) >= 1
        assert take(other, "b", stands(other)) == token + 1
        leases.say(conn, make_member("a", beats=2))
    with other.read() as conn:
        assert leases.members(conn) == []


def test_a_session_name_is_cut_as_the_server_cuts_it() -> None:
    """A host with a long name is found by it all the same."""
    assert session_of("a" * 80) == ("signals " + "a" * 80)[:63]
    assert named("sqlite:///x.db", "signals a") == "sqlite:///x.db"
