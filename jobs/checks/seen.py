"""What the checks look at, each thing read once, by whoever asks first."""

import datetime as dt
import threading
from collections.abc import Callable, Mapping
from typing import Generic, NamedTuple, TypeVar

from jobs.checks.broker_state import BrokerState, broker_state
from jobs.checks.feed_answers import Answer, answers
from jobs.checks.processes import CAN_TELL, Holder, flock_holder
from jobs.checks.store_state import StoreState, store_state
from jobs.settings import Settings
from signals.delivery.endpoints import endpoint
from signals.errors import SignalsError

T = TypeVar("T")


class Once(Generic[T]):
    """Does something the first time it is asked for; what came of it, result or error, is given ever after."""

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._lock = threading.Lock()
        self._given: list[T] = []
        self._fault: SignalsError | None = None

    def __call__(self) -> T:
        """What it gives. Raises the SignalsError that it met."""
        with self._lock:
            if self._fault is not None:
                raise self._fault
            if not self._given:
                try:
                    self._given.append(self._work())
                except SignalsError as error:
                    self._fault = error
                    raise
            return self._given[0]


class Asked(NamedTuple):
    """What one examination is about."""

    settings: Settings
    environ: Mapping[str, str]
    clock: Callable[[], dt.datetime]
    """Gives the UTC time."""
    offline: bool
    """Whether nothing outside is asked, feeds above all; Redis and database are all the same."""


def _is_named(settings: Settings) -> bool:
    return CAN_TELL and endpoint(settings.home, "console") is not None


class Seen:
    """One home, as it is seen now. Reading it changes nothing."""

    def __init__(self, asked: Asked) -> None:
        self.settings = asked.settings
        self.environ = asked.environ
        self.clock = asked.clock
        self.offline = asked.offline
        self.store: Once[StoreState] = Once(lambda: store_state(asked.settings, asked.clock))
        """Raises StoreError, ConfigError."""
        self.broker: Once[BrokerState | None] = Once(lambda: broker_state(asked.settings, asked.clock))
        """Null where this home has no server now. Raises BrokerError, ConfigError."""
        self.service: Once[Holder | None] = Once(lambda: flock_holder(asked.settings.home / "serve.lock"))
        """The process of `signals serve` on this home; null where none is seen."""
        self.died: Once[bool] = Once(lambda: self.service() is None and _is_named(asked.settings))
        """Whether a service ended without a word: it is gone, and `endpoints.json` still names its address."""
        self.answers: Once[dict[str, Answer]] = Once(lambda: answers(self))
        """What each feed that is asked by HTTP answered just now, by its id; empty when offline."""
