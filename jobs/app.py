"""Builds what the jobs work with, each thing when first asked for, and gives it all back at the end."""

import datetime as dt
import functools
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from jobs.clock import utc_now
from jobs.settings import Settings
from signals.delivery.broker import EmbeddedBroker
from signals.delivery.opening import open_redis
from signals.delivery.signing import signer
from signals.errors import BrokerError, ConfigError, ModelError, StoreError
from signals.store import Store
from signals.store.database import impatient
from signals.store.server import named, session_of

if TYPE_CHECKING:
    import redis
    import sqlalchemy as sa

    from jobs.handed import HandedScores
    from jobs.instance import Instance
    from jobs.lease import Keeper
    from jobs.memory import StoryMemory, VoiceMemory
    from jobs.observer import Observer
    from signals.delivery.publisher import Publisher
    from signals.delivery.signing import Signer
    from signals.research.rules import Costs
    from signals.scoring.model import ScoringModel


class Held(Protocol):
    """Something with a lock."""

    def close(self) -> None:
        """Let go of it."""


class App:
    """Store, broker and model of one home.

    Parameters
    ----------
    settings : as loaded.
    clock : gives the UTC time; a test brings its own.
    ticks : gives seconds that pass whatever is done to the clock.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Callable[[], dt.datetime] = utc_now,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.ticks = ticks
        self.model_fault: str | None = None
        """Why the model of this home is not in use, in one line; null where it is, or there is none."""
        self.me: Instance | None = None
        """Who this is, where it is a service."""
        self.keeper: Keeper | None = None
        """The lease, where this is a service."""
        self._fence: Callable[[sa.Connection], object] | None = None
        self._broker: EmbeddedBroker | None = None
        self._held: list[Held] = []

    @property
    def database_url(self) -> str:
        """As it was set; a service's sessions bear its name."""
        url = self.settings.database_url
        return url if self.me is None else named(url, session_of(self.me.name))

    @functools.cached_property
    def store(self) -> Store:
        """The database, brought up to date."""
        try:
            self.settings.home.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                str(self.settings.home), f"cannot be made: {error.strerror}", "set SIGNALS_HOME elsewhere"
            ) from error
        return self._fenced(Store.open(self.database_url))

    @functools.cached_property
    def quick_store(self) -> Store:
        """The same database for who must not wait: a lock that others hold is an error after three seconds."""
        _ = self.store  # makes the home and the tables
        return self._fenced(Store.open(impatient(self.database_url, 3)))

    def fence(self, fence: "Callable[[sa.Connection], object]") -> None:
        """Let whatever is written from now on pass here first: it raises once another service leads."""
        self._fence = fence
        for store in (self.store, self.quick_store):
            store.fence = fence

    def _fenced(self, store: Store) -> Store:
        store.fence = self._fence
        return store

    @functools.cached_property
    def scorer(self) -> "ScoringModel":
        """The model in place: the one trained in this home, else the shipped one."""
        from jobs.training import load_in_place

        self.model_fault = None
        return load_in_place(self.settings, self._passed_over)

    def _passed_over(self, error: ModelError) -> None:
        print(f"signals: {error}; the shipped model is used instead", file=sys.stderr)
        self.model_fault = str(error)

    @functools.cached_property
    def handed(self) -> "HandedScores":
        """Scores that workers made, for the step to come."""
        from jobs.handed import HandedScores

        return HandedScores()

    @functools.cached_property
    def observer(self) -> "Observer":
        """What looks at this service; it remembers what it saw."""
        from jobs.observer import Observer

        return Observer(self)

    @property
    def costs(self) -> "Costs":
        """What trading costs. Raises ConfigError where no file of costs is named."""
        if self.settings.costs is None:
            raise ConfigError(f"{self.settings.path}: costs", "is missing", 'write costs = "costs.toml" into it')
        return self.settings.costs

    @functools.cached_property
    def stories(self) -> "StoryMemory":
        """The stories told so far."""
        from jobs.memory import StoryMemory

        return StoryMemory(self.settings.policy)

    @functools.cached_property
    def voices(self) -> "VoiceMemory":
        """The signals that stand, for the index."""
        from jobs.memory import VoiceMemory

        return VoiceMemory(self.settings.policy.index_half_life_s)

    def forget_told(self) -> None:
        """Remember nothing of what was told: the next step reads it anew."""
        self.__dict__.pop("stories", None)
        self.__dict__.pop("voices", None)

    def forget_scorer(self) -> None:
        """Load the model anew when it is next asked for."""
        self.__dict__.pop("scorer", None)

    def redis_url(self) -> str:
        """Where Redis answers; starts the embedded server where no URL is set and none runs."""
        if self.settings.redis_url:
            return self.settings.redis_url
        if self._broker is None:
            self._broker = EmbeddedBroker(self.settings.home, self.settings.broker_port)
        return self._broker.ensure()

    def redis_as_it_is(self) -> "redis.Redis":
        """A client that gives up quickly, on the server that is there: none is started. Raises BrokerError."""
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        broker = EmbeddedBroker(self.settings.home, self.settings.broker_port)
        url = self.settings.redis_url or broker.address()
        if url is None:
            raise BrokerError("Redis", "no server of this home runs", "`signals serve` starts one")
        return open_redis(url, socket_timeout=2, socket_connect_timeout=2, retry=Retry(NoBackoff(), 0))

    def redis_once(self) -> "redis.Redis":
        """A client that tries no command again by itself: who asked must know what failed."""
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        retry = Retry(NoBackoff(), 0)
        return open_redis(self.redis_url(), socket_timeout=10, socket_connect_timeout=5, retry=retry)

    def redis(self) -> "redis.Redis":
        """A client on Redis as it stands now."""
        return open_redis(self.redis_url(), socket_timeout=10, socket_connect_timeout=5)

    def publisher(self) -> "Publisher":
        """What sends messages to Redis as it stands now, signed where a key is set."""
        from signals.delivery.publisher import Publisher

        token = self.keeper.token if self.keeper is not None else 0
        return Publisher(self.redis(), sign=self.sign, token=token)

    @functools.cached_property
    def sign(self) -> "Signer | None":
        """What signs messages; null where no key is set."""
        key = self.settings.signing_key
        return signer(key, "SIGNALS_SIGNING_KEY") if key else None

    def hold(self, lock: Held) -> None:
        """Keep what is locked until the end."""
        self._held.append(lock)

    def close(self) -> None:
        """Close the store and end the server this process started."""
        for name in ("store", "quick_store"):
            if name in self.__dict__:
                self.__dict__[name].close()
        if self._broker is not None:
            self._broker.stop()
        while self._held:
            self._held.pop().close()
