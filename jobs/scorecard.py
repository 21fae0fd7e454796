"""The scorecard job: what came of each signal, once its horizon is reached and its bars are known."""

import datetime as dt
import itertools
from collections import Counter

from jobs.app import App
from jobs.runner import Report, Run
from signals.market.bars import REFERENCE_SOURCES
from signals.message import Signal
from signals.model import ForwardReturn
from signals.research.rules import Rules
from signals.research.scorecard import NO_EXIT_AFTER, settle
from signals.store import bars, forward_returns

LONGEST_BAR_S = 3600
_AT_ONCE = 5000


def scorecard(app: App, run: Run) -> Report:
    """Settle the signals whose outcome can be known by now."""
    now = app.clock()
    with app.store.read() as conn:
        waiting = forward_returns.unsettled(conn, now, _AT_ONCE)
    due = [one for one in waiting if one.known_at + dt.timedelta(seconds=one.horizon_s) <= now]
    counts: Counter[str] = Counter(settled=0, no_entry=0, no_exit=0)
    for _, group in itertools.groupby(due, key=lambda one: one.known_at.date()):
        run.deadline.check()
        done = _day(app, list(group), now)
        with app.store.write() as conn:
            forward_returns.add(conn, done)
        counts.update(one.outcome for one in done)
    return Report(dict(counts) | {"waiting": len(waiting) - counts.total()})


def _day(app: App, signals: list[Signal], now: dt.datetime) -> list[ForwardReturn]:
    """The outcomes of one day's signals that are known."""
    longest = dt.timedelta(seconds=max(signal.horizon_s for signal in signals))
    until = signals[-1].known_at + longest + NO_EXIT_AFTER
    with app.store.read() as conn:
        series = bars.opens_within(
            conn, signals[0].known_at, until, max_length_s=LONGEST_BAR_S, without=REFERENCE_SOURCES
        )
    costs, latency_s = app.costs, Rules().latency_s
    found = [settle(signal, series, now, costs=costs, latency_s=latency_s) for signal in signals]
    return [outcome for outcome in found if outcome is not None]
