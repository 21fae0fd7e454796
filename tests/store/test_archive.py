"""What a replay reads: steps in their order, what waits after them, from when on later ones reach back; and columns."""

import datetime as dt

import numpy as np

from signals.model import Bar, Withdrawal
from signals.store import Store, archive, bars, headlines, told, withdrawals
from signals.store.archive import Taken, Waiting

from .conftest import DAY, HOUR, MINUTE, NOW, SECOND, make_headline, make_story

TICK = dt.timedelta(microseconds=1)


def gone(number: int, known_at: dt.datetime = NOW) -> Withdrawal:
    """The notice that this headline no longer holds."""
    return Withdrawal(headline_id=f"h{number}", known_at=known_at, reason="withdrawn")


def keep(store: Store, taken: dict[int, dt.datetime], *, imported: bool = False) -> None:
    """Headlines by number, known so many hours after NOW; taken at these times."""
    with store.write() as conn:
        for number, at in taken.items():
            one = make_headline(number, NOW + number * HOUR)
            headlines.add(conn, [one], imported=imported)
            headlines.mark_taken(conn, [one], [make_story(one)], [], at)


def test_each_step_says_how_far_back_later_ones_reach(store: Store) -> None:
    """Of its own kind only; a late notice counts by when it became known; the last reaches nowhere."""
    keep(store, {1: NOW + 9 * HOUR, 4: NOW + 10 * HOUR, 2: NOW + 11 * HOUR})
    keep(store, {-50: NOW + 9 * HOUR + SECOND, -40: NOW + 12 * HOUR}, imported=True)
    with store.write() as conn:
        withdrawals.add(conn, [gone(1, NOW + 3 * HOUR)])
        withdrawals.mark_taken(conn, [gone(1, NOW + 3 * HOUR)], NOW + 13 * HOUR)
    with store.read() as conn:
        found = [(one.at - NOW, one.history, one.later_from and one.later_from - NOW) for one in archive.steps(conn)]
        assert archive.count(conn) == 5
    assert found == [
        (9 * HOUR, False, 2 * HOUR),
        (9 * HOUR + SECOND, True, -40 * HOUR),
        (10 * HOUR, False, 2 * HOUR),
        (11 * HOUR, False, 3 * HOUR),
        (12 * HOUR, True, None),
        (13 * HOUR, False, None),
    ]


def test_what_waits_follows_in_steps_of_its_own(store: Store) -> None:
    """News first, then history, each in the order of `known_at`, in batches, each a moment after the one before."""
    keep(store, {0: NOW + HOUR})
    at = NOW + DAY
    news = [make_headline(n, NOW + n * MINUTE) for n in (7, 5, 6)]
    past = [make_headline(n, NOW - n * DAY, backfilled=True) for n in (101, 102, 103)]
    with store.write() as conn:
        headlines.add(conn, news)
        headlines.add(conn, past, imported=True)
        withdrawals.add(conn, [gone(0), gone(6, NOW + HOUR), gone(101, NOW)])
    five, six, seven = sorted(news, key=lambda one: one.known_at)
    with store.read() as conn:
        first, *found = archive.steps(conn, Waiting(at, batch=2))
        assert archive.count(conn, Waiting(at)) == 7
        assert archive.waits(conn) == (3, 3)
        assert len(list(archive.steps(conn))) == 1
    assert first.later_from == NOW
    assert found == [
        Taken(at + TICK, [five, six], [gone(0), gone(6, NOW + HOUR)], False, seven.known_at),
        Taken(at + 2 * TICK, [seven], [], False, None),
        Taken(at + 3 * TICK, [past[2], past[1]], [], True, past[0].known_at),
        Taken(at + 4 * TICK, [past[0]], [gone(101, NOW)], True, None),
    ]


def test_a_withdrawal_that_waits_alone_is_a_step(store: Store) -> None:
    """Its headline was taken long ago; no step runs before what it takes was known."""
    keep(store, {0: NOW + HOUR})
    with store.write() as conn:
        withdrawals.add(conn, [gone(0, NOW + 2 * DAY)])
    with store.read() as conn:
        *_, last = archive.steps(conn, Waiting(NOW + DAY))
    assert last == Taken(NOW + 2 * DAY, [], [gone(0, NOW + 2 * DAY)], False, None)


def test_bars_come_as_columns(store: Store) -> None:
    """One series, within the span, each bar as it was learned last, whatever the fraction of a second."""
    made = [
        Bar(
            open_at=NOW + n * MINUTE, close_at=NOW + (n + 1) * MINUTE, open=150, high=151, low=149, close=150 + n / 8,
            source=source, known_at=NOW + (n + 1 + late) * MINUTE,
        )
        for n, source, late in ((2, "yahoo", 0), (0, "yahoo", 0), (1, "yahoo", 0), (1, "other", 0))
    ]  # fmt: skip
    again = [
        *made,
        Bar(
            open_at=NOW,
            close_at=NOW + MINUTE,
            open=150,
            high=151,
            low=149,
            close=149.5,
            source="yahoo",
            known_at=NOW + DAY,
        ),
    ]
    hour = Bar(
        open_at=NOW, close_at=NOW + HOUR, open=150, high=151, low=149, close=150, source="yahoo", known_at=NOW + HOUR
    )
    with store.write() as conn:
        bars.add(conn, made)
        bars.add(conn, [again[-1], hour])
    with store.read() as conn:
        found = bars.frame_columns(conn, "yahoo", 60, NOW, NOW + 3 * MINUTE)
        assert found["close"].tolist() == [149.5, 150.125, 150.25]
        assert found["open_at"].dtype == np.dtype("datetime64[us]")
        assert found["open_at"][1] == np.datetime64((NOW + MINUTE).replace(tzinfo=None), "us")
        assert bars.frame_columns(conn, "yahoo", 60, NOW + SECOND, NOW + 3 * MINUTE)["close"].tolist() == [
            150.125,
            150.25,
        ]
        assert [len(values) for values in bars.frame_columns(conn, "none", 60, NOW, NOW + DAY).values()] == [0] * 6
        assert [(one.source, one.length_s, one.versions) for one in bars.series(conn)] == [
            ("other", 60, 1), ("yahoo", 60, 4), ("yahoo", 3600, 1),
        ]  # fmt: skip


def test_nothing_was_told_in_an_empty_store(store: Store) -> None:
    """No text, no message, no retraction."""
    with store.read() as conn:
        assert list(told.texts(conn, NOW - DAY, NOW + DAY)) == list(told.messages(conn)) == []
        assert told.retractions(conn) == told.kept(conn, ["s"]) == {}
        assert told.history_kept(conn) == 0
