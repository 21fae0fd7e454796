"""Retention: thin what is kept beyond its time."""

import datetime as dt
from pathlib import Path

from jobs.app import App
from jobs.logs import rotated
from jobs.runner import QUIET, Report, Run
from signals.store import alerts, leases, notices, pauses, runs, source_days

_KEEP_QUIET = dt.timedelta(days=1)
_KEEP_NOTICES = dt.timedelta(days=7)
"""Sent or not: what is a day old is not tried any more."""


_KEEP_SILENT = dt.timedelta(days=1)
"""A service that was killed and never started again."""


def retention(app: App, run: Run) -> Report:
    """Drop what is older than its days: runs, runs of the frequent jobs, days of sources, logs, pauses, closed alerts.

    Headlines, bars, scores, signals and the outbox stay for ever: they are the archive that a replay is made of, and
    the outbox is what it is compared with, byte for byte.
    """
    now, limits = app.clock(), app.settings.jobs.retention
    keep = dt.timedelta(days=limits.keep_runs_days)
    logs_before = now - dt.timedelta(days=limits.keep_logs_days)
    with app.store.write() as conn:
        dropped = runs.thin(conn, now - keep) + runs.thin(conn, now - _KEEP_QUIET, jobs=sorted(QUIET))
        days = source_days.thin(conn, (now - keep).date())
        pauses.thin(conn, now)
        closed = alerts.thin(conn, now - dt.timedelta(days=app.settings.alerts.keep_days))
        notices.thin(conn, now - _KEEP_NOTICES)
        leases.forget(conn, now - _KEEP_SILENT)
    files, notes = _thin_logs(app.settings.home, logs_before)
    counts = {"dropped_runs": dropped, "dropped_source_days": days, "dropped_alerts": closed, "dropped_logs": files}
    return Report(counts, notes)


def _thin_logs(home: Path, before: dt.datetime) -> tuple[int, tuple[str, ...]]:
    """Drop rotated log files last written before a UTC time; how many, and what could not be dropped."""
    dropped, notes = 0, []
    for path in rotated(home):
        try:
            if path.stat().st_mtime < before.timestamp():
                path.unlink()
                dropped += 1
        except FileNotFoundError:  # rotated away just now
            continue
        except OSError as error:
            notes.append(f"{path}: cannot be dropped: {error.strerror}")
    return dropped, tuple(notes)
