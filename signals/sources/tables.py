"""Files of rows, read as a stream: CSV, TSV, JSON lines, and documents of JSON; gzipped or not.

Memory does not grow with the file. What is wrong with one row costs only that row.
"""

import csv
import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from signals.errors import ConfigError
from signals.sources.history import Refused
from signals.sources.lenient import tolerant_json
from signals.sources.textfile import HEAD, MAX_LINE, TextFile, is_text, unreadable
from signals.text import stable_id

FORMATS: Mapping[str, tuple[str, ...]] = {
    "csv": (".csv",), "tsv": (".tsv", ".tab"), "jsonl": (".jsonl", ".ndjson"), "json": (".json",),
    "parquet": (".parquet", ".pq"),
}  # fmt: skip
"""Ends of file names by format."""
MAX_DOCUMENT = 256 * 1024 * 1024
"""Bytes of a JSON document, which is read whole."""
_LOOKED_AT = 100
"""Lines from whose objects the columns are taken."""


Row = Sequence[Any] | Refused


class Rows(Protocol):
    """An open file of rows."""

    @property
    def columns(self) -> Sequence[str]:
        """Its columns, in their order."""

    @property
    def share(self) -> float:
        """How much of it is read, from 0 to 1."""

    def rows(self, wanted: Sequence[str], after: int) -> Iterator[Row]:
        """The wanted cells of each row, but of the first `after` rows; null where a row lacks one."""

    def close(self) -> None:
        """Close the file."""


def format_of(path: Path, stated: str | None) -> str:
    """The format of a file: as stated, or by its name. Raises ConfigError."""
    if stated is not None:
        if stated not in FORMATS:
            raise ConfigError(f"--format {stated}", "no such format", f"one of {', '.join(FORMATS)}")
        return stated
    name = path.name.lower().removesuffix(".gz")
    for found, ends in FORMATS.items():
        if name.endswith(ends):
            return found
    raise ConfigError(str(path), "its name does not tell its format", f"say --format: one of {', '.join(FORMATS)}")


def files_in(folder: Path) -> list[Path]:
    """The files of a folder, in any depth, whose names tell their format, by their paths.

    Names that begin with `_` or `.` are passed over, as by other readers. Raises ConfigError: there is none.
    """
    ends = tuple(end for some in FORMATS.values() for end in some)

    def seen(path: Path) -> bool:
        hidden = any(part.startswith(("_", ".")) for part in path.relative_to(folder).parts)
        return not hidden and path.name.lower().removesuffix(".gz").endswith(ends)

    found = sorted(path for path in folder.rglob("*") if seen(path) and path.is_file())
    if not found:
        raise ConfigError(str(folder), "holds no file to import", f"their names end with {', '.join(ends)}, or .gz")
    return found


def identity(path: Path) -> str:
    """What tells a file from others: its name, its size and how it begins. Raises ConfigError."""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD)
            size = file.seek(0, io.SEEK_END)
    except OSError as error:
        raise unreadable(path, error) from error
    return stable_id("file", path.name, size, hashlib.sha256(head).hexdigest())


def open_rows(path: Path, kind: str, encoding: str | None) -> Rows:
    """Open a file of this format (a key of `FORMATS`). Raises ConfigError."""
    if kind == "parquet":
        from signals.sources.parquet import Parquet  # needs an extra

        return Parquet(path)
    file = TextFile(path, encoding)
    try:
        if kind == "json":
            return Document(file)
        return Lines(file) if kind == "jsonl" else Separated(file, "\t" if kind == "tsv" else None)
    except Exception:
        file.close()
        raise


class _File:
    """What all readers of text have."""

    def __init__(self, file: TextFile) -> None:
        self._file = file

    @property
    def share(self) -> float:
        """How much of it is read, from 0 to 1."""
        return self._file.share

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class Separated(_File):
    """CSV and its relatives, with a header; the separator is the header's commonest of `, ; tab |`."""

    def __init__(self, file: TextFile, separator: str | None) -> None:
        super().__init__(file)
        csv.field_size_limit(MAX_LINE - 1)
        lines = file.lines()
        header = next(lines, "")
        separator = separator or max(",;\t|", key=header.count)
        self._cells = csv.reader(self._with(header, lines), delimiter=separator)
        first = self._next()
        self.columns = [name.strip() for name in first] if isinstance(first, list) else []

    @staticmethod
    def _with(header: str, lines: Iterator[str]) -> Iterator[str]:
        yield header
        yield from lines

    def _next(self) -> list[str] | Refused | None:
        try:
            return next(self._cells, None)
        except csv.Error:  # a cell beyond all measure: a quote that is never closed
            return Refused("too long")

    def rows(self, wanted: Sequence[str], after: int) -> Iterator[Row]:
        """The wanted cells of each row, but of the first `after` rows."""
        picks = [self.columns.index(name) for name in wanted]
        width, number = len(self.columns), 0
        while (cells := self._next()) is not None:
            if not cells:  # an empty line
                continue
            number += 1
            if number <= after:
                continue
            if isinstance(cells, Refused):
                yield cells
            elif len(cells) > width:
                yield Refused("more cells than columns")
            else:
                yield sound([cells[pick] if pick < len(cells) else None for pick in picks])


class Lines(_File):
    """JSON lines: one object a line; columns are the keys of the first of them."""

    def __init__(self, file: TextFile) -> None:
        super().__init__(file)
        self._lines = file.lines()
        self._first = [line for line, _ in zip(self._lines, range(_LOOKED_AT), strict=False)]
        objects = [found for found in map(_object, self._first) if isinstance(found, dict)]
        self.columns = list(dict.fromkeys(key for found in objects for key in found))

    def rows(self, wanted: Sequence[str], after: int) -> Iterator[Row]:
        """The wanted values of each object, but of the first `after`; lines that are blank do not count."""
        number = 0
        for lines in (self._first, self._lines):
            for line in lines:
                if not line.strip():
                    continue
                number += 1
                if number <= after:
                    continue
                found = _object(line)
                yield found if isinstance(found, Refused) else sound([found.get(name) for name in wanted])


class Document(_File):
    """A JSON document: a list of objects, or the one list of objects in an object (GDELT's `articles`)."""

    def __init__(self, file: TextFile) -> None:
        super().__init__(file)
        where, mend = str(file.path), "one object a line? say --format jsonl"
        text = file.read(MAX_DOCUMENT)
        if len(text) == MAX_DOCUMENT:
            raise ConfigError(where, "is a JSON document too large to be read whole", "make it JSON lines")
        try:
            found = tolerant_json(text)
        except ValueError as error:
            raise ConfigError(where, f"is not one JSON document: {error}", mend) from error
        if isinstance(found, dict):
            lists = [value for value in found.values() if isinstance(value, list)]
            found = lists[0] if len(lists) == 1 else []
        self._objects = found if isinstance(found, list) else []
        keys = (key for one in self._objects[:_LOOKED_AT] if isinstance(one, dict) for key in one)
        self.columns = list(dict.fromkeys(keys))
        if not self.columns:
            raise ConfigError(where, "holds no list of headlines", mend)

    def rows(self, wanted: Sequence[str], after: int) -> Iterator[Row]:
        """The wanted values of each object, but of the first `after`."""
        for one in self._objects[after:]:
            yield sound([one.get(name) for name in wanted]) if isinstance(one, dict) else Refused("not an object")


def sound(cells: list[Any]) -> Row:
    """The cells, unless one holds bytes that are no text in the file's encoding."""
    if all(is_text(cell) for cell in cells if isinstance(cell, str)):
        return cells
    return Refused("not text in this encoding")


def _object(line: str) -> dict[str, Any] | Refused:
    if len(line) >= MAX_LINE:
        return Refused("too long")
    try:
        found = tolerant_json(line)
    except ValueError:
        return Refused("not JSON")
    return found if isinstance(found, dict) else Refused("not an object")
