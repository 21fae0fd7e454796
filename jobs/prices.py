"""Prices: keep closed bars, from Yahoo where it answers, and the ECB's daily reference behind them.

1. The shipped reference, once.
2. For each length of bar: what closed since the last answer, and the last bars again until they have settled.
3. The holes in what is held, each a bounded number of times (`jobs/price_holes.py`).
4. After a failure Yahoo is left alone for a while; every run says so.
5. While Yahoo gives nothing or is disabled, the ECB's newest rates. They are joined as stale, always.
"""

from collections.abc import Mapping

import msgspec

from jobs.app import App
from jobs.price_holes import fill
from jobs.price_round import REMEMBERED, Round
from jobs.runner import Report, Run
from signals.errors import PriceError
from signals.model import FeedState
from signals.prices import ecb
from signals.prices.holes import SETTLE, is_due
from signals.prices.patience import SOURCE_WIDE, not_before
from signals.prices.reference import read_reference
from signals.prices.scale import Kept
from signals.prices.yahoo import STEP, Interval, SessionFactory
from signals.store import asks, bars

INTERVALS: tuple[Interval, ...] = ("1m", "1h")
"""What is kept of Yahoo's bars: minutes for the last days, hours behind them."""


def prices(app: App, run: Run, session: SessionFactory | None = None) -> Report:
    """Bring the store's bars up to date; `session` makes Yahoo's HTTP session (null: one like a browser's)."""
    this = Round(app, run, session)
    _shipped_reference(this)
    served = app.settings.prices.enabled and _yahoo(this)
    if not served and app.settings.prices.reference_url:
        _newest_reference(this, app.settings.prices.reference_url)
    return Report(this.counts, tuple(this.notes))


def _shipped_reference(this: Round) -> None:
    with this.app.store.read() as conn:
        last = bars.last_close_at(conn, "ecb", 0)
    reading = read_reference(this.app.settings.seeds.prices)
    fresh = [bar for bar in reading.bars if last is None or bar.close_at > last]
    this.keep(fresh)
    this.notes += reading.notes if fresh else ()


def _newest_reference(this: Round, url: str) -> None:
    now = this.app.clock()
    with this.app.store.read() as conn:
        state = asks.remembered(conn, REMEMBERED).get("ecb", FeedState(source=f"{REMEMBERED}ecb"))
        kept = bars.last_close(conn, ("ecb",), now)
    due = ecb.is_due(now, kept[0] if kept else None, state.last_success_at)
    if not due or _left_alone(this, "ecb", {"ecb": state}):
        return
    this.run.deadline.check()
    try:
        reading = ecb.read_ecb(this.app.clock, url=url, kept=Kept(*kept) if kept else None)
    except PriceError as error:
        this.failed("ecb", error)
        _remember_failure(this, "ecb", {"ecb": state}, error)
        return
    this.keep(reading.bars)
    this.notes += reading.notes
    with this.app.store.write() as conn:
        asks.replace(conn, (), [FeedState(source=state.source, last_attempt_at=now, last_success_at=now)])


def _yahoo(this: Round) -> bool:
    """Whether Yahoo gave all it was asked for, or had nothing to be asked for."""
    served = True
    for interval in INTERVALS:
        with this.app.store.read() as conn:
            states = asks.remembered(conn, REMEMBERED)
        if _left_alone(this, "yahoo", states):
            return False
        name = f"yahoo:{interval}"
        if _left_alone(this, name, states):
            served = False
            continue
        try:
            _bring_up(this, interval, states.get(name))
            fill(this, interval)
        except PriceError as error:
            served = False
            this.failed(f"yahoo {interval}", error)
            whole = error.reason in SOURCE_WIDE
            _remember_failure(this, "yahoo" if whole else name, states, error)
            if whole:
                break
    return served


def _bring_up(this: Round, interval: Interval, state: FeedState | None) -> None:
    """Ask for what may be new. An answer that older bars differ in makes versions of them."""
    step, now = STEP[interval], this.app.clock()
    with this.app.store.read() as conn:
        last = bars.last_close_at(conn, "yahoo", step.total_seconds())
    if not is_due(now, step, last, state.last_success_at if state else None):
        return
    reading = this.read(interval, last, again=max(SETTLE, step))
    this.keep(reading.bars)
    this.notes += reading.notes
    answered = FeedState(source=f"{REMEMBERED}yahoo:{interval}", last_attempt_at=now, last_success_at=now)
    with this.app.store.write() as conn:
        asks.replace(conn, [f"{REMEMBERED}yahoo"], [answered])  # its failures are over


def _left_alone(this: Round, name: str, states: Mapping[str, FeedState]) -> bool:
    """Whether failures forbid to ask now. A person's own run asks all the same, but for who wants fewer requests."""
    state = states.get(name)
    if state is None or state.next_attempt_at is None or this.app.clock() >= state.next_attempt_at:
        return False
    if this.run.trigger != "schedule" and not (state.last_error or "").startswith("rate_limited"):
        return False
    times = "1 failure" if state.failures == 1 else f"{state.failures} failures"
    shown = name.replace(":", " ")
    this.notes.append(f"{shown}: not asked before {state.next_attempt_at:%H:%M:%S} UTC, {times} ({state.last_error})")
    return True


def _remember_failure(this: Round, name: str, states: Mapping[str, FeedState], error: PriceError) -> None:
    now = this.app.clock()
    state = states.get(name, FeedState(source=REMEMBERED + name))
    failures = state.failures + 1
    failed = msgspec.structs.replace(
        state,
        last_attempt_at=now,
        last_error=f"{error.reason}: {error.problem}",
        failures=failures,
        next_attempt_at=not_before(error.reason, failures, now),
    )
    with this.app.store.write() as conn:
        asks.replace(conn, (), [failed])
