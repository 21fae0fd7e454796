"""Keeps the lease: beats while this service leads, watches while it stands by, and takes over from who falls silent.

It has a thread and a connection of its own, so no job holds it up. Who leads alone goes on without the store's word,
as through any outage; where another is there to take over, it ends as soon as it cannot be sure to lead. Safety hangs
on none of this: what a former leader still writes is refused by the store and by Redis (`leases.hold`, `script.py`).
"""

import contextlib
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import sqlalchemy as sa

from jobs.aside import Aside
from jobs.instance import Instance
from jobs.logs import logger
from jobs.watching import BEAT_S, LOOK_S, Watch
from signals.errors import BrokerError, StoreError
from signals.model import PAIR
from signals.store import Store, leases
from signals.store.database import impatient
from signals.store.leases import Fenced, Lease, Member
from signals.store.server import session_of

if TYPE_CHECKING:
    from jobs.app import App

_STATEMENT_S = 1.5
_LOCKED_S = 0.4
"""How long a silent leader's transactions are waited for, before its sessions are ended."""
_MARGIN_S = 1.0
"""So much earlier than others take over, who is not sure to lead ends."""
_ANSWER_S = 1.0
"""How long the start waits for Redis at most."""
_HUNG = 3
"""Leases' times after which whoever stands by and hears nothing from the store begins anew."""
_OWN_REDIS = (
    "several services share this store, and each has a Redis of its own: bots hear only that of their machine"
    " - set SIGNALS_REDIS_URL"
)


def ticks() -> float:
    """Seconds that pass also while the machine sleeps, where the system counts them."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


class Keeper:
    """The lease as one service has it.

    Parameters
    ----------
    app : store and Redis.
    me : this service.
    ring : called, in a thread of its own, when another service stored news while we lead.
    clock : gives seconds that pass also while the machine sleeps; a test brings its own.
    """

    def __init__(
        self, app: "App", me: Instance, ring: Callable[[], object] = lambda: None, clock: Callable[[], float] = ticks
    ) -> None:
        self.me = me
        self.token = 0
        """The fencing token while we lead; 0 while we stand by."""
        self.taken_from: str | None = None
        """Who led before us, where it did not give the lease up."""
        self._app = app
        self._ring = ring
        self._lease_s = float(app.settings.service.lease_s)
        self._watch = Watch(me.name, self._lease_s)
        self._asking = Aside("asking Redis", self._ask)
        self._beats = 0
        self._rings: int | None = None
        self._console: str | None = None
        self._lost: str | None = None
        self._clock = clock
        self._confirmed_at = self._began_at = self._broker_well_at = clock()
        self._busy = False
        self._warned = False
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lease", daemon=True)
        self._store: Store | None = None

    @property
    def leads(self) -> bool:
        """Whether we lead, as far as we know."""
        return self.token > 0

    def seen(self) -> tuple[Lease, tuple[Member, ...]]:
        """The lease and all services, as last read."""
        return self._watch.lease, self._watch.members

    def start(self, console: str | None) -> None:
        """Look once, as `begin` does, and from then on by a thread. Raises as `begin` does."""
        self.begin(console)
        if not self.leads:
            logger().info("lease.stands_by", leader=self._watch.lease.holder)
        self._thread.start()

    def begin(self, console: str | None) -> None:
        """Look once, and take the lease if it is to be had.

        One that was ours still is: the service of this home before us is dead, and a store that is full or locked for
        writing must not keep us from going on.

        Raises
        ------
        StoreError : the store cannot be read.
        """
        self._console = console
        _ = self._app.store  # makes the home and the tables
        url = impatient(self._app.database_url, _STATEMENT_S)
        self._store = Store.open(url)
        with self._store.read() as conn:
            lease = leases.read(conn, PAIR)
        if lease.holder == self.me.name:
            self.token, self._confirmed_at = lease.token, self._clock()
        self._asking.begin()
        self._asking.fault(_ANSWER_S)
        with contextlib.suppress(StoreError):
            self.look()
        self._busy = False

    def over(self) -> str | None:
        """Why this process must end; null while it need not."""
        if self._lost is not None:
            return self._lost
        if self._thread.ident is not None and not self._thread.is_alive():
            return "the thread that keeps the lease died"
        now = self._clock()
        if self.leads and self._watch.others() and now - self._confirmed_at > self._lease_s - _MARGIN_S:
            return f"the store has not confirmed it for {now - self._confirmed_at:.1f} s, and another stands by"
        if not self.leads and self._busy and now - self._began_at > _HUNG * self._lease_s:
            return f"the store has not answered for {now - self._began_at:.0f} s"
        return None

    def fence(self, conn: sa.Connection) -> None:
        """Let a writing transaction pass while we lead. Raises Fenced."""
        try:
            leases.hold(conn, PAIR, self.token)
        except Fenced as error:
            self._lose(error.problem)
            raise

    def end(self) -> None:
        """Give the lease up and leave, so that another need not wait for us to fall silent."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(2 * _STATEMENT_S)
        if self._store is None or self._busy:
            return
        with contextlib.suppress(StoreError), self._store.write() as conn:
            leases.impatiently(conn, _STATEMENT_S)
            if self.leads and self._lost is None:
                leases.give_up(conn, PAIR, self.token)
            leases.leave(conn, self.me.name)
        self._store.close()

    def _run(self) -> None:
        while not self._ended.wait(self._pause_s()):
            try:
                self.look()
            except StoreError:  # told of by whoever looks at the service; `over` counts the time
                pass
            finally:
                self._busy = False

    def _pause_s(self) -> float:
        return max(0.0, self._began_at + (BEAT_S if self.leads else LOOK_S) - self._clock())

    def look(self) -> None:
        """Beat, or look whether to take over. Raises StoreError."""
        assert self._store is not None
        self._began_at, self._busy = self._clock(), True
        broker_ok, there = self._broker()
        self._beats += 1
        with self._store.write() as conn:
            leases.impatiently(conn, _STATEMENT_S)
            leases.say(conn, self._member(broker_ok=broker_ok))
            ours = not self.leads or leases.beat(conn, PAIR, self.token)
            lease, members = leases.read(conn, PAIR), leases.members(conn)
        self._watch.look(self._began_at, lease, members)
        if not ours:
            self._lose(f"{lease.holder or 'nobody'} leads by now")
        elif there > self.token > 0:  # the store decides: it was restored from an older copy, or is a new one
            self._take(there, broker_ok=broker_ok)
        elif self.leads:
            self._confirmed_at = self._began_at
            self._hear()
            self._give_way(broker_ok=broker_ok)
        elif self._watch.may_take(broker_ok=broker_ok):
            self._take(there, broker_ok=broker_ok)
        self._warn()

    def _take(self, there: int, *, broker_ok: bool) -> None:
        """Take over: as many times as it needs to end the sessions of who stands still in the midst of a write."""
        assert self._store is not None
        silent = self._watch.silent()
        holder = self._watch.lease.holder
        try:
            token = self._taken(silent, there, _LOCKED_S, broker_ok=broker_ok)
        except StoreError:
            if holder in (None, self.me.name):
                raise
            with self._store.write() as conn:
                leases.end_sessions(conn, session_of(holder or ""))
            token = self._taken(silent, there, _STATEMENT_S, broker_ok=broker_ok)
        if token is not None:
            self.taken_from = holder if holder != self.me.name else None
            self._confirmed_at, self.token = self._began_at, token
            logger().info("lease.taken", token=token, before=self.taken_from)

    def _taken(self, silent: Lease | None, there: int, wait_s: float, *, broker_ok: bool) -> int | None:
        assert self._store is not None
        with self._store.write() as conn:
            leases.impatiently(conn, wait_s)
            token = leases.take(conn, PAIR, self.me.name, silent=silent, above=there)
            if token is not None:
                leases.say(conn, self._member(broker_ok=broker_ok, leads=True))
            return token

    def _give_way(self, *, broker_ok: bool) -> None:
        """Leave it to one that reaches Redis, where we do not."""
        assert self._store is not None
        if broker_ok:
            self._broker_well_at = self._began_at
        better = next((one.instance for one in self._watch.others() if one.broker_ok), None)
        if better is not None and self._began_at - self._broker_well_at >= self._lease_s:
            with self._store.write() as conn:
                leases.give_up(conn, PAIR, self.token)
            self._lose(f"Redis cannot be reached from here, and {better} can reach it")

    def _hear(self) -> None:
        """Ring where another service has stored news."""
        rings, before = self._watch.rings(), self._rings
        self._rings = rings
        if before is not None and rings != before:
            threading.Thread(target=self._ring, name="rung", daemon=True).start()

    def _warn(self) -> None:
        if not self._warned and self._app.settings.redis_url is None and self._watch.others():
            self._warned = True
            logger().warning("lease.own_redis", error=_OWN_REDIS)

    def _lose(self, why: str) -> None:
        self._lost = self._lost or why

    def _broker(self) -> tuple[bool, int]:
        """Whether Redis answered since the last look, and the greatest token it has seen; asks again."""
        fault = self._asking.fault(0.0)
        self._asking.begin()
        return fault is None, self._asking.given or 0

    def _ask(self) -> int:
        """The token in Redis. An embedded server is started by who leads: it is as good as there."""
        from signals.delivery.publisher import Publisher

        if self._app.settings.redis_url is None:
            with contextlib.suppress(BrokerError), self._app.redis_as_it_is() as client:
                return Publisher(client).leader()
            return 0
        with self._app.redis_as_it_is() as client:
            return Publisher(client).leader()

    def _member(self, *, broker_ok: bool, leads: bool | None = None) -> Member:
        return Member(
            self.me.name, self.me.host, self.me.home, self._console, self.leads if leads is None else leads,
            broker_ok, self._beats, 0, self._app.clock(),
        )  # fmt: skip
