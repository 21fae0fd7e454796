"""Parquet of what the store holds: one file a table and day (UTC), `DIR/<name>/date=YYYY-MM-DD/part.parquet`.

A day's file takes the place of the one before in one step, once it is whole and on the disk; a day that has no rows
any more loses its file. What an export was to cover stands in `DIR/_unfinished.json` until it is done: while that
file is there, days may be missing.
"""

import contextlib
import datetime as dt
import fcntl
import itertools
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from signals.errors import ConfigError
from signals.research.export_schema import arrow_schema, pyarrow

PART = "part.parquet"
UNFINISHED = "_unfinished.json"
_PARTIAL = "_partial"
"""Readers pass over names that begin with an underscore."""

Columns = Mapping[str, Sequence[Any]]


class Covers(msgspec.Struct, frozen=True):
    """What an export covers: these tables over the days of [`since`, `until`), open where null."""

    what: tuple[str, ...]
    since: dt.date | None = None
    until: dt.date | None = None

    def holds(self, other: "Covers") -> bool:
        """Whether it covers all of another."""
        begins = self.since is None or (other.since is not None and self.since <= other.since)
        ends = self.until is None or (other.until is not None and other.until <= self.until)
        return begins and ends and set(other.what) <= set(self.what)


def table(name: str, batch: Columns) -> Any:
    """Plain values by the names of a table's columns, as a `pyarrow.Table` of its schema."""
    pa, schema = pyarrow(), arrow_schema(name)
    arrays = [pa.array(_plain(batch[field.name], field.type), field.type) for field in schema]
    return pa.Table.from_arrays(arrays, schema=schema)


def write_day(folder: Path, name: str, day: dt.date, batches: Iterable[Columns]) -> int:
    """Write a table's rows of one day in place of what `folder` has of it; returns how many there were.

    `batches` in the order in which rows are to stand; one is held at a time. To be called within `covering`.
    """
    home = folder / name / f"date={day.isoformat()}"
    rest = iter(batches)
    first = next(rest, None)
    if first is None:
        if home.exists():
            shutil.rmtree(home)
        return 0
    partial = folder / _PARTIAL / f"{name}-{day.isoformat()}.parquet"
    count = _write(partial, name, itertools.chain([first], rest))
    home.mkdir(parents=True, exist_ok=True)
    partial.replace(home / PART)
    return count


def _write(path: Path, name: str, batches: Iterable[Columns]) -> int:
    from pyarrow import parquet

    count = 0
    with path.open("wb") as file:
        with parquet.ParquetWriter(file, arrow_schema(name), compression="zstd") as writer:
            for batch in batches:
                rows = table(name, batch)
                writer.write_table(rows)
                count += rows.num_rows
        file.flush()
        os.fsync(file.fileno())  # or a crash could leave the day's name with nothing behind it
    return count


@contextlib.contextmanager
def covering(folder: Path, covers: Covers) -> Iterator[None]:
    """Name what is to be covered until it is: left by an error, the folder goes on saying that days may be missing.

    Raises
    ------
    ConfigError : another export writes into this folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder):
        shutil.rmtree(folder / _PARTIAL, ignore_errors=True)  # of one that was killed
        (folder / _PARTIAL).mkdir()
        _note(folder, (*unfinished(folder), covers))
        yield
        shutil.rmtree(folder / _PARTIAL)
        _note(folder, tuple(other for other in unfinished(folder) if not covers.holds(other)))


def unfinished(folder: Path) -> tuple[Covers, ...]:
    """What exports into this folder were to cover and did not; none where all ended well."""
    try:
        text = (folder / UNFINISHED).read_bytes()
    except FileNotFoundError:
        return ()
    return msgspec.json.decode(text, type=tuple[Covers, ...])


def _note(folder: Path, covers: tuple[Covers, ...]) -> None:
    path = folder / UNFINISHED
    if not covers:
        path.unlink(missing_ok=True)
        return
    fresh = path.with_suffix(".new")
    fresh.write_bytes(msgspec.json.encode(tuple(dict.fromkeys(covers))))
    fresh.replace(path)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    held = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise ConfigError(str(folder), "another export writes there", "wait until it has ended") from error
    finally:
        os.close(held)


def _plain(values: Sequence[Any], kind: Any) -> Sequence[Any]:
    """As Arrow takes them: a map is a list of pairs."""
    return [list(value.items()) for value in values] if pyarrow().types.is_map(kind) else values
