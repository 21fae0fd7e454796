"""Retention: thin what is kept beyond its time."""

import datetime as dt

from jobs.app import App
from jobs.runner import QUIET, Report, Run
from signals.store import alerts, notices, runs, source_days

_KEEP_QUIET = dt.timedelta(days=1)
_KEEP_NOTICES = dt.timedelta(days=7)
"""Sent or not: what is a day old is not tried any more."""


def retention(app: App, run: Run) -> Report:
    """Drop job runs and days of sources older than `keep_runs_days`, closed alerts after their own time."""
    # """
    now = app.clock()
    keep = dt.timedelta(days=app.settings.jobs.retention.keep_runs_days)
    with app.store.write() as conn:
        dropped = runs.thin(conn, now - keep) + runs.thin(conn, now - _KEEP_QUIET, jobs=sorted(QUIET))
        days = source_days.thin(conn, (now - keep).date())
        closed = alerts.thin(conn, now - dt.timedelta(days=app.settings.alerts.keep_days))
        notices.thin(conn, now - _KEEP_NOTICES)
    return Report({"dropped_runs": dropped, "dropped_source_days": days, "dropped_alerts": closed})
