"""What research is given: the store's signals and one series of bars, checked, and what was left out."""

import datetime as dt

import msgspec
import pandas as pd

from jobs import history
from signals.model import Bar, Signal
from signals.research.files import fingerprint
from signals.research.frames import bar_frame, signal_frame
from signals.store import bars, signals
from tests.core.conftest import make_retraction, make_signal
from tests.properties.conftest import START, app, clock, model  # noqa: F401

MINUTE, DAY = dt.timedelta(minutes=1), dt.timedelta(days=1)


def put(conn, told, *, imported=False):
    """Signals and retractions as a step leaves them, without their headlines unless of history."""
    signals.open_channel(conn, "USDJPY", START)
    signals.add(conn, [], told, channel="USDJPY", now=START, encode=_encode)


def _encode(told, epoch, seq):
    from jobs.publish import encode

    return encode(START, told, epoch, seq)


def live(number: int, **changes) -> Signal:
    """A signal of its own story, ten minutes after the one before."""
    known_at = START + number * 10 * MINUTE
    values = {"signal_id": f"s{number}", "story_id": f"story-{number}", "headline_id": f"h{number}"}
    return make_signal(**(values | {"known_at": known_at, "source_published_at": known_at - MINUTE} | changes))


def walk(count: int, *, length: dt.timedelta = MINUTE, source: str = "yahoo", start: dt.datetime = START) -> list[Bar]:
    """Bars without a hole, each closing a little higher."""
    return [
        Bar(
            open_at=start + n * length, close_at=start + (n + 1) * length, open=150, high=160, low=140,
            close=150 + n / 1000, source=source, known_at=start + (n + 1) * length,
        )
        for n in range(count)
    ]  # fmt: skip


def test_signals_and_bars_come_as_frames_of_what_was_told(app):  # noqa: F811
    """The frames equal those made of the same signals, retractions and bars one by one; times as known."""
    told = [live(0), live(1, topics=("a", "b"), ref_price=None), live(2, supersedes="s1", action="updated")]
    gone = make_retraction(signal_id="s0", known_at=START + 3 * MINUTE, retracted_at=START + 4 * MINUTE)
    minutes = walk(60)
    with app.store.write() as conn:
        put(conn, [*told, gone])
        bars.add(conn, minutes)
        corrected = msgspec.structs.replace(minutes[7], close=151.5, known_at=START + DAY)
        bars.add(conn, [corrected])
    found = history.load(app)
    pd.testing.assert_frame_equal(found.signals, signal_frame(told, [gone]))
    wanted = bar_frame([*minutes, corrected])
    pd.testing.assert_frame_equal(found.bars, wanted)
    assert found.bars.attrs == wanted.attrs
    assert found.inputs == {"signals": fingerprint(found.signals), "bars": fingerprint(wanted)}
    assert (found.model_ids, found.policy_ids) == (("fake-1",), ("policy-1",))
    assert any("3 of 3 signals" in note for note in found.notes)
