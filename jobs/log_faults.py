"""Where log lines go, and what becomes of it when they can't: a fault is told once, on the other way, in one line.

A file whose write failed is opened anew for each line that comes, so it goes on as soon as there is room again.
"""

import contextlib
import errno
import io
import logging
import logging.handlers
import sys
from collections import deque
from pathlib import Path
from typing import Any, TextIO

import structlog

_MENDS = {
    errno.ENOSPC: "free disk space there",
    errno.EDQUOT: "free disk space there, or raise the quota",
    errno.EFBIG: "raise the limit of file sizes (ulimit -f)",
    errno.EACCES: "may this user write there?",
    errno.EPERM: "may this user write there?",
    errno.EROFS: "mount it for writing, or set SIGNALS_HOME elsewhere",
    errno.ENOENT: "make its folder again, or set SIGNALS_HOME elsewhere",
    errno.EMFILE: "raise the limit of open files (ulimit -n)",
}


class ToldOnce(logging.Handler):
    """Tells a fault of its own when it begins, changes and ends, not for each line, and raises into nobody.

    `place` names where its lines go; `other` is the name of the logger that takes what is told of it.
    """

    place: str
    other: str

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._cause: str | None = None
        self._lost = 0
        self._untold: deque[tuple[str, str, dict[str, object]]] = deque()

    def handle(self, record: logging.LogRecord) -> bool:
        """Write one line, then tell what that changed: with no lock held, since the other way may fail too."""
        done = super().handle(record)
        with contextlib.suppress(IndexError):
            while True:
                told_by, event, said = self._untold.popleft()
                structlog.get_logger(told_by).error(event, place=self.place, **said)
        return done

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line; a line that comes through ends a fault."""
        lost = self._lost
        super().emit(record)
        if self._cause is not None and self._lost == lost:
            self._cause, self._lost = None, 0
            self._untold.append(("signals", "log.resumed", {"lost": lost}))

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name that logging calls
        """Count the line as lost, and keep why."""
        cause = _reason(sys.exc_info()[1])
        self._lost += 1
        if cause != self._cause:
            self._cause = cause
            self._untold.append((self.other, "log.failed", {"error": cause}))
        self.let_go()

    def let_go(self) -> None:
        """Drop what a failed write left behind."""


class File(ToldOnce, logging.handlers.RotatingFileHandler):
    """The home's file of log lines."""

    def let_go(self) -> None:
        """Close the file: what it holds back is lost, and the next line opens it anew."""
        stream, self.stream = self.stream, None
        if stream is not None:
            _close(stream)

    def _open(self) -> io.TextIOWrapper:
        """The file, at the beginning of a line: a full disk may have cut the last one off."""
        cut = _is_cut(Path(self.baseFilename))
        stream = super()._open()
        if cut:
            stream.write("\n")
        return stream


class Screen(ToldOnce, logging.StreamHandler[TextIO]):
    """The terminal, or what stderr is put into."""


def _reason(error: BaseException | None) -> str:
    if isinstance(error, OSError) and error.strerror:
        mend = _MENDS.get(error.errno or 0)
        return f"cannot be written: {error.strerror}{f' - {mend}' if mend else ''}"
    return f"a line cannot be made: {type(error).__name__}: {error}"


def _close(stream: io.TextIOWrapper) -> None:
    with contextlib.suppress(OSError, ValueError):  # it tries once more to write; it is closed all the same
        stream.close()


def _is_cut(path: Path) -> bool:
    if not path.exists() or not path.stat().st_size:
        return False
    with path.open("rb") as file:
        file.seek(-1, 2)
        return file.read() != b"\n"
