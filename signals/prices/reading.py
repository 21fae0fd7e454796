"""What one look at a source of prices gives."""

import datetime as dt
from collections.abc import Callable, Sequence
from typing import NamedTuple

from signals.model import Bar

Clock = Callable[[], dt.datetime]
"""Gives the UTC time now; passed in, so that nothing below `jobs` reads a clock."""

MAX_NOTES = 20
"""A source gone bad as a whole must not fill the record of its run with thousands of lines."""


class PriceReading(NamedTuple):
    """Closed bars, oldest first, and what could not be used."""

    bars: tuple[Bar, ...]
    notes: tuple[str, ...] = ()
    """One line for each row that was dropped, naming it and why; at most `MAX_NOTES` and a count of the rest."""


def shorten(notes: Sequence[str]) -> tuple[str, ...]:
    """The first `MAX_NOTES` lines, and one that counts the rest."""
    rest = len(notes) - MAX_NOTES
    return (*notes[:MAX_NOTES], f"and {rest} more lines like these") if rest > 0 else tuple(notes)
