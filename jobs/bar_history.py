"""Importing bars: a file's rows are judged as a whole, and what can be believed is stored as learned now.

They are history, and `known_at` says that we learned it today: a step that ran before did not know it. Read again, a
file gives nothing new; a row that differs becomes a version beside the old one.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from jobs.app import App
from jobs.importing import Counts, Refusals
from jobs.price_round import SOURCES
from signals.errors import ConfigError
from signals.market.bars import REFERENCE_SOURCES
from signals.model import PAIR
from signals.prices import history
from signals.prices.reference import read_reference
from signals.sources.history import Refused
from signals.sources.tables import Rows, format_of, open_rows
from signals.store import bars, signals

_READ = 20_000
_STORED = 5_000
_NAMED = 5
"""Rows that are named of each reason."""

Tell = Callable[[float, Counts], object]
"""Told after each batch: how much is done, from 0 to 1, and the counts so far."""


class Options(NamedTuple):
    """How a file of bars is to be read."""

    columns: Mapping[str, str] = {}
    format: str | None = None
    encoding: str | None = None
    zone: dt.tzinfo | None = None
    source: str = "import"
    length: dt.timedelta | None = None
    """Null: the commonest distance from one row to the next."""


class Opened(NamedTuple):
    """A file whose columns are understood."""

    path: Path
    rows: Rows
    columns: history.Columns
    unused: tuple[str, ...]


class Found(NamedTuple):
    """What of a file is bars."""

    judged: history.Judged
    counts: Counts


def open_file(path: Path, options: Options) -> Opened:
    """Open a file and understand its columns; its `rows` are to be closed. Raises ConfigError."""
    if options.source in SOURCES:
        mend = f"another name; {history.REFERENCE} for bars of a day"
        raise ConfigError(f"--source {options.source}", "is the name of bars that the prices job keeps", mend)
    rows = open_rows(path, format_of(path, options.format), options.encoding)
    try:
        columns = history.mapping(rows.columns, options.columns, str(path))
    except Exception:
        rows.close()
        raise
    return Opened(path, rows, columns, tuple(name for name in rows.columns if name not in columns.wanted))


def read(app: App, opened: Opened, options: Options, tell: Tell) -> Found:
    """Read and judge a whole file; nothing is stored. Raises ConfigError."""
    parsed = _parsed(opened, options.zone, tell)
    judged = history.judge(
        parsed,
        at_close="close_at" in opened.columns.names,
        length=options.length,
        now=app.clock(),
        rates=_rates(app),
        where=str(opened.path),
    )
    _fit(judged.length, options.source)
    return Found(judged, _counts(judged.faults))


def keep(app: App, found: Found, source: str, tell: Tell) -> None:
    """Store the bars as learned now, in batches that hold the channel: no step runs between stamp and commit."""
    counts, rows = found.counts, found.judged.rows
    for start in range(0, len(rows), _STORED):
        batch = found.judged._replace(rows=rows.iloc[start : start + _STORED])
        with app.store.write() as conn:
            signals.open_channel(conn, PAIR, app.clock())
            new = bars.add(conn, list(history.bars(batch, source, app.clock())))
        counts.new += new
        counts.known += len(batch.rows) - new
        tell(0.5 + 0.5 * (start + len(batch.rows)) / len(rows), counts)


def _parsed(opened: Opened, zone: dt.tzinfo | None, tell: Tell) -> history.Parsed:
    """All rows as numbers; those that are no rows lack what their reader says."""
    wanted, parts, counts = opened.columns.wanted, list[history.Parsed](), Counts()
    nothing: list[Any] = [None] * len(wanted)
    stream = opened.rows.rows(wanted, 0)
    while batch := list(islice(stream, _READ)):
        cells = [nothing if isinstance(row, Refused) else row for row in batch]
        part = history.parsed(opened.columns, list(zip(*cells, strict=True)), zone)
        for number, row in enumerate(batch):
            if isinstance(row, Refused):
                part.lacks[number] = row.reason
        parts.append(part)
        counts.rows += len(batch)
        tell(opened.rows.share / 2, counts)
    if not parts:
        raise ConfigError(str(opened.path), "holds no rows", "a header and a row for each bar")
    rows = pd.concat([part.rows for part in parts], ignore_index=True)
    return history.Parsed(rows, np.concatenate([part.lacks for part in parts]))


def _rates(app: App) -> "pd.Series[float]":
    """The shipped reference rates by UTC time: what any bars of USD/JPY must lie near."""
    found = read_reference(app.settings.seeds.prices).bars
    return pd.Series([bar.close for bar in found], index=pd.DatetimeIndex([bar.close_at for bar in found]), dtype=float)


def _fit(length: pd.Timedelta, source: str) -> None:
    """Raises ConfigError where bars of this length can't be of this source."""
    days = length >= pd.Timedelta(days=1)
    if days and source not in REFERENCE_SOURCES:
        raise ConfigError(
            "bars of a day",
            "their closes are often of another hour than they seem, and nobody could trade on them",
            f"--source {history.REFERENCE} keeps them as reference rates: joined as stale, never traded",
        )
    if not days and source in REFERENCE_SOURCES:
        raise ConfigError(f"--source {source}", "is for bars of a day; these are shorter", "another name")


def _counts(faults: "np.ndarray[Any, Any]") -> Counts:
    counts = Counts(rows=len(faults))
    for reason in pd.unique(faults[faults != ""]):
        rows = np.flatnonzero(faults == reason) + 1
        counts.refused[str(reason)] = Refusals(len(rows), rows[:_NAMED].tolist())
    return counts
