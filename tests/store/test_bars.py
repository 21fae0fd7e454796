"""Bars: every version is kept, so that an old question has its old answer."""

import msgspec

from signals.model import Bar
from signals.store import Store, bars

from .conftest import DAY, HOUR, MINUTE, NOW, SECOND, make_bar

ALWAYS = [(NOW - 3650 * DAY, NOW + 3650 * DAY)]


def kept(store: Store) -> list[Bar]:
    """All versions, by when they were learned."""
    with store.read() as conn:
        return sorted(bars.closed_within(conn, ALWAYS), key=lambda bar: (bar.known_at, bar.close_at, bar.source))


def add(store: Store, *new: Bar) -> int:
    """Keep these."""
    with store.write() as conn:
        return bars.add(conn, new)


def learned(bar: Bar, later: int, close: float | None = None) -> Bar:
    """The bar read again so many minutes later, perhaps with another close."""
    price = bar.close if close is None else close
    return msgspec.structs.replace(bar, known_at=bar.known_at + later * MINUTE, close=price)


def test_bars_come_back_as_they_were(store: Store) -> None:
    """Prices to the last bit, times to the microsecond, a fixing without length."""
    minute, fixing = make_bar(close=150.1 + 1e-12), make_bar(length_s=0, source="ecb")
    assert add(store, minute, fixing) == 2
    assert kept(store) == [fixing, minute]


def test_nothing_to_keep(store: Store) -> None:
    """No bars, nothing done."""
    assert add(store) == 0


def test_a_bar_read_again_is_no_version(store: Store) -> None:
    """The same prices learned again add nothing: known is when it was first known."""
    first = make_bar()
    assert add(store, first) == 1
    assert add(store, first, learned(first, 1)) == 0
    assert kept(store) == [first]


def test_other_prices_are_a_version(store: Store) -> None:
    """A correction stands beside what it corrects, and so does its undoing; only the last one known is compared."""
    first = make_bar()
    corrected, undone = learned(first, 1, 150.2), learned(first, 2)
    assert [add(store, first), add(store, corrected), add(store, learned(corrected, 1)), add(store, undone)] == [
        1,
        1,
        0,
        1,
    ]
    assert kept(store) == [first, corrected, undone]


def test_a_version_of_one_bar_leaves_others_alone(store: Store) -> None:
    """Another source, length or moment is another bar, not a version."""
    others = [make_bar(source="other"), make_bar(length_s=300), make_bar(NOW + MINUTE)]
    assert add(store, make_bar()) == 1
    assert add(store, *others) == 3


def test_closed_within_spans(store: Store) -> None:
    """Bars that closed within any of the spans, both ends included, each version once."""
    made = [make_bar(NOW + number * HOUR) for number in range(6)]
    add(store, *made)
    again = learned(made[1], 1, 150.2)
    add(store, again)
    spans = [(NOW + 4 * HOUR, NOW + 5 * HOUR), (NOW, NOW + HOUR), (NOW + HOUR, NOW + HOUR + SECOND)]
    with store.read() as conn:
        found = bars.closed_within(conn, spans)
        assert bars.closed_within(conn, []) == []
    assert sorted(found, key=lambda bar: bar.known_at) == [made[0], made[1], again, made[4], made[5]]


def test_closed_within_lengths(store: Store) -> None:
    """Longer than the least, at most the greatest: the kinds of bars can be asked for apart, and none twice."""
    add(store, *(make_bar(length_s=length_s, source=f"s{length_s}") for length_s in (0, 60, 300, 3600, 86400)))
    with store.read() as conn:
        fixings = bars.closed_within(conn, ALWAYS, max_length_s=0)
        fine = bars.closed_within(conn, ALWAYS, min_length_s=0, max_length_s=300)
        coarse = bars.closed_within(conn, ALWAYS, min_length_s=300)
    assert [sorted(bar.source for bar in part) for part in (fixings, fine, coarse)] == [
        ["s0"],
        ["s300", "s60"],
        ["s3600", "s86400"],
    ]


def test_last_close(store: Store) -> None:
    """The newest close of one source and length, whenever it was learned; null where there is none."""
    add(store, make_bar(NOW), make_bar(NOW - HOUR, known_at=NOW + DAY), make_bar(NOW + HOUR, length_s=3600))
    with store.read() as conn:
        assert bars.last_close_at(conn, "yahoo", 60) == NOW
        assert bars.last_close_at(conn, "yahoo", 3600) == NOW + HOUR
        assert bars.last_close_at(conn, "yahoo", 300) is None
        assert bars.last_close_at(conn, "ecb", 60) is None


def test_last_close_of_sources(store: Store) -> None:
    """The newest close by then of any of these sources, as it was last learned; null where there is none."""
    late = make_bar(NOW - HOUR, close=150.3)
    add(store, make_bar(NOW, source="other"), late, learned(late, 90, 150.4), make_bar(NOW - 2 * HOUR, source="ecb"))
    with store.read() as conn:
        assert bars.last_close(conn, ("yahoo", "ecb"), NOW) == (late.close_at, 150.4)
        assert bars.last_close(conn, ("yahoo", "ecb"), late.close_at - SECOND) is not None
        assert bars.last_close(conn, ("yahoo",), late.close_at - SECOND) is None
        assert bars.last_close(conn, (), NOW) is None


def test_opened_within(store: Store) -> None:
    """When bars of one source and length opened that closed in the span, each once, in order."""
    made = [make_bar(NOW + number * MINUTE) for number in (3, 1, 2)]
    add(store, *made, make_bar(NOW + MINUTE, source="other"), make_bar(NOW + MINUTE, length_s=3600))
    add(store, learned(made[0], 5, 150.12))
    with store.read() as conn:
        found = bars.opened_within(conn, "yahoo", 60, made[1].close_at, made[0].close_at)
        assert found == [made[1].open_at, made[2].open_at, made[0].open_at]
        assert bars.opened_within(conn, "yahoo", 60, made[2].close_at, made[2].close_at) == [made[2].open_at]
