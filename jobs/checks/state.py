"""The state in one sentence, as the service itself and its console tell it, and the alerts that stand."""

import contextlib

from jobs.checks.line import Line, Status, ok
from jobs.checks.seen import Seen
from signals.store.glance import glance

_STATUS: dict[str, Status] = {"warning": "warn", "critical": "fail"}


def state(seen: Seen) -> list[Line]:
    """What the objectives say of what is on record; where no service is meant to run, nothing is late."""
    from jobs.app import App
    from jobs.freshness import judge, roots, sentence
    from jobs.observed import observe

    if seen.store().kept is None or (seen.service() is None and not seen.died()):
        return []
    app = App(seen.settings, seen.clock)
    with contextlib.closing(glance(seen.settings.database_url)) as store:
        vars(app)["store"] = store  # in place of the one that would bring the tables up to date
        observed = observe(app)
        found = judge(observed, seen.settings.freshness)
    worst = roots(found)
    if not worst:
        return [ok("state", sentence(observed, found))]
    return [Line("state", _STATUS[worst[0].severity], sentence(observed, found), worst[0].mend)]
