"""Scorecards of the last days, for the command line and the console."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from jobs.app import App
from jobs.scorecard import LONGEST_BAR_S
from signals.market.bars import REFERENCE_SOURCES
from signals.research.card import Card, Row, card
from signals.store import bars, forward_returns

_BEFORE = dt.timedelta(days=28)
"""Bars from before a span say what an ordinary hour is."""


def cards_of(app: App, spans: Sequence[int]) -> dict[int, Card]:
    """The scorecard of the last so many days, for each span."""
    now = app.clock()
    since = now - dt.timedelta(days=max(spans))
    with app.store.read() as conn:
        rows = forward_returns.since(conn, since)
        series = bars.opens_within(conn, since - _BEFORE, now, max_length_s=LONGEST_BAR_S, without=REFERENCE_SOURCES)
    opens = max(series, key=lambda one: (one.at[-1] - one.at[0], -one.length_s), default=None)
    cards = {}
    for span in spans:
        begin = now - dt.timedelta(days=span)
        cards[span] = card([Row(*row) for row in rows if row.signal.known_at >= begin], opens, begin)
    return cards


def plain(one: Card) -> dict[str, Any]:
    """A card as JSON has it: named, not in a row."""
    return {name: value._asdict() if hasattr(value, "_asdict") else value for name, value in one._asdict().items()}
