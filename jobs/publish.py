"""Publish: waiting headlines through the pipeline into the outbox, and the outbox into Redis, in order.

Each step is one transaction, so a kill at any line loses nothing and repeats nothing: what was not
committed is still waiting, what was committed but not sent is still in the outbox, and what was sent
but not marked is recognised by Redis as a repeat.
"""

import datetime as dt
import functools
from collections import Counter
from collections.abc import Sequence

import sqlalchemy as sa

from jobs import traces
from jobs.app import App
from jobs.memory import spans_before
from jobs.runner import Report, Run
from signals.delivery.outbox import OutboxRow
from signals.delivery.publisher import Publisher
from signals.delivery.wire import Encoded, encode_index, encode_retraction, encode_signal
from signals.errors import PermanentError
from signals.market.bars import FINE_MAX_S, REACH_COARSE, REACH_FINE
from signals.message import Index, Retraction
from signals.model import PAIR, Bar, Headline, Withdrawal
from signals.pipeline import ReadAhead, Told, step
from signals.store import bars, facts, headlines, signals, withdrawals

_BATCH = 500
_HISTORY_S = 10.0
"""Of a run for imported history: the next run is due soon, and history may come by the million."""
_UNSENT_S = 1.0
"""News that never ends is sent all the same."""
_TICK = dt.timedelta(microseconds=1)
_SEND = 1000
_CONTEXT = 1000
"""Messages an empty Redis is given at least, expired or not."""
_WINDOW_60M = dt.timedelta(minutes=75)
"""Behind the oldest bar that may be quoted, its own last hour is needed for returns and volatility."""


def publish(app: App, run: Run) -> Report:
    """Score what waits and send what is not in Redis yet; then some imported history, looking for news in between."""
    counts: Counter[str] = Counter(scored=0, relevant=0, joined=0, signals=0, retracted=0, indexes=0, skipped=0, sent=0)
    left_s = run.deadline.remaining_s()
    least_s = max(left_s - _HISTORY_S, left_s / 2)
    more = True
    while more and run.deadline.remaining_s() > left_s / 10:  # a run that ends well tells what it did
        more = _news(app, run, counts)
        counts["sent"] += send(app, run)
    while run.deadline.remaining_s() > least_s and take(app, counts, history=True):
        done = counts.total()
        _news(app, run, counts)
        if counts.total() != done:
            counts["sent"] += send(app, run)
    return Report(counts)


def _news(app: App, run: Run, counts: Counter[str]) -> bool:
    """Take what waits but imported history, for a second at most: what is made of it must not wait for what comes.

    Returns whether more may wait.
    """
    end = app.ticks() + _UNSENT_S
    while take(app, counts):
        run.deadline.check()
        if app.ticks() > end:
            return True
    return False


def take(app: App, counts: Counter[str], *, history: bool = False) -> int:
    """Run one batch of waiting headlines, or of imported history, through the pipeline; returns how much it took.

    One transaction that holds the channel: no bar is learned and no headline taken while it runs, so
    what the step saw is exactly what was known by its `scored_at`, and a replay sees the same.
    """
    with app.store.read() as conn:
        batch = headlines.waiting(conn, limit=_BATCH, imported=history)
        due = not history and app.voices.due(conn, app.clock())
        if not batch and not due and not withdrawals.waiting(conn, (), imported=history):
            return 0
    scorer = ReadAhead(app.scorer, batch, app.handed.take(batch))  # before anyone has to wait for us
    with app.store.write() as conn:
        signals.open_channel(conn, PAIR, app.clock())
        batch = headlines.waiting(conn, limit=_BATCH, imported=history)
        # Of a backlog the headlines go first: what is withdrawn may be among those still to come.
        last = history or len(batch) < _BATCH
        names = {one.headline_id for one in batch}
        fallen = withdrawals.waiting(conn, names, imported=history) if last else []
        if not batch and not fallen and not due:
            return 0
        now = _step_at(app, conn, [*batch, *fallen])
        steps = signals.count_step(conn, PAIR)
        stories = app.stories.index(conn, [*batch, *fallen], steps - 1, history=history)
        voices = None if history else app.voices.voices(conn, now, steps - 1)
        made = step(
            stories, batch, joinable(conn, batch), now,
            scorer=scorer, policy=app.settings.policy, events=app.settings.events, withdrawals=fallen,
            voices=voices,
        )  # fmt: skip
        signals.add(
            conn, made.scores, made.told, channel=PAIR, now=now, encode=functools.partial(encode, now),
            index_until=voices.last_expiry_at if voices else None,
        )  # fmt: skip
        headlines.mark_taken(conn, batch, made.stories, made.skips, now)
        withdrawals.mark_taken(conn, fallen, now)
    if not history:
        traces.stepped(batch, made.signals, now)
    app.stories.keep(stories, steps, now, history=history)
    if voices:
        app.voices.keep(voices, steps, now)
    counts["scored"] += len(made.scores)
    counts["relevant"] += sum(score.relevant for score in made.scores)
    counts["joined"] += sum(signal.ref_price is not None for signal in made.signals)
    counts["history" if history else "signals"] += len(made.signals)
    counts["indexes"] += sum(isinstance(told, Index) for told in made.told)
    counts["retracted"] += sum(isinstance(told, Retraction) for told in made.told)
    counts["skipped"] += len(made.skips)
    return len(batch) + len(fallen)


def _step_at(app: App, conn: sa.Connection, taken: Sequence[Headline | Withdrawal]) -> dt.datetime:
    """When the step runs: after the last one and no earlier than what it takes, even if the clock was set back."""
    last_at = facts.last_step_at(conn)
    after_last = [last_at + _TICK] if last_at else []
    return max(app.clock(), *after_last, *(fact.known_at for fact in taken))


def joinable(conn: sa.Connection, batch: Sequence[Headline]) -> list[Bar]:
    """The bars that could be joined to these headlines."""
    fine = bars.closed_within(
        conn, spans_before(batch, REACH_FINE + _WINDOW_60M), min_length_s=0, max_length_s=FINE_MAX_S
    )
    coarse_spans = list(spans_before(batch, REACH_COARSE + _WINDOW_60M))
    instant = bars.closed_within(conn, coarse_spans, max_length_s=0)
    return [*fine, *bars.closed_within(conn, coarse_spans, min_length_s=FINE_MAX_S), *instant]


def send(app: App, run: Run) -> int:
    """Send to Redis whatever follows the last message it has, in order. Returns how many that were.

    Redis itself says what it has, so a message that was sent but not marked is not sent again, and
    one that Redis has lost (wiped, or failed over to a copy that was behind) is.
    """
    publisher = app.publisher()
    after, restart = _resume_after(app, publisher, run)
    sent = 0
    while True:
        with app.store.read() as conn:
            rows = signals.tail(conn, after_seq=after, limit=_SEND)
        if not rows:
            return sent
        run.deadline.check()
        now = app.clock()
        sent += publisher.publish_many([OutboxRow(*row) for row in rows], now=now, restart=restart)
        with app.store.write() as conn:
            signals.mark_published(conn, rows, now)
        traces.sent(rows, now, app.clock())
        after, restart = rows[-1].seq, False


def _resume_after(app: App, publisher: Publisher, run: Run) -> tuple[int, bool]:
    """The `seq` to go on after, and whether Redis must be told to begin there."""
    with app.store.read() as conn:
        epoch, last_seq = signals.channel_state(conn, PAIR)
        live_from = signals.first_live_seq(conn, app.clock())
    there = publisher.state()
    if there is not None and there[0] == epoch:
        if there[1] > last_seq:
            raise PermanentError(
                f"Redis, epoch {epoch}",
                f"has seq {there[1]}, the store only {last_seq}: was the store restored from an older copy?",
                "DEL signals:{usdjpy}:seq and signals:{usdjpy}:log in Redis to begin anew from the store",
            )
        _mark_found(app, *there)
        return there[1], False
    # An empty Redis gets every live signal, and expired ones for context: clients tell them by `valid_until`.
    after = max(0, min(last_seq - _CONTEXT, live_from - 1 if live_from else last_seq))
    if last_seq:
        run.log.info("broker.resent", after_seq=after, last_seq=last_seq, had=there and list(there))
    return after, True


def _mark_found(app: App, epoch: str, seq: int) -> None:
    """Mark what was sent by someone who died before they could: else it would look as if it waited."""
    with app.store.read() as conn:
        unmarked = signals.unmarked_until(conn, epoch, seq)
    if unmarked:
        with app.store.write() as conn:
            signals.mark_found(conn, epoch, unmarked[:_SEND], app.clock())


def encode(at: dt.datetime, told: Told, epoch: str, seq: int) -> Encoded:
    """The message of what a step at this UTC time told."""
    if isinstance(told, Index):
        return encode_index(told, epoch=epoch, seq=seq, at=at)
    if isinstance(told, Retraction):
        return encode_retraction(told, epoch=epoch, seq=seq)
    return encode_signal(told, epoch=epoch, seq=seq)
