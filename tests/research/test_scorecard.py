"""What came of a signal: the fills a subscriber could have had, the costs of those hours, and what is not known."""

import datetime as dt
import math

import msgspec
import pytest

from signals.research.card import FLAT_BP, Row, card
from signals.research.rules import FREE, Costs
from signals.research.scorecard import NO_ENTRY_AFTER, NO_EXIT_AFTER, settle
from signals.store.bars import Opens
from tests.core.conftest import HOUR, MINUTE, NOW, SECOND, make_signal

LATER = NOW + dt.timedelta(days=30)


def minutes(count: int, *, first: dt.datetime = NOW, step: float = 0.01, length_s: int = 60) -> Opens:
    """Bars that open `step` yen apart, the first at 150."""
    at = [first + n * dt.timedelta(seconds=length_s) for n in range(count)]
    return Opens("yahoo", length_s, at, [150 + n * step for n in range(count)])


def came(signal=None, series=None, now=LATER, costs=FREE, latency_s=2):
    return settle(
        signal or make_signal(scored_at=NOW),
        [minutes(120)] if series is None else series,
        now,
        costs=costs,
        latency_s=latency_s,
    )


def test_a_signal_is_filled_at_the_next_open_and_left_at_its_horizon():
    """Known at 12:00:00 with two seconds' latency: in at 12:01, out at 13:01, whatever it said of the direction."""
    found = came()
    assert (found.outcome, found.entry_at, found.exit_at) == ("settled", NOW + MINUTE, NOW + 61 * MINUTE)
    assert found.return_bp == round(math.log(150.61 / 150.01) * 1e4, 4)


def test_a_bar_that_opens_as_the_order_arrives_is_taken():
    """Without latency the bar that opens at `known_at` itself is the next open: nothing in it was known before."""
    assert came(latency_s=0).entry_at == NOW


def test_a_signal_told_late_is_filled_late():
    """What a step took ten minutes after it was known could be had then, not before; history as it was dated."""
    late = {"scored_at": NOW + 10 * MINUTE}
    assert came(make_signal(**late)).entry_at == NOW + 11 * MINUTE
    assert came(make_signal(**late, backfilled=True)).entry_at == NOW + MINUTE


def test_spread_and_slippage_of_both_hours_are_paid():
    """Half a spread at each end by its hour of the week of the week, and slippage."""
    spreads = [0.0] * 168
    spreads[62], spreads[63] = 0.4, 1.0
    found = came(costs=Costs(spread_pips=tuple(spreads), slippage_pips=0.1))
    assert found.cost_bp == pytest.approx((0.2 + 0.5 + 0.2) * 0.01 / 150.01 * 1e4, abs=1e-4)


def test_the_shortest_bars_that_give_both_fills_count():
    """Minutes that end too early leave it to the hours."""
    hours = minutes(5, length_s=3600)
    lasting = make_signal(valid_until=NOW + 2 * HOUR)
    assert came(lasting, series=[minutes(30), hours]).entry_at == NOW + HOUR
    assert came(lasting, series=[minutes(120), hours]).entry_at == NOW + MINUTE


def test_nothing_is_said_before_it_can_be_known():
    """While bars may still come the signal waits."""
    assert came(series=[minutes(30)], now=NOW + HOUR) is None
    assert came(series=[], now=NOW + HOUR) is None


def test_a_signal_that_expired_before_any_bar_had_no_entry():
    """Known in a closed market, dead by Sunday's open: told as such, after a day's patience."""
    late = minutes(120, first=NOW + 2 * HOUR)
    assert came(series=[late], now=NOW + HOUR + NO_ENTRY_AFTER) is None
    assert came(series=[late], now=NOW + HOUR + NO_ENTRY_AFTER + SECOND).outcome == "no_entry"


def test_bars_that_never_come_end_in_no_exit():
    """After a weekend's and a holiday's patience."""
    end = NOW + 2 * SECOND + HOUR + NO_EXIT_AFTER
    assert came(series=[minutes(30)], now=end) is None
    assert came(series=[minutes(30)], now=end + SECOND).outcome == "no_exit"


def row(number: int, direction: str, moved_bp: float | None, **changes: object) -> Row:
    at = NOW + number * dt.timedelta(days=1)
    signal = make_signal(
        signal_id=str(number), direction=direction, known_at=at, valid_until=at + HOUR, scored_at=at, **changes,
    )  # fmt: skip
    if moved_bp is None:
        return Row(signal, None, None)
    outcome = settle(signal, [minutes(120, first=signal.known_at)], LATER, costs=FREE, latency_s=2)
    assert outcome is not None
    return Row(signal, None, msgspec.structs.replace(outcome, return_bp=moved_bp, cost_bp=0.5))


def test_misses_count_as_hits_do():
    """Of four calls two hit; net is gross less the costs of each; what waits is in no figure."""
    rows = [row(0, "up", 10), row(1, "down", 4), row(2, "down", -6), row(3, "up", -2), row(4, "up", None)]
    found = card(rows, None, NOW)
    assert (found.calls, found.hits, found.misses, found.waiting) == (5, 2, 2, 1)
    assert found.mean_gross_bp.value == pytest.approx((10 - 4 + 6 - 2) / 4)
    assert found.mean_net_bp.value == pytest.approx((10 - 4 + 6 - 2) / 4 - 0.5)
    assert found.hit_rate == (0.5, None, None, 4)


def test_quiet_calls_are_right_when_the_price_stays():
    """A flat call is judged by the band; an abstained one by nothing."""
    rows = [row(0, "flat", FLAT_BP - 0.1), row(1, "flat", -FLAT_BP), row(2, "flat", 0.0, abstained=True)]
    found = card(rows, None, NOW)
    assert (found.quiet, found.abstained) == (2, 1)
    assert found.quiet_right.value == 0.5


def test_intervals_come_with_enough_days():
    """Twelve days of calls have an interval around their mean, and Wilson's around their share."""
    found = card([row(n, "up", 3.0 + n % 3) for n in range(12)], None, NOW)
    assert found.mean_net_bp.low <= found.mean_net_bp.value <= found.mean_net_bp.high
    assert found.hit_rate.low == pytest.approx(0.7575, abs=1e-3)


def test_large_moves_are_called_right_wrong_or_not_at_all():
    """Of three hours that move ten times the ordinary one had a right call live, one a wrong one, one none."""
    at = [NOW - 48 * HOUR + n * HOUR for n in range(56)]
    prices, price = [], 150.0
    for n in range(56):
        prices.append(price)
        price *= math.exp(
            (0.0001 if n % 2 else -0.0001) * (10 if at[n] in (NOW, NOW + 2 * HOUR, NOW + 4 * HOUR) else 1)
        )
    opens = Opens("yahoo", 3600, at, prices)
    sure = {"p_up": 0.9, "p_flat": 0.05, "p_down": 0.05}
    calls = [
        make_signal(signal_id=str(n), direction=way, known_at=NOW + n * HOUR, valid_until=NOW + (n + 1) * HOUR, **sure)
        for n, way in ((0, "down"), (2, "up"))
    ]
    found = card([Row(call, None, None) for call in calls], opens, NOW).moves
    assert (found.large, found.called_right, found.called_wrong, found.uncalled) == (3, 1, 1, 1)
