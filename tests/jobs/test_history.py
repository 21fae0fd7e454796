"""What research is given: the store's signals and one series of bars, checked, and what was left out."""

import datetime as dt
from pathlib import Path

import msgspec
import pandas as pd
import pytest

from jobs import history
from jobs.admission import admit_history
from jobs.publish import encode
from signals.errors import ConfigError, DataError, SignalsError
from signals.message import Signal
from signals.model import Bar, Policy
from signals.research.files import fingerprint, write_signals
from signals.research.frames import bar_frame, signal_frame
from signals.store import bars, signals
from tests.core.conftest import make_retraction, make_signal
from tests.properties.conftest import START, app, clock, model  # noqa: F401 - fixtures
from tests.properties.test_imported import brought

MINUTE, HOUR, DAY = (dt.timedelta(**{unit: 1}) for unit in ("minutes", "hours", "days"))


def put(app, told, walk=()):  # noqa: F811
    """Signals and retractions as a step leaves them, and bars."""
    with app.store.write() as conn:
        signals.open_channel(conn, "USDJPY", START)
        signals.add(
            conn, [], told, channel="USDJPY", now=START,
            encode=lambda one, epoch, seq: encode(START, one, epoch, seq),
        )  # fmt: skip
        bars.add(conn, list(walk))


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
    put(app, [*told, gone], minutes)
    corrected = msgspec.structs.replace(minutes[7], close=151.5, known_at=START + DAY)
    put(app, [], [corrected])
    found = history.load(app)
    pd.testing.assert_frame_equal(found.signals, signal_frame(told, [gone]))
    wanted = bar_frame([*minutes, corrected])
    pd.testing.assert_frame_equal(found.bars, wanted)
    assert found.bars.attrs == wanted.attrs
    assert found.inputs == {"signals": fingerprint(found.signals), "bars": fingerprint(wanted)}
    assert (found.model_ids, found.policy_ids, found.refused) == (("fake-1",), ("policy-1",), {})
    assert any("3 of 3 signals" in note for note in found.notes)


def test_a_retraction_after_the_end_is_not_known(app):  # noqa: F811
    """What ends before it shows the signal as it stood; the ends are included and excluded."""
    gone = make_retraction(signal_id="s0", known_at=START + 30 * MINUTE, retracted_at=START + 30 * MINUTE)
    put(app, [live(0), live(1), live(2), gone], walk(60))
    found = history.load(app, since=START, until=START + 20 * MINUTE)
    assert found.signals["signal_id"].tolist() == ["s0", "s1"]
    assert found.signals["voided_at"].isna().all()
    assert found.bars["close_at"].max() == START + 20 * MINUTE
    assert history.load(app).signals["voided_at"].notna().tolist() == [True, False, False]


def test_the_finest_bars_that_cover_the_signals_are_chosen(app):  # noqa: F811
    """Minutes where they cover as much as hours do; else the hours; never a daily reference."""
    reference = [
        msgspec.structs.replace(bar, open_at=bar.close_at, source="ecb") for bar in walk(3, length=DAY, source="ecb")
    ]
    put(app, [live(n) for n in range(6)], [*walk(20), *walk(48, length=HOUR, start=START - DAY), *reference])
    hours = history.load(app).bars
    assert (hours.attrs["source"], hours.attrs["length_s"]) == ("yahoo", 3600)
    assert history.load(app, until=START + 15 * MINUTE).bars.attrs["length_s"] == 60
    named = history.load(app, bars="yahoo:60")
    assert named.bars.attrs["length_s"] == 60
    assert any("2 of 6 signals have one soon after them" in note for note in named.notes)


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("ecb:0", "daily reference rate"),
        ("yahoo:86400", "Yahoo's daily close is about its open - build days from yahoo:3600"),
        ("yahoo:300", "the store has none - --bars may be yahoo:60"),
        ("hours", "'hours' is no series - SOURCE:SECONDS, as yahoo:3600"),
    ],
)
def test_bars_that_nobody_could_trade_at_are_refused(app, wanted, said):  # noqa: F811
    """With the reason and the mend."""
    fixing = [msgspec.structs.replace(bar, open_at=bar.close_at) for bar in walk(2, length=DAY, source="ecb")]
    put(app, [live(0)], [*walk(20), *walk(3, length=DAY), *fixing])
    with pytest.raises((ConfigError, DataError), match=said):
        history.load(app, bars=wanted)


def test_without_bars_or_signals_the_mend_is_named(app):  # noqa: F811
    """One line each."""
    with pytest.raises(DataError, match="signals: there are none in this time - `signals run` makes some"):
        history.load(app)
    put(app, [live(0)], walk(3, length=DAY))
    with pytest.raises(DataError, match="bars: none that cover the signals - `signals jobs run prices`"):
        history.load(app)


def test_times_that_nobody_witnessed_are_refused_unless_allowed(app):  # noqa: F811
    """Backfilled ones, and undated ones that claim a direction; how many stands in the notes."""
    undated = {"source_published_at": None}
    told = [live(0), live(1, backfilled=True), live(2, **undated), live(3, **undated, abstained=True)]
    put(app, told, walk(60))
    found = history.load(app)
    assert found.signals["signal_id"].tolist() == ["s0", "s3"]
    assert found.refused == {"backfilled": 1, "undated": 1}
    assert "signals left out: 1 backfilled" in found.notes
    allowed = history.load(app, allow_backfilled=True)
    assert len(allowed.signals) == 4
    assert "of the signals 1 backfilled: their known_at was reconstructed, not witnessed" in allowed.notes
    with pytest.raises(DataError, match="none is left: 1 backfilled - --allow-backfilled takes them"):
        history.load(app, since=START + 5 * MINUTE, until=START + 15 * MINUTE)


def test_signals_come_back_from_a_file_as_they_were(app, tmp_path: Path):  # noqa: F811
    """The same frame, the same hash; another file is refused with the column that it lacks."""
    told = [live(0, topics=("a", "b")), live(1, ref_price=None, event_window="fomc", topics=()), live(2)]
    put(app, told, walk(60))
    path = tmp_path / "signals.parquet"
    write_signals(signal_frame(told), path)
    found = history.load(app, signals_from=path)
    pd.testing.assert_frame_equal(found.signals, signal_frame(told))
    assert found.inputs == history.load(app).inputs
    assert len(history.load(app, signals_from=path, since=START + MINUTE).signals) == 2
    signal_frame(told).drop(columns=["strength"]).to_parquet(path)
    with pytest.raises(DataError, match="has no column strength"):
        history.load(app, signals_from=path)
    path.write_text("known_at,strength\n")
    with pytest.raises(DataError, match="is no Parquet file"):
        history.load(app, signals_from=path)


def test_a_replay_takes_what_waits_and_another_policy(app):  # noqa: F811
    """History that was brought and not scored yet is made into signals, and it is said what they are."""
    with app.store.write() as conn:
        admit_history(conn, brought(60, seed=8))
        bars.add(conn, walk(900, start=START - 14 * HOUR))
    found = history.load(app, signals_from="replay", allow_backfilled=True)
    assert len(found.signals) > 5
    assert found.signals["backfilled"].all()
    assert any("60 imported headlines had not been scored" in note for note in found.notes)
    other = history.load(app, signals_from="replay", allow_backfilled=True, policy=Policy(novelty_min=0.0))
    assert len(other.signals) > len(found.signals)
    assert other.policy_ids != found.policy_ids
    assert any("this is not what was told" in note for note in other.notes)
    with pytest.raises(SignalsError, match="add --signals replay"):
        history.load(app, policy=Policy())


def test_the_hash_knows_every_value():
    """Another value, another order or another name is another frame."""
    frame = signal_frame([live(0), live(1)])
    every = [
        frame,
        frame.assign(strength=0.1),
        frame[::-1],
        frame.rename(columns={"title": "name"}),
        frame.assign(topics=[("a",), ()]),
    ]
    assert len({fingerprint(one) for one in every}) == len(every)
    assert fingerprint(frame) == fingerprint(frame.copy())
