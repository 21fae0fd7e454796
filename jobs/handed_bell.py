"""The doorbell where workers score: it rings for what they hand on, and where none lives and something waits."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from jobs.app import App
from jobs.inbox import BLOCK_MS, PAUSE_S, Doorbell
from signals.delivery.faults import FAULTS
from signals.errors import BrokerError
from signals.sources import inbox, scored
from signals.sources.scored import Place

if TYPE_CHECKING:
    import redis


class HandedBell(Doorbell):
    """Waits for what is handed on, not for what is sent: that is the workers' matter, as long as one lives."""

    def __init__(self, app: App, ring: Callable[[], None]) -> None:
        super().__init__(app, ring)
        self._last = b"0-0"
        self._mark: Place | None = None

    def run(self) -> None:
        """Until `end`. A Redis that does not answer is asked again; the jobs tell of it."""
        client: redis.Redis | None = None
        while not self._ended.is_set():
            try:
                if client is None:
                    client = self._app.redis()
                    inbox.join(client)
                wanted = self._wanted(client)
            except (*FAULTS, BrokerError):  # gone, or cannot be started just now
                client = None
                self._ended.wait(PAUSE_S)
                continue
            if wanted:
                self._ring()

    def _wanted(self, client: "redis.Redis") -> bool:
        """Whether there is something to do; after a second without news, whether what lies there may go on."""
        if cast(Any, client.xread({scored.SCORED: self._last}, count=1, block=BLOCK_MS)):
            self._last = scored.newest(client)
            self._mark = None
            return True
        stands = scored.look(client, self._app.settings.workers.silence_s)
        if stands.waiting and not stands.workers:
            return True
        before, self._mark = self._mark, scored.mark(client) if stands.scored else None
        return self._mark != before and stands.scored > 0
