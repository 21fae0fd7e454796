"""The thread of `signals serve` that keeps the last live quote, where `[prices] quotes` asks for it."""

import asyncio
import threading

from jobs.app import App
from jobs.logs import logger
from signals.prices.quotes import LineState, QuoteLine

_END_S = 5.0


class Quotes(threading.Thread):
    """One line to Yahoo's stream in a loop of its own: whatever happens there holds nobody up.

    Parameters
    ----------
    app : gives the settings and the clock.
    """

    def __init__(self, app: App) -> None:
        super().__init__(name="quotes", daemon=True)
        settings = app.settings.prices
        self._line = QuoteLine(
            settings.symbol, app.clock, silence_s=settings.quotes_silence_s, url=settings.quotes_url, changed=_tell
        )
        self._loop = asyncio.new_event_loop()
        self._ended = asyncio.Event()

    def state(self) -> LineState:
        """The line as it stands, and its last quote."""
        return self._line.state()

    def run(self) -> None:
        """Until `end`."""
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._line.run(self._ended))

    def end(self) -> None:
        """Close the line and join."""
        if self.is_alive() and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._ended.set)
            self.join(_END_S)


def _tell(state: LineState) -> None:
    if state.connected:
        logger().info("quotes.connected", reconnects=state.reconnects)
    else:
        logger().warning("quotes.lost", problem=state.problem, reconnects=state.reconnects, unreadable=state.unreadable)
