"""How `signals watch` shows what is no signal: one line each, for people."""

import datetime as dt

import pytest

from jobs.cli.watch import _line
from signals.delivery.items import Gap, Item, Quiet, Received, Restored, Silence
from signals.delivery.wire import Event, Heartbeat, SourceState
from signals.message import Index, Retraction

NOW = dt.datetime(2026, 2, 13, 9, 30, tzinfo=dt.UTC)
SOURCES = tuple(
    SourceState(id=name, state=state, last_success_at=None, error=None)  # type: ignore[arg-type]
    for name, state in (("boj", "ok"), ("fed", "down"))
)
HEARTBEAT = Heartbeat(last_seq=3, sources=SOURCES, jobs=(), started_at=NOW)
LOCKED = Heartbeat(
    last_seq=3, sources=(), jobs=(), started_at=NOW, store_error="writing to the store: database is locked"
)
SILENCE = Silence(heard_at=NOW - dt.timedelta(seconds=20), heartbeat=HEARTBEAT, fault=None)
INDEX = Index(value=-0.254, half_life_s=900, n_signals=3, n_sources=2)
RETRACTION = Retraction(
    signal_id="abc", story_id="s", headline_id="h", known_at=NOW, retracted_at=NOW,
    valid_until=NOW + dt.timedelta(hours=1), reason="withdrawn",
)  # fmt: skip


def message(data: Index | Retraction, kind: str, *, expired: bool = False) -> Received:
    """It as received."""
    event = Event(
        id="m", source="/signals/usdjpy", type=kind, subject="USDJPY", time=NOW, dataschema="urn:x", epoch="e", seq=7,
        data=data,
    )  # fmt: skip
    return Received(event=event, stream_id="5-0", expired=expired)


@pytest.mark.parametrize(
    ("item", "words"),
    [
        (message(RETRACTION, "signals.retraction.v1"), ["    7", "09:30:00", "retracted: signal abc (withdrawn)"]),
        (message(RETRACTION, "signals.retraction.v1", expired=True), ["(withdrawn, had expired)"]),
        (message(INDEX, "signals.index.v1"), ["index -0.25", "3 signals of 2 sources", "half-life 15m", "[5-0]"]),
        (Gap(epoch="e", missing_from=2, missing_to=4), ["2 to 4 can no longer be had"]),
        (SILENCE, ["no heartbeat for 20s", "publisher is down"]),
        (Silence(heard_at=None, heartbeat=None, fault="gone", kind="connection"), ["since the start; gone"]),
        (Restored(silence=SILENCE, heartbeat=HEARTBEAT), ["heartbeats are back"]),
        (Quiet(quiet_s=901, heartbeat=HEARTBEAT), ["no signal for 15m", "sources down: fed"]),
        (Quiet(quiet_s=901, heartbeat=LOCKED), ["no signal for 15m", "writing to the store: database is locked"]),
    ],
)  # fmt: skip
def test_each_is_one_line_that_says_what_it_is(item: Item, words: list[str]) -> None:
    """A person reads what happened, to what, and why, on a single line."""
    line = _line(item, NOW)
    assert "\n" not in line
    for word in words:
        assert word in line
