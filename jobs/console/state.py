"""How things stand, as the page tells it: the sentence, what is wrong, every source, every job."""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from jobs.app import App
from signals.errors import SignalsError
from signals.store import bars, feeds, runs

NextRuns = Callable[[], Mapping[str, dt.datetime | None]]


def state(app: App, next_runs: NextRuns) -> dict[str, Any]:
    """What is known now; what could not be read is null, and `store_fault` says why."""
    due = next_runs()
    try:
        with app.store.read() as conn:
            states = {one.source: one for one in feeds.states(conn)}
            latest = runs.latest(conn)
            prices = bars.series(conn)
    except SignalsError as error:
        return {"sentence": None, "findings": [], "store_fault": error.problem}
    return {
        "sentence": None,
        "findings": [],
        "store_fault": None,
        "sources": [_source(feed, states.get(feed.id)) for feed in app.settings.feeds],
        "jobs": [
            {
                "name": name, "every_s": getattr(app.settings.jobs, name).every_s, "paused": False,
                "enabled": getattr(app.settings.jobs, name).enabled, "next_run_at": due.get(name),
                "last": latest.get(name),
            }
            for name in app.settings.jobs.__struct_fields__
        ],
        "prices": [{"source": p.source, "length_s": p.length_s, "last_close_at": p.last_close_at} for p in prices],
    }  # fmt: skip


def _source(feed: Any, state: Any) -> dict[str, Any]:
    names = ("last_attempt_at", "last_success_at", "last_error", "failures", "next_attempt_at")
    told = {name: getattr(state, name, None) for name in names}
    return {"id": feed.id, "enabled": feed.enabled, "every_s": feed.every_s, "last_new_at": None} | told
