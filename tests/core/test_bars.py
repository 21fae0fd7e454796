"""Prices as of a moment: nothing that closed or was learned later may be felt."""

import datetime as dt
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signals.market.bars import REACH_COARSE, REACH_FINE, BarTable
from signals.model import Bar, PriceContext

from .conftest import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    SECOND,
    bars,
    climb,
    make_bar,
    minutes,
    steady,
    version_key,
    versions,
)

STALE_S = 900
LATER = NOW + HOUR
many_versions = st.lists(versions(), max_size=25, unique_by=version_key)


def context(*bars: Bar, known_at: dt.datetime = NOW, now: dt.datetime | None = LATER) -> PriceContext:
    """The price of a headline known at NOW, in a step an hour later."""
    return BarTable(bars, now).context(known_at, STALE_S)


@steady
@given(many_versions, st.lists(bars(), max_size=10), minutes(-300, 0), minutes(0, 120))
def test_bars_that_close_later_change_nothing(
    known: list[Bar], more: list[Bar], ago: dt.timedelta, lag: dt.timedelta
) -> None:
    """No look-ahead: a bar that closes at or after the headline's moment is not felt, of whatever source or length."""
    known_at = NOW + ago
    late = [bar for bar in more if bar.close_at >= known_at]
    now = known_at + lag
    assert context(*known, *late, known_at=known_at, now=now) == context(*known, known_at=known_at, now=now)


@steady
@given(many_versions, st.lists(versions(), max_size=10), minutes(-300, 0))
def test_bars_learned_later_change_nothing(known: list[Bar], more: list[Bar], ago: dt.timedelta) -> None:
    """What the step could not know yet is not felt: neither a late bar nor a later version of one."""
    now = NOW + ago
    late = [bar for bar in more if bar.known_at > now]
    assert context(*known, *late, known_at=now, now=now) == context(*known, known_at=now, now=now)


@steady
@given(many_versions, st.randoms(use_true_random=False))
def test_order_of_bars_does_not_matter(known: list[Bar], chance: object) -> None:
    """The same bars in any order give the same price."""
    shuffled = known.copy()
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert context(*shuffled) == context(*known)


@steady
@given(many_versions)
def test_a_price_is_the_close_of_a_bar(known: list[Bar]) -> None:
    """A price comes from a bar at hand, closed before the headline; its age is the time since."""
    price = context(*known)
    if price.ref_price_at is None:
        assert (price.ref_price, price.ref_source, price.ref_age_s, price.stale) == (None, None, None, True)
        return
    assert (price.ref_price_at, price.ref_price, price.ref_source) in {(b.close_at, b.close, b.source) for b in known}
    assert price.ref_age_s == (NOW - price.ref_price_at).total_seconds() > 0


def test_no_bars_no_price() -> None:
    """Without bars all is null and stale; the market's hours are known all the same."""
    assert context() == PriceContext(
        ref_price=None, ref_price_at=None, ref_age_s=None, ref_source=None, stale=True, market_open=True,
        return_5m_bp=None, return_60m_bp=None, volatility_60m_bp=None,
    )  # fmt: skip


def test_a_bar_counts_from_the_moment_after_its_close() -> None:
    """A bar that closes as the headline comes may already hold its effect: it is not quoted."""
    at_once, before = make_bar(NOW, 151.0), make_bar(NOW - MINUTE, 150.0)
    assert context(at_once, before).ref_price == 150.0
    assert context(at_once, before, known_at=NOW + SECOND).ref_price == 151.0


@pytest.mark.parametrize(("age", "stale"), [(STALE_S, False), (STALE_S + 1, True)])
def test_a_price_goes_stale(age: int, stale: bool) -> None:
    """Up to the policy's age a price is fresh, beyond it stale."""
    assert context(make_bar(NOW - age * SECOND)).stale is stale


@pytest.mark.parametrize(
    ("length_s", "reach"), [(60, REACH_FINE), (300, REACH_FINE), (301, REACH_COARSE), (3600, REACH_COARSE)]
)
def test_old_bars_are_out_of_reach(length_s: int, reach: dt.timedelta) -> None:
    """Fine bars are quoted for two hours, coarse ones for a week, not a second longer."""
    assert context(make_bar(NOW - reach, length_s=length_s)).ref_price == 150.0
    assert context(make_bar(NOW - reach - SECOND, length_s=length_s)).ref_price is None


def test_the_last_close_is_quoted_fine_or_coarse() -> None:
    """Whichever closed last counts; of two that closed together the finer one."""
    minute, hour = make_bar(NOW - MINUTE, 150.5), make_bar(NOW - HOUR, 149.0, length_s=3600)
    assert context(minute, hour).ref_price == 150.5
    assert context(make_bar(NOW - 90 * MINUTE, 150.5), hour).ref_price == 149.0
    together = make_bar(NOW - MINUTE, 150.25, length_s=3600)
    assert context(together, minute).ref_price == context(minute, together).ref_price == 150.5
    five = make_bar(NOW - MINUTE, 150.75, length_s=300)
    assert context(minute, five).ref_price == context(five, minute).ref_price == 150.5


def test_a_correction_counts_from_when_it_was_learned() -> None:
    """As of now: the version of a bar that was learned last by then, not the first, not one still to come."""
    first = make_bar(NOW - MINUTE, 150.0)
    second = make_bar(NOW - MINUTE, 150.1, known_at=NOW + MINUTE)
    third = make_bar(NOW - MINUTE, 150.2, known_at=NOW + HOUR)
    for versions_ in ([first, second, third], [third, first, second]):
        seen = [context(*versions_, now=now).ref_price for now in (NOW, NOW + MINUTE, NOW + HOUR - SECOND, LATER, None)]
        assert seen == [150.0, 150.1, 150.1, 150.2, 150.2]


def test_a_bar_learned_late_is_not_seen_before() -> None:
    """A bar that closed in time but came late leaves the older one in place."""
    older, late = make_bar(NOW - 2 * MINUTE, 150.0), make_bar(NOW - MINUTE, 151.0, known_at=NOW + SECOND)
    assert context(older, late, now=NOW).ref_price == 150.0
    assert context(older, late, now=NOW + SECOND).ref_price == 151.0


def test_a_reference_rate_is_always_stale_and_has_no_returns() -> None:
    """A daily fixing tells where the price about was: never fresh, never the start or end of a move."""
    fixings = [
        make_bar(NOW - age, 150.0, length_s=0, source="ecb") for age in (SECOND, SECOND + 5 * MINUTE, SECOND + HOUR)
    ]
    price = context(*fixings)
    assert (price.ref_source, price.ref_age_s, price.stale) == ("ecb", 1.0, True)
    assert (price.return_5m_bp, price.return_60m_bp, price.volatility_60m_bp) == (None, None, None)


def test_a_reference_rate_never_stands_before_a_fresh_bar() -> None:
    """The fixing's moment comes every day: the minute bar beside it stays the price, with its returns."""
    fixing = make_bar(NOW - SECOND, 149.0, length_s=0, source="ecb")
    price = context(fixing, *climb(70, NOW - MINUTE))
    assert (price.ref_source, price.stale, price.return_5m_bp) == ("yahoo", False, 5.0)


def test_a_reference_rate_stands_in_for_bars_that_stopped() -> None:
    """Where the last bar is stale the fixing counts if it is newer; at the same moment the bar does."""
    hour = make_bar(NOW - HOUR, 150.0, length_s=3600)
    newer, same, older = (
        make_bar(NOW - HOUR + d, 149.0, length_s=0, source="ecb") for d in (MINUTE, 0 * HOUR, -MINUTE)
    )
    assert context(hour, newer).ref_source == "ecb"
    assert context(hour, same).ref_source == "yahoo"
    assert context(hour, older).ref_source == "yahoo"


def test_a_fixing_does_not_hide_where_an_hour_began() -> None:
    """The hourly bar that closed at the fixing's moment is still found for the move since."""
    first, last = (make_bar(NOW - ago, price, length_s=3600) for ago, price in ((61 * MINUTE, 150.0), (MINUTE, 151.5)))
    fixing = make_bar(NOW - 61 * MINUTE, 140.0, length_s=0, source="ecb")
    assert context(first, last, fixing).return_60m_bp == round(math.log(1.01) * 1e4, 2) == 99.5


def test_returns_and_volatility_by_hand() -> None:
    """A basis point a minute: 5 in five minutes, 60 in an hour, and the root of 60 squares of one."""
    price = context(*climb(70, NOW - SECOND))
    assert (price.return_5m_bp, price.return_60m_bp, price.volatility_60m_bp) == (5.0, 60.0, 7.75)
    falling = context(*climb(70, NOW - SECOND, step_bp=-2))
    assert (falling.return_5m_bp, falling.return_60m_bp, falling.volatility_60m_bp) == (-10.0, -120.0, 15.49)


def test_returns_are_logarithmic() -> None:
    """From 150.00 to 151.50 is ln(1.01) = 99.50 basis points."""
    price = context(make_bar(NOW - 6 * MINUTE, 150.0), make_bar(NOW - MINUTE, 151.5))
    assert price.return_5m_bp == 99.5


def test_a_hole_in_the_bars_makes_no_return() -> None:
    """The bar a return begins with closed at most a tenth of the span before it; else the return is null."""
    last = make_bar(NOW - MINUTE, 151.5)
    assert context(last, make_bar(NOW - 6 * MINUTE - 30 * SECOND)).return_5m_bp == 99.5
    assert context(last, make_bar(NOW - 6 * MINUTE - 31 * SECOND)).return_5m_bp is None
    assert context(last, make_bar(NOW - 67 * MINUTE)).return_60m_bp == 99.5
    assert context(last, make_bar(NOW - 67 * MINUTE - SECOND)).return_60m_bp is None
    assert context(last).return_5m_bp is None


def test_a_return_never_joins_two_sources() -> None:
    """The difference between two sources is no move of the market."""
    price = context(make_bar(NOW - 6 * MINUTE, source="other"), make_bar(NOW - MINUTE, 151.5))
    assert price.return_5m_bp is None


def test_coarse_bars_give_the_hour_but_not_the_minutes() -> None:
    """Of hourly bars the last hour's move is known, five minutes and volatility are not."""
    price = context(*(make_bar(NOW - MINUTE - n * HOUR, 150.0 * 1.01**-n, length_s=3600) for n in range(3)))
    assert (price.return_5m_bp, price.return_60m_bp, price.volatility_60m_bp) == (None, 99.5, None)


@pytest.mark.parametrize(("count", "volatility"), [(31, 5.48), (30, None)])
def test_volatility_needs_thirty_returns(count: int, volatility: float | None) -> None:
    """With thirty one-minute returns of one basis point it is the root of 30, with fewer null."""
    assert context(*climb(count, NOW - SECOND)).volatility_60m_bp == volatility


def test_volatility_is_of_the_last_hour_and_leaves_holes_out() -> None:
    """Older minutes do not count, nor a return over a missing one, nor bars of five minutes."""
    steady_hour = climb(61, NOW - SECOND)
    wild = [make_bar(NOW - SECOND - n * MINUTE, 100.0 + n) for n in range(61, 90)]
    fives = [make_bar(NOW - 2 * SECOND - n * MINUTE, 140.0, length_s=300) for n in range(61)]
    assert context(*steady_hour, *wild, *fives).volatility_60m_bp == 7.75
    holed = [bar for bar in steady_hour if bar.close_at != NOW - SECOND - 20 * MINUTE]
    assert context(*holed).volatility_60m_bp == round(math.sqrt(58), 2)


def test_on_a_weekend_the_last_hour_before_it_is_quoted() -> None:
    """On Sunday morning the price is Friday's close, stale, the market shut; minutes are out of reach."""
    friday = dt.datetime(2026, 3, 6, 22, 0, tzinfo=dt.UTC)
    sunday = dt.datetime(2026, 3, 8, 9, 0, tzinfo=dt.UTC)
    hours = [make_bar(friday - n * HOUR, 150.0 * 1.01**-n, length_s=3600) for n in range(3)]
    price = context(*hours, *climb(70, friday), known_at=sunday, now=sunday)
    assert (price.ref_price_at, price.ref_age_s) == (friday, 35 * 3600)
    assert (price.stale, price.market_open, price.return_60m_bp) == (True, False, 60.0)
    monday = friday + 3 * DAY
    assert context(*hours, known_at=monday, now=monday).market_open
