"""One part of a dataset scored: its rows read a few at a time, and its scores put in place at once.

What is scored is what live would score: a row becomes a headline as it does in an import (of an export it is one
already), and the same model says the same of it. The bytes depend on the rows, the model and pyarrow's version alone.
"""

import contextlib
import datetime as dt
import functools
import os
import resource
import sys
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from signals.errors import ConfigError
from signals.model import Headline, Score
from signals.research.dataset import Part
from signals.research.export import table
from signals.research.export_schema import arrow_schema, pyarrow
from signals.scoring.model import ScoringModel
from signals.sources import gdelt
from signals.sources.history import Field, Refused, Terms, headline, mapping
from signals.sources.parquet import Parquet

META = b"usdjpy_signals.part"
_AT_ONCE = 2048
"""Headlines scored at once at most."""
_NAMED = 5
_OWN = ("headline_id", "title", "known_at")
"""Columns by which headlines of an export are known."""
_OWN_TEXTS = ("summary", "body")
_NO_FUTURE = dt.datetime(9999, 1, 1, tzinfo=dt.UTC)
"""A score does not depend on what time it is."""
_NEITHER = frozenset[Field]({"lang"})
"""Changes neither a headline's identity nor its score."""


class Reading(NamedTuple):
    """How files that are no export of ours are read; as `signals import` has it."""

    columns: tuple[tuple[Field, str], ...] = ()
    """Field and column, where it can't be guessed."""
    source: str = "import"
    delay_s: float | None = None
    """From a published time until it counts as known; null: 60, of GDELT 900."""
    zone: dt.tzinfo | None = None
    """Of dates that name none."""


class Refusals(msgspec.Struct, frozen=True):
    """Rows of a part that are not scored, for one reason."""

    count: int
    rows: tuple[int, ...]
    """The first of them, by their number in the file, from 1."""


class Done(NamedTuple):
    """What became of a part."""

    part: Part
    scores: int
    refused: dict[str, Refusals]
    fault: str = ""
    """Why there is nothing of it, in one line."""
    peak_bytes: int = 0
    """The most memory that the process ever took."""


class Work:
    """What every part needs; handed to a worker once, which then makes the model of its bytes once.

    Parameters
    ----------
    root, to : of the dataset and of the scores, as every worker reaches them.
    model : the bytes of a model file, and `where` it is from.
    letters : of texts that are scored at once at most, unless one alone is longer.
    """

    def __init__(
        self, root: Path, to: Path, model: bytes, where: str, reading: Reading, *, evidence: bool, letters: int
    ) -> None:
        self.root, self.to = root, to
        self.reading, self.evidence, self.letters = reading, evidence, letters
        self._blob, self._where = model, where

    @functools.cached_property
    def model(self) -> ScoringModel:
        """The model."""
        return ScoringModel.loads(self._blob, self._where)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "model"}


def score_part(work: Work, part: Part) -> Done:
    """Score a part and put its file in place; a file that cannot be read costs only its parts.

    One that is there already is left alone: a cluster asks again for what a worker did before it died.

    Raises
    ------
    OSError : the scores cannot be written.
    """
    before = known(work.to, part)
    if before is not None:
        return before
    pa = pyarrow()
    pa.set_cpu_count(1)
    tables: list[Any] = []
    refused: dict[str, list[int]] = {}
    try:
        for batch in _batches(_headlines(work, part, refused), work.letters):
            scores = work.model.score(batch, with_evidence=work.evidence)
            tables.append(table("scores", _columns(scores, batch)))
    except (pa.ArrowException, OSError, ConfigError) as error:
        where = work.root / part.path
        said = str(error) if isinstance(error, ConfigError) else f"{where}: cannot be read: {_first_line(error)}"
        return Done(part, 0, {}, said, peak_bytes())
    found = {reason: Refusals(len(rows), tuple(rows[:_NAMED])) for reason, rows in sorted(refused.items())}
    _put(work.to / part.name, tables, found)
    return Done(part, sum(one.num_rows for one in tables), found, "", peak_bytes())


def known(work_to: Path, part: Part) -> Done | None:
    """What became of a part before; null where it is not there."""
    from pyarrow import ArrowException, parquet

    path = work_to / part.name
    try:
        metadata = parquet.read_metadata(path)
        refused = msgspec.json.decode((metadata.metadata or {})[META], type=dict[str, Refusals])
    except (FileNotFoundError, ArrowException, KeyError, msgspec.DecodeError):
        return None
    return Done(part, metadata.num_rows, refused)


def peak_bytes() -> int:
    """The most memory that this process ever took."""
    with contextlib.suppress(OSError), Path("/proc/self/status").open() as lines:  # getrusage would tell of the parent
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _headlines(work: Work, part: Part, refused: dict[str, list[int]]) -> Iterator[Headline]:
    file = Parquet(work.root / part.path)
    try:
        own = all(name in file.columns for name in _OWN)
        rows = _own(file, part) if own else _foreign(file, part, work.reading)
        for number, made in rows:
            if isinstance(made, Refused):
                refused.setdefault(made.reason, []).append(number)
            else:
                yield made
    finally:
        file.close()


def _own(file: Parquet, part: Part) -> Iterator[tuple[int, Headline | Refused]]:
    """Headlines of an export: as far as a score and its row need them."""
    more = [name for name in _OWN_TEXTS if name in file.columns]
    for number, row in _rows(file, part, [*_OWN, *more]):
        if isinstance(row, Refused):
            yield number, row
            continue
        name, title, at, *texts = row
        if not isinstance(name, str) or not isinstance(at, dt.datetime) or at.tzinfo is None:
            yield number, Refused("no headline_id or known_at")
        elif not isinstance(title, str) or not title:
            yield number, Refused("no title")
        else:
            known = dict(zip(more, texts, strict=True))
            yield number, _bare(name, title, at, known.get("summary") or "", known.get("body") or "")


def _bare(name: str, title: str, at: dt.datetime, summary: str, body: str) -> Headline:
    return Headline(
        headline_id=name, source="", url=None, title=title, summary=summary, body=body, lang="",
        source_published_at=None, known_at=at,
    )  # fmt: skip


def _foreign(file: Parquet, part: Part, reading: Reading) -> Iterator[tuple[int, Headline | Refused]]:
    columns = mapping(file.columns, dict(reading.columns), part.path)
    delay = gdelt.delay_of(columns) if reading.delay_s is None else dt.timedelta(seconds=reading.delay_s)
    terms = Terms(reading.source, delay, reading.zone)
    columns = {field: name for field, name in columns.items() if field not in _NEITHER}
    for number, row in _rows(file, part, list(columns.values())):
        if isinstance(row, Refused):
            yield number, row
        else:
            yield number, headline(dict(zip(columns, row, strict=True)), terms, _NO_FUTURE)


def _rows(file: Parquet, part: Part, wanted: Sequence[str]) -> Iterator[tuple[int, Any]]:
    numbers = range(part.first + 1, part.first + part.rows + 1)
    return zip(numbers, file.rows(wanted, part.first), strict=False)


def _batches(headlines: Iterator[Headline], letters: int) -> Iterator[list[Headline]]:
    batch: list[Headline] = []
    count = 0
    for one in headlines:
        batch.append(one)
        count += len(one.title) + len(one.summary) + len(one.body)
        if count >= letters or len(batch) >= _AT_ONCE:
            yield batch
            batch, count = [], 0
    if batch:
        yield batch


def _columns(scores: Sequence[Score], headlines: Sequence[Headline]) -> dict[str, list[Any]]:
    made = {name: [getattr(score, name) for score in scores] for name in Score.__struct_fields__}
    made["evidence"] = [msgspec.to_builtins(pieces) for pieces in made["evidence"]]
    return made | {"known_at": [one.known_at for one in headlines]}


def _put(path: Path, tables: Sequence[Any], refused: dict[str, Refusals]) -> None:
    """Whole or not at all; two who write the same part, one of them given up by the cluster, do not meet."""
    from pyarrow import parquet

    schema = arrow_schema("scores")
    schema = schema.with_metadata({**schema.metadata, META: msgspec.json.encode(refused)})
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"_{path.name}.{uuid.uuid4().hex[:12]}.partial")
    try:
        with partial.open("wb") as file:
            whole = pyarrow().concat_tables([schema.empty_table(), *tables]).combine_chunks()
            parquet.write_table(whole.replace_schema_metadata(schema.metadata), file, compression="zstd")
            file.flush()
            os.fsync(file.fileno())  # or a crash could leave the name with nothing behind it
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
