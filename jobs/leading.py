"""What only who leads does: every job on its schedule, the inbox's doorbell, live quotes."""

import datetime as dt
from collections.abc import Collection
from typing import TYPE_CHECKING

from apscheduler.job import Job

from jobs.app import App
from jobs.catalogue import NAMES
from jobs.follow import Following
from jobs.handed_bell import HandedBell
from jobs.inbox import Doorbell
from jobs.runner import Runner
from jobs.scheduler import Pace, build, recall

if TYPE_CHECKING:
    from jobs.quotes import Quotes


class Leading:
    """The parts, from `start` to `end`.

    Parameters
    ----------
    app : store, broker and model.
    runner, following : they run the jobs.
    """

    def __init__(self, app: App, runner: Runner, following: Following) -> None:
        scheduled = {name: getattr(app.settings.jobs, name) for name in NAMES}
        self._runner = runner
        self._clock = app.clock
        self._every_s = {name: float(job.every_s) for name, job in scheduled.items() if job.enabled}
        self._pace = Pace(self._every_s.values())
        self._scheduler = build(runner, following, scheduled, app.clock, self._pace)
        bell = HandedBell if app.settings.workers.enabled else Doorbell
        self._doorbell = bell(app, lambda: following.fire("inbox", "chain"))
        self._quotes = _quotes(app)
        self._due: list[Job] = self._scheduler.get_jobs()

    def start(self) -> None:
        """Begin."""
        self._scheduler.start()
        self._doorbell.start()
        if self._quotes is not None:
            self._quotes.start()

    def end(self) -> None:
        """Wait for what is under way, and stop."""
        self._doorbell.end()
        if self._quotes is not None:
            self._quotes.end()
        self._runner.end()
        self._scheduler.shutdown(wait=True)

    def next_runs(self) -> dict[str, dt.datetime | None]:
        """Read off the jobs themselves: asking the scheduler would wait for its shutdown, which waits for us."""
        return {job.id: job.next_run_time for job in self._due}

    def recall(self) -> Collection[str]:
        """The jobs that waited for a time from which the clock was set back: they do no longer."""
        return recall(self._scheduler, self._every_s, self._clock())

    def idle_s(self) -> float:
        """As `Pace.idle_s` gives it."""
        return self._pace.idle_s()


def _quotes(app: App) -> "Quotes | None":
    if not app.settings.prices.quotes:
        return None
    from jobs.quotes import Quotes  # here: what it needs takes seconds to load

    return Quotes(app)
