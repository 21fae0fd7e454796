"""The watchdog job: judges what is fresh."""

import datetime as dt
from collections.abc import Callable, Mapping

from jobs.app import App
from jobs.runner import Report, Run


class Watchdog:
    """The watchdog of one service.

    Parameters
    ----------
    app : the service's parts.
    next_runs : gives each job's next scheduled time, UTC.
    """

    def __init__(self, app: App, next_runs: Callable[[], Mapping[str, dt.datetime | None]]) -> None:
        self._app = app
        self._next_runs = next_runs

    def __call__(self, run: Run) -> Report:
        """Look, and judge."""
        from jobs.freshness import judge
        from jobs.observed import observe

        observed = observe(self._app, self._next_runs)
        findings = judge(observed, self._app.settings.freshness)
        self._app.observer.judged_at = observed.at
        return Report({"findings": len(findings)})
