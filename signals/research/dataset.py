"""Parquet datasets of headlines: their files, what tells each from others, and the runs of rows that work is cut into.

A dataset is one file, or a folder of files in any depth (`date=2026-01-01/part.parquet`); of a `signals export` its
`headlines`. Names that begin with `_` or `.` are passed over, as by other readers. What stands only in folders' names
is not read.
"""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from signals.errors import ConfigError, DataError, SignalsError
from signals.sources.parquet import Parquet

_HEAD = 65_536
_TAIL = 8
"""Bytes at the end of a Parquet file: the length of its footer, and four letters."""
_ENDS = (".parquet", ".pq")


class Source(msgspec.Struct, frozen=True):
    """A file of a dataset."""

    path: str
    """Within the dataset, with `/`."""
    rows: int
    identity: str
    """Of its size, its beginning, and its footer, which says what lies where in it."""


class Part(NamedTuple):
    """A run of rows of one file: what is done, and lost by a kill, at once."""

    path: str
    first: int
    """Row, from 0."""
    rows: int

    @property
    def name(self) -> str:
        """The file of what is made of it, beside the others as their sources are."""
        return f"{self.path.removesuffix('.parquet')}-{self.first:010d}.parquet"


class Listed(NamedTuple):
    """The files of a dataset."""

    root: Path
    """The folder that their paths begin at."""
    sources: tuple[Source, ...]
    faults: tuple[str, ...]
    """Files that cannot be read, a line each."""


def listed(where: Path) -> Listed:
    """The files of a dataset, by their paths. Raises ConfigError: there is none, or pyarrow is not installed."""
    root, paths = _files(where)
    sources, faults = [], []
    for path in paths:
        try:
            sources.append(_source(root, path))
        except (SignalsError, OSError) as error:
            if isinstance(error, ConfigError) and "pyarrow" in error.problem:
                raise
            faults.append(str(error))
    _check_names(where, sources)
    return Listed(root, tuple(sources), tuple(faults))


def parts(sources: Sequence[Source], rows: int) -> Iterator[Part]:
    """All rows, at most `rows` at once, in the order of the files."""
    for source in sources:
        for first in range(0, source.rows, rows):
            yield Part(source.path, first, min(rows, source.rows - first))


def _files(where: Path) -> tuple[Path, list[Path]]:
    if where.is_file():
        return where.parent.resolve(), [where.resolve()]
    root = (where / "headlines" if (where / "headlines").is_dir() else where).resolve()
    found = sorted(path for path in root.rglob("*") if path.suffix in _ENDS and _seen(path.relative_to(root)))
    if not found:
        problem = "holds no Parquet files" if where.is_dir() else "there is no such file or folder"
        raise ConfigError(str(where), problem, "a Parquet file, a folder of them, or what `signals export --to` wrote")
    return root, found


def _seen(path: Path) -> bool:
    return not any(part.startswith(("_", ".")) for part in path.parts)


def _source(root: Path, path: Path) -> Source:
    file = Parquet(path)
    rows = file.count
    file.close()
    return Source(path.relative_to(root).as_posix(), rows, _identity(path))


def _identity(path: Path) -> str:
    with path.open("rb") as file:
        digest = hashlib.sha256(file.read(_HEAD))
        size = file.seek(0, 2)
        file.seek(size - _TAIL)
        footer = int.from_bytes(file.read(4), "little")
        file.seek(max(0, size - _TAIL - footer))
        digest.update(file.read())
    digest.update(str(size).encode())
    return digest.hexdigest()[:16]


def _check_names(where: Path, sources: Sequence[Source]) -> None:
    names: dict[str, str] = {}
    for source in sources:
        name = Part(source.path, 0, 0).name
        if name in names:
            raise DataError(f"{where}: {names[name]}, {source.path}", "differ in nothing but their ends", "rename one")
        names[name] = source.path
