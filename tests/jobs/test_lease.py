"""The lease as services have it: who takes it, when, and who lets go of it. Time is a number that the tests set."""

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from jobs.app import App
from jobs.instance import Instance, instance_of
from jobs.lease import Keeper
from jobs.pushing import _store
from jobs.settings import load
from signals.errors import StoreError
from signals.sources.inbox import Pushed
from signals.store.leases import Fenced
from tests.delivery.proxy import Proxy
from tests.delivery.servers import running
from tests.jobs.conftest import Shell

LEASE_S = 4


class Desk:
    """Services that share a store, and their clock."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self._stack = contextlib.ExitStack()
        self.now = 1000.0

    def service(self, name: str, rung: threading.Event | None = None, **environ: str) -> Keeper:
        """A service that has looked once."""
        app = App(load(self._shell.config, self._shell.env | environ))
        self._stack.callback(app.close)
        me = app.me = Instance(name, "host", f"/{name}")
        keeper = app.keeper = Keeper(app, me, rung.set if rung else lambda: None, lambda: self.now)
        keeper.begin(None)
        self._stack.callback(lambda: keeper._store and keeper._store.close())
        return keeper

    def pass_by(self, seconds: float, *keepers: Keeper) -> None:
        """Let time go by, in which these look each half second."""
        end = self.now + seconds
        while self.now < end:
            self.now += 0.5
            for keeper in keepers:
                keeper.look()

    def close(self) -> None:
        """End them all."""
        self._stack.close()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """No service yet."""
    made = Desk(Shell(tmp_path, ""))
    yield made
    made.close()


def test_one_leads_and_takes_its_own_lease_back_at_once(desk):
    """A single service never waits: not at its first start, not when it is started anew; nor does it give up."""
    first = desk.service("a")
    assert first.token == 1
    assert desk.service("a").token == 1
    desk.now += 3600
    assert first.over() is None


def test_who_stands_by_takes_over_from_who_falls_silent_and_from_nobody_else(desk):
    """As long as there are beats, none; then within the lease and a look."""
    a, b = desk.service("a"), desk.service("b")
    desk.pass_by(3 * LEASE_S, a, b)
    assert (a.token, b.token) == (1, 0)
    desk.pass_by(LEASE_S - 0.5, b)
    assert not b.leads
    desk.pass_by(1, b)
    assert (b.token, b.taken_from) == (2, "a")


def test_a_leader_that_was_overtaken_learns_it(desk):
    """By its next beat or its next write, whichever comes first, and nothing of that write is kept."""
    a, b = desk.service("a"), desk.service("b")
    a._app.fence(a.fence)
    desk.pass_by(LEASE_S + 1, b)
    assert b.leads
    with pytest.raises(Fenced), a._app.store.write():
        pytest.fail("it may not begin")
    assert "token 1 leads no more" in a.over()
    late = desk.service("c")
    assert not late.leads


def test_a_leader_that_is_not_sure_ends_before_another_takes_over(desk):
    """It has not beaten for a while, and someone was there to take over: it must not go on."""
    a, b = desk.service("a"), desk.service("b")
    desk.pass_by(1, a, b)
    desk.now += LEASE_S - 1
    assert a.over() is None
    desk.now += 0.1
    assert "another stands by" in a.over()


def test_who_has_slept_does_not_take_over(desk):
    """What it did not see in its sleep was no silence of others."""
    a, b = desk.service("a"), desk.service("b")
    desk.pass_by(1, a, b)
    desk.now += 60
    b.look()
    assert not b.leads
    desk.pass_by(LEASE_S + 1, a, b)
    assert (a.over(), b.token) == (None, 0)


def test_one_late_look_does_not_make_the_waiting_begin_anew(desk):
    """A busy machine looks late: it takes over a second or two later, and not after another whole lease."""
    a, b = desk.service("a"), desk.service("b")
    desk.pass_by(1, a, b)
    desk.pass_by(1.5, b)
    desk.now += 3
    b.look()
    assert not b.leads
    desk.pass_by(0.5, b)
    assert b.leads


def test_a_clean_end_hands_the_lease_on_at_once(desk):
    """The other leads with its next look, and the one that ended is a service no more."""
    a, b = desk.service("a"), desk.service("b")
    a.end()
    desk.pass_by(0.5, b)
    assert (b.token, b.taken_from) == (2, None)
    assert [one.instance for one in b.seen()[1]] == ["b"]


def test_who_does_not_reach_redis_lets_another_lead_that_does(desk, tmp_path):
    """Alone it stays, whatever becomes of Redis; and who does not reach it takes over from nobody who could."""
    with running(tmp_path / "redis") as server, Proxy(server.url) as line:
        a = desk.service("a", SIGNALS_REDIS_URL=line.url)
        line.close()
        desk.pass_by(3 * LEASE_S, a)
        assert a.over() is None
        b = desk.service("b", SIGNALS_REDIS_URL=server.url)
        while a.over() is None and desk.now < 2000:
            b._asking.fault(1)
            a._asking.fault(1)
            desk.pass_by(0.5, a, b)
        assert "b can reach it" in a.over()
        again = desk.service("a", SIGNALS_REDIS_URL=line.url)
        assert not again.leads
        b._asking.fault(1)
        desk.pass_by(0.5, b)
        assert b.leads


def test_news_pushed_to_who_stands_by_is_stored_and_rings_the_leader(desk):
    """It is acknowledged once stored, and published by who leads, with no word of Redis in between."""
    rung = threading.Event()
    a, b = desk.service("a", rung), desk.service("b")
    desk.pass_by(1, a, b)
    assert not rung.is_set()
    for expected in (1, 0):
        _, done = _store(b._app, [Pushed(id="1", title="BOJ hikes rates")])
        assert done.new == expected
    desk.pass_by(0.5, a)
    assert rung.wait(10)


def test_a_store_that_cannot_be_written_keeps_nobody_from_going_on(desk, tmp_path):
    """The lease that was ours is ours after a start, though a writer holds the store."""
    a = desk.service("a")
    with a._app.store.write():
        with pytest.raises(StoreError, match="locked"):
            a.look()
        again = desk.service("a")
    assert (again.token, again.over()) == (1, None)


def test_a_home_has_a_name_that_stays_and_a_copy_has_another(tmp_path):
    """Two services of one name would take the lease from each other."""
    (tmp_path / "home").mkdir()
    made = instance_of(tmp_path / "home")
    assert instance_of(tmp_path / "home") == made
    (tmp_path / "home").rename(tmp_path / "copy")
    assert instance_of(tmp_path / "copy").name != made.name
    elsewhere = msgspec.structs.replace(made, host="elsewhere", home=str(tmp_path / "copy"))
    (tmp_path / "copy" / "instance.json").write_bytes(msgspec.json.encode(elsewhere))
    assert instance_of(tmp_path / "copy").name != elsewhere.name
