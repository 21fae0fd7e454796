"""Parquet files of rows, read batch by batch; needs pyarrow, which is an extra."""

import datetime as dt
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from signals.errors import ConfigError
from signals.sources.tables import Row, sound
from signals.sources.textfile import unreadable

_BATCH, _BATCH_BYTES = 512, 4 << 20
"""Rows decoded at once, and their bytes, about: a row may hold a body of a hundred kilobytes."""
_STREAMED = 1 << 20
"""Bytes of a column that are read at once: without it a column of a row group is read whole."""


class Parquet:
    """A Parquet file. Raises ConfigError: pyarrow is not installed, or it is no such file."""

    def __init__(self, path: Path) -> None:
        try:
            import pyarrow as pa
            from pyarrow import parquet
        except ImportError as error:
            raise ConfigError(str(path), "Parquet needs pyarrow", "pip install 'usdjpy-signals[research]'") from error
        self._pa = pa
        try:
            self._file = parquet.ParquetFile(path, buffer_size=_STREAMED)
        except OSError as error:
            raise unreadable(path, error) from error
        except pa.ArrowException as error:
            raise ConfigError(str(path), "is no Parquet file", "say --format, if it is another") from error
        self.columns: Sequence[str] = list(self._file.schema_arrow.names)
        self._read = 0
        self.count = int(self._file.metadata.num_rows)
        """Rows in all."""

    @property
    def share(self) -> float:
        """How much of it is read, from 0 to 1."""
        return min(1.0, self._read / max(1, self.count))

    def rows(self, wanted: Sequence[str], after: int) -> Iterator[Row]:
        """The wanted cells of each row, but of the first `after` rows: groups of rows before them are not read."""
        groups, self._read = self._from(after)
        names = list(dict.fromkeys(wanted))
        size = self._at_once(groups, names)
        for batch in self._file.iter_batches(size, row_groups=groups, columns=names, use_threads=False):
            skipped = min(batch.num_rows, max(0, after - self._read))
            self._read += batch.num_rows
            if skipped == batch.num_rows:
                continue
            columns = [self._values(batch.column(name).slice(skipped)) for name in wanted]
            for cells in zip(*columns, strict=True):
                yield sound(list(cells))

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _at_once(self, groups: Sequence[int], names: Sequence[str]) -> int:
        """Rows to be decoded at once, of these groups and columns."""
        metadata, size, rows = self._file.metadata, 0, 0
        for group in map(metadata.row_group, groups):
            columns = map(group.column, range(group.num_columns))
            size += sum(one.total_uncompressed_size for one in columns if one.path_in_schema.split(".")[0] in names)
            rows += group.num_rows
        return max(1, min(_BATCH, _BATCH_BYTES * rows // max(1, size)))

    def _from(self, after: int) -> tuple[list[int], int]:
        """The groups of rows from the one that holds row `after`, and how many rows lie before them."""
        metadata, before = self._file.metadata, 0
        for group in range(metadata.num_row_groups):
            if before + metadata.row_group(group).num_rows > after:
                return list(range(group, metadata.num_row_groups)), before
            before += metadata.row_group(group).num_rows
        return [], before

    def _values(self, column: Any) -> list[Any]:
        """Times to the microsecond, as Python has them; in UTC where they have a zone."""
        if not self._pa.types.is_timestamp(column.type):
            return list(column.to_pylist())
        zoned = column.type.tz is not None
        times = column.cast(self._pa.timestamp("us", tz="UTC" if zoned else None), safe=False).to_pylist()
        return [at.replace(tzinfo=dt.UTC) if zoned and at is not None else at for at in times]
