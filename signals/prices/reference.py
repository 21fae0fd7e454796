"""The shipped daily history: USD/JPY crossed from the euro reference rates of the European Central Bank."""

import csv
import datetime as dt
import math
import statistics
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from signals.errors import ConfigError
from signals.model import Bar
from signals.prices.reading import PriceReading, shorten

SOURCE = "ecb"
HEADER = ["date", "usdjpy"]
JUMP_MAX = 0.15
"""Largest believable move from one row to the next; the largest real one since 1999 is 4.5%."""

_FRANKFURT = ZoneInfo("Europe/Berlin")
_PUBLISHED = dt.time(16, 0, tzinfo=_FRANKFURT)
_ANCHOR_ROWS = 5


class Rate(NamedTuple):
    """A reference rate (JPY per USD) of a day, and where it stands: it is named in notes."""

    day: dt.date
    where: str
    rate: float


def read_reference(path: Path) -> PriceReading:
    """Daily reference rates as bars without length.

    A fixing is one price, so open, high, low and close are the rate (JPY per USD). It is concerted at
    about 14:15 Frankfurt time but published at about 16:00: `open_at`, `close_at` and `known_at` are
    16:00 Frankfurt time of the row's date, in UTC. Source: "ECB euro foreign exchange reference rates".

    Parameters
    ----------
    path : CSV file in UTF-8 with the columns `date` (YYYY-MM-DD) and `usdjpy` (JPY per USD).

    Raises
    ------
    ConfigError : the file cannot be read or its header is another one. A bad row costs only itself and a note.
    """
    notes: list[str] = []
    return reading_of(_rows(path, notes), notes)


def reading_of(rates: Iterable[Rate], notes: list[str]) -> PriceReading:
    """Believable rates as bars, oldest first; `notes` are told with those of rates that are not."""
    bars = tuple(_bar(rate) for rate in _in_order(rates, notes))
    return PriceReading(bars, shorten(notes))


def _rows(path: Path, notes: list[str]) -> list[Rate]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            header = next(reader, [])
            if header != HEADER:
                raise ConfigError(
                    f"{path} line 1", f"the header is {','.join(header)[:60]!r}", f"it must be {','.join(HEADER)!r}"
                )
            return list(_parsed(((reader.line_num, cells) for cells in reader), path, notes))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(str(path), f"cannot be read: {error}", "restore seeds/prices/usdjpy_daily.csv") from error


def _parsed(lines: Iterable[tuple[int, list[str]]], path: Path, notes: list[str]) -> Iterator[Rate]:
    for line, cells in lines:
        if not cells:
            continue  # a blank line says nothing
        where = f"{path.name} line {line}"
        try:
            day, rate = cells
            row = Rate(dt.date.fromisoformat(day), where, float(rate))
        except ValueError:
            notes.append(f"{where} dropped: {','.join(cells)[:60]!r} is not a date and a number")
            continue
        if math.isfinite(row.rate) and row.rate > 0:
            yield row
        else:
            notes.append(f"{where} dropped: the rate {rate} is not a positive number")


def _in_order(rates: Iterable[Rate], notes: list[str]) -> Iterator[Rate]:
    """Rates by date, without repeats and without those that jump from the last good one."""
    rows = sorted(rates, key=lambda rate: rate.day)
    # The first row has none before it: a wrong one must not condemn all that follow.
    last = statistics.median(row.rate for row in rows[:_ANCHOR_ROWS]) if rows else math.nan
    day: dt.date | None = None
    for row in rows:
        if row.day == day:
            notes.append(f"{row.where} dropped: {row.day} is there twice")
        elif abs(row.rate / last - 1) > JUMP_MAX:
            notes.append(f"{row.where} dropped: {row.day} jumps from {last:g} to {row.rate:g} in a day")
        else:
            last, day = row.rate, row.day
            yield row


def published_at(day: dt.date) -> dt.datetime:
    """When the rates of a day are published, UTC."""
    return dt.datetime.combine(day, _PUBLISHED).astimezone(dt.UTC)


def newest_published(now: dt.datetime) -> dt.datetime:
    """When rates were last published on a weekday, UTC; on a bank holiday none were."""
    day = now.astimezone(_FRANKFURT).date()
    while day.isoweekday() > 5 or published_at(day) > now:
        day -= dt.timedelta(days=1)
    return published_at(day)


def _bar(row: Rate) -> Bar:
    at, rate = published_at(row.day), row.rate
    return Bar(open_at=at, close_at=at, known_at=at, open=rate, high=rate, low=rate, close=rate, source=SOURCE)
