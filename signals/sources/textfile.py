"""A text file to be read as a stream: gzipped or not, in the encoding that it has."""

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from signals.errors import ConfigError

MAX_LINE = 1024 * 1024
"""Characters of a line, or of a cell; a longer one is no row."""
HEAD = 1 << 16
"""Bytes by which a file is judged."""
_MOST_BROKEN = 10
"""If more than one line in so many is broken, it is the encoding."""
_GZIP = b"\x1f\x8b"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


class TextFile:
    """A text file, gzipped or not; bytes that are not in its encoding become lone surrogates."""

    def __init__(self, path: Path, encoding: str | None) -> None:
        self.path = path
        try:
            self._raw = path.open("rb")
        except OSError as error:
            raise unreadable(path, error) from error
        try:
            self._size = max(1, self._raw.seek(0, io.SEEK_END))
            self.text = self._opened(encoding)
        except Exception:
            self._raw.close()
            raise

    def _opened(self, encoding: str | None) -> io.TextIOWrapper:
        self._raw.seek(0)
        zipped = self._raw.read(2) == _GZIP
        self._raw.seek(0)
        binary: Any = gzip.GzipFile(fileobj=self._raw) if zipped else self._raw
        try:
            head = binary.read(HEAD)
            binary.seek(0)
        except (OSError, EOFError, zlib.error) as error:
            raise ConfigError(str(self.path), f"is no sound gzip file: {error}", "fetch it again") from error
        self._check(head, encoding)
        return io.TextIOWrapper(binary, encoding or "utf-8-sig", errors="surrogateescape", newline="")

    def _check(self, head: bytes, encoding: str | None) -> None:
        if encoding is None and head.startswith(_UTF16):
            raise ConfigError(str(self.path), "is UTF-16", "say --encoding utf-16")
        try:
            text = head.decode(encoding or "utf-8", "surrogateescape")
        except LookupError as error:
            raise ConfigError(f"--encoding {encoding}", "no such encoding", "for example cp932, utf-16") from error
        except UnicodeError as error:
            raise ConfigError(str(self.path), f"is not {encoding}", "say its encoding with --encoding") from error
        lines = text.splitlines()[: -1 if len(head) == HEAD else None]  # the last may end within a character
        broken = [number for number, line in enumerate(lines, 1) if not is_text(line)]
        if len(broken) > len(lines) / _MOST_BROKEN or 1 in broken:  # a stray byte costs its row only
            problem = f"is not {encoding or 'UTF-8'} (line {broken[0]})"
            raise ConfigError(str(self.path), problem, "say its encoding, for example --encoding cp932")

    @property
    def share(self) -> float:
        """How much of the file on disk is read."""
        return min(1.0, self._raw.tell() / self._size)

    def lines(self) -> Iterator[str]:
        """Its lines; one longer than `MAX_LINE` comes as its beginning, without an end of line."""
        with self._whole():
            while line := self.text.readline(MAX_LINE):
                yield line
                while len(line) == MAX_LINE and not line.endswith("\n"):
                    line = self.text.readline(MAX_LINE)

    def read(self, most: int) -> str:
        """Its text, at most so many characters."""
        with self._whole():
            return self.text.read(most)

    @contextmanager
    def _whole(self) -> Iterator[None]:
        try:
            yield
        except (OSError, EOFError, zlib.error, UnicodeError) as error:
            raise ConfigError(str(self.path), f"breaks off: {error}", "fetch it again") from error

    def close(self) -> None:
        """Close it."""
        self.text.close()
        self._raw.close()


def unreadable(path: Path, error: OSError) -> ConfigError:
    """The error of a file that cannot be opened."""
    return ConfigError(str(path), f"cannot be read: {error.strerror or error}", "name a file of headlines")


def is_text(text: str) -> bool:
    """Whether it holds no bytes that are no text."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
