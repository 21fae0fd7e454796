"""One run of the job `prices`: what its parts work with, and what they have to tell."""

import datetime as dt
from collections import Counter
from collections.abc import Sequence

import msgspec

from jobs.app import App
from jobs.runner import Run
from signals.errors import PriceError
from signals.model import PAIR, Bar
from signals.prices.reading import PriceReading
from signals.prices.scale import Kept
from signals.prices.yahoo import Interval, SessionFactory, read_yahoo
from signals.store import asks, bars, signals

SOURCES = ("yahoo", "ecb")
"""Whose closes say where the price is."""
REMEMBERED = asks.PREFIX


class Round:
    """One run of the job: what it works with, and what it has to tell."""

    def __init__(self, app: App, run: Run, session: SessionFactory | None) -> None:
        self.app = app
        self.run = run
        self.counts: Counter[str] = Counter(bars=0, new=0, failed=0, holes=0, filled=0)
        self.notes: list[str] = []
        self._session = session

    def read(
        self,
        interval: Interval,
        since: dt.datetime | None,
        until: dt.datetime | None = None,
        again: dt.timedelta = dt.timedelta(0),
    ) -> PriceReading:
        """Ask Yahoo; what it answers is compared with the newest close held, by whatever source."""
        self.run.deadline.check()
        with self.app.store.read() as conn:
            kept = bars.last_close(conn, SOURCES, until or self.app.clock())
        return read_yahoo(
            self.app.clock,
            interval=interval,
            since=since,
            until=until,
            again=again,
            kept=Kept(*kept) if kept else None,
            symbol=self.app.settings.prices.symbol,
            cache_dir=self.app.settings.home / "yfinance",
            session_factory=self._session,
        )

    def keep(self, learned: Sequence[Bar]) -> int:
        """Store bars as known from this very moment, holding the channel: no step runs between stamp and commit."""
        if not learned:
            return 0
        with self.app.store.write() as conn:
            signals.open_channel(conn, PAIR, self.app.clock())
            now = self.app.clock()
            new = bars.add(conn, [msgspec.structs.replace(bar, known_at=max(now, bar.close_at)) for bar in learned])
        self.counts["bars"] += len(learned)
        self.counts["new"] += new
        return new

    def failed(self, name: str, error: PriceError) -> None:
        """Tell of a source that gave no usable answer."""
        self.counts["failed"] += 1
        self.run.log.warning("price.failed", source=name, reason=error.reason, error=str(error))
        self.notes.append(f"{name}: {error.reason} ({error.problem})")
