"""Retention: thin what is kept beyond its time."""

import datetime as dt

from jobs.app import App
from jobs.runner import QUIET, Report, Run
from signals.store import runs, source_days

_KEEP_QUIET = dt.timedelta(days=1)


def retention(app: App, run: Run) -> Report:
    """Drop job runs and days of sources older than `keep_runs_days`; runs of the frequent jobs after a day."""
    now = app.clock()
    keep = dt.timedelta(days=app.settings.jobs.retention.keep_runs_days)
    with app.store.write() as conn:
        dropped = runs.thin(conn, now - keep) + runs.thin(conn, now - _KEEP_QUIET, jobs=sorted(QUIET))
        days = source_days.thin(conn, (now - keep).date())
    return Report({"dropped_runs": dropped, "dropped_source_days": days})
