"""Importing history: rows become headlines, stored batch by batch together with how far the import has come.

A kill at any moment loses and repeats nothing: the same command goes on where it was. What is imported waits behind
the news, is scored by the publish job, and stays in the store: it is never sent to Redis.
"""

import datetime as dt
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from jobs.admission import admit_history
from jobs.app import App
from signals.model import Headline
from signals.sources import gdelt
from signals.sources.guard import open_session
from signals.sources.history import Field, Refused, Terms, headline, mapping
from signals.sources.tables import Row, Rows, format_of, identity, open_rows
from signals.store import imports
from signals.text import stable_id

_BATCH = 4000
_NAMED = 5
"""Rows that are named of each reason."""
_LOOKED_AT = 1000
"""Rows that a dry run reads at most."""

Tell = Callable[[float, "Counts"], object]
"""Told after each batch: how much is done, from 0 to 1, and the counts so far."""


class Refusals(msgspec.Struct):
    """Rows refused for one reason: how many, and the first of them by number, the first row being 1."""

    count: int = 0
    rows: list[int] = []


class Counts(msgspec.Struct):
    """What became of the rows so far."""

    rows: int = 0
    new: int = 0
    known: int = 0
    """Known before, or twice in the file."""
    refused: dict[str, Refusals] = {}
    maybe_cut: list[str] = []
    """Times, UTC, of which GDELT has more articles than it gives."""

    def refuse(self, reason: str, row: int) -> None:
        """Count a row that is not imported."""
        found = self.refused.setdefault(reason, Refusals())
        found.count += 1
        if len(found.rows) < _NAMED:
            found.rows.append(row)


class Options(NamedTuple):
    """How files and answers are to be read."""

    columns: Mapping[str, str] = {}
    """Column by field, where it can't be guessed."""
    format: str | None = None
    encoding: str | None = None
    zone: dt.tzinfo | None = None
    source: str = "import"
    delay: dt.timedelta | None = None
    """Null: `history.DELAY`, or GDELT's own."""


class Plan(NamedTuple):
    """What is imported, and how it is understood."""

    import_id: str
    name: str
    columns: dict[Field, str]
    unused: tuple[str, ...]
    terms: Terms


class Done(NamedTuple):
    """An import that has ended."""

    plan: Plan
    counts: Counts
    resumed_at: int
    """Where it went on: after so many rows, or seconds of a search's time; 0 from the beginning."""
    before: bool = False
    """It had ended before: nothing was done."""


class Opened(NamedTuple):
    """A file that is understood."""

    rows: Rows
    plan: Plan


def open_file(path: Path, options: Options) -> Opened:
    """Open a file and understand its columns; its `rows` are to be closed. Raises ConfigError."""
    kind = format_of(path, options.format)
    rows = open_rows(path, kind, options.encoding)
    try:
        columns = mapping(rows.columns, options.columns, str(path))
        terms = _terms(options, gdelt.delay_of(columns))
        import_id = stable_id("import", identity(path), kind, options.encoding, sorted(columns.items()), *terms)
    except Exception:
        rows.close()
        raise
    unused = tuple(name for name in rows.columns if name not in columns.values())
    return Opened(rows, Plan(import_id, str(path), columns, unused, terms))


def search_plan(search: gdelt.Search, options: Options) -> Plan:
    """How the answers to a search are understood."""
    terms = _terms(options, gdelt.DELAY)
    name = f"GDELT {search.query!r} {search.start:%Y-%m-%d %H:%M} to {search.end:%Y-%m-%d %H:%M}"
    return Plan(stable_id("gdelt", *search, *terms), name, gdelt.COLUMNS, (), terms)


def _terms(options: Options, delay: dt.timedelta) -> Terms:
    return Terms(options.source, delay if options.delay is None else options.delay, options.zone)


def import_file(app: App, opened: Opened, *, again: bool = False, tell: Tell = lambda _share, _counts: None) -> Done:
    """Store the headlines of a file, from where an earlier run ended; `again` begins anew."""
    begun, counts = _begun(app, opened.plan, again)
    if begun.ended_at:
        return Done(opened.plan, counts, begun.position, before=True)
    resumed_at, number = begun.position, begun.position
    rows = opened.rows.rows(list(opened.plan.columns.values()), resumed_at)
    for batch in _batches(rows):
        found = _understood(app, opened.plan, batch, number, counts)
        number += len(batch)
        _keep(app, begun, found, counts, number, ended=False)
        tell(opened.rows.share, counts)
    _keep(app, begun, [], counts, number, ended=True)
    return Done(opened.plan, counts, resumed_at)


async def import_search(
    app: App,
    search: gdelt.Search,
    plan: Plan,
    pause: Callable[[float], Awaitable[object]],
    *,
    again: bool = False,
    tell: Tell = lambda _share, _counts: None,
) -> Done:
    """Store what GDELT finds, from where an earlier run ended; `pause` waits so many seconds between requests.

    Raises
    ------
    SourceError : GDELT gives no usable answer. ConfigError : it does not take the query.
    """
    begun, counts = _begun(app, plan, again)
    if begun.ended_at:
        return Done(plan, counts, begun.position, before=True)
    after = search.start + dt.timedelta(seconds=begun.position)
    async with open_session() as session:
        async for window in gdelt.windows(search, after, session, app.clock, pause):
            found = _understood(app, plan, _cells(plan, window.articles), counts.rows, counts)
            if window.maybe_cut:
                counts.maybe_cut.append(f"{window.start:%Y-%m-%d %H:%M}")
            done = window.end - search.start
            _keep(app, begun, found, counts, int(done.total_seconds()), ended=window.end >= search.end)
            tell(done / (search.end - search.start), counts)
    return Done(plan, counts, begun.position)


async def first_of_search(
    app: App, search: gdelt.Search, plan: Plan, pause: Callable[[float], Awaitable[object]], limit: int
) -> tuple[list[Headline], Counts]:
    """The first headlines that GDELT finds, and the counts of what was read for them; nothing is stored."""
    counts = Counts()
    async with open_session() as session:
        async for window in gdelt.windows(search, search.start, session, app.clock, pause):
            found = _understood(app, plan, _cells(plan, window.articles), 0, counts)
            if found or counts.rows:
                return found[:limit], counts
    return [], counts


def first_of_file(app: App, opened: Opened, limit: int) -> tuple[list[Headline], Counts]:
    """The first headlines of a file, and the counts of the rows read for them; nothing is stored."""
    counts, found = Counts(), list[Headline]()
    for row in islice(opened.rows.rows(list(opened.plan.columns.values()), 0), _LOOKED_AT):
        found += _understood(app, opened.plan, [row], counts.rows, counts)
        if len(found) == limit:
            break
    return found, counts


def _begun(app: App, plan: Plan, again: bool) -> tuple[imports.Import, Counts]:
    now = app.clock()
    with app.store.read() as conn:
        found = imports.find(conn, plan.import_id)
    if found and found.ended_at and again:
        found = None
    begun = found or imports.Import(import_id=plan.import_id, name=plan.name, counts={}, started_at=now, updated_at=now)
    return begun, msgspec.convert(begun.counts, Counts)


def _batches(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while batch := list(islice(rows, _BATCH)):
        yield batch


def _cells(plan: Plan, articles: Sequence[dict[str, Any]]) -> list[Row]:
    return [[article.get(name) for name in plan.columns.values()] for article in articles]


def _understood(app: App, plan: Plan, batch: Sequence[Row], before: int, counts: Counts) -> list[Headline]:
    """The headlines of a batch that comes after so many rows; counts those that are none."""
    now, found = app.clock(), []
    for number, row in enumerate(batch, before + 1):
        made = row if isinstance(row, Refused) else headline(dict(zip(plan.columns, row, strict=True)), plan.terms, now)
        if isinstance(made, Refused):
            counts.refuse(made.reason, number)
        else:
            found.append(made)
    counts.rows += len(batch)
    return found


def _keep(
    app: App, begun: imports.Import, found: Sequence[Headline], counts: Counts, position: int, *, ended: bool
) -> None:
    """One transaction: these headlines, and that the import has come so far."""
    now = app.clock()
    with app.store.write() as conn:
        new = admit_history(conn, found)
        counts.new += new
        counts.known += len(found) - new
        far = msgspec.structs.replace(
            begun,
            position=position,
            counts=msgspec.to_builtins(counts),
            updated_at=now,
            ended_at=now if ended else None,
        )
        imports.save(conn, far)
