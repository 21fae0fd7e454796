"""The scorecard: what was called, what came of it net of costs, and what was missed.

A call is `up` or `down`; it hit if the price went its way from entry to exit (see `scorecard`), and missed otherwise.
A quiet call is `flat`; it was right if the price stayed within a band. A large move is an hour of open market in
which the price moved at least `LARGE` times the median hour of the twenty days before: it was called if a call was
live at its start or came within it, else it is one we had nothing to say of.
"""

import datetime as dt
import statistics
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats

from signals.market.days import day_of
from signals.market.hours import is_open
from signals.message import Signal
from signals.model import ForwardReturn
from signals.research.scorecard import Opens

LARGE = 4.0
"""Times the median hour; about one open hour in twenty to thirty is as large."""
FLAT_BP = 5.0
"""The price stayed where it was if it moved less."""
_LEAST = 10
"""Fewer rows have no interval."""
_HOUR = dt.timedelta(hours=1)
_BEFORE = 20 * 24
_LEAST_HOURS = 24


class Row(NamedTuple):
    """A signal, when it was retracted (UTC; null: never), and what came of it (null: not yet known)."""

    signal: Signal
    retracted_at: dt.datetime | None
    outcome: ForwardReturn | None


class Share(NamedTuple):
    """A share of `n`, or a mean over them, with its 95% interval; null where there are too few."""

    value: float | None
    low: float | None
    high: float | None
    n: int


class Card(NamedTuple):
    """The scorecard of a span of time; returns in basis points of the price."""

    signals: int
    calls: int
    quiet: int
    abstained: int
    retracted: int
    waiting: int
    """Their horizon has not been reached, or its bars have not come."""
    no_price: int
    """The market was closed, or bars were missing."""
    hits: int
    misses: int
    hit_rate: Share
    mean_gross_bp: Share
    mean_net_bp: Share
    total_net_bp: float
    quiet_right: Share
    brier: Share
    """Of the three probabilities against what the price did (flat within the band): 0 is perfect, 2/3 knows nothing."""
    moves: "Moves"


class Moves(NamedTuple):
    """Large moves of an hour, and whether we had called them."""

    hours: int
    """Hours of open market that were looked at."""
    large: int
    called_right: int
    called_wrong: int
    uncalled: int


def card(rows: Sequence[Row], opens: Opens | None, since: dt.datetime) -> Card:
    """The scorecard of these signals.

    Parameters
    ----------
    rows : those known in the span.
    opens : of one series of bars, from twenty days before `since` (UTC); null where there is none.
    """
    calls = [row for row in rows if sign(row.signal)]
    quiet = [row for row in rows if not sign(row.signal) and not row.signal.abstained]
    traded = [row for row in calls if _return(row) is not None]
    gross = np.array([sign(row.signal) * (_return(row) or 0.0) for row in traded])
    net = gross - np.array([(row.outcome and row.outcome.cost_bp) or 0.0 for row in traded])
    days = [day_of(row.signal.known_at).toordinal() for row in traded]
    still = [abs(moved) < FLAT_BP for row in quiet if (moved := _return(row)) is not None]
    judged = [row for row in rows if not row.signal.abstained and _return(row) is not None]
    return Card(
        signals=len(rows),
        calls=len(calls),
        quiet=len(quiet),
        abstained=sum(row.signal.abstained for row in rows),
        retracted=sum(row.retracted_at is not None for row in rows),
        waiting=sum(row.outcome is None for row in rows),
        no_price=sum(row.outcome is not None and row.outcome.outcome != "settled" for row in rows),
        hits=int((gross > 0).sum()),
        misses=int((gross <= 0).sum()),
        hit_rate=_share(gross > 0),
        mean_gross_bp=_mean(gross, days),
        mean_net_bp=_mean(net, days),
        total_net_bp=round(float(net.sum()), 4),
        quiet_right=_share(np.array(still, dtype=bool)),
        brier=_mean(np.array([_brier(row) for row in judged]), [day_of(r.signal.known_at).toordinal() for r in judged]),
        moves=moves(rows, opens, since) if opens else Moves(0, 0, 0, 0, 0),
    )


def sign(signal: Signal) -> int:
    """+1 up, -1 down, 0 flat or abstained."""
    return 0 if signal.abstained else {"up": 1, "flat": 0, "down": -1}[signal.direction]


def _return(row: Row) -> float | None:
    return None if row.outcome is None else row.outcome.return_bp


def _brier(row: Row) -> float:
    moved = _return(row) or 0.0
    came = 1 if abs(moved) < FLAT_BP else 0 if moved > 0 else 2
    said = np.array([row.signal.p_up, row.signal.p_flat, row.signal.p_down])
    return float(((said - np.eye(3)[came]) ** 2).sum())


def _share(right: np.ndarray) -> Share:
    """Wilson's interval (Wilson 1927, JASA 22:209)."""
    n, hits = len(right), int(right.sum())
    if n < _LEAST:
        return Share(hits / n if n else None, None, None, n)
    found = stats.binomtest(hits, n).proportion_ci(method="wilson")
    return Share(hits / n, float(found.low), float(found.high), n)


def _mean(values: np.ndarray, days: Sequence[int]) -> Share:
    """Bootstrap over whole FX days: what is told on one day is not independent."""
    n = len(values)
    if not n:
        return Share(None, None, None, 0)
    names, which = np.unique(days, return_inverse=True)
    sums, counts = np.bincount(which, values), np.bincount(which)
    mean = float(values.mean())
    if len(names) < _LEAST:
        return Share(mean, None, None, n)
    found = stats.bootstrap(
        (sums, counts), lambda s, c, axis: s.sum(axis=axis) / c.sum(axis=axis), paired=True, vectorized=True,
        n_resamples=2000, method="percentile", rng=np.random.default_rng(0),
    ).confidence_interval  # fmt: skip
    return Share(mean, float(found.low), float(found.high), n)


def moves(rows: Sequence[Row], opens: Opens, since: dt.datetime) -> Moves:
    """The large moves since a UTC time, and what had been said of them."""
    prices = dict(zip(opens.at, opens.price, strict=True))
    earlier: list[float] = []
    found: Counter[str] = Counter()
    for start in (at for at in opens.at if at.minute == at.second == 0 and is_open(at)):
        end = prices.get(start + _HOUR)
        if end is None:
            continue
        moved = float(np.log(end / prices[start]))
        if start >= since and len(earlier) >= _LEAST_HOURS:
            found["hours"] += 1
            if abs(moved) >= LARGE * statistics.median(earlier[-_BEFORE:]):
                found["large"] += 1
                found[_said(rows, start, moved)] += 1
        earlier.append(abs(moved))
    return Moves(*(found[name] for name in Moves._fields))


def _said(rows: Sequence[Row], start: dt.datetime, moved: float) -> str:
    """What the calls that were live in that hour said together, each with its strength."""
    live = [
        row.signal
        for row in rows
        if sign(row.signal)
        and row.signal.known_at < start + _HOUR
        and min(row.signal.valid_until, row.retracted_at or row.signal.valid_until) > start
    ]
    lean = sum(sign(signal) * signal.strength for signal in live)
    return "uncalled" if not lean else "called_right" if lean * moved > 0 else "called_wrong"
