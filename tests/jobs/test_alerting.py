"""When someone is told: an alert opens, repeats and closes once each, however things flap and services restart."""

import datetime as dt
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from jobs.alerting import message, step
from jobs.finding import Finding
from jobs.objectives import Alerts
from signals.delivery.alert import decode_alert

NOW = dt.datetime(2026, 3, 4, 12, 0, tzinfo=dt.UTC)
RULES = Alerts(for_s=30, clear_s=60, repeat_s=600)
EVERY_S = 15


def finding(key="source:boj", severity="warning"):
    return Finding(key, severity, NOW, f"{key} is wrong", "mend it")


class Kept:
    """Alerts as a store keeps them, and what was told of them."""

    def __init__(self):
        self.alerts = {}
        self.told = []

    def judge(self, at, *keys, gap=None, severity="warning"):
        standing = [one for one in self.alerts.values() if one.closed_at is None]
        for change in step(standing, [finding(key, severity) for key in keys], at, RULES, unwatched_since=gap):
            if change.dropped:
                self.alerts.pop(change.alert.alert_id, None)
            else:
                self.alerts[change.alert.alert_id] = change.alert
            if change.told:
                self.told.append((change.alert.key, change.told, int((at - NOW).total_seconds())))

    def play(self, marks, key="source:boj", start=0):
        """Judge each 15 s: `x` it is wrong, `.` it is well."""
        for number, mark in enumerate(marks):
            self.judge(NOW + dt.timedelta(seconds=start + number * EVERY_S), *([key] if mark == "x" else []))
        return self.told


def told(marks):
    return [(what, at) for _, what, at in Kept().play(marks)]


def test_it_opens_once_it_has_held_and_closes_once_it_has_cleared():
    """Found at 0 s and held for 30 s; well from 60 s on and for 60 s."""
    assert told("xxxx" + "......") == [("opened", 30), ("closed", 120)]


def test_what_flaps_faster_never_opens():
    """One good look in between and the time begins anew; nothing is kept of it."""
    kept = Kept()
    assert kept.play("xx.xx.x.xx.") == []
    assert kept.alerts == {}


def test_what_flaps_while_it_is_open_does_not_close():
    """A good moment is no mend: it closes once, a whole minute after the last fault."""
    assert told("xxx" + "...x" * 3 + ".....") == [("opened", 30), ("closed", 285)]


def test_it_is_told_again_while_it_lasts():
    """Each ten minutes, counted from the last time it was told."""
    assert told("x" * 90) == [("opened", 30), ("repeated", 630), ("repeated", 1230)]


def test_it_is_told_at_once_where_it_turns_critical():
    """A warning that becomes critical does not wait for its turn; and once is enough."""
    kept = Kept()
    kept.play("xxx")
    for number in range(3, 6):
        kept.judge(NOW + dt.timedelta(seconds=number * EVERY_S), "source:boj", severity="critical")
    assert [what for _, what, _ in kept.told] == ["opened", "repeated"]


def test_time_that_nobody_watched_does_not_count():
    """Down for an hour between two looks: neither did the fault hold nor did the mend for that long."""
    hour = dt.timedelta(hours=1)
    kept = Kept()
    kept.judge(NOW, "source:boj")
    kept.judge(NOW + hour, "source:boj", gap=NOW)
    assert kept.told == []
    kept.play("xxx", start=3615)
    kept.judge(NOW + 2 * hour, gap=NOW + hour)
    assert [what for _, what, _ in kept.told] == ["opened"]
    kept.play(".....", start=7215)
    assert [what for _, what, _ in kept.told] == ["opened", "closed"]


def test_what_another_explains_opens_nothing_of_its_own():
    """All sources are down: that opens, and not each of them; one that was open before stays as it is."""
    kept = Kept()
    kept.play("xxx", key="source:a")
    for number in range(3, 12):
        kept.judge(NOW + dt.timedelta(seconds=number * EVERY_S), "sources", "source:a", "source:b")
    assert [(key, what) for key, what, _ in kept.told] == [("source:a", "opened"), ("sources", "opened")]


def test_what_cannot_be_judged_does_not_close():
    """The store fails, so nobody knows of the source: its alert stays, and closes a minute after the store is back."""
    kept = Kept()
    kept.play("xxx")
    kept.play("x" * 20, key="store", start=45)
    assert ("source:boj", "closed") not in [(key, what) for key, what, _ in kept.told]
    kept.play("......", start=345)
    assert [(key, what) for key, what, _ in kept.told][-2:] == [("source:boj", "closed"), ("store", "closed")]


def test_a_clock_that_was_set_back_holds_nothing_up():
    """First seen in what is now the future: the time begins anew, and it opens."""
    kept = Kept()
    kept.judge(NOW + dt.timedelta(hours=1), "source:boj")
    kept.play("xxx")
    assert [what for _, what, _ in kept.told] == ["opened"]


@given(st.lists(st.sampled_from(["x", ".", "gap"]), max_size=120))
def test_whatever_happens_telling_takes_turns(marks):
    """Opened and closed alternate; each opening was held, each closing cleared; one of a key stands at a time."""
    kept, at, gap = Kept(), NOW, None
    for mark in marks:
        if mark == "gap":
            gap, at = at, at + dt.timedelta(hours=1)
            continue
        kept.judge(at, *(["source:boj"] if mark == "x" else []), gap=gap)
        gap, at = None, at + dt.timedelta(seconds=EVERY_S)
        assert sum(one.closed_at is None for one in kept.alerts.values()) <= 1
    turns = [what for _, what, _ in kept.told if what != "repeated"]
    assert turns == ["opened", "closed"] * (len(turns) // 2) + ["opened"] * (len(turns) % 2)
    for one in kept.alerts.values():
        assert one.opened_at is None or one.opened_at - one.first_seen_at >= dt.timedelta(seconds=30)
        assert one.closed_at is None or one.closed_at - one.last_seen_at >= dt.timedelta(seconds=60)


def test_the_message_says_all_and_its_id_is_that_of_the_event():
    """The same whoever makes it; another for each time it is told."""
    changes = step([], [finding()], NOW, Alerts(for_s=0))
    first, second = message(changes[0], NOW), message(changes[0], NOW + dt.timedelta(seconds=1))
    assert first.notice_id == second.notice_id
    event = decode_alert(first.body)
    assert (event.id, event.time, event.type) == (first.notice_id, NOW, "signals.alert.v1")
    assert (event.data.action, event.data.key, event.data.text) == ("opened", "source:boj", "source:boj is wrong")
    assert (event.data.mend, event.data.opened_at, event.data.closed_at) == ("mend it", NOW, None)
    again = step([changes[0].alert], [finding()], NOW + dt.timedelta(hours=5), RULES)
    more = step([again[0].alert], [finding()], NOW + dt.timedelta(hours=10), RULES)
    ids = [message(change, NOW).notice_id for change in (*changes, *again, *more)]
    assert Counter(ids).most_common(1)[0][1] == 1


def test_a_clock_that_is_set_back_holds_up_no_end():
    """Well since a time that has not come yet: the minute begins as the clock is set back, and is kept."""
    kept = Kept()
    kept.play("xxx.", start=600)
    kept.play(".....")
    assert kept.told == [("source:boj", "opened", 630), ("source:boj", "closed", 60)]
